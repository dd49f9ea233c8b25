"""``rawscope dump -i``: print packets as they are captured.

This thread prints; another one captures (`app.cli.dump.capture_thread`). The first signal ends the
capture, and this thread prints the rest. A second signal reports how many packets are not printed,
and ends the program. The first signal does the same if nothing reads the output.
"""

from __future__ import annotations

import os
import select
import sys
from contextlib import ExitStack
from functools import partial

from app.cli.dump.capture_thread import CaptureThread
from app.cli.dump.line_format import LineFormat
from app.cli.dump.printer import Printer
from app.cli.dump.selection import Selection
from app.cli.interrupts import Interrupts
from app.cli.output import CommandError, ReaderStuckError, print_message
from core.capture.options import CaptureOptions
from core.net.sockets import SocketProvider
from core.wire.model.text import safe

# A thread waits this long for the interpreter while another one computes. The capture needs it
# dozens of times for each block of the ring.
SWITCH_S = 0.0005
_LAST_BLOCK_S = 1.0
_LAST_MOMENT_S = 0.3


def print_live(
    options: CaptureOptions,
    sockets: SocketProvider,
    line_format: LineFormat,
    count: int | None,
    seconds: float | None,
    selection: Selection | None = None,
) -> int:
    """Capture and print until `count` packets, `seconds`, or a signal; return the exit status.

    With a `selection`, only the packets that pass are printed and counted.

    Raise `CommandError` if capturing is impossible, or if an interface was deleted, which makes the
    output incomplete.
    """
    printer = Printer(line_format, count, signal=lambda: interrupts.number, selection=selection)
    with ExitStack() as stack:
        captured = count if selection is None else None  # only the printer knows which pass
        capturing = CaptureThread(options, sockets, captured, seconds)
        stack.callback(capturing.close)
        stack.callback(capturing.stop)
        leave = partial(_leave, capturing, printer)
        interrupts = stack.enter_context(Interrupts(on_stop=capturing.stop, on_second=leave))
        sys.setswitchinterval(SWITCH_S)
        capturing.start()
        print_message(f"rawscope: listening on {safe(', '.join(capturing.names))}")
        try:
            for batch in capturing.backlog:
                printer.print(batch, capturing.interfaces)
                if printer.done:
                    capturing.stop()
        except ReaderStuckError as stuck:
            _leave_at_once(capturing, printer, stuck.number)
        capturing.join()
        _report_totals(capturing, printer)
    if capturing.failure is not None:
        raise capturing.failure
    if capturing.lost:
        raise CommandError(capturing.lost)
    printer.finish()
    return 0


def _report_totals(capturing: CaptureThread, printer: Printer) -> None:
    captured, refused = capturing.captured, capturing.backlog.refused
    unprinted = captured - refused - printer.written - printer.passed_over
    print_message(
        f"{captured} packet{'s' * (captured != 1)} captured, {capturing.dropped} dropped by kernel"
        + (f", {refused} dropped because printing was too slow" if refused else "")
        + (f", {unprinted} not printed" if unprinted else "")
    )


def _leave(capturing: CaptureThread, printer: Printer) -> None:
    """Report the counts at the second signal, which then ends the program."""
    capturing.join(_LAST_BLOCK_S)
    _report_totals(capturing, printer)


def _leave_at_once(capturing: CaptureThread, printer: Printer, number: int) -> None:
    """End the program at a signal while nothing reads; report the counts if that cannot block.

    Do not wait long for the capturing thread: it may be writing to the same reader.
    """
    capturing.join(_LAST_MOMENT_S)
    room = select.poll()
    room.register(2, select.POLLOUT)
    if room.poll(0):
        _report_totals(capturing, printer)
    os._exit(128 + number)
