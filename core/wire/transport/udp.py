"""UDP: ports, a length that may disagree with IP's, and a checksum that may be absent.

RFC 768. The length covers header and payload. Zero in the checksum field means "not computed" over
IPv4 and is illegal over IPv6 (RFC 8200 §8.1), where nothing else guards the addresses. A computed
sum of zero is sent as 0xFFFF.

A length of zero was left to the network card if IP's was, too (`core.wire.network.unset_length`),
and over IPv6 it means more than the field can hold (RFC 2675 §4): the rest of the IP packet. Any
other under 8 is malformed. One greater than the rest of the IP packet gets a note: the sum cannot
be checked.
"""

from __future__ import annotations

import numpy as np

from core.wire.checksum import packet_checksums
from core.wire.model import computed_number
from core.wire.model.assigned_numbers import TUNNEL_PORTS, IpProtocol
from core.wire.model.batch import BatchReader, FrameGroup, Network
from core.wire.model.dissection import Check, Dissection, Layer, Note, Verdict
from core.wire.model.field import Field
from core.wire.model.other_tools import (
    Argument,
    CommandOptions,
    OtherTools,
    ScapyLayer,
)
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Next, Numbering, Walk
from core.wire.network import unset_length
from core.wire.network.ipv4 import IPV4
from core.wire.network.unset_length import is_left_to_card
from core.wire.protocol import (
    ChecksumRule,
    HeaderColumns,
    LayerKind,
    LayerPosition,
    Protocol,
    Reader,
)

UDP = HeaderTable(
    "udp",
    "User Datagram Protocol",
    "RFC 768",
    Field("srcport", 16, "Source port", default=40_000),  # 0 means that no answer is wanted
    Field("dstport", 16, "Destination port"),
    Field("length", 16, "Length", suffix="bytes", automatic=True),
    Field("checksum", 16, "Checksum", base=16, automatic=True),
)

_LENGTH, _CHECKSUM = UDP["length"], UDP["checksum"]
_SOURCE_PORT, _DESTINATION_PORT = UDP["srcport"], UDP["dstport"]
_IPV6_BYTES = 16


def parse(walk: Walk, offset: int) -> Next | None:
    """Read the header; the destination port may lead to a tunnel, or else the source port."""
    if not walk.begin(UDP, offset):
        return None
    length = _LENGTH.number(walk.data, offset)
    room = walk.stop - offset
    is_left = length == 0 and _is_left_to_card(walk, room)
    if length < UDP.size and not is_left and not (length == 0 and _over_ipv6(walk)):
        reason = f"length {length} is less than {UDP.size} bytes"
        walk.contradiction(UDP, offset, _LENGTH, reason)
        return None
    stop = offset + (length or room)
    check = _check(walk, offset, stop)
    notes: tuple[Note, ...] = ()
    if length > room and not walk.fragment and not walk.quoted:
        text = f"{length} bytes go past the {room} that {walk.limited_by} allows"
        notes = (Note(text, _LENGTH),)
    elif is_left:
        notes = (unset_length.note(walk, _LENGTH, room),)
    elif length == 0:
        notes = (Note(f"zero, though there are {room} bytes", _LENGTH),)
    walk.limit(stop, "udp.length")
    walk.add((UDP,), offset, checks=(check,), notes=notes)
    number = _DESTINATION_PORT.number(walk.data, offset)
    if number not in TUNNEL_PORTS:
        source = _SOURCE_PORT.number(walk.data, offset)
        number = source if source in TUNNEL_PORTS else number
    return Next(Numbering.UDP_PORT, number, offset + UDP.size)


def _is_left_to_card(walk: Walk, room: int) -> bool:
    return unset_length.is_left_to_card(_LENGTH, 0, room, UDP.size, walk.length_unset)


def _over_ipv6(walk: Walk) -> bool:
    return walk.endpoints is not None and len(walk.endpoints.source) == _IPV6_BYTES


def _check(walk: Walk, offset: int, stop: int) -> Check:
    if _CHECKSUM.read(walk.data, offset) == 0 and not walk.quoted:
        if _over_ipv6(walk):
            reason = "zero is not allowed over IPv6 (RFC 8200 §8.1)"
            return Check(_CHECKSUM, Verdict.ILLEGAL, reason=reason)
        return Check(_CHECKSUM, Verdict.NOT_PRESENT, reason="zero: the sender computed none")
    return packet_checksums.check_transport(walk, _CHECKSUM, offset, stop, IpProtocol.UDP)


def step(walk: BatchReader, group: FrameGroup) -> None:
    """Read many headers, as `parse` does one."""
    group = walk.begin(UDP, group)
    source, number, length = walk.columns(UDP, group, "srcport", "dstport", "length")
    answers = np.isin(source, TUNNEL_PORTS)
    if answers.any():
        number = np.where(answers & ~np.isin(number, TUNNEL_PORTS), source, number)
    walk.queue(Numbering.UDP_PORT, number, group)
    short = (length < UDP.size).nonzero()[0]
    if not len(short):
        return
    group, length = group.taken(short), length[short]
    room = walk.stop.take(group.rows) - group.at
    over_ipv6 = walk.network.take(group.rows) == Network.IPV6
    right = (length == 0) & over_ipv6
    four = (~over_ipv6).nonzero()[0]
    header = FrameGroup(group.rows[four], walk.network_offset[group.rows[four]].astype(np.int64))
    total = walk.column(IPV4["len"], header)
    right[four] = is_left_to_card(UDP["length"], length[four], room[four], UDP.size, total == 0)
    walk.contradiction(group.where(~right), UDP["length"])


def info(layer: Layer, dissection: Dissection) -> str:
    """Return ``5353 → 5353 Len=60``; for a fragmented datagram the length of all of it."""
    data, at = dissection.data, layer.offset
    ports = _SOURCE_PORT.number(data, at), _DESTINATION_PORT.number(data, at)
    if not layer.fragment:
        return _words(*ports, layer.payload.stop - layer.payload.start)
    length = _LENGTH.number(data, at)  # of the whole datagram, most of it elsewhere
    return _words(*ports, length - UDP.size if length else None)


def info_columns(headers: HeaderColumns) -> list[str | None]:
    """Return the Info lines of many datagrams."""
    carried = np.maximum(headers.stops - headers.starts - UDP.size, 0)
    ports = headers.column(_SOURCE_PORT), headers.column(_DESTINATION_PORT)
    return list(map(_words, *(column.tolist() for column in (*ports, carried))))


def _words(source: int, destination: int, length: int | None) -> str:
    """Return the Info line of a datagram; a length of None is left out."""
    return f"{source} → {destination}" + ("" if length is None else f" Len={length}")


TOOLS = OtherTools(
    scapy=ScapyLayer(
        "UDP", {"srcport": "sport", "dstport": "dport", "length": "len", "checksum": "chksum"}
    ),
    nping=CommandOptions(("--udp",), {"srcport": Argument("-g"), "dstport": Argument("-p")}),
    hping3=CommandOptions(("-2", "-k"), {"srcport": Argument("-s"), "dstport": Argument("-p")}),
    pcap="udp",
)

PROTOCOLS = (
    Protocol(
        name="udp",
        shown="UDP",
        tables=(UDP,),
        info=info,
        info_columns=info_columns,
        info_texts=("Len",),
        readers=(Reader(Numbering.IP_PROTOCOL, (IpProtocol.UDP,), parse, step),),
        computed={"length": computed_number.TOTAL},
        checksum=ChecksumRule(
            pseudo_header=True,
            covered_length="length",
            own_length="length",
            zero_is_absent=True,
            zero_is_illegal_over=frozenset({Network.IPV6}),
        ),
        kinds=(LayerKind("udp", "UDP", LayerPosition.TRANSPORT, (UDP,), over="ip"),),
        tools=TOOLS,
        is_listed=True,
    ),
)
