"""The base of all dialogs, and a yes-or-no question."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalGroup
from textual.css.query import NoMatches
from textual.screen import ModalScreen, Screen
from textual.widgets import Button, Static

from app.screens.dialogs.too_small import TooSmall

MOST_DIGITS = 20  # a longer number is out of any range, and slow to convert

Result = TypeVar("Result")

# Textual handles ctrl+c in the application, whose keys do not work below a modal screen.
CTRL_C = Binding("ctrl+c", "app.help_quit", show=False)


async def while_open(screen: Screen[Any], work: Awaitable[None]) -> None:
    """Await work for a dialog that may be closed meanwhile, and then has no widgets anymore."""
    try:
        await work
    except NoMatches:
        if screen in screen.app.screen_stack:
            raise


class Dialog(ModalScreen[Result]):
    """A titled frame in the middle of the screen. Escape closes it without a result."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Close"), CTRL_C]

    title_text = ""

    def compose(self) -> ComposeResult:
        with VerticalGroup(classes="dialog") as frame:
            frame.border_title = self.title_text
            yield from self.compose_body()
        yield TooSmall(id="too-small")

    def compose_body(self) -> ComposeResult:
        """Yield the widgets inside the frame."""
        yield from ()

    def action_cancel(self) -> None:
        self.dismiss(None)


class Answer(Button):
    """A button of a question. It drops keys that were pressed before the question was shown.

    The focused button receives every key first.
    """

    def _forward_event(self, event: events.Event) -> None:
        if not (isinstance(self.screen, Confirm) and self.screen.is_typed_ahead(event)):
            super()._forward_event(event)


class Confirm(Dialog[bool]):
    """A question with two answers. The answer that loses nothing has the focus.

    `save` is called for a third answer, that saves first; without it, there are only two. A key
    that was pressed before the question was shown does not answer it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,right", "app.focus_next", show=False),
    ]

    def __init__(
        self, question: str, yes: str, no: str, save: Callable[[], None] | None = None
    ) -> None:
        super().__init__()
        self._shown_s: float | None = None  # on the clock of Textual's events
        self.title_text = f"{yes}?"
        self._question, self._yes, self._no, self._save = question, yes, no, save

    def compose_body(self) -> ComposeResult:
        yield Static(self._question, markup=False, classes="dialog-text")
        with Horizontal(classes="dialog-buttons"):
            yield Answer(f"{self._no} (n)", id="no", compact=True)
            if self._save is not None:
                yield Answer("Save (s)", id="save", compact=True)
            yield Answer(f"{self._yes} (y)", id="yes", compact=True)

    def on_mount(self) -> None:
        self.query_one("#no").focus()
        self._shown_s = time.monotonic()  # it is painted next

    @property
    def accepts_keys(self) -> bool:
        """True once the question is shown, so that keys answer it."""
        return self._shown_s is not None

    def is_typed_ahead(self, event: events.Event) -> bool:
        """Return True for a key that was pressed before the question was shown."""
        return isinstance(event, events.Key) and event.time <= (self._shown_s or event.time)

    def on_key(self, event: events.Key) -> None:
        """Answer with y, n, or s."""
        if event.character in ("y", "n"):
            event.stop()
            self.dismiss(event.character == "y")
        elif event.character == "s" and self._save is not None:
            event.stop()
            self._save_first()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "save":
            self._save_first()
        else:
            self.dismiss(event.button.id == "yes")

    def _save_first(self) -> None:
        self.dismiss(False)
        if self._save is not None:
            self.app.call_later(self._save)


class Hint(Static):
    """The line below an input: how to fill it in, or what is wrong with its text."""

    def __init__(self, usual: str) -> None:
        super().__init__(usual, markup=False, classes="dialog-hint")
        self._usual = usual
        self._refused: object = None  # the text that was refused last

    def show(self, problem: str, usual: str = "") -> None:
        """Show a problem; without one, show `usual`, or the hint that the line was created with."""
        self.update(problem or usual or self._usual)
        self.set_class(bool(problem), "-wrong")

    def refuse(self, typed: object, problem: str) -> None:
        """Show why the text that the user submitted is refused."""
        self._refused = typed
        self.show(problem)

    def has_refused(self, typed: object) -> bool:
        """Return True for the text that was refused last, whose reason must stay.

        Textual reports the last change of an input after the input was submitted.
        """
        return typed == self._refused


def not_decimal(text: str) -> bool:
    """Return True if `text` holds anything but ASCII digits."""
    return bool(text) and not (text.isascii() and text.isdecimal())
