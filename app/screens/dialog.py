"""The small windows over the main screen: a frame, a question, a message, a number, a list."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalGroup
from textual.screen import ModalScreen
from textual.widgets import Button, Input, OptionList, RadioButton, RadioSet, Static
from textual.widgets.option_list import Option

from app.screens.too_small import TooSmall
from core.echo.listener import EchoError, check_listening, is_address
from core.echo.options import Trigger
from core.serving import DEFAULT_ADDRESS
from core.wire.text import safe

MOST_PORT = 65_535
_DIGITS = 20  # of a number that is read: more is none of ours

Result = TypeVar("Result")


class Dialog(ModalScreen[Result]):
    """A titled frame in the middle of the screen; escape closes it without a result."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Close")]

    title_text = ""

    def compose(self) -> ComposeResult:
        with VerticalGroup(classes="dialog") as frame:
            frame.border_title = self.title_text
            yield from self.compose_body()
        yield TooSmall(id="too-small")

    def compose_body(self) -> ComposeResult:
        """What stands inside the frame."""
        yield from ()

    def action_cancel(self) -> None:
        self.dismiss(None)


class Answer(Button):
    """A button of a question: the one that has the focus gets every key first."""

    def _forward_event(self, event: events.Event) -> None:
        if not (isinstance(self.screen, Confirm) and self.screen.is_typed_ahead(event)):
            super()._forward_event(event)


class Confirm(Dialog[bool]):
    """A question with two answers. The one that loses nothing has the focus.

    A key that was pressed before there was a question is no answer to it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,right", "app.focus_next", show=False),
    ]

    def __init__(self, question: str, yes: str, no: str) -> None:
        super().__init__()
        self._asked_s: float | None = None  # when it was on the screen, by the clock of events
        self.title_text = f"{yes}?"
        self._question, self._yes, self._no = question, yes, no

    def compose_body(self) -> ComposeResult:
        yield Static(self._question, markup=False, classes="dialog-text")
        with Horizontal(classes="dialog-buttons"):
            yield Answer(f"{self._no} (n)", id="no", compact=True)
            yield Answer(f"{self._yes} (y)", id="yes", compact=True)

    def on_mount(self) -> None:
        self.query_one("#no").focus()
        self._asked_s = time.monotonic()  # it is painted next

    @property
    def is_asked(self) -> bool:
        """Whether the question is put, so that keys answer it."""
        return self._asked_s is not None

    def is_typed_ahead(self, event: events.Event) -> bool:
        """Whether it is a key that was pressed before there was a question."""
        return isinstance(event, events.Key) and event.time <= (self._asked_s or event.time)

    def on_key(self, event: events.Key) -> None:
        """y and n answer."""
        if event.character in ("y", "n"):
            event.stop()
            self.dismiss(event.character == "y")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")


class Hint(Static):
    """The line below a field: how to fill it in, or what is wrong with what was typed."""

    def __init__(self, usual: str) -> None:
        super().__init__(usual, markup=False, classes="dialog-hint")
        self._usual = usual

    def show(self, problem: str, usual: str = "") -> None:
        """Show a problem; without one, `usual`, or what stood there first."""
        self.update(problem or usual or self._usual)
        self.set_class(bool(problem), "-wrong")


def not_decimal(text: str) -> bool:
    """Return True if `text` holds anything but ASCII digits."""
    return bool(text) and not (text.isascii() and text.isdecimal())


class GoTo(Dialog[int]):
    """Asks for a packet number from `first` to `last`.

    Everything typed stays in the field: dropping the characters that cannot stand in a number
    would turn ``5.09`` into another packet's number. The hint says what is wrong while it is
    typed.
    """

    title_text = "Go to packet"

    def __init__(self, first: int, last: int) -> None:
        super().__init__()
        self._first, self._last = first, last

    def compose_body(self) -> ComposeResult:
        number = Input(placeholder=f"{self._first}–{self._last}", compact=True)
        number.cursor_blink = False
        yield number
        yield Hint(self._range)

    @property
    def _range(self) -> str:
        return f"{self._first:,} to {self._last:,}"

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say at once what no further digit can mend."""
        text = event.value.strip()
        too_large = text.isdecimal() and (len(text) > _DIGITS or int(text) > self._last)
        self.query_one(Hint).show(self._problem(text) if too_large or not_decimal(text) else "")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        if problem := self._problem(text):
            self.query_one(Hint).show(problem)
        else:
            self.dismiss(int(text))

    def _problem(self, text: str) -> str:
        """What is wrong with the number, in a few words; empty if nothing is."""
        if not text:
            return f"type a packet number, {self._range}"
        if not_decimal(text):
            return f"{safe(text)!r} is not a number; type {self._range}"
        if len(text) > _DIGITS or not self._first <= int(text) <= self._last:
            return f"no packet {safe(text)}; type {self._range}"
        return ""


class OneOf(RadioButton):
    """A radio button that says by its sign, and not by colour alone, whether it is the one."""

    @property
    def BUTTON_INNER(self) -> str:  # type: ignore[override]  # noqa: N802 (Textual's name)
        return "●" if self.value else "○"


class Choices(RadioSet, inherit_bindings=False):
    """A set of radio buttons in which the arrows choose; enter is the dialog's."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,right", "choose(1)", show=False),
        Binding("up,left", "choose(-1)", show=False),
        Binding("space", "toggle_button", show=False),
    ]

    def action_choose(self, step: int) -> None:
        """The next one, or the one before."""
        if step > 0:
            self.action_next_button()
        else:
            self.action_previous_button()
        self.action_toggle_button()


_LISTENER_HINT = "port 0: any free one · tab next · enter adds"


class AddListener(Dialog["AddListener.Choice"]):
    """Asks where the echo server shall listen too, and with which trigger."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "add", "Add")]
    title_text = "Add a listener"
    _refused: tuple[str, str] | None = None  # what was typed when it was

    @dataclass(frozen=True, slots=True)
    class Choice:
        """Port 0 is any free one."""

        address: str
        port: int
        trigger: Trigger

    def compose_body(self) -> ComposeResult:
        port = Input("0", compact=True, id="port")
        address = Input(DEFAULT_ADDRESS, compact=True, id="address")
        for name, field in (("Port", port), ("Address", address)):
            field.cursor_blink = False
            with Horizontal(classes="dialog-row"):
                yield Static(name, classes="dialog-label")
                yield field
        with Horizontal(classes="dialog-row"):
            yield Static("Trigger", classes="dialog-label")
            with Choices(compact=True, id="trigger"):
                for trigger in Trigger:
                    yield OneOf(trigger.value, value=trigger is Trigger.LEVEL, compact=True)
        with Horizontal(classes="dialog-buttons"):
            yield Button("Cancel", id="cancel", compact=True)
            yield Button("Add", id="add", compact=True)
        yield Hint(_LISTENER_HINT)

    def on_input_changed(self, event: Input.Changed) -> None:
        if self._typed() == self._refused:
            return  # the change that was refused is reported only now
        port, address = self._typed()
        wild = address in ("0.0.0.0", "::")
        self.query_one(Hint).show(
            _port_problem(port) if port else "",
            "anybody who reaches this machine can connect" if wild else "",
        )

    def on_input_submitted(self) -> None:
        self.action_add()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "add":
            self.action_add()
        else:
            self.dismiss(None)

    def action_add(self) -> None:
        """Take what was typed, or say what is wrong with it."""
        port, address = self._typed()
        if problem := _port_problem(port):
            self._refuse(problem)
        elif not is_address(address):
            self._refuse(f"no address {safe(address)!r}: e.g. 127.0.0.1 or ::1")
        else:
            self._add(address, int(port))

    def _add(self, address: str, port: int) -> None:
        try:
            check_listening(address, port)
        except EchoError as error:
            self._refuse(str(error))
        else:
            trigger = list(Trigger)[self.query_one(RadioSet).pressed_index]
            self.dismiss(self.Choice(address, port, trigger))

    def _typed(self) -> tuple[str, str]:
        """Port and address."""
        port, address = (self.query_one(f"#{name}", Input).value for name in ("port", "address"))
        return port.strip(), address.strip("[] ")

    def _refuse(self, words: str) -> None:
        self._refused = self._typed()
        self.query_one(Hint).show(words)


def _port_problem(text: str) -> str:
    """What is wrong with a port, in a few words; empty if nothing is."""
    if not text or not_decimal(text) or len(text) > _DIGITS or int(text) > MOST_PORT:
        return f"no port {safe(text)!r}: 0 to {MOST_PORT:,}"
    return ""


class Copy(Dialog[str]):
    """Asks which of the texts goes to the clipboard; each is shown as it would go."""

    title_text = "Copy"

    def __init__(self, choices: list[tuple[str, str]]) -> None:
        """`choices` are ``(what it is, text)``, the likeliest first."""
        super().__init__()
        self._choices = choices

    def compose_body(self) -> ComposeResult:
        width = max(len(name) for name, _ in self._choices)
        yield OptionList(
            *(
                Option(
                    Text(f"{name:<{width}}  {_preview(text)}", no_wrap=True, overflow="ellipsis")
                )
                for name, text in self._choices
            ),
            compact=True,
        )
        yield Static("enter copies · esc closes", classes="dialog-hint")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices[event.option_index][1])


def _preview(text: str) -> str:
    line = safe(" ".join(text.split()))
    return line if len(line) <= 48 else line[:47] + "…"
