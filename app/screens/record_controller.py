"""Start and stop the recording of captured packets to a file."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.screen import Screen

from app.bridge import Bridge
from core.recording.state import RecordingState, RecordingStatus
from core.wire.model.text import safe
from widgets.status.line import si

if TYPE_CHECKING:
    from core.recording.recorder import Recorder

_NAMED = 3  # interfaces in the name of a file


class RecordController:
    """The recording commands. `time_of_name` returns the time for the name of a file."""

    def __init__(
        self,
        screen: Screen[None],
        bridge: Bridge,
        time_of_name: Callable[[], str] = lambda: time.strftime("%Y%m%d-%H%M%S"),
    ) -> None:
        self._screen, self._bridge, self._time_of_name = screen, bridge, time_of_name
        self._is_ending = False  # the recording that the user stopped

    def toggle(self) -> None:
        """Stop recording; if nothing is recorded, ask for a file and start."""
        if self._bridge.recording is not None:
            self._is_ending = True
            self._bridge.stop_recording()
        elif self._bridge.has_file:
            words = "the packets are those of a file: capture on an interface (i) to record"
            self._screen.notify(words, severity="warning", markup=False)
        else:
            from app.screens.dialogs.record import RecordTo  # most captures are not recorded

            self._screen.app.push_screen(RecordTo(self._name()), self._begin)

    def show(self, state: RecordingState | None) -> None:
        """Say what the recording has that the user stopped, once its file is whole.

        The banner tells of a failure.
        """
        if not self._is_ending or state is None or state.status is RecordingStatus.RECORDING:
            return
        self._is_ending = False
        if state.status is RecordingStatus.FAILED:
            return
        words = f"{state.packets:,} packets, {si(state.size, 'B')}, in {safe(state.name)}"
        if not state.files:
            words = f"nothing was captured, so {safe(state.name)} was removed"
        self._screen.notify(words, title="Recording stopped", markup=False)

    def _begin(self, recorder: Recorder | None) -> None:
        if recorder is not None:
            self._bridge.record(recorder)
            if not self._bridge.live:
                self._screen.notify(
                    "the file gets the packets of the next capture (ctrl+e starts it);"
                    " w saves those captured before",
                    title="Capture is stopped",
                    severity="warning",
                    markup=False,
                )

    def _name(self) -> str:
        """Return the usual name of a file: ``rawscope-20261130-120000-eth0.pcapng``."""
        interfaces = "-".join(self._bridge.capturing[:_NAMED])
        return safe(f"rawscope-{self._time_of_name()}-{interfaces or 'any'}.pcapng")
