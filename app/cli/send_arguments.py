"""The command line of ``rawscope send`` and ``rawscope replay``: arguments in, exit status out.

``send`` has an option for every field of the header tables. They are made when the command runs,
because reading the tables takes longer than all the rest of ``rawscope --help``.
"""

from __future__ import annotations

import math
from typing import Any

import rich_click as click

from app.cli.number_ranges import FiniteRange

SLOWEST_SPEED = 1e-6  # of the captured timing: a second becomes eleven days


def checked_rate(rate: float | None, interval: float | None = None) -> float | None:
    """Return packets a second from either option. Raises `click.UsageError` below one a day."""
    from core.forge.values import SLOWEST

    option = f"--rate {rate}" if interval is None else f"--interval {interval}"
    if interval is not None:
        rate = 1 / interval
        if not math.isfinite(rate):
            raise click.UsageError(f"{option}: too short for a rate")
    if rate is not None and rate < SLOWEST:
        raise click.UsageError(f"{option}: one packet a day is the least")
    return rate


class SendCommand(click.RichCommand):
    """A command with an option for every field in addition to its own."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return all parameters; click calls this to parse the command and to show its help."""
        from app.cli.send.field_options import field_options

        own = super().get_params(ctx)
        return [*own[:-1], *field_options().values(), own[-1]]  # --help stays last


@click.command(cls=SendCommand)
@click.rich_config(  # the longest names need the room of the column that says what is expected
    {
        "options_table_column_types": ["required", "opt_long", "help"],
        "options_table_help_sections": ["metavar", "help", "default"],
    }
)
@click.option("--link", metavar="IFACE", default="", help="Send verbatim frames on this interface.")
@click.option(
    "--system-header",
    "system",
    is_flag=True,
    help="Let the system write the IP header (a raw socket without IP_HDRINCL).",
)
@click.option("--template", "template_name", metavar="NAME", help="Begin with this template.")
@click.option("--draft", "draft_name", metavar="NAME", help="Begin with this saved draft.")
@click.option("--save", "save_as", metavar="NAME", help="Save the draft under this name.")
@click.option(
    "--layers", metavar="A,B,C", help="The layers, outermost first, e.g. eth,vlan,ip,udp."
)
@click.option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="A field of a repeated layer, e.g. vlan.id#2=7.",
)
@click.option("--count", metavar="N", type=click.IntRange(min=1), default=1, help="Send N times.")
@click.option(
    "--rate",
    metavar="PPS",
    type=FiniteRange(min=0, min_open=True),
    help="Packets a second; as fast as possible without it.",
)
@click.option(
    "--interval",
    metavar="SECONDS",
    type=FiniteRange(min=0, min_open=True),
    help="Time between packets, instead of --rate.",
)
@click.option(
    "--wait",
    "wait_s",
    metavar="SECONDS",
    type=FiniteRange(min=0),
    help="Show what left, and print answers for this long; exit with status 1 without any.",
)
@click.option("--dry-run", is_flag=True, help="Print the bytes and send nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--yes", is_flag=True, help="Answer yes to every question, this once.")
@click.option(
    "--bypass",
    is_flag=True,
    help="With --link: bypass the queueing discipline (captures on this host do not see it).",
)
@click.option("--no-audit", is_flag=True, help="Do not record what is sent.")
@click.option("--debug", is_flag=True, help="Show the traceback of a failure.")
def send(
    rate: float | None, interval: float | None, no_audit: bool, debug: bool, **given: Any
) -> int:
    """Forge a packet field by field and send it; what is not given is computed."""
    from app.cli.send.field_options import request_of
    from app.cli.send.send import FieldTextError, run_send

    if rate is not None and interval is not None:
        raise click.UsageError("give --rate or --interval, not both")
    if given["link"] and given["system"]:
        raise click.UsageError("--link sends verbatim frames: omit --system-header")
    if given["bypass"] and not given["link"]:
        raise click.UsageError("--bypass is for frames: give --link IFACE")
    rate = checked_rate(rate, interval)
    try:
        return run_send(request_of(given, rate=rate, audit=not no_audit))
    except FieldTextError as error:
        raise click.UsageError(str(error)) from error


@click.command()
@click.argument("file")
@click.option("--link", metavar="IFACE", required=True, help="Send on this interface.")
@click.option(
    "--speed",
    metavar="X",
    type=FiniteRange(min=SLOWEST_SPEED),
    help="This many times the captured timing (default 1).",
)
@click.option(
    "--rate",
    metavar="PPS",
    type=FiniteRange(min=0, min_open=True),
    help="This many frames a second.",
)
@click.option("--topspeed", is_flag=True, help="As fast as possible.")
@click.option(
    "--max-gap",
    "max_gap_s",
    metavar="SECONDS",
    type=FiniteRange(min=0),
    help="At the captured timing: wait at most this long between two frames.",
)
@click.option(
    "--loop", "loops", metavar="N", type=click.IntRange(min=1), default=1, help="N times the file."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--yes", is_flag=True, help="Answer yes to every question, this once.")
@click.option(
    "--bypass",
    is_flag=True,
    help="Bypass the queueing discipline (captures on this host do not see it).",
)
@click.option("--no-audit", is_flag=True, help="Do not record what is sent.")
@click.option("--debug", is_flag=True, help="Show the traceback of a failure.")
def replay(
    speed: float | None,
    rate: float | None,
    topspeed: bool,
    max_gap_s: float | None,
    no_audit: bool,
    debug: bool,
    **given: Any,
) -> int:
    """Send the frames of a capture FILE again, at their captured times or another pace.

    IP packets without a link header get one that leads to their next hop.
    """
    from app.cli.send.replay import ReplayRequest, run_replay
    from core.forge.transmit.schedule import ReplayPace

    if (speed is not None) + (rate is not None) + topspeed > 1:
        raise click.UsageError("--speed, --rate and --topspeed exclude each other")
    pace = ReplayPace(None if topspeed else speed or 1.0, checked_rate(rate), max_gap_s)
    if max_gap_s is not None and not pace.is_captured:
        raise click.UsageError("--max-gap limits captured gaps: omit --rate and --topspeed")
    return run_replay(ReplayRequest(pace=pace, audit=not no_audit, **given))
