"""The command line of ``rawscope stats``: arguments in, exit status out."""

from __future__ import annotations

import rich_click as click

from app.cli.commands import STANDARD_INPUT, Command
from app.cli.number_ranges import FiniteRange
from app.cli.shared_options import debug_option, selection_of

SHORTEST_S, LONGEST_S = 1e-6, 1e9


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
    "--interval",
    "interval_s",
    metavar="S",
    type=FiniteRange(min=SHORTEST_S, max=LONGEST_S),
    help="Print the rate of every S seconds from the first packet on. Without it, the intervals "
    "depend on the length of the capture.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with everything.")
@debug_option
def stats(
    files: tuple[str, ...],
    display_filter: str | None,
    interval_s: float | None,
    as_json: bool,
    debug: bool,
) -> int:
    """Print statistics of a capture: protocols, packet lengths, top talkers, and the rate.

    The protocol hierarchy and the lengths count as 'tshark -z io,phs' and '-z plen,tree' do. An
    interrupt prints the statistics of the packets read until then.
    """
    if files.count(STANDARD_INPUT) > 1:
        raise click.UsageError("'-r -' reads standard input: give it once")
    selection = selection_of(display_filter)
    from app.cli.analysis.stats import run_stats

    return run_stats(files, selection, interval_s, as_json=as_json)
