"""The options that several commands have, each declared once."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from core.capture.options import DEFAULT_SNAP_LENGTH

if TYPE_CHECKING:
    from app.cli.dump.selection import Selection
    from core.analysis.filter.display_filter import DisplayFilter

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

debug_option = click.option("--debug", is_flag=True, help="Show a traceback on failure.")
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object per line."
)

sending_option = partial(click.option, panel="Sending")
yes_option = sending_option(
    "--yes", is_flag=True, help="Approve every question, for this run only."
)
bypass_option = sending_option(
    "--bypass",
    is_flag=True,
    help="Bypass the queueing discipline, and captures on this host with it; requires --link.",
)
no_audit_option = sending_option(
    "--no-audit", is_flag=True, help="Do not record what is sent in the audit file."
)


def input_options(command: Decorated) -> Decorated:
    """Add the options that select the source of packets, the same for monitor and dump."""
    for option in reversed(
        (
            click.option(
                "-i",
                "interfaces",
                metavar="IFACE",
                multiple=True,
                help="Capture on this interface (name, alternative name, or index; repeatable); "
                "'any' means all.",
            ),
            click.option(
                "-r",
                "files",
                metavar="FILE",
                multiple=True,
                help="Read this capture file; '-' is standard input. Several (repeatable) are "
                "merged by time.",
            ),
            click.option(
                "--follow",
                "follows",
                is_flag=True,
                help="Wait for what is appended to the file of -r, as tail -f does.",
            ),
            click.option(
                "-f",
                "capture_filter",
                metavar="EXPR",
                help="Capture only packets that pass this filter of tcpdump (pcap-filter(7)), such "
                "as 'tcp port 443'. Names of hosts come from /etc/hosts only.",
            ),
            click.option(
                "--not-ssh",
                is_flag=True,
                help="Leave out the SSH session that rawscope runs in.",
            ),
            click.option(
                "-d",
                "decode_as",
                metavar="LAYER==PORT,PROTOCOL",
                multiple=True,
                help="Read the payloads of a port as this protocol: tcp.port==8080,http or "
                "udp.port==5300-5310,dns; 'data' reads none (repeatable).",
            ),
            click.option(
                "-s",
                "snap_length",
                metavar="SNAPLEN",
                type=click.IntRange(1, DEFAULT_SNAP_LENGTH),
                default=DEFAULT_SNAP_LENGTH,
                help=f"Keep at most this many bytes of a frame (default {DEFAULT_SNAP_LENGTH}).",
            ),
            click.option(
                "-p",
                "no_promiscuous",
                is_flag=True,
                help="Turn promiscuous mode off (default: on).",
            ),
            click.option(
                "--source",
                "method",
                type=click.Choice(["ring", "datagram", "inet"]),
                default="ring",
                help="How to receive frames: ring (shared memory; default), datagram (one system "
                "call per frame), or inet (IPv4 packets only, through a raw socket).",
            ),
        )
    ):
        command = option(command)
    return command


def checked_rate(rate: float | None, interval: float | None = None) -> float | None:
    """Return packets per second from either option. Raises `click.UsageError` below one a day."""
    from core.forge.values import SLOWEST

    option = f"--rate {rate}" if interval is None else f"--interval {interval}"
    if interval is not None:
        rate = 1 / interval
        if not math.isfinite(rate):
            raise click.UsageError(f"{option}: too short for a rate")
    if rate is not None and rate < SLOWEST:
        raise click.UsageError(f"{option}: one packet a day is the least")
    return rate


def selection_of(text: str | None) -> Selection | None:
    """Return the packets that pass a filter, None without one.

    Raise `click.UsageError` if it is wrong.
    """
    if text is None:
        return None
    from app.cli.dump.selection import Selection

    return Selection(compiled_filter(text))


def compiled_filter(text: str) -> DisplayFilter:
    """Return the filter of ``-Y``. Raise `MarkedUsageError` if it is wrong."""
    from app.cli.commands import MarkedUsageError
    from app.cli.filter import marked_lines
    from app.cli.macro_file import macros_for
    from core.analysis.filter.display_filter import compile_filter
    from core.analysis.filter.fields.catalog import CATALOG
    from core.analysis.filter.language.errors import FilterError

    try:
        return compile_filter(text, CATALOG, macros_for(text))
    except FilterError as error:
        message = f"-Y, column {error.column}: {error}"
        raise MarkedUsageError(message, marked_lines(text, *error.place)) from error
