"""Choose what is captured or read, and ask before packets are lost that no file holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from textual.app import App

from app.bridge import Bridge
from app.config.filter_history import FilterHistory
from app.screens.dialogs.dialog import Confirm
from app.screens.saving.save_controller import SaveController
from app.textual_bindings import first_key
from core.capture.capture_filter import compile_filter
from core.capture.filter_compiler import CaptureFilterError
from core.capture.ssh_sessions import (
    SshSession,
    exclusion_of,
    find_ssh_sessions,
    would_contain,
)
from core.net.interfaces import InterfaceInfo, list_interfaces

if TYPE_CHECKING:
    from app.screens.dialogs.interfaces import CaptureChoice


class CaptureController:
    """The capture and open commands. `interfaces` lists the host's interfaces.

    `keys` are those of the configuration file, by action name. `saver` saves packets that would be
    lost, once there is a screen.
    """

    def __init__(
        self,
        app: App[Any],
        bridge: Bridge,
        history: FilterHistory,
        interfaces: Callable[[], Sequence[InterfaceInfo]] = list_interfaces,
        find_sessions: Callable[[], Sequence[SshSession]] = find_ssh_sessions,
        keys: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._app, self._bridge, self._interfaces = app, bridge, interfaces
        self.saver: SaveController | None = None
        self._history, self._find_sessions = history, find_sessions
        self._keys = keys

    def choose_interfaces(self) -> None:
        """Ask for interfaces and a filter, and capture, or change the filter of the capture."""
        from app.screens.dialogs.interfaces import Interfaces
        from app.screens.filter.capture_filter_field import CaptureFilterField

        bridge = self._bridge
        field = CaptureFilterField(bridge.capture_filter, self._history, self._find_sessions)
        chooser = Interfaces(
            self._interfaces, bridge.capturing, live=bridge.live, filter_field=field
        )
        self._app.push_screen(chooser, self._capture)

    def _capture(self, choice: CaptureChoice | None) -> None:
        """Capture. New packets replace those of a pipe, and follow those captured before."""
        if choice is None:
            return
        capture_filter = choice.capture_filter
        text = capture_filter.text if capture_filter else ""
        if text and (problem := self._history.add(text)):
            self._app.notify(problem, severity="warning", markup=False)
        start = partial(self._bridge.capture, choice.interfaces, capture_filter)
        if self._bridge.piped:
            self.unless_lost("Capture", start)
        else:
            start()

    def toggle_session(self) -> None:
        """Leave the user's SSH sessions out of the running capture, or capture them again."""
        if self._bridge.live:
            self._app.run_worker(self._toggle_session)  # type: ignore[arg-type]
        else:
            key = first_key("capture.interface", self._keys)
            words = f"nothing is captured: '{key}' starts a capture without your SSH session"
            self._app.notify(words, markup=False)

    async def offer_session(self) -> None:
        """Name the key that leaves out the user's SSH session, if an unfiltered capture has it."""
        names = self._bridge.capturing
        if not names or self._bridge.capture_filter is not None:
            return
        sessions, found = await asyncio.to_thread(self._look_for_sessions)
        if any(would_contain(one, names, found) for one in sessions):
            key = first_key("capture.session", self._keys)
            self._app.notify(
                f"this capture contains your SSH session: '{key}' leaves it out", markup=False
            )

    async def _toggle_session(self) -> None:
        earlier, names = self._bridge.capture_filter, self._bridge.capturing
        exclusion = ""
        if earlier is None or not earlier.exclusion:
            sessions, found = await asyncio.to_thread(self._look_for_sessions)
            exclusion = exclusion_of([one for one in sessions if would_contain(one, names, found)])
            if not exclusion:
                self._app.notify("this capture contains no SSH session of yours")
                return
        text = earlier.text if earlier else ""
        try:
            changed = await asyncio.to_thread(compile_filter, text, exclusion)
        except CaptureFilterError as error:
            self._app.notify(f"the filter is not changed: {error}", severity="error", markup=False)
            return
        if self._bridge.live and self._bridge.capturing == names:
            self._bridge.capture(names, changed)
            done = "left out" if exclusion else "captured again"
            self._app.notify(f"packets of your SSH session are {done}")

    def _look_for_sessions(self) -> tuple[Sequence[SshSession], Sequence[InterfaceInfo]]:
        try:
            return self._find_sessions(), self._interfaces()
        except OSError:  # without a list of interfaces no session can be assigned to one
            return (), ()

    def toggle(self) -> None:
        """Stop, or restart on the same interfaces.

        Ask for interfaces if no capture came before, or if packets of a file would be replaced.
        """
        if not self._bridge.toggle_capture():
            self.choose_interfaces()

    def open_file(self) -> None:
        """Ask for a capture file, and read it."""
        from app.screens.dialogs.open_file import open_dialog  # 60 ms that most never need

        self._app.push_screen(open_dialog(), self._open)

    def _open(self, path: Path | None) -> None:
        if path is not None:
            self.unless_lost("Open", partial(self._bridge.open_file, path))

    def unless_lost(self, verb: str, act: Callable[[], Any]) -> None:
        """Call `act`; ask first if packets would be lost that no file holds."""

        def answered(sure: bool | None) -> None:
            if sure:
                act()

        unsaved = self._bridge.unsaved
        if not unsaved:
            act()
            return
        save = None
        if self.saver is not None:
            again = partial(self.unless_lost, verb, act)
            save = partial(self.saver.stop_and_open, again)
        question = Confirm(unsaved.sentence, yes=verb, no="Stay", save=save)
        self._app.push_screen(question, answered)
