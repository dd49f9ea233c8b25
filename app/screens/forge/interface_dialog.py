"""The dialog that asks for the interface on which a packet of a file is sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import OptionList

from app.screens.dialogs.dialog import Dialog, Hint
from app.screens.dialogs.palette import Options
from core.forge.values import SendMethod
from core.wire.model.text import safe

Interfaces = Mapping[str, SendMethod | None]  # by name, the method that sends verbatim there

_HINT = "enter sends on this interface · esc sends nothing"


class SendInterface(Dialog[tuple[str, SendMethod | None]]):
    """Return the name of the interface that the user chooses, and its value in `interfaces`.

    `interfaces` asks the kernel, so it is called in a thread. The cursor starts on `current` if
    that is one of them.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "move(1)", "Down"),
        Binding("k", "move(-1)", "Up"),
    ]

    def __init__(self, title: str, interfaces: Callable[[], Interfaces], current: str) -> None:
        super().__init__()
        self.title_text = title
        self._interfaces = interfaces
        self._current = current
        self._methods: Interfaces = {}

    def compose_body(self) -> ComposeResult:
        yield Options(compact=True)
        yield Hint(_HINT)

    async def on_mount(self) -> None:
        """List the interfaces. If the kernel refuses, show why."""
        problem = ""
        try:
            self._methods = await asyncio.to_thread(self._interfaces)
        except OSError as error:
            problem = f"no list of interfaces: {error.strerror}"
        names = list(self._methods)
        if not names:
            problem = problem or "no interface is up"
        self.query_one(Hint).show(problem)
        options = self.query_one(OptionList)
        options.add_options([Text(safe(name), no_wrap=True) for name in names])
        if names:
            options.highlighted = names.index(self._current) if self._current in names else 0

    def action_move(self, step: int) -> None:
        options = self.query_one(OptionList)
        options.action_cursor_down() if step > 0 else options.action_cursor_up()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(list(self._methods.items())[event.option_index])
