"""Write to the terminal without ever waiting for it.

A write to a terminal that is not read blocks forever, and with it the thread that writes: the
program then answers neither keys nor signals. `app.terminal.writer` writes what the terminal
accepts now; this module keeps the rest and writes it when there is room. Any thread may write.
"""

from __future__ import annotations

import asyncio
import contextlib
import termios
import threading
import time
from collections.abc import Callable

from app.terminal.encoding import screen_bytes
from app.terminal.writer import TerminalWriter

CANCEL = b"\x18"  # CAN ends an escape sequence that was cut (ECMA-48, console_codes(4))
_PIECE = 1 << 16


class TerminalOutput:
    """The terminal behind `descriptor`; `loop` writes to it when there is room.

    `encoding` is the terminal's: see `app.terminal.encoding.screen_bytes`. The loop calls `on_room`
    when everything has been written after a delay.
    """

    def __init__(
        self,
        descriptor: int,
        loop: asyncio.AbstractEventLoop,
        on_room: Callable[[], None] = lambda: None,
        encoding: str = "utf-8",
    ) -> None:
        self._encoding = encoding
        self._loop = loop
        self._on_room = on_room
        self._lock = threading.Lock()
        self._left = bytearray()
        self._waiting = False
        self._writer = TerminalWriter(descriptor)

    @property
    def behind(self) -> bool:
        """True if some output is still unwritten."""
        return bool(self._left)

    def write(self, text: str) -> None:
        """Write what the terminal accepts now, and the rest later."""
        with self._lock:
            self._left += screen_bytes(text, self._encoding)
            self._write_on()
            wait = bool(self._left) and not self._waiting
            self._waiting |= wait
        if wait:
            self._loop.call_soon_threadsafe(self._wait)

    def _wait(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # closed in the meantime
            self._loop.add_writer(self._writer.descriptor, self._has_room)

    def _has_room(self) -> None:
        with self._lock:
            self._write_on()
            if self._left:
                return
            self._stop_waiting()
        self._on_room()

    def _stop_waiting(self) -> None:
        if self._waiting:
            self._waiting = False
            self._loop.remove_writer(self._writer.descriptor)

    def _write_on(self) -> None:
        try:
            while self._left and (taken := self._writer.write(bytes(self._left[:_PIECE]))):
                del self._left[:taken]
        except OSError:  # the terminal is gone, and SIGHUP will arrive
            self._left.clear()

    def cut(self) -> None:
        """Drop the unwritten output; the terminal reads later output as a new sequence."""
        with self._lock:
            if self._left:
                self._left[:] = CANCEL

    def finish(self, limit_s: float) -> None:
        """Write the rest, in at most ``2 * limit_s`` seconds.

        If the terminal does not accept it in time, discard the unread contents of its buffer
        (tcflush(3)) and write it then.
        """
        with self._lock:
            self._finish(limit_s)

    def abandon(self, text: str, limit_s: float) -> None:
        """Do the work of `cut`, `write` and `finish` in a thread that cannot rely on the others.

        Takes at most `limit_s` seconds in all; writes nothing if another thread holds the output
        for that long.
        """
        end_s = time.monotonic() + limit_s
        if self._lock.acquire(timeout=limit_s):
            try:
                if self._left:
                    self._left[:] = CANCEL
                self._left += screen_bytes(text, self._encoding)
                self._finish((end_s - time.monotonic()) / 2)
            finally:
                self._lock.release()

    def _finish(self, limit_s: float) -> None:
        self._finish_until(time.monotonic() + limit_s)
        if self._left:
            with contextlib.suppress(termios.error):
                termios.tcflush(self._writer.descriptor, termios.TCOFLUSH)
            self._left[:0] = CANCEL
            self._finish_until(time.monotonic() + limit_s)
        self._left.clear()

    def _finish_until(self, end_s: float) -> None:
        self._write_on()
        while self._left and (left_s := end_s - time.monotonic()) > 0:
            self._writer.has_room(left_s)
            self._write_on()

    def close(self) -> None:
        """Close the terminal's descriptor. Call `finish` first."""
        with self._lock:
            if not self._loop.is_closed():
                self._stop_waiting()
            self._writer.close()
