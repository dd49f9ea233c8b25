"""The command line of ``follow``; see `app.cli.arguments`."""

from __future__ import annotations

import rich_click as click

from app.cli.analysis.input_files import files_option, input_files, named_files
from app.cli.commands import Command
from app.cli.shared_options import debug_option, json_option

FORMATS = ("text", "hex", "raw")


@click.command(cls=Command)
@files_option
@named_files
@click.argument("number", metavar="N", type=click.IntRange(0))
@click.option("--udp", is_flag=True, help="Follow a UDP stream; without it, N is a TCP stream.")
@click.option(
    "--as",
    "form",
    type=click.Choice(FORMATS),
    default=FORMATS[0],
    help="How to print the bytes: text (lines; default), hex (offset, hex, and ASCII), or raw (as "
    "'tshark -z follow,tcp,raw,N' does: hex digits, a tab before those of the server).",
)
@click.option(
    "--times",
    is_flag=True,
    help="Say of each turn how long it was waited for, and when it began; with --json, add "
    "tcp.time_relative and turn_delta. Not with --as raw.",
)
@json_option
@debug_option
def follow(
    named: tuple[str, ...],
    files: tuple[str, ...],
    number: int,
    udp: bool,
    form: str,
    times: bool,
    as_json: bool,
    debug: bool,
) -> int:
    """Print what the two ends of stream N sent each other, in order.

    N is the packets' tcp.stream, or udp.stream with --udp; streams are numbered from 0. The client
    (→) is the sender of the stream's first packet. Bytes that are missing in the file leave a mark
    in brackets.
    """
    from app.cli.analysis.follow import run_follow

    if times and form == "raw" and not as_json:
        raise click.UsageError("--as raw prints what tshark does, without --times")
    protocol, form = "udp" if udp else "tcp", "json" if as_json else form
    files = input_files(files, named)
    return run_follow(files, protocol, number, form, shows_times=times)
