"""``rawscope dump -r``: print the packets of a file or a pipe.

The file is read chunk by chunk and nothing is kept, so a capture of any size takes the same memory.
Notes about the file go to stderr, after its good packets.
"""

from __future__ import annotations

import os

from app.cli.dump.line_format import LineFormat
from app.cli.dump.printer import Printer
from app.cli.dump.selection import Selection
from app.cli.interrupts import Interrupts, StoppedError
from app.cli.output import CommandError, print_message, print_unread
from core.files.chunks import iter_chunks
from core.files.formats import FileError
from core.files.reader import CaptureReader, open_capture
from core.wire.model.text import safe


def print_file(
    path: str, line_format: LineFormat, count: int | None, selection: Selection | None = None
) -> int:
    """Print a capture file (``"-"``: standard input); return the exit status.

    With a `selection`, only the packets that pass are printed and counted.

    The status is 1 for a damaged file, after its good packets. Raise `CommandError` if the file is
    not a capture, and after all packets if rawscope failed to decode some.
    """
    if path == "-" and os.isatty(0):
        raise CommandError("'-r -' reads a capture from standard input: pipe one in")
    with Interrupts() as interrupts:
        printer = Printer(
            line_format, count, lambda: interrupts.stopped, lambda: interrupts.number, selection
        )
        try:
            with interrupts.waiting():
                reader = open_capture(path)
        except FileError as error:
            raise CommandError(str(error)) from error
        except StoppedError:
            return 0
        with reader:
            _print_chunks(reader, printer, interrupts)
            for note in reader.notes:
                print_message(f"rawscope: {safe(note)}")
            printer.finish()
            return 1 if reader.damaged else 0


def _print_chunks(reader: CaptureReader, printer: Printer, interrupts: Interrupts) -> None:
    chunks = iter_chunks(reader)
    reported: set[int] = set()
    while not printer.done:
        try:
            with interrupts.waiting():
                chunk = next(chunks, None)
        except StoppedError:
            return
        if chunk is None:
            return
        print_unread(reported, (interface.link_type for interface in reader.interfaces))
        printer.print(chunk, reader.interfaces)
