"""A driver for Textual on Linux that paces its output and never blocks on the terminal.

* `paint` puts Textual's updates into the frame. The driver writes the frame when the pace allows,
  followed by a request for the cursor position, the *question* (`app.terminal.pace`).
* The tag of a question is the cursor's column at that moment, so a narrow terminal has fewer tags:
  it would report a column beyond its last one as its last one. The row is the second one, because
  xterm sends F3 with a modifier in the form of an answer from the first row (``ESC [ 1 ; 2 R``,
  ctlseqs, "PC-Style Function Keys").
* A frame is written only if it has the terminal's size, and while no layout is being completed
  (`app.terminal.layout_hold`). When the terminal changes its size, Textual may still paint the old
  one, and paints nothing if the old size returns before it has laid out the new one.
* The driver sets the terminal's modes and restores them strictly in turn. Textual (8.2) sets them
  again at every SIGCONT: it then starts a second input thread, and remembers the raw modes as those
  to restore. The event loop handles signals, so none arrives between two instructions of a write.
* From a key or a click until the frame that answers it, background work pauses
  (`core.store.right_of_way`), and a moment longer, because an answer may take two frames.
* A stop waits for the last answer, because the shell would read it as typed text; and it never
  waits for a terminal that is not read.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import signal
import sys
import termios
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from rich.color import ColorSystem
from textual import events
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Offset, Size
from textual.message import Message

from app.terminal.encoding import encoding_of
from app.terminal.frame import TerminalFrame
from app.terminal.keyboard import read_messages
from app.terminal.layout_hold import CHECK_S
from app.terminal.output import TerminalOutput
from app.terminal.pace import TAGS, FramePace
from core.store.right_of_way import RightOfWay

_SCREEN = 2  # the descriptor that Textual draws on
_CURSOR_POSITION_REQUEST = "\x1b[6n"
_QUESTION_ROW = 2
_RESET = "\x1b[m"
_SYNC_START, _SYNC_END = "\x1b[?2026h", "\x1b[?2026l"
# Bracketed paste, mouse, kitty's keyboard off; line wrap on; main screen; cursor on; focus off.
_LEAVE = (
    "\x1b[?2004l\x1b[?7h\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l"
    "\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l"
)
_URGENT = (
    events.Key
    | events.Paste
    | events.MouseDown
    | events.MouseUp
    | events.MouseScrollDown
    | events.MouseScrollUp
)
_LAST_ANSWER_S = 1.0  # to wait for an answer that would otherwise arrive after the end
_FINISH_S = 0.3  # for a terminal that is not read; spent twice (`TerminalOutput.finish`)
SECOND_FRAME_S = 0.02  # Textual paints at most 60 times a second
TYPING_S = 0.5  # after the last key; a key that is held down repeats after 0.25 to 0.5 s
ABANDON_S = 0.6  # the longest that `TerminalDriver.abandon` takes


class TerminalDriver(LinuxDriver):
    """Textual's driver for Linux, which paints at the terminal's pace; see the module."""

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self.is_arranging: Callable[[], bool] = lambda: False  # True: the layout is not complete
        self.right_of_way = RightOfWay()
        self.synchronized = False  # True if the terminal supports "synchronized output"
        self._frame = TerminalFrame(app.console._color_system or ColorSystem.TRUECOLOR)
        self._pace = FramePace()
        self._output = TerminalOutput(
            _SCREEN, self._loop, self._write_frame, encoding_of(sys.__stderr__)
        )
        self._answered_tags: SimpleQueue[int] = SimpleQueue()  # from the input thread
        self._later: asyncio.TimerHandle | None = None
        self._cursor = Offset(0, 0)
        self._terminal_size: Size | None = None  # None until it is reported
        self._has_terminal = False
        self._is_restored = True  # only after the last output
        self._continued = 0  # the number of SIGCONT signals
        self._closed = False
        self._is_answering = False  # no frame was written since the last key
        self._last_input_s = -math.inf

    # -- painting -------------------------------------------------------------------------

    def write(self, data: str) -> None:
        """Write at once, without waiting for the terminal."""
        if not self._closed:
            self._output.write(data)

    def paint(self, update: CompositorUpdate, size: Size, cursor: Offset) -> None:
        """Store an update of a screen of this size, and write it when the pace allows."""
        if self._frame.size != size:
            self._frame.resize(*size)
        self._frame.take(update)
        self._cursor = cursor
        self._write_frame()

    def repaint(self, size: Size) -> None:
        """Paint the whole screen, because the terminal may show anything or has another size.

        A screen of another size than the last is written when Textual has painted it.
        """
        self._pace.forget()
        self._frame.forget()
        self._terminal_size = size
        self._write_frame()

    def redraw(self) -> None:
        """Paint the whole screen at the terminal's pace, after another program wrote to it."""
        self._frame.forget()
        self._write_frame()

    @property
    def may_follow(self) -> bool:
        """True if the terminal has time for changes that no key caused."""
        return not self._output.behind and self._pace.may_follow(time.monotonic())

    @property
    def is_typing(self) -> bool:
        """True while the user presses keys or buttons, one soon after the other."""
        return time.monotonic() - self._last_input_s < TYPING_S

    def _write_frame(self) -> None:
        """Write the newest frame if the pace allows, else schedule the write."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if not self._has_terminal or self._output.behind:
            return
        if self._terminal_size not in (None, self._frame.size):
            return  # the next paint has the new size
        wait_s = self._pace.wait_s(time.monotonic())
        if self.is_arranging():
            wait_s = max(wait_s, CHECK_S)
        if wait_s > 0:
            self._later = self._loop.call_later(wait_s, self._write_frame)
        elif change := self._frame.difference():
            self._write_with_question(change + _RESET)

    def _write_with_question(self, change: str) -> None:
        size_bytes = len(change.encode(errors="replace"))
        tag = self._pace.add_question(size_bytes, time.monotonic(), min(TAGS, _columns()))
        question = f"\x1b[{_QUESTION_ROW};{tag + 1}H{_CURSOR_POSITION_REQUEST}"
        back = f"\x1b[{self._cursor.y + 1};{self._cursor.x + 1}H"
        if self.synchronized:
            change = f"{_SYNC_START}{change}{_SYNC_END}"
        self.write(f"{change}{question}{back}")
        if self._is_answering:
            self._is_answering = False
            self.right_of_way.claim_for_key(self, SECOND_FRAME_S)

    def run_input_thread(self) -> None:
        """Process what the terminal sends, whatever its bytes."""
        encoding = encoding_of(sys.__stdin__)
        for message in read_messages(self.fileno, self.exit_event, encoding, debug=self._debug):
            self.process_message(message)

    def process_message(self, message: Message) -> None:
        """Collect the answers, in the input thread; pass everything else to Textual."""
        if isinstance(message, _URGENT):
            self._is_answering = True
            self._last_input_s = time.monotonic()
            self.right_of_way.claim_for_key(self)
        if not isinstance(message, events.CursorPosition):
            super().process_message(message)
        elif message.y == _QUESTION_ROW - 1:
            self._answered_tags.put(message.x)
            self._loop.call_soon_threadsafe(self._process_answers)

    def _process_answers(self) -> None:
        while not self._answered_tags.empty():
            self._pace.add_answer(self._answered_tags.get(), time.monotonic())
        self._write_frame()

    # -- taking and restoring the terminal --------------------------------------------------

    def start_application_mode(self) -> None:
        """Take the terminal. In the background this stops the process until it is continued."""
        while not self._has_terminal:
            continued = self._continued
            self._writer_thread = None
            super().start_application_mode()  # type: ignore[no-untyped-call]
            self._has_terminal = self._writer_thread is not None
            if self._continued == continued:
                break
        self._is_restored = not self._has_terminal
        self._frame.forget()
        self._pace.forget()
        if self._has_terminal:
            self._write_with_question("")
            self._write_frame()

    def stop_application_mode(self) -> None:
        """Restore the terminal. Do nothing if it is already restored."""
        if not self._has_terminal:
            return
        self._has_terminal = False
        if self._output.behind:
            self._output.cut()
        else:
            self._await_last_answer()
        super().stop_application_mode()
        self._output.finish(_FINISH_S)
        self._is_restored = True

    def _await_last_answer(self) -> None:
        end_s = time.monotonic() + _LAST_ANSWER_S
        with contextlib.suppress(Empty):
            while self._pace.awaits_answer:
                left_s = max(0.0, end_s - time.monotonic())
                self._pace.add_answer(self._answered_tags.get(timeout=left_s), time.monotonic())

    def suspend_application_mode(self) -> None:
        """Restore the terminal until `resume_application_mode`."""
        self.stop_application_mode()
        super().close()

    def close(self) -> None:
        """Release the terminal and all descriptors."""
        super().close()
        if not self._closed:
            self._closed = True
            self._output.close()

    # -- being stopped and continued ----------------------------------------------------------

    def _sigtstp_application(self, *_: object) -> None:
        if self._has_terminal:
            self._loop.call_soon_threadsafe(self._stop)
        else:
            os.kill(os.getpid(), signal.SIGSTOP)

    def _stop(self) -> None:
        """Restore the terminal and stop, for SIGTSTP; take the terminal again when continued."""
        restart = self._has_terminal and self._auto_restart
        if restart:
            self.suspend_application_mode()
            self._must_signal_resume = True
        os.kill(os.getpid(), signal.SIGSTOP)
        if restart:
            self.resume_application_mode()

    def _sigcont_application(self, *_: object) -> None:
        self._continued += 1
        if self._has_terminal:
            self._loop.call_soon_threadsafe(self._retake_terminal)

    def _retake_terminal(self) -> None:
        """Take the terminal again after SIGSTOP, because a shell may have used it."""
        if self._has_terminal:
            self.suspend_application_mode()
            self._must_signal_resume = True
            self.resume_application_mode()

    def abandon(self) -> None:
        """Restore the terminal's modes from another thread, just before the process ends.

        This also works in the middle of `stop_application_mode`. Takes at most `ABANDON_S` seconds.
        """
        if self._is_restored:
            return
        self._has_terminal = False
        if self.attrs_before is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
        self._output.abandon(_LEAVE, ABANDON_S)


def _columns() -> int:
    """Return the terminal's width, or `TAGS` if it is unknown."""
    try:
        return os.get_terminal_size(_SCREEN).columns or TAGS
    except OSError:
        return TAGS
