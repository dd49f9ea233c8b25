"""The command line of ``rawscope stats``: arguments in, exit status out."""

from __future__ import annotations

import rich_click as click

from app.cli.analysis.input_files import (
    files_option,
    filter_option,
    input_files,
    named_files,
)
from app.cli.commands import Command
from app.cli.number_ranges import FiniteRange
from app.cli.shared_options import debug_option, selection_of

SHORTEST_S, LONGEST_S = 1e-6, 1e9


@click.command(cls=Command)
@named_files
@files_option
@filter_option
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
    named: tuple[str, ...],
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
    files = input_files(files, named)
    selection = selection_of(display_filter)
    from app.cli.analysis.stats import run_stats

    return run_stats(files, selection, interval_s, as_json=as_json)
