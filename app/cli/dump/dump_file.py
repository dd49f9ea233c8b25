"""``rawscope dump -r``: print the packets of a file or a pipe, or write them to another file.

The file is read chunk by chunk and nothing is kept, so a capture of any size takes the same memory.
Notes about the file go to stderr, after its good packets.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from app.cli.commands import STANDARD_INPUT
from app.cli.dump.packet_output import PacketOutput
from app.cli.interrupts import Interrupts, StoppedError
from app.cli.output import CommandError, InterruptedCommandError, print_message, print_unread
from core.files.chunks import iter_chunks
from core.files.formats import FileError
from core.files.merging import open_captures
from core.files.packet_reader import PacketReader
from core.recording.file_series import RecordingError
from core.wire.model.text import safe

MakeFileOutput = Callable[
    [Callable[[], bool], Callable[[], int | None], PacketReader], PacketOutput
]
"""Makes an output as `MakeOutput` does, of the reader, too."""


def dump_file(paths: Sequence[str], make_output: MakeFileOutput, *, follows: bool = False) -> int:
    """Hand the packets of a capture file, or of several as one, to an output.

    The path ``"-"`` is standard input. With `follows`, wait for what is appended to the only file,
    until a signal.

    Return the exit status: 1 for a damaged file, after its good packets. Raise `CommandError` if
    the file is not a capture, and after all packets if rawscope failed to decode some. A signal is
    the usual end of an input that may grow; with any other, raise `InterruptedCommandError`.
    """
    if STANDARD_INPUT in paths and os.isatty(0):
        raise CommandError("'-r -' reads a capture from standard input: pipe one in")
    with ExitStack() as stack:
        interrupts = stack.enter_context(Interrupts())
        try:
            with interrupts.waiting():
                reader = open_captures(paths, follows=follows)
                stack.enter_context(closing(reader))
        except FileError as error:
            raise CommandError(str(error)) from error
        except StoppedError as stopped:
            words = "nothing was read: you interrupted it"
            raise InterruptedCommandError(words, interrupts.number) from stopped
        output = make_output(lambda: interrupts.stopped, lambda: interrupts.number, reader)
        stack.callback(output.close)
        interrupts.work_while_waiting(output.idle)
        try:
            is_cut = not _take_chunks(reader, output, interrupts)
            output.end(is_cut=is_cut and not may_grow(paths, follows=follows))
        except RecordingError as error:
            saved = output.written
            raise CommandError(f"{error}; {saved} packet{'s' * (saved != 1)} saved") from error
        for note in reader.notes:
            print_message(f"rawscope: {safe(note)}")
        output.finish()
        return 1 if reader.damaged else 0


def may_grow(paths: Sequence[str], *, follows: bool) -> bool:
    """Return True if what is read has no end of its own: a pipe, or a file that is followed."""
    return follows or any(path == STANDARD_INPUT or Path(path).is_fifo() for path in paths)


def _take_chunks(reader: PacketReader, output: PacketOutput, interrupts: Interrupts) -> bool:
    """Hand over packets until the input ends or no more are wanted. Return False after a signal."""
    chunks = iter_chunks(reader)
    reported: set[int] = set()
    while not output.done:
        try:
            with interrupts.waiting():
                chunk = next(chunks, None)
        except StoppedError:
            return False
        if chunk is None:
            return True
        print_unread(reported, (interface.link_type for interface in reader.interfaces))
        output.take(chunk, reader.interfaces)
    return not interrupts.stopped
