"""``rawscope dump -i``: packets printed as they come.

This thread prints; another captures (`app.commands.capturing`). The first signal ends the
capture, and what was captured is printed; a second one ends the program, after it has said how
much was not.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from functools import partial

from app.commands.capturing import Capturing
from app.commands.formats import LineFormat
from app.commands.interrupts import Interrupts
from app.commands.output import CommandError, say
from app.commands.printer import Printer
from core.capture.options import CaptureOptions
from core.wire.text import safe

# A thread that wants to run waits so long for one that computes; the capture wants to, dozens of
# times for each block of the ring.
SWITCH_S = 0.0005
_LAST_BLOCK_S = 1.0


def print_live(
    options: CaptureOptions, line_format: LineFormat, count: int | None, seconds: float | None
) -> int:
    """Capture and print until `count` packets, `seconds`, or a signal; returns the exit status.

    Raises `CommandError` if capturing is impossible, or if an interface went away: not all that
    was asked for was seen.
    """
    printer = Printer(line_format, count)
    with ExitStack() as stack:
        capturing = Capturing(options, count, seconds)
        stack.callback(capturing.close)
        stack.callback(capturing.stop)
        leave = partial(_leave, capturing, printer)
        stack.enter_context(Interrupts(on_stop=capturing.stop, on_second=leave))
        sys.setswitchinterval(SWITCH_S)
        capturing.start()
        say(f"rawscope: listening on {safe(', '.join(capturing.names))}")
        for batch in capturing.backlog:
            printer.print(batch, capturing.interfaces)
        capturing.join()
        _say_total(capturing, printer)
    if capturing.failure is not None:
        raise capturing.failure
    if capturing.lost:
        raise CommandError(capturing.lost)
    printer.finish()
    return 0


def _say_total(capturing: Capturing, printer: Printer) -> None:
    captured, refused = capturing.captured, capturing.backlog.refused
    unprinted = captured - refused - printer.written
    say(
        f"{captured} packet{'s' * (captured != 1)} captured, {capturing.dropped} dropped by kernel"
        + (f", {refused} dropped here as printing was too slow" if refused else "")
        + (f", {unprinted} not printed" if unprinted else "")
    )


def _leave(capturing: Capturing, printer: Printer) -> None:
    """The second signal: say the counts; the signal then does what it does."""
    capturing.join(_LAST_BLOCK_S)
    _say_total(capturing, printer)
