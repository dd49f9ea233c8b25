"""The command line of ``rawscope flows``: arguments in, exit status out."""

from __future__ import annotations

import rich_click as click

from app.cli.commands import Command
from app.cli.shared_options import debug_option, json_option, selection_of

LEVELS = ("eth", "ip", "ipv6", "tcp", "udp")


@click.command(cls=Command)
@click.option(
    "-r",
    "files",
    metavar="FILE",
    multiple=True,
    required=True,
    help="Read this capture file; '-' is standard input. Several (repeatable) are merged by time.",
)
@click.option(
    "-Y",
    "display_filter",
    metavar="FILTER",
    help="Count only packets that pass this display filter.",
)
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
    if files.count("-") > 1:
        raise click.UsageError("'-r -' reads standard input: give it once")
    selection = selection_of(display_filter)
    from app.cli.analysis.flows import run_flows

    return run_flows(files, selection, levels or LEVELS, endpoints=endpoints, as_json=as_json)
