"""The command line of ``rawscope replay``: arguments in, exit status out.

The options that change frames have the names that tcprewrite(1) gives them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import rich_click as click

from app.cli.commands import Command
from app.cli.number_ranges import POSITIVE, FiniteRange
from app.cli.output import print_message
from app.cli.shared_options import (
    bypass_option,
    checked_rate,
    debug_option,
    json_option,
    no_audit_option,
    sending_option,
    yes_option,
)

if TYPE_CHECKING:
    from core.forge.transmit.rewrite_rules import RewriteRules

SLOWEST_MBIT = 1e-6  # one bit a second
SLOWEST_SPEED = 1e-6  # of the captured timing: a second becomes eleven days
_TAG_PROTOCOLS = ("802.1q", "802.1ad")


# rewrite_rules imports numpy: the parsers load it late, so that --help does not wait for it.
def _address_map(text: str) -> object:
    from core.forge.transmit.rewrite_rules import parse_address_map

    return parse_address_map(text)


def _link_address(text: str) -> object:
    from core.forge.transmit.rewrite_rules import parse_link_address

    return parse_link_address(text)


def _hop_limit(text: str) -> object:
    from core.forge.transmit.rewrite_rules import parse_hop_limit

    return parse_hop_limit(text)


def _parsed(parser: Callable[[str], object]) -> Any:
    """Return the callback of an option whose text `parser` reads; it raises `ValueError`."""

    def callback(ctx: click.Context, param: click.Parameter, value: str | None) -> object:
        if value is None:
            return None
        try:
            return parser(value)
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, param) from error

    return callback


_timing_option = partial(click.option, panel="Timing")
_rewrite_option = partial(click.option, panel="Rewriting", default=None)
_MAP: dict[str, Any] = {"metavar": "OLD:NEW,…", "callback": _parsed(_address_map)}
_MAC: dict[str, Any] = {"metavar": "MAC", "callback": _parsed(_link_address)}


@click.command(cls=Command)
@click.rich_config(  # narrow columns, so that the names of options have room
    {
        "options_table_column_types": ["required", "opt_long", "opt_short", "help"],
        "options_table_help_sections": ["metavar", "help"],
    }
)
@click.argument("file")
@sending_option(
    "--link",
    metavar="IFACE",
    required=True,
    help="Send on this interface (name, alternative name, or index).",
)
@sending_option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=1),
    help="Send only the first N frames of the file.",
)
@sending_option(
    "--loop",
    "loops",
    metavar="N",
    type=click.IntRange(min=0),
    default=1,
    help="Send the file N times (default 1); 0: until stopped.",
)
@sending_option(
    "--dry-run",
    is_flag=True,
    help="Print how many frames would be sent, left out, and rewritten; send nothing.",
)
@yes_option
@bypass_option
@no_audit_option
@_timing_option(
    "--speed",
    metavar="X",
    type=POSITIVE,
    help="Send X times as fast as captured (default 1).",
)
@_timing_option(
    "--rate",
    metavar="PPS",
    type=POSITIVE,
    help="Send this many frames per second.",
)
@_timing_option(
    "--mbit",
    "--mbps",
    "mbit",
    metavar="RATE",
    type=POSITIVE,
    help="Send this many Mbit per second, counting the bytes of the frames.",
)
@_timing_option("--topspeed", is_flag=True, help="Send as fast as possible.")
@_timing_option(
    "--max-gap",
    "max_gap_s",
    metavar="SECONDS",
    type=FiniteRange(min=0),
    help="Wait at most this long between two frames, where the original timing waits longer.",
)
@_timing_option(
    "--loop-delay",
    "loop_delay_s",
    metavar="SECONDS",
    type=FiniteRange(min=0),
    default=0.0,
    help="Wait this long before the file is sent again.",
)
@_rewrite_option(
    "--fixcsum",
    "-C",
    "fixes_checksums",
    is_flag=True,
    help="Compute all checksums again. Without it, those of rewritten packets are adapted: "
    "a correct checksum stays correct, a wrong one stays wrong.",
)
@_rewrite_option(
    "--srcipmap",
    "sources",
    **_MAP,
    help="Map source addresses, e.g. 10.0.0.0/8:192.168.0.0/16 or [2001:db8::/32]:[fd00::/16].",
)
@_rewrite_option("--dstipmap", "destinations", **_MAP, help="Map destination addresses likewise.")
@_rewrite_option(
    "--pnat", **_MAP, help="Map source and destination addresses, and those in ARP messages."
)
@_rewrite_option(
    "--ttl",
    "hop_limit",
    metavar="N|+N|-N",
    callback=_parsed(_hop_limit),
    help="Set TTL and hop limit to N, or raise (+N) or lower (-N) them within 1–255.",
)
@_rewrite_option("--enet-smac", "source_mac", **_MAC, help="Set the source MAC address.")
@_rewrite_option("--enet-dmac", "destination_mac", **_MAC, help="Set the destination MAC address.")
@_rewrite_option(
    "--enet-vlan",
    "vlan",
    metavar="add|del",
    type=click.Choice(["add", "del"]),
    help="Add a VLAN tag outside of others, or delete the outermost one.",
)
@_rewrite_option(
    "--enet-vlan-tag",
    "vlan_number",
    metavar="ID",
    type=click.IntRange(0, 4095),
    help="VLAN ID of the added tag.",
)
@_rewrite_option(
    "--enet-vlan-pri",
    "vlan_priority",
    metavar="N",
    type=click.IntRange(0, 7),
    help="Priority of the added tag, 0–7 (default: that of the tag inside, or 0).",
)
@_rewrite_option(
    "--enet-vlan-cfi",
    "vlan_dei",
    metavar="N",
    type=click.IntRange(0, 1),
    help="Drop eligible (CFI) bit of the added tag (default: that of the tag inside, or 0).",
)
@_rewrite_option(
    "--enet-vlan-proto",
    "vlan_protocol",
    metavar="802.1q|802.1ad",
    type=click.Choice(_TAG_PROTOCOLS),
    help="Type of the added tag (default 802.1q).",
)
@json_option
@debug_option
def replay(
    speed: float | None,
    rate: float | None,
    topspeed: bool,
    mbit: float | None,
    max_gap_s: float | None,
    no_audit: bool,
    debug: bool,
    **given: Any,
) -> int:
    """Send the frames of a capture FILE again, with the original timing or at another rate.

    IP packets without a link header get one addressed to their next hop. On an interface without
    link headers (tun, WireGuard), the IP packets in the frames are sent. --speed, --rate, --mbit,
    and --topspeed exclude each other.

    Example: rawscope replay trace.pcap --link eth0 --dstipmap 10.0.0.0/8:192.168.0.0/16 --dry-run
    """
    from app.cli.send.replay import ReplayRequest, run_replay
    from core.forge.host import ForgeHost
    from core.forge.replay_job import ReplayPlan
    from core.forge.transmit.schedule import ReplayPace
    from core.net.sockets import LOCAL_SOCKETS

    if sum(one is not None for one in (speed, rate, mbit)) + topspeed > 1:
        raise click.UsageError("--speed, --rate, --mbit, and --topspeed exclude each other")
    for option, value, least in (("--speed", speed, SLOWEST_SPEED), ("--mbit", mbit, SLOWEST_MBIT)):
        if value is not None and value < least:
            raise click.UsageError(f"{option} {value:g}: {least:g} is the least")
    pace = ReplayPace(None if topspeed else speed or 1.0, checked_rate(rate), max_gap_s, mbit)
    if max_gap_s is not None and not pace.is_captured:
        raise click.UsageError("--max-gap limits captured gaps: omit --rate, --mbit, --topspeed")
    if given["loop_delay_s"] and given["loops"] == 1:
        print_message("rawscope: --loop-delay has no effect: the file is sent once; give --loop N")
    rules = _rules(given)
    planned = {key: given.pop(key) for key in ("file", "loops", "loop_delay_s", "limit", "bypass")}
    plan = ReplayPlan(pace=pace, rules=rules, **planned)
    request = ReplayRequest(plan, audit=not no_audit, **given)
    return run_replay(request, ForgeHost(LOCAL_SOCKETS))


def _rules(given: dict[str, Any]) -> RewriteRules:
    """Take the options that change frames out of `given`; return the rules that they make.

    Raises `click.UsageError`.
    """
    from core.forge.transmit.rewrite_rules import AddedTag, RewriteRules
    from core.wire.model.assigned_numbers import EtherType

    mode, number = given.pop("vlan"), given.pop("vlan_number")
    details = [given.pop(name) for name in ("vlan_priority", "vlan_dei", "vlan_protocol")]
    if mode == "add" and number is None:
        raise click.UsageError("--enet-vlan add needs the id of the tag: --enet-vlan-tag ID")
    if mode != "add" and (number is not None or any(one is not None for one in details)):
        raise click.UsageError("--enet-vlan-tag, -pri, -cfi, and -proto are for --enet-vlan add")
    priority, dei, protocol = details
    kind = EtherType.PROVIDER_VLAN if protocol == "802.1ad" else EtherType.VLAN
    tag = AddedTag(number, priority, dei, kind)
    sources, destinations = given.pop("sources"), given.pop("destinations")
    pnat = given.pop("pnat")
    if pnat and (sources or destinations):
        raise click.UsageError("--pnat maps both addresses: omit --srcipmap and --dstipmap")
    return RewriteRules(
        fixes_checksums=bool(given.pop("fixes_checksums")),
        sources=pnat or sources or (),
        destinations=pnat or destinations or (),
        in_arp=bool(pnat),
        hop_limit=given.pop("hop_limit"),
        source_mac=given.pop("source_mac"),
        destination_mac=given.pop("destination_mac"),
        tag=tag if mode == "add" else None,
        removes_tag=mode == "del",
    )
