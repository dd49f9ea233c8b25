"""A command's output: data goes to stdout, messages for the user to stderr.

* Data is collected and written in large pieces; the caller flushes when a reader may be
  waiting (after each batch of a live capture).
* The pieces go to the raw stream: Python's buffered one (3.11) loses the rest of a piece if a
  signal arrives while a pipe takes only a part of it.
* Data is UTF-8 in a file or pipe whatever the locale is, like tshark's, so that a script reads the
  same bytes everywhere. Text for the user (help, messages, and data on a terminal) has the encoding
  of the stream; `app.terminal.encoding` replaces what that encoding lacks, so no write can fail
  because of a character.
* `core.wire.model.text.safe` has escaped every name from the wire before, so no byte of it can
  control a terminal.
* No write blocks: `TerminalWriter` writes to a terminal, and a pipe gets no more at once than it
  has room for (pipe(7)). A reader that has stopped reading then cannot keep a signal from
  ending the program (`ReaderStuckError`).
* If the reader has closed the pipe (``rawscope dump … | head``), `ReaderGoneError` ends the
  program silently; any other write error is a `CommandError`.
"""

from __future__ import annotations

import io
import os
import select
import signal
import stat
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from app.terminal.encoding import SIGNS
from app.terminal.writer import TerminalWriter
from core.wire.link.link_types import unread_text

_PIECE = 1 << 16
_SIGNAL_CHECK_S = 0.1  # how often to check for a signal
_PATIENCE_S = 1.0  # how long to wait for the reader after a signal


class CommandError(Exception):
    """A failure at run time, in one line: object, cause, next step. `status` is the exit status."""

    def __init__(self, message: str, *, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


class InterruptedCommandError(CommandError):
    """Signal `number` ended the command before its work was done; the status says so."""

    def __init__(self, message: str, number: int | None) -> None:
        super().__init__(message, status=128 + (number or signal.SIGINT))


class ReaderGoneError(Exception):
    """The reader closed standard output. Not an OSError: click handles EPIPE in its own way."""


class ReaderStuckError(Exception):
    """The reader of standard output takes nothing, and signal `number` requests a stop."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class CommandOutput:
    """A buffer of lines that are written to standard output.

    `signal` returns the number of a signal that requested a stop, or None. After a signal, the
    output still writes as much as the reader takes; if it takes nothing, `ReaderStuckError` is
    raised. With `for_user`, the text has the encoding of the stream even in a file or pipe.
    """

    def __init__(
        self, signal: Callable[[], int | None] = lambda: None, *, for_user: bool = False
    ) -> None:
        stream = sys.stdout
        if stream is None:  # started with ``>&-``: descriptor 1 may already be another file
            raise CommandError("standard output is closed: send it to a file or a pipe")
        self._stream: Any = getattr(stream.buffer, "raw", stream.buffer)
        self._signal = signal
        self._terminal = _terminal_of(self._stream)
        self._encoding = stream.encoding if for_user or self._terminal is not None else "utf-8"
        self._room = _room_of(self._stream)
        self._is_file = _is_file(self._stream)
        self._lines: list[str] = []
        self._buffered = 0
        self.written = 0  # number of lines passed to the stream

    @property
    def columns(self) -> int | None:
        """The width of the terminal that shows the data; None in a file or pipe."""
        if self._terminal is None:
            return None
        with suppress(OSError):
            return os.get_terminal_size(self._stream.fileno()).columns or None
        return None

    @property
    def has_room(self) -> bool:
        """True if a line can be written now without waiting for the reader.

        Also true if the reader has closed the pipe. A full pipe becomes writable again when 4,096
        bytes are free (pipe(7)).
        """
        room = select.poll()
        room.register(self._stream, select.POLLOUT)
        return bool(room.poll(0))

    def line(self, text: str) -> None:
        """Add `text` and a line end."""
        self.lines((text,))

    def lines(self, texts: Sequence[str]) -> None:
        """Add each of `texts` and a line end."""
        self._lines.extend(texts)
        self._buffered += sum(map(len, texts))
        if self._buffered >= _PIECE:
            self.flush()

    def flush(self) -> None:
        """Write the buffered lines. Raise `ReaderGoneError` or `CommandError`."""
        if not self._lines:
            return
        count = len(self._lines)
        self._lines.append("")
        piece = "\n".join(self._lines).encode(self._encoding, SIGNS)
        self._lines.clear()
        self._buffered = 0
        try:
            self._write(piece)
        except BrokenPipeError as error:
            raise ReaderGoneError from error
        except OSError as error:
            raise CommandError(f"standard output: {error.strerror}") from error
        self.written += count

    def write_bytes(self, data: memoryview) -> int:
        """Write some bytes, as many as there is room for; return the number.

        Raises `OSError`, `ReaderGoneError`, or `ReaderStuckError`.
        """
        if self._is_file:
            return os.write(self._stream.fileno(), data)
        self._await_room()
        try:
            return self._write_some(data[: select.PIPE_BUF])
        except BrokenPipeError as error:
            raise ReaderGoneError from error

    def _write(self, piece: bytes) -> None:
        left = memoryview(piece)
        while left:
            self._await_room()
            left = left[self._write_some(left[: select.PIPE_BUF]) :]

    def _write_some(self, piece: memoryview) -> int:
        """Write as much as fits without blocking; return the number of bytes."""
        if self._terminal is None:
            return self._stream.write(piece) or 0  # None: no room, in a non-blocking pipe
        return self._terminal.write(piece)

    def _await_room(self) -> None:
        """Wait until the stream has room. Raise `ReaderStuckError`."""
        stuck_s = 0.0
        while self._room is not None and not self._room.poll(_SIGNAL_CHECK_S * 1000):
            number = self._signal()
            if number is not None:
                stuck_s += _SIGNAL_CHECK_S
                if stuck_s >= _PATIENCE_S:
                    raise ReaderStuckError(number)


def _room_of(stream: Any) -> select.poll | None:
    """Return a poll that reports room in `stream`, or None if it is in memory."""
    room = select.poll()
    try:
        room.register(stream, select.POLLOUT)
    except (OSError, TypeError, ValueError):  # io.UnsupportedOperation is an OSError
        return None
    return room


def _is_file(stream: Any) -> bool:
    """Return True if `stream` is a regular file, which always has room."""
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except OSError:
        return False


def _terminal_of(stream: Any) -> TerminalWriter | None:
    """Return a writer for the terminal behind `stream`, or None if it is not a terminal."""
    try:
        return TerminalWriter(stream.fileno()) if stream.isatty() else None
    except OSError:
        return None


def prepare_streams() -> None:
    """Make sure that no character raises an error on the standard streams, in any locale."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=SIGNS)


def print_text(text: str) -> None:
    """Write text for the user, such as help, to stdout. Raise as `CommandOutput.flush` does."""
    output = CommandOutput(for_user=True)
    output.line(text)
    output.flush()


def print_message(text: str) -> None:
    """Write one line for the user to stderr; drop it if stderr cannot be written to.

    A sentence that begins with the program's name gets no ``rawscope:`` before it.
    """
    if text.startswith("rawscope: rawscope "):
        text = text.removeprefix("rawscope: ")
    if sys.stderr is not None:
        with suppress(OSError):
            sys.stderr.write(text + "\n")
            sys.stderr.flush()


def print_unread(reported: set[int], link_types: Iterable[int]) -> None:
    """Report each unsupported link type once; `reported` collects those already reported."""
    new = set(link_types) - reported
    reported |= new
    if unread := unread_text(sorted(new)):
        print_message(f"rawscope: {unread}")


def abandon_stdout() -> None:
    """Redirect stdout to /dev/null, so that flushing it at exit cannot fail."""
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    os.close(sink)
