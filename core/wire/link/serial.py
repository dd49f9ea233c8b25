"""Three link headers of captures: Cisco HDLC, frame relay, and netfilter's log.

Cisco HDLC (RFC 1547 §4.3.1): address, control, and an EtherType; 0x8035 is Cisco's keep-alive
protocol and not RARP.

Frame relay (ITU-T Q.922 annex A): an address of two to four bytes, of which the last has its low
bit set. Cisco writes an EtherType after it; RFC 2427 a control byte of 3 and a network layer
identifier (NLPID), or a pad byte, the NLPID of SNAP, three bytes of organization, and an EtherType.

NFLOG (tcpdump.org/linktypes/LINKTYPE_NFLOG.html): four bytes, then values with type and length in
the byte order of the capturing host, padded to 4. One of them is the packet.
"""

from __future__ import annotations

import numpy as np

from core.wire.link.ethernet import LOWEST_ETHERTYPE
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import ETHERTYPE_NAMES, EtherType
from core.wire.model.batch import BatchReader, FrameGroup, byte_column
from core.wire.model.dissection import Dissection, Layer
from core.wire.model.field import Field, Flag, gather
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Next, Numbering, Walk
from core.wire.protocol import Protocol, Reader

SLARP = 0x8035
CONTROL_UNNUMBERED = 0x03
SNAP_START = bytes.fromhex("030080000000")  # control, pad, NLPID, organization (RFC 2427 §3)
SNAP_BYTES = len(SNAP_START) + 2
NLPID_TYPES = {0x8E: EtherType.IPV6, 0xCC: EtherType.IPV4}
FAMILIES = {2: "IPv4", 7: "Bridge", 10: "IPv6"}
FAMILY_TYPES = {2: EtherType.IPV4, 10: EtherType.IPV6}
NFLOG_PAYLOAD = 9
NFLOG_TYPE_MASK = 0x7FFF
NFLOG_TLV_BYTES = 4
NFLOG_MOST_VALUES = 64  # Linux writes each of its 20 kinds at most once (nfnetlink_log.h)
LONGEST_ADDRESS = 4  # bytes of a frame relay address, Q.922 annex A

CISCO_HDLC = HeaderTable(
    "chdlc",
    "Cisco HDLC",
    "RFC 1547 §4.3.1",
    Field("address", 8, "Address", base=16, values={0x0F: "Unicast", 0x8F: "Multicast"}),
    Field("control", 8, "Control", base=16),
    Field("protocol", 16, "Protocol", base=16, values={**ETHERTYPE_NAMES, SLARP: "SLARP"}),
)
FRAME_RELAY = HeaderTable(
    "fr",
    "Frame relay",
    "ITU-T Q.922 annex A",
    Field("upper_dlci", 6, "Upper part of the connection identifier"),
    Flag("cr", "Command or response"),
    Flag("first_ea", "Address ends here"),
    Field("second_dlci", 4, "Second part of the connection identifier"),
    Flag("fecn", "Forward congestion"),
    Flag("becn", "Backward congestion"),
    Flag("de", "Discard eligible"),
    Flag("ea", "Address ends here"),
)
NFLOG = HeaderTable(
    "nflog",
    "Netfilter log",
    "LINKTYPE_NFLOG",
    Field("family", 8, "Address family", values=FAMILIES),
    Field("version", 8, "Version"),
    Field("res_id", 16, "Resource"),
)
TABLES = (CISCO_HDLC, FRAME_RELAY, NFLOG)


def parse_hdlc(walk: Walk, offset: int) -> Next | None:
    """Read Cisco HDLC; an EtherType names the next header."""
    if not walk.begin(CISCO_HDLC, offset):
        return None
    walk.add((CISCO_HDLC,), offset)
    number = CISCO_HDLC["protocol"].number(walk.data, offset)
    if number == SLARP:
        return None
    return Next(Numbering.ETHERTYPE, number, offset + CISCO_HDLC.size)


def parse_frame_relay(walk: Walk, offset: int) -> Next | None:
    """Read the address, and either kind of protocol number after it."""
    if not walk.begin(FRAME_RELAY, offset):
        return None
    length = FRAME_RELAY.size
    while not walk.data[offset + length - 1] & 1:
        if length == LONGEST_ADDRESS:
            reason = f"no end of the address within {LONGEST_ADDRESS} bytes"
            walk.contradiction(FRAME_RELAY, offset, FRAME_RELAY["ea"], reason)
            return None
        length += 1
        if not walk.has("fr", offset, length, "address"):
            walk.add((FRAME_RELAY,), offset)
            return None
    if not walk.has("fr", offset, length + 2, "address and protocol"):
        walk.add((FRAME_RELAY,), offset, length)
        return None
    at = offset + length
    number = int.from_bytes(walk.data[at : at + 2], "big")
    if number == CONTROL_UNNUMBERED << 8:  # a pad byte
        return _after_pad(walk, offset, length)
    walk.add((FRAME_RELAY,), offset, length + 2)
    if walk.data[at] == CONTROL_UNNUMBERED:
        kind = NLPID_TYPES.get(walk.data[at + 1])
        return None if kind is None else Next(Numbering.ETHERTYPE, kind, at + 2)
    if number < LOWEST_ETHERTYPE:
        return None
    return Next(Numbering.ETHERTYPE, number, at + 2)


def _after_pad(walk: Walk, offset: int, length: int) -> Next | None:
    """Read the SNAP header after an address of `length` bytes."""
    at = offset + length
    if not walk.has("fr", offset, length + SNAP_BYTES, "address and SNAP"):
        walk.add((FRAME_RELAY,), offset, length)
        return None
    is_snap = walk.data[at : at + len(SNAP_START)] == SNAP_START
    walk.add((FRAME_RELAY,), offset, length + (SNAP_BYTES if is_snap else 2))
    if not is_snap:
        return None
    kind = int.from_bytes(walk.data[at + len(SNAP_START) : at + SNAP_BYTES], "big")
    return Next(Numbering.ETHERTYPE, kind, at + SNAP_BYTES)


def parse_nflog(walk: Walk, offset: int) -> Next | None:
    """Read the values, up to the one that is the packet."""
    if not walk.begin(NFLOG, offset):
        return None
    data = walk.data
    kind = FAMILY_TYPES.get(NFLOG["family"].number(data, offset))
    end = min(walk.captured, walk.stop)
    at = offset + NFLOG.size
    for _ in range(NFLOG_MOST_VALUES):
        if at + NFLOG_TLV_BYTES > end:
            break
        length, tag = _nflog_value(data, at)
        if length < NFLOG_TLV_BYTES:
            break
        if tag == NFLOG_PAYLOAD:
            walk.add((NFLOG,), offset, at + NFLOG_TLV_BYTES - offset)
            walk.limit(at + length, "nflog.tlv_length")
            return Next(Numbering.ETHERTYPE, kind, at + NFLOG_TLV_BYTES) if kind else None
        at += length + -length % NFLOG_TLV_BYTES
    walk.add((NFLOG,), offset)
    return None


def _nflog_value(data: bytes, at: int) -> tuple[int, int]:
    """Return length and type, in the byte order that makes the length the smaller number."""
    length, tag = data[at : at + 2], data[at + 2 : at + 4]
    little = int.from_bytes(length, "little"), int.from_bytes(tag, "little") & NFLOG_TYPE_MASK
    big = int.from_bytes(length, "big"), int.from_bytes(tag, "big") & NFLOG_TYPE_MASK
    return min(little, big)


def step_hdlc(walk: BatchReader, group: FrameGroup) -> None:
    """Read many Cisco HDLC headers, as `parse_hdlc` does one."""
    group = walk.begin(CISCO_HDLC, group)
    number = walk.column(CISCO_HDLC["protocol"], group)
    goes_on = number != SLARP
    after = group.where(goes_on).moved(CISCO_HDLC.size)
    walk.queue(Numbering.ETHERTYPE, number[goes_on], after)


def step_frame_relay(walk: BatchReader, group: FrameGroup) -> None:
    """Read many addresses and protocol numbers, as `parse_frame_relay` does one."""
    group = walk.begin(FRAME_RELAY, group).moved(FRAME_RELAY.size)
    for _ in range(FRAME_RELAY.size, LONGEST_ADDRESS):
        last = byte_column(walk, group.moved(-1)) & 1 == 1
        _frame_relay_protocol(walk, group.where(last))
        group = walk.has(group.where(~last), 1).moved(1)
    last = byte_column(walk, group.moved(-1)) & 1 == 1
    _frame_relay_protocol(walk, group.where(last))
    walk.contradiction(group.where(~last).moved(-LONGEST_ADDRESS), FRAME_RELAY["ea"])


def _frame_relay_protocol(walk: BatchReader, group: FrameGroup) -> None:
    group = walk.has(group, 2)
    number = gather(walk.data, walk.base[group.rows] + group.at, 2).astype(np.int64)
    after = group.moved(2)
    padded = walk.has(group.where(number == CONTROL_UNNUMBERED << 8), SNAP_BYTES)
    words = gather(walk.data, walk.base[padded.rows] + padded.at, SNAP_BYTES)
    is_snap = words >> np.uint64(16) == np.uint64(int.from_bytes(SNAP_START, "big"))
    kinds = (words & np.uint64(0xFFFF)).astype(np.int64)
    walk.queue(Numbering.ETHERTYPE, kinds[is_snap], padded.where(is_snap).moved(SNAP_BYTES))
    unnumbered = number >> 8 == CONTROL_UNNUMBERED
    for identifier, kind in NLPID_TYPES.items():
        these = unnumbered & (number & 0xFF == identifier)
        walk.queue(Numbering.ETHERTYPE, int(kind), after.where(these))
    typed = ~unnumbered & (number >= LOWEST_ETHERTYPE)
    walk.queue(Numbering.ETHERTYPE, number[typed], after.where(typed))


def step_nflog(walk: BatchReader, group: FrameGroup) -> None:
    """Read the values of many headers, as `parse_nflog` does those of one."""
    group = walk.begin(NFLOG, group)
    family = walk.column(NFLOG["family"], group)
    for number, kind in FAMILY_TYPES.items():
        _nflog_values(walk, group.where(family == number).moved(NFLOG.size), kind)
    others = ~np.isin(family, list(FAMILY_TYPES))
    _nflog_values(walk, group.where(others).moved(NFLOG.size), None)


def _nflog_values(walk: BatchReader, group: FrameGroup, kind: EtherType | None) -> None:
    for _ in range(NFLOG_MOST_VALUES):
        group = group.where(walk.begins(group.moved(NFLOG_TLV_BYTES - 1)))
        if not len(group):
            break
        starts = walk.base[group.rows] + group.at
        big = gather(walk.data, starts, 4).astype(np.uint32)
        little = big.byteswap()
        # in either order the length is the smaller number, then the type
        of_big = (big >> 16).astype(np.int64), (big & NFLOG_TYPE_MASK).astype(np.int64)
        of_little = (little & 0xFFFF).astype(np.int64), (little >> 16 & NFLOG_TYPE_MASK)
        first = (of_little[0] << 16 | of_little[1]) <= (of_big[0] << 16 | of_big[1])
        length = np.where(first, of_little[0], of_big[0])
        tag = np.where(first, of_little[1], of_big[1])
        sane = length >= NFLOG_TLV_BYTES
        payload = sane & (tag == NFLOG_PAYLOAD)
        packet = group.where(payload)
        walk.limit(packet, packet.at + length[payload])
        if kind is not None:
            walk.queue(Numbering.ETHERTYPE, int(kind), packet.moved(NFLOG_TLV_BYTES))
        more = sane & ~payload
        step = length[more] + -length[more] % NFLOG_TLV_BYTES
        group = group.where(more).moved(step)


def info(layer: Layer, dissection: Dissection) -> str:
    """Return the protocol number, which rawscope does not read."""
    number = layer.number(dissection.data, "protocol")
    return layer.title if number is None else f"{layer.title}, protocol 0x{number:04x}"


PROTOCOLS = (
    Protocol(
        name="chdlc",
        shown="CHDLC",
        tables=(CISCO_HDLC,),
        info=info,
        readers=(Reader(Numbering.LINK, (LinkType.C_HDLC,), parse_hdlc, step_hdlc),),
    ),
    Protocol(
        name="fr",
        shown="FR",
        tables=(FRAME_RELAY,),
        info=info,
        readers=(Reader(Numbering.LINK, (LinkType.FRELAY,), parse_frame_relay, step_frame_relay),),
        has_open_end=True,
    ),
    Protocol(
        name="nflog",
        shown="NFLOG",
        tables=(NFLOG,),
        is_message=True,
        info=info,
        is_capture_header=True,
        readers=(Reader(Numbering.LINK, (LinkType.NFLOG,), parse_nflog, step_nflog),),
        has_open_end=True,
    ),
)
