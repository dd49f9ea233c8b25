"""``rawscope dump -i``: print or write packets as they are captured.

This thread prints or writes; another one captures (`app.cli.dump.capture_thread`). The first signal
ends the capture, and this thread handles the rest. A second signal reports how many packets are
left, and ends the program. The first signal does the same if nothing reads the output.
"""

from __future__ import annotations

import os
import select
import sys
from contextlib import ExitStack
from functools import partial

from app.cli.dump.capture_thread import CaptureThread
from app.cli.dump.packet_output import MakeOutput, PacketOutput
from app.cli.interrupts import Interrupts
from app.cli.output import CommandError, ReaderStuckError, print_message
from core.capture.options import CaptureOptions
from core.net.sockets import SocketProvider
from core.recording.file_series import RecordingError
from core.wire.model.text import safe

# A thread waits this long for the interpreter while another one computes. The capture needs it
# dozens of times for each block of the ring.
SWITCH_S = 0.0005
_IDLE_S = 0.25
_LAST_BLOCK_S = 1.0
_LAST_MOMENT_S = 0.3


def dump_live(
    options: CaptureOptions,
    sockets: SocketProvider,
    make_output: MakeOutput,
    count: int | None,
    seconds: float | None,
) -> int:
    """Capture until `count` packets, `seconds`, or a signal, and hand the packets to an output.

    Return the exit status. Raise `CommandError` if capturing is impossible, or if an interface was
    deleted, which makes the output incomplete.
    """
    with ExitStack() as stack:
        capturing = CaptureThread(options, sockets, count, seconds)
        stack.callback(capturing.close)
        stack.callback(capturing.stop)
        output = make_output(lambda: False, lambda: interrupts.number)
        stack.callback(output.close)
        leave = partial(_leave, capturing, output)
        interrupts = stack.enter_context(Interrupts(on_stop=capturing.stop, on_second=leave))
        sys.setswitchinterval(SWITCH_S)
        capturing.start()
        print_message(f"rawscope: listening on {safe(', '.join(capturing.names))}")
        try:
            _take_all(capturing, output)
        except ReaderStuckError as stuck:
            _leave_at_once(capturing, output, stuck.number)
        except RecordingError as error:
            raise _failure(capturing, output, error) from error
        capturing.join()
        _report_totals(capturing, output)
        if capturing.failure is not None:
            raise capturing.failure
        if capturing.lost:
            raise CommandError(capturing.lost)
        output.finish()
    return 0


def _take_all(capturing: CaptureThread, output: PacketOutput) -> None:
    """Hand everything captured to the output, which also gets moments without packets."""
    backlog = capturing.backlog
    while not backlog.has_ended:
        output.describe(capturing.interfaces, capturing.statistics)
        batch = backlog.take(_IDLE_S)
        if batch is None:
            output.idle()
        else:
            output.take(batch, capturing.interfaces)
        if output.done:
            capturing.stop()
    capturing.join()  # its last statistics
    output.describe(capturing.interfaces, capturing.statistics)
    output.end()


def _failure(capturing: CaptureThread, output: PacketOutput, error: Exception) -> CommandError:
    """End the capture after a failed write; return the error with the counts."""
    capturing.stop()
    capturing.join()
    _report_kernel(capturing, capturing.captured)
    lost = capturing.captured - output.written - output.passed_over
    most = "up to " if output.selects and lost else ""  # the filter may exclude them
    return CommandError(f"{error}; {_packets(output.written)} saved, {most}{lost} lost")


def _report_totals(capturing: CaptureThread, output: PacketOutput) -> None:
    """Print the counts: three lines as tcpdump, then what else was lost."""
    refused = capturing.backlog.refused
    taken = refused + output.written + output.passed_over
    # Packets behind the last one that the user wants do not count, as in tcpdump.
    captured = taken if output.done else capturing.captured
    _report_kernel(capturing, captured)
    unwritten = captured - taken
    if refused:
        print_message(f"{_packets(refused)} lost: they were not {output.work} fast enough")
    if unwritten:
        print_message(f"{_packets(unwritten)} not {output.work}")


def _report_kernel(capturing: CaptureThread, captured: int) -> None:
    print_message(f"{_packets(captured)} captured")
    print_message(f"{_packets(capturing.received)} received by filter")
    print_message(f"{_packets(capturing.dropped)} dropped by kernel")


def _packets(count: int) -> str:
    return f"{count} packet{'s' * (count != 1)}"


def _leave(capturing: CaptureThread, output: PacketOutput) -> None:
    """Report the counts at the second signal, which then ends the program."""
    capturing.join(_LAST_BLOCK_S)
    _report_totals(capturing, output)


def _leave_at_once(capturing: CaptureThread, output: PacketOutput, number: int) -> None:
    """End the program at a signal while nothing reads; report the counts if that cannot block.

    Do not wait long for the capturing thread: it may be writing to the same reader.
    """
    capturing.join(_LAST_MOMENT_S)
    room = select.poll()
    room.register(2, select.POLLOUT)
    if room.poll(0):
        _report_totals(capturing, output)
    os._exit(128 + number)
