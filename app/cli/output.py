"""Where a command's words go: data to stdout, all that is said to a person to stderr.

* Data is gathered and written in large pieces; the caller flushes where somebody may be
  waiting (after each batch of a live capture).
* The pieces go to the raw stream: Python's buffered one (3.11) forgets the rest of a piece when a
  signal comes while a pipe takes only a part of it.
* The text is UTF-8 whatever the locale says, as tshark's is: a name from the wire has been
  through `core.wire.model.text.safe` before, so no byte of it can steer a terminal.
* No write blocks: a terminal is written to by a `TerminalWriter`, and a pipe gets no more at once
  than it has room for (pipe(7)). A reader that has stopped reading then cannot keep a signal from
  ending the program (`ReaderStuckError`).
* A reader that went away (``rawscope dump … | head``) raises `ReaderGoneError`, which ends
  the program quietly; anything else that stops the writing is a `CommandError`.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Iterable
from typing import Any

from app.terminal.writer import TerminalWriter
from core.wire.link.link_types import unread_text

_PIECE = 1 << 16
_LOOK_S = 0.1  # how often to check for a signal
_PATIENCE_S = 1.0  # with a reader that takes nothing, once a signal asked to stop


class CommandError(Exception):
    """A failure at run time, told in one line: object, cause, next step. Exit status 1."""


class ReaderGoneError(Exception):
    """Nobody reads standard output any more. Not an OSError: click has its own idea of EPIPE."""


class ReaderStuckError(Exception):
    """Nobody reads standard output, and signal `number` asks to stop."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class CommandOutput:
    """Lines of data on their way to standard output.

    `signal` returns the number of the signal that asked to stop, None before. What a reader
    still takes after a signal is written; one that takes nothing raises `ReaderStuckError`.
    """

    def __init__(self, signal: Callable[[], int | None] = lambda: None) -> None:
        stream = sys.stdout
        if stream is None:  # started with ``>&-``: descriptor 1 may already be another file
            raise CommandError("standard output is closed: send it to a file or a pipe")
        self._stream: Any = getattr(stream.buffer, "raw", stream.buffer)
        self._signal = signal
        self._terminal = _terminal_of(self._stream)
        self._room = _room_of(self._stream)
        self._lines: list[str] = []
        self._held = 0
        self.written = 0  # lines handed over

    @property
    def has_room(self) -> bool:
        """Whether a line can be written now without waiting for the reader; one that went away
        counts as room. pipe(7): a full pipe is writable again from 4,096 bytes on."""
        room = select.poll()
        room.register(self._stream, select.POLLOUT)
        return bool(room.poll(0))

    def line(self, text: str) -> None:
        """Add `text` and a line end."""
        self._lines.append(text)
        self._held += len(text)
        if self._held >= _PIECE:
            self.flush()

    def flush(self) -> None:
        """Hand over what is held. Raises `ReaderGoneError` or `CommandError`."""
        if not self._lines:
            return
        count = len(self._lines)
        self._lines.append("")
        piece = "\n".join(self._lines).encode(errors="backslashreplace")
        self._lines.clear()
        self._held = 0
        try:
            self._write(piece)
        except BrokenPipeError as error:
            raise ReaderGoneError from error
        except OSError as error:
            raise CommandError(f"standard output: {error.strerror}") from error
        self.written += count

    def _write(self, piece: bytes) -> None:
        left = memoryview(piece)
        while left:
            self._await_room()
            left = left[self._write_some(left[: select.PIPE_BUF]) :]

    def _write_some(self, piece: memoryview) -> int:
        """Write what there is room for; return how many bytes that was."""
        if self._terminal is None:
            return self._stream.write(piece) or 0  # None: no room, in a non-blocking pipe
        return self._terminal.write(piece)

    def _await_room(self) -> None:
        """Wait until the reader takes something."""
        stuck_s = 0.0
        while self._room is not None and not self._room.poll(_LOOK_S * 1000):
            number = self._signal()
            if number is not None:
                stuck_s += _LOOK_S
                if stuck_s >= _PATIENCE_S:
                    raise ReaderStuckError(number)


def _room_of(stream: Any) -> select.poll | None:
    """What tells whether `stream` has room; None for a stream in memory, which always has."""
    room = select.poll()
    try:
        room.register(stream, select.POLLOUT)
    except (OSError, TypeError, ValueError):  # io.UnsupportedOperation is an OSError
        return None
    return room


def _terminal_of(stream: Any) -> TerminalWriter | None:
    """Return a writer for the terminal behind `stream`, or None if that is no terminal."""
    try:
        return TerminalWriter(stream.fileno()) if stream.isatty() else None
    except OSError:
        return None


def say(text: str) -> None:
    """One line for a person, on stderr."""
    if sys.stderr is not None:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def say_unread(told: set[int], link_types: Iterable[int]) -> None:
    """Say, once for each, which of the link types nothing here reads; `told` remembers them."""
    new = set(link_types) - told
    told |= new
    if unread := unread_text(sorted(new)):
        say(f"rawscope: {unread}")


def abandon_stdout() -> None:
    """Point stdout at nothing, so that closing it at exit finds no reader to miss."""
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    os.close(sink)
