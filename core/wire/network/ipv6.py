"""IPv6: a fixed header of 40 bytes.

RFC 8200 §3. The payload length covers all after the fixed header, extension headers
(`core.wire.network.ipv6_extensions`) included. Zero means a jumbogram if a hop-by-hop option gives
the length (RFC 2675 §2), a length that was left to the network card if TCP or UDP follows
(`core.wire.network.unset_length`), and otherwise no payload. The traffic class is IPv4's DSCP and
ECN. There is no header checksum.
"""

from __future__ import annotations

from itertools import islice

import numpy as np

from core.wire.link.link_types import LinkType
from core.wire.model import computed_number
from core.wire.model.assigned_numbers import PROTOCOL_NAMES, EtherType, IpProtocol, PppProtocol
from core.wire.model.batch import BatchReader, Column, FrameGroup, HeaderState, Mask, Network
from core.wire.model.computed_number import ComputedNumber, HeaderContext
from core.wire.model.dissection import Dissection, Layer, Note
from core.wire.model.field import Field, IPv6Address
from core.wire.model.other_tools import (
    Argument,
    CommandOptions,
    OtherTools,
    ScapyLayer,
)
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Endpoints, Next, Numbering, Walk
from core.wire.network import unset_length
from core.wire.network.ipv4 import SEGMENTED
from core.wire.network.ipv6_extensions import HOP_BY_HOP, UNIT, queue_protocol
from core.wire.network.ipv6_options import JUMBO, JUMBO_TABLE, JUMBO_WITHIN, OPTIONS
from core.wire.network.service_byte import service_parts
from core.wire.network.unset_length import is_left_to_card
from core.wire.protocol import (
    LayerKind,
    LayerPosition,
    Protocol,
    Reader,
)

# Headers that may come before TCP or UDP in a packet that a network card segments. Their lengths
# are in the same place, in the same unit. A fragment is never segmented.
BEFORE_SEGMENTS = (IpProtocol.HOP_BY_HOP, IpProtocol.ROUTING, IpProtocol.DESTINATION)
SEGMENTS_WITHIN = 8  # extension headers that are searched for TCP or UDP

IPV6 = HeaderTable(
    "ipv6",
    "Internet Protocol version 6",
    "RFC 8200 §3",
    Field("version", 4, "Version", default=6),
    Field("tclass", 8, "Traffic class", base=16, parts=service_parts()),
    Field("flow", 20, "Flow label", base=16),
    Field("plen", 16, "Payload length", suffix="bytes", automatic=True),
    Field("nxt", 8, "Next header", values=PROTOCOL_NAMES, automatic=True),
    Field("hlim", 8, "Hop limit", default=64),
    IPv6Address("src", "Source"),
    IPv6Address("dst", "Destination"),
)

_ADDRESSES = (IPV6["src"].span, IPV6["dst"].span)


def parse(walk: Walk, offset: int) -> Next | None:
    """Read the fixed header; the next header follows."""
    walk.networks += 1
    if not walk.begin(IPV6, offset):
        return None
    data = walk.data
    version = IPV6["version"].number(data, offset)
    if version != IPV6["version"].field.default:
        walk.contradiction(IPV6, offset, IPV6["version"], f"version {version} is not 6")
        return None
    source, destination = (data[offset + s.start : offset + s.stop] for s in _ADDRESSES)
    walk.endpoints = Endpoints(source, destination)
    notes = _limit(walk, offset)
    walk.end_packet(walk.stop)
    walk.add((IPV6,), offset, notes=notes)
    return Next(Numbering.IP_PROTOCOL, IPV6["nxt"].number(data, offset), offset + IPV6.size)


def _limit(walk: Walk, offset: int) -> tuple[Note, ...]:
    """Let the payload length end the packet; return a note if it and the frame disagree."""
    slot = IPV6["plen"]
    length = slot.number(walk.data, offset)
    room = walk.stop - offset - IPV6.size
    name = slot.name
    walk.length_unset = False
    if walk.datagram_stop is not None:
        walk.limit(walk.datagram_stop, "the reassembled datagram")
        return ()
    if length == 0:
        length, name = _jumbo_length(walk, offset), "ipv6.opt.jumbo"
        if length == 0:
            is_segmented = _carries_segments(walk, offset)
            if unset_length.is_left_to_card(slot, 0, room, 0, is_segmented is not False):
                walk.length_unset = True
                is_known = is_segmented is not None or room > slot.maximum
                return (unset_length.note(walk, slot, room),) if is_known else ()
    if length > room and not walk.quoted:
        return (Note(f"{length} bytes go past the {room} that {walk.limited_by} allows", slot),)
    walk.limit(offset + IPV6.size + length, name if length else slot.name)
    return ()


def _carries_segments(walk: Walk, offset: int) -> bool | None:
    """Return True if TCP or UDP follows the fixed header, behind options and routing at most.

    Return None if the capture kept too little to decide.
    """
    following, at = IPV6["nxt"].number(walk.data, offset), offset + IPV6.size
    for _ in range(SEGMENTS_WITHIN):
        if following not in BEFORE_SEGMENTS:
            break
        if at + HOP_BY_HOP.size > walk.stop:
            return False
        if at + HOP_BY_HOP.size > walk.captured:
            return None
        following = HOP_BY_HOP["nxt"].number(walk.data, at)
        at += UNIT * (HOP_BY_HOP["len"].number(walk.data, at) + 1)
    return following in SEGMENTED


def _jumbo_length(walk: Walk, offset: int) -> int:
    """Return the length in a jumbo payload option of a hop-by-hop header that comes next, or 0."""
    if IPV6["nxt"].number(walk.data, offset) != IpProtocol.HOP_BY_HOP:
        return 0
    start = offset + IPV6.size
    end = min(walk.captured, walk.stop)
    if start + HOP_BY_HOP.size > end:
        return 0
    stop = start + UNIT * (HOP_BY_HOP["len"].number(walk.data, start) + 1)
    options = OPTIONS.each(walk.data, start + HOP_BY_HOP.size, min(stop, end))
    for option in islice(options, JUMBO_WITHIN):
        if option.kind == JUMBO and option.values:
            return JUMBO_TABLE["jumbo"].number(walk.data, option.span.start)
    return 0


def step(walk: BatchReader, group: FrameGroup) -> None:
    """Read many fixed headers, as `parse` does one."""
    walk.found_network(group, Network.IPV6)
    group = walk.begin(IPV6, group)
    wrong = walk.column(IPV6["version"], group) != IPV6["version"].field.default
    if wrong.any():
        walk.contradiction(group.where(wrong), IPV6["version"])
        group = group.where(~wrong)
    walk.mark(group, HeaderState.NETWORK)
    length, following = walk.columns(IPV6, group, "plen", "nxt")
    after = group.moved(IPV6.size)
    candidates = ((length == 0) & (following == IpProtocol.HOP_BY_HOP)).nonzero()[0]
    if len(candidates):
        length[candidates] = _jumbo_lengths(walk, after.taken(candidates))
    has_length = np.ones(len(after), dtype=np.bool_)
    zero = (length == 0).nonzero()[0]
    if len(zero):
        has_length[zero] = ~_payload_left_to_card(walk, after.taken(zero), following[zero])
    walk.limit(after.where(has_length), after.at[has_length] + length[has_length])
    queue_protocol(walk, after, following)


def _payload_left_to_card(walk: BatchReader, group: FrameGroup, following: Column) -> Mask:
    """Return a mask (n,) of payload lengths of 0 that the card is to write.

    `group` are the packets behind their fixed headers.
    """
    room = walk.stop.take(group.rows) - group.at
    is_segmented = _many_carry_segments(walk, group, following)
    return is_left_to_card(IPV6["plen"], np.zeros_like(room), room, 0, is_segmented)


def _many_carry_segments(walk: BatchReader, group: FrameGroup, following: Column) -> Mask:
    """Return a mask (n,) of packets with TCP or UDP behind options and routing at most.

    It is True, too, if the capture kept too little to decide.
    """
    found = np.isin(following, SEGMENTED)
    index = np.isin(following, BEFORE_SEGMENTS).nonzero()[0]
    group = group.taken(index)
    for _ in range(SEGMENTS_WITHIN):
        if not len(index):
            break
        behind = group.at + HOP_BY_HOP.size
        there = behind <= walk.ends(group)
        found[index[~there & (behind <= walk.stop.take(group.rows))]] = True
        index, group = index[there], group.where(there)
        following = walk.column(HOP_BY_HOP["nxt"], group)
        length = UNIT * (walk.column(HOP_BY_HOP["len"], group).astype(np.int64) + 1)
        found[index[np.isin(following, SEGMENTED)]] = True
        on = np.isin(following, BEFORE_SEGMENTS)
        index, group = index[on], group.moved(length).where(on)
    return found


def _jumbo_lengths(walk: BatchReader, group: FrameGroup) -> Column:
    """Return the lengths (n,) int64 in jumbo payload options of hop-by-hop headers, or 0."""
    lengths = np.zeros(len(group), np.int64)
    whole = (group.at + HOP_BY_HOP.size <= walk.ends(group)).nonzero()[0]
    group = group.taken(whole)
    stop = group.at + UNIT * (walk.column(HOP_BY_HOP["len"], group).astype(np.int64) + 1)
    index, place = walk.find_option(
        group.moved(HOP_BY_HOP.size),
        np.minimum(stop, walk.ends(group)),
        OPTIONS,
        {JUMBO},
        JUMBO_WITHIN,
    )
    lengths[whole[index]] = JUMBO_TABLE["jumbo"].column(walk.data, place)
    return lengths


def info(layer: Layer, dissection: Dissection) -> str:
    """Return the name of the next header, which rawscope does not read."""
    following = IPV6["nxt"].number(dissection.data, layer.offset)
    return PROTOCOL_NAMES.get(following, f"protocol {following}")


def _payload_length(context: HeaderContext) -> int:
    length = len(context.carried)
    return length if length <= IPV6["plen"].maximum else JUMBO_LENGTH


JUMBO_LENGTH = 0  # the payload length of a jumbogram (RFC 2675 §3)
PAYLOAD_LENGTH = ComputedNumber(_payload_length)


TOOLS = OtherTools(
    scapy=ScapyLayer(
        "IPv6",
        {
            "version": "version",
            "tclass": "tc",
            "flow": "fl",
            "plen": "plen",
            "nxt": "nh",
            "hlim": "hlim",
            "src": "src",
            "dst": "dst",
        },
    ),
    nping=CommandOptions(
        ("-6",),
        {
            "hlim": Argument("--hop-limit"),
            "tclass": Argument("--traffic-class"),
            "flow": Argument("--flow"),
            "src": Argument("-S", is_text=True, unless_zero=True),
        },
        target="dst",
    ),
    pcap="ip6",
)

PROTOCOLS = (
    Protocol(
        name="ipv6",
        shown="IPv6",
        tables=(IPV6,),
        info=info,
        addresses=("src", "dst"),
        network=Network.IPV6,
        readers=(
            Reader(Numbering.ETHERTYPE, (EtherType.IPV6,), parse, step),
            Reader(Numbering.LINK, (LinkType.IPV6,), parse, step),
            Reader(Numbering.PPP, (PppProtocol.IPV6,), parse, step),
            Reader(Numbering.IP_PROTOCOL, (IpProtocol.IPV6,), parse),
        ),
        computed={
            "plen": PAYLOAD_LENGTH,
            "nxt": computed_number.NEXT_HEADER,
        },
        kinds=(LayerKind("ipv6", "IPv6", LayerPosition.NETWORK, (IPV6,)),),
        tools=TOOLS,
        is_listed=True,
    ),
)
