"""The dialog that asks for a packet: by its number, by a number of rows, or by a time."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Input, Static

from app.screens.dialogs.dialog import Dialog, Hint
from app.screens.go_to_target import Target, TargetContext, TargetError, parse_target


class GoTo(Dialog[Target]):
    """Ask for a packet. The hint says what is wrong while the user types.

    The input keeps all characters: without those that cannot be part of a number, ``5.09`` would
    become the number of another packet.
    """

    title_text = "Go to packet"

    def __init__(self, packets: TargetContext) -> None:
        super().__init__()
        self._packets = packets

    def compose_body(self) -> ComposeResult:
        first, last = self._packets.first, self._packets.last
        target = Input(placeholder=f"{first}–{last}, or a time", compact=True)
        target.cursor_blink = False
        yield target
        yield Static(
            f"{self._packets.numbers}, or +100, -100 rows\n"
            f"5.09: seconds {self._packets.zero_words}\n"
            "22:39:28.5: time of day",
            markup=False,
            classes="dialog-hint",
        )
        yield Hint("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Report an error that no further character can correct."""
        try:
            parse_target(event.value, self._packets)
        except TargetError as error:
            self.query_one(Hint).show("" if error.is_incomplete else str(error))
        else:
            self.query_one(Hint).show("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        try:
            target = parse_target(event.value, self._packets)
        except TargetError as error:
            self.query_one(Hint).show(str(error))
        else:
            self.dismiss(target)
