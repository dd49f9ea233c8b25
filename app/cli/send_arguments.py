"""The command line of ``rawscope send``: arguments in, exit status out.

``send`` has an option for every field of the header tables. They are made when the command runs,
because reading the tables takes longer than all the rest of ``rawscope --help``.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import rich_click as click

from app.cli.commands import Command
from app.cli.number_ranges import POSITIVE, FiniteRange
from app.cli.shared_options import (
    bypass_option,
    checked_rate,
    debug_option,
    json_option,
    no_audit_option,
    sending_option,
    yes_option,
)

_NAMES = "NAMES"  # in a help text: what `known_names` lists


class SendCommand(Command):
    """A command with an option for every field in addition to its own."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return all parameters; click calls this to parse the command and to show its help."""
        from app.cli.send.field_options import field_options, known_names

        own = super().get_params(ctx)
        names = known_names()
        for option in own:
            if isinstance(option, click.Option) and option.name in names and option.help:
                option.help = option.help.replace(_NAMES, names[option.name])
        return [*own[:-1], *field_options().values(), own[-1]]  # --help stays last


_packet_option = partial(click.option, panel="Packet")


@click.command(cls=SendCommand)
@click.rich_config(  # the longest names need the room of the column that says what is expected
    {
        "options_table_column_types": ["required", "opt_long", "help"],
        "options_table_help_sections": ["metavar", "help", "default"],
    }
)
@_packet_option(
    "--link",
    metavar="IFACE",
    default="",
    help="Send verbatim frames on this interface (name, alternative name, or index).",
)
@_packet_option(
    "--system-header",
    "system",
    is_flag=True,
    help="Let the kernel write the IP header (a raw socket without IP_HDRINCL).",
)
@_packet_option(
    "--template",
    "template_name",
    metavar="NAME",
    help=f"Begin with a template: {_NAMES}.",
)
@_packet_option(
    "--draft",
    "draft_name",
    metavar="NAME",
    help="Begin with a draft saved by --save or in the forge; an unknown NAME lists all.",
)
@_packet_option(
    "--save", "save_as", metavar="NAME", help="Save the packet as a draft under this name."
)
@_packet_option(
    "--layers",
    metavar="A,B,C|A/B/C",
    help=f"Use these layers, outermost first, e.g. eth,vlan,ip,udp. All: {_NAMES}.",
)
@_packet_option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="Set a field of a repeated layer, e.g. vlan.id#2=7.",
)
@sending_option(
    "--count",
    metavar="N",
    type=click.IntRange(min=1),
    default=1,
    help="Send the packet N times (default 1).",
)
@sending_option(
    "--rate",
    metavar="PPS",
    type=POSITIVE,
    help="Send this many packets per second (default: as fast as possible).",
)
@sending_option(
    "--interval",
    metavar="SECONDS",
    type=POSITIVE,
    help="Wait this long between packets, instead of --rate.",
)
@sending_option(
    "--wait",
    "wait_s",
    metavar="SECONDS",
    type=FiniteRange(min=0),
    help="Show what was sent, and replies for this long; exit with status 1 if none arrive. "
    "With 0, do not wait for replies.",
)
@sending_option("--dry-run", is_flag=True, help="Print the packet's bytes and send nothing.")
@json_option
@yes_option
@bypass_option
@no_audit_option
@debug_option
def send(
    rate: float | None, interval: float | None, no_audit: bool, debug: bool, **given: Any
) -> int:
    """Build a packet field by field and send it; rawscope computes the fields that you omit.

    Example: rawscope send --ip.dst 192.0.2.1 --tcp.dstport 80 --tcp.flags.syn --wait 1
    """
    from app.cli.send.field_options import request_of
    from app.cli.send.send import FieldTextError, is_bare, run_send
    from core.forge.host import ForgeHost
    from core.net.sockets import LOCAL_SOCKETS

    if rate is not None and interval is not None:
        raise click.UsageError("--rate and --interval exclude each other")
    if given["link"] and given["system"]:
        raise click.UsageError("--link sends verbatim frames: omit --system-header")
    if given["bypass"] and not given["link"]:
        raise click.UsageError("--bypass is for frames: give --link IFACE")
    rate = checked_rate(rate, interval)
    try:
        has_link = bool(given["link"]) and not is_bare(given["link"])
        request = request_of(given, rate=rate, audit=not no_audit, has_link=has_link)
        return run_send(request, ForgeHost(LOCAL_SOCKETS))
    except FieldTextError as error:
        raise click.UsageError(str(error)) from error
