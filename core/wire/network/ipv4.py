"""IPv4: ``struct iphdr`` of Linux.

RFC 791 §3.1; the type of service byte is DSCP and ECN today (RFC 2474, RFC 3168). The header length
counts 32-bit words, options included; the total length covers header and payload, so the rest of an
Ethernet frame is padding. The checksum covers the header only.

How lengths limit it
--------------------
A header length under 5 words, or a total length under the header's, contradicts itself: the packet
is malformed, and its contents cannot be trusted. So is a total length of zero, unless it was left
to the network card (`core.wire.network.unset_length`): then the packet ends with the frame. A total
length past the end of the frame gets a note, and the bytes that are there are read.

Only the first fragment carries the transport header, whose checksum covers bytes of later ones.
Later fragments are data. A fragment that takes part in a reassembly is data, too, except for the
one that completes the datagram: it is read as if it carried all of it.
"""

from __future__ import annotations

import numpy as np

from core.wire.checksum import packet_checksums
from core.wire.link.link_types import LinkType
from core.wire.model import computed_number
from core.wire.model.assigned_numbers import PROTOCOL_NAMES, EtherType, IpProtocol, PppProtocol
from core.wire.model.batch import BatchReader, Column, FrameGroup, HeaderState, Mask, Network
from core.wire.model.dissection import Check, Dissection, Layer, Note, Verdict
from core.wire.model.field import Field, Flag, IPv4Address, PlacedField, Span
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Endpoints, Next, Numbering, Walk
from core.wire.network import ipv4_options, unset_length
from core.wire.network.ipv4_options import OPTIONS, final_destination
from core.wire.network.ipv4_tools import FRAGMENT_UNIT, TOOLS
from core.wire.network.ipv6_extensions import queue_protocol
from core.wire.network.service_byte import service_parts
from core.wire.network.unset_length import is_left_to_card
from core.wire.protocol import (
    OPTIONS_BODY,
    ChecksumRule,
    LayerKind,
    LayerPosition,
    Protocol,
    Reader,
)

SEGMENTED = (IpProtocol.TCP, IpProtocol.UDP)  # what network cards cut into segments

IPV4 = HeaderTable(
    "ip",
    "Internet Protocol version 4",
    "RFC 791 §3.1",
    Field("version", 4, "Version", default=4),
    Field("hdr_len", 4, "Header length", unit=4, suffix="bytes", default=20, automatic=True),
    Field("dsfield", 8, "Differentiated services", base=16, parts=service_parts()),
    Field("len", 16, "Total length", suffix="bytes", automatic=True),
    Field("id", 16, "Identification", base=16),
    Field(
        "flags",
        3,
        "Flags",
        base=16,
        parts=(
            Flag("rb", "Reserved"),
            Flag("df", "Don't fragment"),
            Flag("mf", "More fragments"),
        ),
    ),
    Field("frag_offset", 13, "Fragment offset", suffix="× 8 bytes"),
    Field("ttl", 8, "Time to live", default=64),
    Field("proto", 8, "Protocol", values=PROTOCOL_NAMES, automatic=True),
    Field("checksum", 16, "Header checksum", base=16, automatic=True),
    IPv4Address("src", "Source"),
    IPv4Address("dst", "Destination"),
)

_MOST_OPTIONS = IPV4["hdr_len"].maximum - IPV4.size  # in one header, of one byte each
_VERSION, _HEADER_LENGTH, _LENGTH = IPV4["version"], IPV4["hdr_len"], IPV4["len"]
_CHECKSUM, _PROTOCOL = IPV4["checksum"], IPV4["proto"]
_ADDRESSES = (IPV4["src"].span, IPV4["dst"].span)
_MORE, _FRAGMENT_OFFSET = IPV4["flags.mf"], IPV4["frag_offset"]


def parse(walk: Walk, offset: int) -> Next | None:
    """Read header, options and checksum; the protocol comes next, except in a later fragment."""
    walk.networks += 1
    if not walk.begin(IPV4, offset):
        return None
    data = walk.data
    header = _HEADER_LENGTH.number(data, offset)
    wrong = _contradiction(walk, offset, header)
    if wrong:
        slot, reason = wrong
        walk.contradiction(IPV4, offset, slot, reason)
        return None
    notes = _limit(walk, offset)
    walk.end_packet(walk.stop)
    if not walk.has("ip", offset, header):
        checks = (Check(_CHECKSUM, Verdict.UNVERIFIED, reason="the options are cut short"),)
        walk.add((IPV4,), offset, header, checks=checks, notes=notes)
        return None
    _add(walk, offset, header, notes)
    following = Next(Numbering.IP_PROTOCOL, _PROTOCOL.number(data, offset), offset + header)
    if walk.is_piece(following.offset):
        return walk.after_fragment(following)
    if _FRAGMENT_OFFSET.read(data, offset):
        return None
    walk.fragment = walk.fragment or bool(_MORE.number(data, offset))
    return following


def _contradiction(walk: Walk, offset: int, header: int) -> tuple[PlacedField, str] | None:
    """Return the field that makes the header unusable, and why."""
    version, length = _VERSION.number(walk.data, offset), _LENGTH.number(walk.data, offset)
    if version != _VERSION.field.default:
        return _VERSION, f"version {version} is not 4"
    if header < IPV4.size:
        return _HEADER_LENGTH, f"header length {header} is less than {IPV4.size} bytes"
    if length < header and not _is_left_to_card(walk, offset, header):
        return _LENGTH, f"total length {length} is less than the header length {header}"
    return None


def _is_left_to_card(walk: Walk, offset: int, header: int) -> bool:
    data = walk.data
    is_whole = not (_MORE.number(data, offset) or _FRAGMENT_OFFSET.number(data, offset))
    is_segmented = is_whole and _PROTOCOL.number(data, offset) in SEGMENTED
    length, room = _LENGTH.number(data, offset), walk.stop - offset
    return unset_length.is_left_to_card(_LENGTH, length, room, header, is_segmented)


def _limit(walk: Walk, offset: int) -> tuple[Note, ...]:
    """Let the total length end the packet; return notes if it and the frame disagree."""
    length = _LENGTH.number(walk.data, offset)
    room = walk.stop - offset
    notes = _beyond_the_datagram(walk.data, offset, length)
    if walk.datagram_stop is not None:
        walk.limit(walk.datagram_stop, "the reassembled datagram")
        return notes
    walk.length_unset = length == 0
    if length == 0:
        return (*notes, unset_length.note(walk, _LENGTH, room))
    if length > room and not walk.quoted:
        text = f"{length} bytes go past the {room} that {walk.limited_by} allows"
        return (*notes, Note(text, _LENGTH))
    walk.limit(offset + length, "ip.len")
    return notes


def _beyond_the_datagram(data: bytes, offset: int, length: int) -> tuple[Note, ...]:
    """Return a note on a fragment that would end past the longest possible datagram."""
    place = _FRAGMENT_OFFSET.number(data, offset) * FRAGMENT_UNIT
    end = place + length - _HEADER_LENGTH.number(data, offset)
    if place and end > _LENGTH.maximum:
        text = f"the fragment would end at byte {end}, past the longest datagram"
        return (Note(text, _FRAGMENT_OFFSET),)
    return ()


def _add(walk: Walk, offset: int, header: int, notes: tuple[Note, ...]) -> None:
    """Add the layer of a complete header, judge its checksum, and store its addresses."""
    data, options_at = walk.data, offset + IPV4.size
    options = OPTIONS.read(data, options_at, offset + header)
    if walk.quoted:
        check = packet_checksums.unverified(
            walk, _CHECKSUM, packet_checksums.obstacle(walk, offset)
        )
    else:
        stored = _CHECKSUM.number(data, offset)
        check = packet_checksums.judge(_CHECKSUM, stored, data[offset : offset + header])
        if check.verdict is Verdict.BAD:
            check = check._replace(reason=packet_checksums.doubt(walk, stored))
    source, destination = (data[offset + s.start : offset + s.stop] for s in _ADDRESSES)
    walk.endpoints = Endpoints(source, final_destination(data, options) or destination)
    span = Span(options_at, offset + header) if header > IPV4.size else None
    walk.add(
        (IPV4,), offset, header, options=options, options_span=span, checks=(check,), notes=notes
    )


def step(walk: BatchReader, group: FrameGroup) -> None:
    """Read many headers, as `parse` does one."""
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
    has_length = right & (length > 0)
    walk.limit(group.where(has_length), (group.at + length)[has_length])
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
    queue_protocol(walk, group.taken(first).moved(header.take(first)), protocol.take(first))


def _total_left_to_card(walk: BatchReader, group: FrameGroup, header: Column) -> Mask:
    """Return a mask (n,) of packets whose total length the card is to write.

    `header` (n,) are their header lengths.
    """
    keys = ("len", "flags.mf", "frag_offset", "proto")
    length, more, place, protocol = walk.columns(IPV4, group, *keys)
    room = walk.stop.take(group.rows) - group.at
    is_segmented = np.isin(protocol, SEGMENTED) & (more == 0) & (place == 0)
    return is_left_to_card(IPV4["len"], length, room, header, is_segmented)


def _source_routes(walk: BatchReader, group: FrameGroup, header: Column) -> None:
    """Mark the packets whose options may change the destination."""
    options, end = group.moved(IPV4.size), group.at + header
    kinds = ipv4_options.SOURCE_ROUTES
    index, _ = walk.find_option(options, end, ipv4_options.OPTIONS, kinds, _MOST_OPTIONS)
    walk.mark(group.where(np.isin(np.arange(len(group)), index)), HeaderState.ROUTED)


def _contradictions(walk: BatchReader, group: FrameGroup, agreements: dict[str, Mask]) -> None:
    """Report the first field of each header that contradicts the others."""
    right = np.ones(len(group), dtype=np.bool_)
    for key, agrees in agreements.items():
        walk.contradiction(group.where(right & ~agrees), IPV4[key])
        right &= agrees


def info(layer: Layer, dissection: Dissection) -> str:
    """Return a fragment's position as Wireshark does, or the protocol, which is not read."""
    data = dissection.data
    place, more = layer.number(data, "frag_offset"), layer.number(data, "flags.mf")
    protocol = layer.number(data, "proto")
    if not isinstance(protocol, int):
        return "IPv4"
    name = PROTOCOL_NAMES.get(protocol, f"protocol {protocol}")
    if isinstance(place, int) and (place or more):
        ident = layer.number(data, "id")
        protocol_text = f"{name} {protocol}" if protocol in PROTOCOL_NAMES else f"{protocol}"
        where = f"proto={protocol_text}, off={place * FRAGMENT_UNIT}, ID={ident:04x}"
        return f"Fragmented IP protocol ({where})"
    return name


PROTOCOLS = (
    Protocol(
        name="ip",
        shown="IPv4",
        tables=(IPV4, *ipv4_options.TABLES),
        info=info,
        addresses=("src", "dst"),
        network=Network.IPV4,
        change_endpoints=ipv4_options.after_source_route,
        has_options_field=True,
        readers=(
            Reader(Numbering.ETHERTYPE, (EtherType.IPV4,), parse, step),
            Reader(Numbering.LINK, (LinkType.IPV4,), parse, step),
            Reader(Numbering.PPP, (PppProtocol.IPV4,), parse, step),
            Reader(Numbering.IP_PROTOCOL, (IpProtocol.IPV4,), parse),
        ),
        computed={
            "hdr_len": computed_number.SIZE,
            "len": computed_number.TOTAL,
            "proto": computed_number.PROTOCOL,
        },
        checksum=ChecksumRule(is_header_only=True),
        alignment=IPV4["hdr_len"].field.unit,
        kinds=(
            LayerKind(
                "ip",
                "IPv4",
                LayerPosition.NETWORK,
                (IPV4,),
                body=OPTIONS_BODY,
                options=ipv4_options.OPTIONS,
                example="routeralert,nop",
            ),
        ),
        tools=TOOLS,
        is_listed=True,
    ),
)
