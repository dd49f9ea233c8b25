"""The capture filter in the dialog of interfaces: a field, what is wrong with it, and a switch.

libpcap needs about a tenth of a second in a process of its own, so the field checks its text in a
thread: one text at a time, and always the newest next. The switch leaves out the user's SSH
sessions; it is shown if a capture on the chosen interfaces would contain one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalGroup
from textual.content import Content
from textual.widgets import Input, Static

from app.config.filter_history import FilterHistory
from app.screens.dialogs.choices import Switched
from app.screens.dialogs.dialog import Hint, while_open
from core.capture.capture_filter import CaptureFilter, compile_filter
from core.capture.filter_compiler import CaptureFilterError
from core.capture.options import ANY
from core.capture.ssh_sessions import SshSession, exclusion_of, would_contain
from core.net.interfaces import InterfaceInfo
from core.wire.model.text import safe

_HINT = "as in tcpdump: tcp port 443 and not host 10.0.0.7 · empty: all"
_VALID = "✓ valid · up: earlier filters"
_INCOMPLETE = "… incomplete: more must follow"
_CHECKING = "checking …"
FindSessions = Callable[[], Sequence[SshSession]]


class CaptureFilterField(VerticalGroup):
    """The filter that the user types. `initial` is that of the present or last capture."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "recall(-1)", "Earlier filter", show=False),
        Binding("down", "recall(1)", "Later filter", show=False),
    ]

    def __init__(
        self, initial: CaptureFilter | None, history: FilterHistory, find_sessions: FindSessions
    ) -> None:
        super().__init__()
        self._history, self._find_sessions = history, find_sessions
        self._sessions: Sequence[SshSession] = ()
        self._exclusion = initial.exclusion if initial else ""
        self._offered: Sequence[SshSession] = ()  # sessions that the capture would contain
        self._chosen: Sequence[InterfaceInfo] = ()
        self._checked = (initial.text, initial.exclusion) if initial else ("", "")
        self._result: CaptureFilter | CaptureFilterError | None = initial
        self._checking = asyncio.Lock()
        self._history.rewind()

    def compose(self) -> ComposeResult:
        with Horizontal(classes="dialog-row"):
            yield Static("Filter", classes="dialog-label")
            field = Input(self._checked[0], compact=True, id="capture-filter")
            field.cursor_blink = False
            yield field
        yield Hint(_HINT)
        yield Switched("", bool(self._exclusion), compact=True, id="not-ssh")

    async def find_sessions(self) -> None:
        """Look for the user's SSH sessions. The dialog does this before its first `offer`."""
        self._sessions = await asyncio.to_thread(self._find_sessions)

    @property
    def text(self) -> str:
        """The text in the field."""
        return self.query_one(Input).value.strip()

    @property
    def is_checked(self) -> bool:
        """True if `result` belongs to the text and the switch as they are now."""
        return self._checked == self._wanted

    @property
    def result(self) -> CaptureFilter | None:
        """The checked filter; None for all packets. Raises `CaptureFilterError`."""
        if isinstance(self._result, CaptureFilterError):
            raise self._result
        if self._result is not None:
            for info in self._chosen:
                try:
                    self._result.program(info.hardware_type)
                except CaptureFilterError as error:
                    raise CaptureFilterError(f"{safe(info.name)}: {error}") from error
        return self._result

    @property
    def _wanted(self) -> tuple[str, str]:
        return self.text, self._exclusion

    def offer(self, chosen: Sequence[str], found: Sequence[InterfaceInfo]) -> None:
        """Take the interfaces of the capture: offer to leave out the sessions that it contains."""
        self._chosen = [info for info in found if info.name in chosen and ANY not in chosen]
        self._offered = [one for one in self._sessions if would_contain(one, chosen, found)]
        switch = self.query_one(Switched)
        switch.display = bool(self._offered)
        if self._offered:
            who = ", ".join(session.label for session in self._offered)
            switch.label = Content(f"Leave out my SSH session: {who} (s)")
        self._take_switch()

    def toggle_session(self) -> None:
        """Leave out the sessions, or capture them. Without a session, do nothing."""
        switch = self.query_one(Switched)
        if switch.display:
            switch.value = not switch.value

    def action_recall(self, step: int) -> None:
        """Show the earlier filter (-1), or the later one (1)."""
        text = self._history.older() if step < 0 else self._history.newer()
        if text is not None:
            self.query_one(Input).value = text

    def on_input_changed(self) -> None:
        self._check_soon()

    def on_checkbox_changed(self) -> None:
        self._take_switch()

    async def check(self) -> None:
        """Check the newest text, also one that changes meanwhile."""
        async with self._checking:
            while not self.is_checked:
                wanted = self._wanted
                try:
                    self._result = await asyncio.to_thread(compile_filter, *wanted)
                except CaptureFilterError as error:
                    self._result = error
                self._checked = wanted
        self._show()

    def _take_switch(self) -> None:
        is_on = self.query_one(Switched).value
        self._exclusion = exclusion_of(self._offered) if is_on else ""
        self._check_soon()

    def _check_soon(self) -> None:
        self._show()
        if not self.is_checked:
            self.run_worker(while_open(self.screen, self.check()))

    def _show(self) -> None:
        """Show what is wrong with the filter, or that it is valid."""
        hint = self.query_one(Hint)
        if not self.is_checked:
            hint.show("", _CHECKING)
            return
        try:
            self.result  # noqa: B018 (it raises)
        except CaptureFilterError as error:
            if error.is_incomplete:
                hint.show("", _INCOMPLETE)
            else:
                hint.show(f"✗ {error}")
        else:
            hint.show("", _VALID if self.text else _HINT)
