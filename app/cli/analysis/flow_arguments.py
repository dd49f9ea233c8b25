"""The command line of ``rawscope flows``: arguments in, exit status out."""

from __future__ import annotations

import rich_click as click

from app.cli.analysis.input_files import (
    files_option,
    filter_option,
    input_files,
    named_files,
)
from app.cli.commands import Command
from app.cli.shared_options import debug_option, json_option, selection_of

LEVELS = ("eth", "ip", "ipv6", "tcp", "udp")


@click.command(cls=Command)
@named_files
@files_option
@filter_option
@click.option(
    "--by",
    "levels",
    type=click.Choice(LEVELS),
    multiple=True,
    help="List only this level (repeatable): eth, ip, ipv6, tcp, or udp.",
)
@click.option(
    "--endpoints",
    is_flag=True,
    help="List each address, or address and port, once, instead of conversations.",
)
@json_option
@debug_option
def flows(
    named: tuple[str, ...],
    files: tuple[str, ...],
    display_filter: str | None,
    levels: tuple[str, ...],
    endpoints: bool,
    as_json: bool,
    debug: bool,
) -> int:
    """List the conversations of a capture file: who talks with whom, and how much.

    Those with the most bytes are first. Every header counts, in tunnels too; packets that ICMP
    errors quote do not. Bytes are those of whole frames.
    """
    files = input_files(files, named)
    selection = selection_of(display_filter)
    from app.cli.analysis.flows import run_flows

    return run_flows(files, selection, levels or LEVELS, endpoints=endpoints, as_json=as_json)
