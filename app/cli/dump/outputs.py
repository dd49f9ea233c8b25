"""Choose what takes the packets of a dump, by the options of the command line."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import rich_click as click

from app.cli.dump.decoded_packets import Decoding
from app.cli.dump.dump_file import MakeFileOutput, may_grow
from app.cli.dump.line_format import LineFormat
from app.cli.dump.packet_output import MakeOutput
from app.cli.dump.selection import Selection
from app.cli.packet_source import PacketSource
from app.cli.recording_options import STDOUT, Recording, plan_of
from core.files.packet_reader import PacketReader

if TYPE_CHECKING:
    from core.analysis.programs.chunk_programs import ChunkPrograms
    from core.analysis.programs.file_programs import CommentedPrograms
    from core.recording.plan import RecordingPlan


def packet_output(
    recording: Recording,
    selection: Selection | None,
    *,
    is_live: bool,
    decoding: Decoding,
    **lines: Any,
) -> MakeOutput:
    """Return what prints packets or, with ``-w``, writes them.

    Packets that are captured now (`is_live`) belong to programs of this host; comments of a file
    name those of its packets.
    """
    if recording.file:
        from app.cli.dump.packet_writer import PacketWriter

        return partial(
            PacketWriter,
            plan_of(recording),
            recording.packets,
            selection=selection,
            programs=_programs(selection, is_live=is_live),
            decoding=decoding,
        )
    from app.cli.dump.printer import Printer

    line_format = _line_format(**lines)
    programs = _programs(selection, is_live=is_live, shows=line_format.needs_programs)
    return partial(
        Printer,
        line_format,
        recording.packets,
        selection=selection,
        programs=programs,
        decoding=decoding,
    )


def _programs(
    selection: Selection | None, *, is_live: bool, shows: bool = False
) -> ChunkPrograms | CommentedPrograms | None:
    """Return what finds the programs of packets, if a filter or a format names them."""
    if not shows and (selection is None or not selection.needs_programs):
        return None
    if not is_live:
        from core.analysis.programs.file_programs import CommentedPrograms

        return CommentedPrograms()
    from core.analysis.programs.chunk_programs import ChunkPrograms

    return ChunkPrograms()


def file_output(
    source: PacketSource,
    recording: Recording,
    selection: Selection | None,
    *,
    keeps_secrets: bool,
    decoding: Decoding,
) -> MakeFileOutput | None:
    """Return what copies a file as a whole, or writes packets as they come; None to print them.

    Those of a pipe and of a growing file are written as they come: they may last for hours, and a
    killed program must not lose them. So are those that are divided over several files. Standard
    output gets everything as it comes.
    """
    if not recording.file:
        return None
    plan = plan_of(recording)
    is_endless = may_grow(source.files, follows=source.follows)
    is_divided = plan.rotation.is_used or plan.most_files is not None
    if is_divided or (is_endless and recording.file != STDOUT):
        if keeps_secrets:
            raise click.UsageError(
                "--secrets needs a copy of one whole file: no pipe, no --follow, no -b"
            )
        from app.cli.dump.packet_writer import PacketWriter

        return lambda enough, signal, reader: PacketWriter(
            plan,
            recording.packets,
            enough,
            signal,
            selection=selection,
            reader=reader,
            programs=_programs(selection, is_live=False),
            decoding=decoding,
        )
    return _whole_file(plan, recording, selection, keeps_secrets, decoding)


def _whole_file(
    plan: RecordingPlan,
    recording: Recording,
    selection: Selection | None,
    keeps_secrets: bool,
    decoding: Decoding,
) -> MakeFileOutput:
    """Return what copies a file as a whole."""
    from app.cli.dump.conversion import Conversion

    def make(
        enough: Callable[[], bool], signal: Callable[[], int | None], reader: PacketReader
    ) -> Conversion:
        return Conversion(
            plan.path,
            recording.packets,
            enough,
            signal,
            reader,
            selection=selection,
            programs=_programs(selection, is_live=False),
            replace=plan.replace,
            keeps_secrets=keeps_secrets,
            decoding=decoding,
        )

    return make


def _line_format(**chosen: Any) -> LineFormat:
    """Return the format of the lines. Raise `click.UsageError` for an unknown field."""
    from app.cli.dump.formats import choose_format
    from app.cli.dump.line_format import UnknownFieldError

    try:
        return choose_format(**chosen)
    except UnknownFieldError as error:
        raise click.UsageError(str(error)) from error
