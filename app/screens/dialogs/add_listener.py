"""The dialog that adds a listener to the echo server. Imported with the echo panel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Input, RadioSet, Static

from app.screens.dialogs.choices import Choices, OneOf
from app.screens.dialogs.dialog import MOST_DIGITS, Dialog, Hint, not_decimal
from core.echo.listener import EchoError, check_listening, is_address
from core.echo.options import Trigger
from core.engine.echo_service import DEFAULT_ADDRESS
from core.wire.model.text import safe

MOST_PORT = 65_535


HINT = "port 0: any free port · tab next · enter adds"


class AddListener(Dialog["AddListener.Choice"]):
    """Ask for the address, port, and trigger of another listener of the echo server."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "add", "Add")]
    title_text = "Add a listener"

    @dataclass(frozen=True, slots=True)
    class Choice:
        """A listener to add; port 0 lets the kernel choose a free port."""

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
        yield Hint(HINT)

    def on_input_changed(self, event: Input.Changed) -> None:
        port, address = self._typed()
        if self.query_one(Hint).has_refused((port, address)):
            return
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
        """Add the listener, or show what is wrong with the input."""
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
        """Return port and address as typed."""
        port, address = (self.query_one(f"#{name}", Input).value for name in ("port", "address"))
        return port.strip(), address.strip("[] ")

    def _refuse(self, words: str) -> None:
        self.query_one(Hint).refuse(self._typed(), words)


def _port_problem(text: str) -> str:
    """Return what is wrong with a port; empty if it is right."""
    if not text or not_decimal(text) or len(text) > MOST_DIGITS or int(text) > MOST_PORT:
        return f"no port {safe(text)!r}: 0 to {MOST_PORT:,}"
    return ""
