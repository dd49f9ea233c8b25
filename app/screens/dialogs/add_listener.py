"""The dialog that adds a listener to the echo server. Imported with the echo panel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Input, RadioButton, RadioSet, Static

from app.screens.dialogs.dialog import MOST_DIGITS, Dialog, Hint, not_decimal
from core.echo.listener import EchoError, check_listening, is_address
from core.echo.options import Trigger
from core.engine.echo_service import DEFAULT_ADDRESS
from core.wire.model.text import safe

MOST_PORT = 65_535


class OneOf(RadioButton):
    """A radio button that says by its sign, and not by color alone, whether it is the one."""

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
            "anybody who reaches this host can connect" if wild else "",
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
    if not text or not_decimal(text) or len(text) > MOST_DIGITS or int(text) > MOST_PORT:
        return f"no port {safe(text)!r}: 0 to {MOST_PORT:,}"
    return ""
