"""Network headers of many frames at once, up to the outermost transport header.

The steps mirror the `parse` functions of `core.wire`; see `core.decode.link_steps`. What a
tunnel carries is not followed: columns are about the outermost packet.
"""

from __future__ import annotations

import numpy as np

from core.decode.batch_walk import BatchWalk
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from core.wire.model.batch import Column, FrameGroup, HeaderState, Mask, Network
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Numbering
from core.wire.network import ipv4_options
from core.wire.network.arp import ARP, ARP_IPV4, ETHERNET_TYPES, IPV4_BYTES, MAC_BYTES
from core.wire.network.ipv4 import IPV4, SEGMENTED
from core.wire.network.ipv6 import BEFORE_SEGMENTS, IPV6, SEGMENTS_WITHIN
from core.wire.network.ipv6_extensions import (
    AH_UNIT,
    AUTHENTICATION,
    DESTINATION_OPTIONS,
    EXTENSION_HEADERS,
    FRAGMENT,
    HOP_BY_HOP,
    ROUTING,
    ROUTING_RPL,
    RPL,
    UNIT,
)
from core.wire.network.ipv6_options import HOME_TABLE, JUMBO, JUMBO_TABLE, JUMBO_WITHIN, OPTIONS
from core.wire.network.unset_length import is_left_to_card

_IPV4_OPTIONS = IPV4["hdr_len"].maximum - IPV4.size  # in one header, of one byte each
_FINAL = ~np.isin(np.arange(256), sorted(EXTENSION_HEADERS))  # by protocol number


def arp(walk: BatchWalk, group: FrameGroup) -> None:
    """ARP and RARP: the common part, and two pairs of addresses of the sizes it names."""
    walk.found_network(group, Network.ARP)
    group = walk.begin(ARP, group)
    keys = ("hw.type", "proto.type", "hw.size", "proto.size")
    link, network, hardware, protocol = walk.columns(ARP, group, *keys)
    known = np.isin(link, ETHERNET_TYPES) & (network == EtherType.IPV4)
    known &= (hardware == MAC_BYTES) & (protocol == IPV4_BYTES)
    walk.found(ARP_IPV4, group.where(known))
    walk.has(group, ARP.size + 2 * (hardware + protocol))


def ipv4(walk: BatchWalk, group: FrameGroup) -> None:
    """The header and its options; then by protocol, unless a later fragment."""
    walk.found_network(group, Network.IPV4)
    group = walk.begin(IPV4, group)
    keys = ("version", "hdr_len", "len", "flags.mf", "frag_offset", "proto")
    version, header, length, more, place, protocol = walk.columns(IPV4, group, *keys)
    is_long_enough = length >= header
    short = (~is_long_enough).nonzero()[0]
    if len(short):
        is_long_enough[short] = _total_left_to_card(walk, group.taken(short), header[short])
    agreements = {
        "version": version == IPV4["version"].field.default,
        "hdr_len": header >= IPV4.size,
        "len": is_long_enough,
    }
    right = np.logical_and.reduce(list(agreements.values()))
    if not right.all():
        _contradictions(walk, group, agreements)
    said = right & (length > 0)
    walk.limit(group.where(said), (group.at + length)[said])
    walk.mark(group.where(right), HeaderState.NETWORK)
    if not right.all():
        group, header = group.where(right), header[right]
        more, place, protocol = more[right], place[right], protocol[right]
    whole = walk.enough(group, header)
    walk.mark(group.where(whole & ((place > 0) | (more > 0))), HeaderState.FRAGMENT)
    with_options = (whole & (header > IPV4.size)).nonzero()[0]
    if len(with_options):
        _source_routes(walk, group.taken(with_options), header[with_options])
    first = (whole & (place == 0)).nonzero()[0]
    transport(walk, group.taken(first).moved(header.take(first)), protocol.take(first))


def _total_left_to_card(walk: BatchWalk, group: FrameGroup, header: Column) -> Mask:
    """Of packets with these header lengths (n,): whose total length was left to the card."""
    keys = ("len", "flags.mf", "frag_offset", "proto")
    length, more, place, protocol = walk.columns(IPV4, group, *keys)
    room = walk.stop.take(group.rows) - group.at
    is_segmented = np.isin(protocol, SEGMENTED) & (more == 0) & (place == 0)
    return is_left_to_card(IPV4["len"], length, room, header, is_segmented)


def _source_routes(walk: BatchWalk, group: FrameGroup, header: Column) -> None:
    """Mark those whose options may say that the destination is another."""
    options, end = group.moved(IPV4.size), group.at + header
    kinds = ipv4_options.SOURCE_ROUTES
    index, _ = walk.find_option(options, end, ipv4_options.OPTIONS, kinds, _IPV4_OPTIONS)
    walk.mark(group.where(np.isin(np.arange(len(group)), index)), HeaderState.ROUTED)


def _contradictions(walk: BatchWalk, group: FrameGroup, agreements: dict[str, Mask]) -> None:
    """The first field of each header that does not agree with the others."""
    right = np.ones(len(group), dtype=np.bool_)
    for key, agrees in agreements.items():
        walk.contradiction(group.where(right & ~agrees), IPV4[key])
        right &= agrees


def ipv6(walk: BatchWalk, group: FrameGroup) -> None:
    """The fixed header; extension headers are steps of their own."""
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
    said = np.ones(len(after), dtype=np.bool_)
    unsaid = (length == 0).nonzero()[0]
    if len(unsaid):
        said[unsaid] = ~_payload_left_to_card(walk, after.taken(unsaid), following[unsaid])
    walk.limit(after.where(said), after.at[said] + length[said])
    transport(walk, after, following)


def _payload_left_to_card(walk: BatchWalk, group: FrameGroup, following: Column) -> Mask:
    """Of packets behind a fixed header with payload length 0: whose it was left to the card."""
    room = walk.stop.take(group.rows) - group.at
    is_segmented = _carry_segments(walk, group, following)
    return is_left_to_card(IPV6["plen"], np.zeros_like(room), room, 0, is_segmented)


def _carry_segments(walk: BatchWalk, group: FrameGroup, following: Column) -> Mask:
    """Return True if TCP or UDP follows, (n,), behind options and routing at most; true where the
    capture kept too little to tell.
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


def _jumbo_lengths(walk: BatchWalk, group: FrameGroup) -> Column:
    """What jumbo payload options in the hop-by-hop headers here say, (n,) int64; 0 if none."""
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


def transport(walk: BatchWalk, group: FrameGroup, protocol: Column) -> None:
    """Whatever an IP header carries: extension headers go on, everything else is the transport."""
    final = _FINAL.take(protocol).nonzero()[0]
    walk.found_transport(group.taken(final), protocol.take(final))
    walk.follow(Numbering.IP_PROTOCOL, protocol, group)


def hop_by_hop(walk: BatchWalk, group: FrameGroup) -> None:
    """Options for every router."""
    _options(walk, group, HOP_BY_HOP)


def destination_options(walk: BatchWalk, group: FrameGroup) -> None:
    """Options for the destination."""
    _options(walk, group, DESTINATION_OPTIONS)


def _options(walk: BatchWalk, group: FrameGroup, table: HeaderTable) -> None:
    group, length = _extension(walk, group, table)
    # a home address is the pseudo-header's source
    walk.mark(group.where(length >= table.size + HOME_TABLE.stop), HeaderState.ROUTED)
    transport(walk, group.moved(length), walk.column(table["nxt"], group))


def routing(walk: BatchWalk, group: FrameGroup) -> None:
    """Where the packet shall pass; the last stop is the pseudo-header's destination."""
    group, length = _extension(walk, group, ROUTING)
    walk.mark(group, HeaderState.ROUTED)
    compressed = (walk.column(ROUTING["type"], group) == ROUTING_RPL) & (length >= RPL.stop)
    walk.found(RPL, group.where(compressed))
    transport(walk, group.moved(length), walk.column(ROUTING["nxt"], group))


def _extension(walk: BatchWalk, group: FrameGroup, table: HeaderTable) -> tuple[FrameGroup, Column]:
    """Those whose extension header is all there, and its length."""
    group = walk.begin(table, group)
    length = UNIT * (walk.column(table["len"], group).astype(np.int64) + 1)
    whole = walk.enough(group, length)
    return group.where(whole), length[whole]


def fragment(walk: BatchWalk, group: FrameGroup) -> None:
    """A piece of a datagram; only the first one goes on with a header."""
    group = walk.begin(FRAGMENT, group)
    place = walk.column(FRAGMENT["offset"], group)
    pieces = (place > 0) | (walk.column(FRAGMENT["more"], group) > 0)
    walk.mark(group.where(pieces), HeaderState.FRAGMENT)
    group = group.where(place == 0)
    transport(walk, group.moved(FRAGMENT.size), walk.column(FRAGMENT["nxt"], group))


def authentication(walk: BatchWalk, group: FrameGroup) -> None:
    """The authentication header; what follows is in the clear."""
    group = walk.begin(AUTHENTICATION, group)
    length = AH_UNIT * (walk.column(AUTHENTICATION["length"], group).astype(np.int64) + 2)
    short = length < AUTHENTICATION.size
    walk.contradiction(group.where(short), AUTHENTICATION["length"])
    group, length = group.where(~short), length[~short]
    whole = walk.enough(group, length)
    group, length = group.where(whole), length[whole]
    following = walk.column(AUTHENTICATION["next_header"], group)
    transport(walk, group.moved(length), following)
