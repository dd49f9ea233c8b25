"""Write to a terminal without blocking.

A write to a terminal that is not read blocks forever, and a signal does not end it. O_NONBLOCK
prevents that, but the flag belongs to the open file, which the shell shares. `TerminalWriter`
therefore opens the terminal again, in the first of these ways that works:

1. by its name;
2. as /dev/tty, which needs no permission on the device (tty(4)): the terminal may belong to
   another user, as under ``sudo`` with ``use_pty``;
3. not at all, if it is also not the controlling terminal: poll(2) then reports whether there is
   room, and each write is so small that this room is enough.

Source for the third: n_tty_poll and process_output_block in drivers/tty/n_tty.c,
drivers/tty/tty_buffer.c. A pty reports room as long as one more buffer of 256 bytes may be
allocated. The line discipline writes a run of ordinary bytes at once, and each line end, tab and
backspace separately, after checking the room again; one write must not contain both.
"""

from __future__ import annotations

import os
import re
import select

_MOST_WHERE_SHARED = 256
_AT_ONCE = re.compile(rb"[\n\r\t\b]|[^\n\r\t\b]+")
_FLAGS = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC


class TerminalWriter:
    """The terminal behind a file descriptor, which stays open and keeps its flags.

    `descriptor` is the writer's own descriptor, -1 after `close`.
    """

    def __init__(self, descriptor: int) -> None:
        opened = _open_again(descriptor)
        self._is_shared = opened is None
        self.descriptor = os.dup(descriptor) if opened is None else opened

    def write(self, data: bytes | memoryview) -> int:
        """Write what the terminal accepts now; return the number of bytes, 0 if there is no room.

        Raises OSError if the terminal is gone.
        """
        view, taken = memoryview(data), 0
        try:
            if not self._is_shared:
                return os.write(self.descriptor, view)
            while taken < len(view) and self.has_room(0):
                taken += os.write(self.descriptor, _piece(view[taken:]))
        except BlockingIOError:
            pass
        return taken

    def has_room(self, timeout_s: float) -> bool:
        """Wait until the terminal has room; return False after `timeout_s` seconds."""
        poll = select.poll()
        poll.register(self.descriptor, select.POLLOUT)
        return bool(poll.poll(timeout_s * 1000))

    def close(self) -> None:
        """Close the writer's descriptor."""
        descriptor, self.descriptor = self.descriptor, -1
        os.close(descriptor)


def _open_again(descriptor: int) -> int | None:
    """Return a non-blocking descriptor of the same terminal, or None if it cannot be opened."""
    try:
        return os.open(os.ttyname(descriptor), _FLAGS)
    except OSError:
        pass
    try:
        os.tcgetpgrp(descriptor)  # fails unless it is the controlling terminal
        return os.open("/dev/tty", _FLAGS)
    except OSError:
        return None


def _piece(data: memoryview) -> bytes:
    """Return the first bytes of `data` that the line discipline writes at once."""
    match = _AT_ONCE.match(data[:_MOST_WHERE_SHARED].tobytes())
    return match[0] if match else b""
