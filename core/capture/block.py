"""Convert a block of received frames, as the kernel lays it out, to a Batch.

A TPACKET_V3 block is a chain: each frame begins, on an 8-byte boundary, with a ``struct
tpacket3_hdr`` and a ``struct sockaddr_ll``; then comes a gap, then the link header at ``tp_mac``
and the network header at ``tp_net``, both counted from the frame's beginning.

    ├ tpacket3_hdr (48) ┼ sockaddr_ll (20) ┼ gap ┼ link header ┼ network header …
    0                   48                 68    tp_mac        tp_net

`core.capture.block_chain` finds the frames of the chain. Their headers are gathered into one array
of records, whose columns are the times, lengths and status bits.

Between the sockaddr_ll and the network header are at least 16 bytes, or the link header if that is
longer (net/packet/af_packet.c, tpacket_rcv). This module writes there:

* a VLAN tag that the kernel removed from the frame: the two addresses move 4 bytes toward the gap
  and the tag follows them, as it was on the wire. If a long link header leaves no gap, the
  addresses overwrite the end of the sockaddr_ll, which was gathered before;
* a Linux cooked header (SLL), 16 bytes before the network header, for devices whose own link
  header rawscope does not read. It may overwrite the link header, which is then not shown.

The tables of `core.wire` define their formats.

Source: linux/if_packet.h; Documentation/networking/packet_mmap.rst; tcpdump.org LINKTYPE_LINUX_SLL.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.capture.interface_map import InterfaceMap
from core.decode.batch import Batch
from core.net import sockets as kernel
from core.net.interfaces import LinkHeader
from core.store.frame_copies import items_of
from core.wire.link.ethernet import ETHERNET
from core.wire.link.linux_cooked import SLL_OTHER
from core.wire.link.vlan import VLAN
from core.wire.model.assigned_numbers import EtherType
from core.wire.model.dissection import PacketFlag
from core.wire.model.kind import Kind
from core.wire.model.table import HeaderTable

ALIGNMENT = 8  # V3_ALIGNMENT, net/packet/af_packet.c

# linux/if_packet.h; "=" is the host's byte order
TPACKET3_HDR = np.dtype(
    [
        ("tp_next_offset", "=u4"),
        ("tp_sec", "=u4"),
        ("tp_nsec", "=u4"),
        ("tp_snaplen", "=u4"),
        ("tp_len", "=u4"),
        ("tp_status", "=u4"),
        ("tp_mac", "=u2"),
        ("tp_net", "=u2"),
        ("tp_rxhash", "=u4"),
        ("tp_vlan_tci", "=u4"),
        ("tp_vlan_tpid", "=u2"),
        ("tp_padding", "=u2"),
        ("tp_padding8", "u1", (8,)),
    ]
)
SOCKADDR_LL = np.dtype(
    [
        ("sll_family", "=u2"),
        ("sll_protocol", ">u2"),
        ("sll_ifindex", "=i4"),
        ("sll_hatype", "=u2"),
        ("sll_pkttype", "u1"),
        ("sll_halen", "u1"),
        ("sll_addr", "u1", (8,)),
    ]
)
FRAME_HEADER = np.dtype(TPACKET3_HDR.descr + SOCKADDR_LL.descr)


def _layout(table: HeaderTable) -> np.dtype[np.void]:
    """Return a header table of whole-byte fields as a numpy record, in network byte order."""
    fields: list[Any] = []
    for slot in table.slots:
        size = slot.field.bits // 8
        is_bytes = slot.field.kind is Kind.BYTES
        fields.append((slot.key, "u1", (size,)) if is_bytes else (slot.key, f">u{size}"))
    return np.dtype(fields)


COOKED = _layout(SLL_OTHER)
ETHERNET_ADDRESSES = ETHERNET["type"].span.start  # bytes: a tag follows them
# It begins with the type field of the header before it; that header's type follows the tag
VLAN_TAG = np.dtype(
    [
        ("type", f">u{ETHERNET['type'].field.bits // 8}"),
        ("control", f">u{VLAN['etype'].span.start}"),
    ]
)

_STATUS_FLAGS = {
    kernel.TP_STATUS_CSUMNOTREADY: PacketFlag.CHECKSUM_NOT_READY,
    kernel.TP_STATUS_CSUM_VALID: PacketFlag.CHECKSUM_VALID,
    kernel.TP_STATUS_GSO_TCP: PacketFlag.SEGMENTED,
}
_STATUS_TABLE_SIZE = 2 * max(_STATUS_FLAGS)
# pcapng epb_flags, reception type: 1 unicast, 2 multicast, 3 broadcast, 4 promiscuous
_PACKET_TYPE_FLAGS = {
    kernel.PACKET_HOST: PacketFlag.INBOUND | 1 << PacketFlag.RECEPTION_SHIFT,
    kernel.PACKET_MULTICAST: PacketFlag.INBOUND | 2 << PacketFlag.RECEPTION_SHIFT,
    kernel.PACKET_BROADCAST: PacketFlag.INBOUND | 3 << PacketFlag.RECEPTION_SHIFT,
    kernel.PACKET_OTHERHOST: PacketFlag.INBOUND | 4 << PacketFlag.RECEPTION_SHIFT,
    kernel.PACKET_OUTGOING: PacketFlag.OUTBOUND,
}


def _status_table() -> NDArray[np.uint16]:
    table = np.zeros(_STATUS_TABLE_SIZE, np.uint16)
    for status in range(_STATUS_TABLE_SIZE):
        table[status] = sum(flag for bit, flag in _STATUS_FLAGS.items() if status & bit)
    return table


def _packet_type_table() -> NDArray[np.uint16]:
    table = np.zeros(256, np.uint16)
    for packet_type, flags in _PACKET_TYPE_FLAGS.items():
        table[packet_type] = flags
    return table


_FLAGS_BY_STATUS = _status_table()
_FLAGS_BY_PACKET_TYPE = _packet_type_table()


def gather(data: NDArray[np.uint8], frames: NDArray[np.int64]) -> NDArray[np.void]:
    """Return the frame headers, FRAME_HEADER (n,), at the offsets `frames` of a block.

    Copies them as opaque bytes (numpy copies a structure field by field, 20 times slower).
    """
    size = FRAME_HEADER.itemsize
    units = (len(data) - size) // ALIGNMENT + 1
    view: NDArray[np.void] = np.ndarray((units,), f"V{size}", data.data, 0, (ALIGNMENT,))
    return view[frames // ALIGNMENT].view(FRAME_HEADER)


def to_batch(
    data: NDArray[np.uint8],
    frames: NDArray[np.int64],
    records: NDArray[np.void],
    interface_map: InterfaceMap,
) -> Batch:
    """Return the frames of a block as a Batch over the same memory.

    `data` is the block, uint8 and writable; `frames`, int64 (n,), the offsets of the frames in it;
    `records`, FRAME_HEADER (n,), the kernel's headers. Writes VLAN tags and cooked headers into
    `data`, in front of the frames.
    """
    status = records["tp_status"]
    flags = _FLAGS_BY_STATUS.take(status & (_STATUS_TABLE_SIZE - 1))
    flags |= _FLAGS_BY_PACKET_TYPE.take(records["sll_pkttype"])
    numbers, framings = _interfaces(records, interface_map)
    offset = frames + records["tp_mac"]
    captured = records["tp_snaplen"].copy()
    original = records["tp_len"].copy()
    tagged = (status & kernel.TP_STATUS_VLAN_VALID != 0).nonzero()[0]
    if framings.any():
        _begin_at_network(records, framings, offset, captured, original)
        _write_cooked(data, np.flatnonzero(framings == LinkHeader.COOKED), records, offset)
        tagged = tagged[framings[tagged] == LinkHeader.LINK]
    if len(tagged):
        flags[tagged] |= np.uint16(PacketFlag.VLAN_RESTORED)
        original[tagged] += VLAN_TAG.itemsize
        _restore_tags(data, tagged, records, offset, captured)
    np.minimum(captured, np.uint32(interface_map.snap_length), out=captured)
    seconds = records["tp_sec"].astype(np.int64)
    return Batch(
        data=data,
        offset=offset,
        captured=captured,
        original=original,
        timestamp_ns=seconds * 1_000_000_000 + records["tp_nsec"],
        interface=numbers,
        flags=flags,
    )


def _interfaces(
    records: NDArray[np.void], interface_map: InterfaceMap
) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Return the store's interface number and the `LinkHeader` of each frame."""
    interface_map.apply_changes()
    count = len(records)
    indices = records["sll_ifindex"]
    if count and (indices == indices[0]).all():  # one interface: the usual case
        known = interface_map.look_up(int(indices[0]), int(records["sll_hatype"][0]))
        return np.full(count, known.number, np.uint16), np.full(count, known.framing, np.uint8)
    distinct, first, which = np.unique(indices, return_index=True, return_inverse=True)
    types = records["sll_hatype"][first]
    found = [
        interface_map.look_up(*pair) for pair in zip(distinct.tolist(), types.tolist(), strict=True)
    ]
    numbers = np.array([known.number for known in found], np.uint16)[which]
    framings = np.array([known.framing for known in found], np.uint8)[which]
    return numbers, framings


def _begin_at_network(
    records: NDArray[np.void],
    framings: NDArray[np.uint8],
    offset: NDArray[np.int64],
    captured: NDArray[np.uint32],
    original: NDArray[np.uint32],
) -> None:
    """Leave out the link header, and make room for a cooked one if the frame gets one."""
    link_header = (records["tp_net"] - records["tp_mac"]).astype(np.uint32)
    link_header[framings == LinkHeader.LINK] = 0
    cooked = np.where(framings == LinkHeader.COOKED, np.uint32(COOKED.itemsize), np.uint32(0))
    offset += link_header.astype(np.int64) - cooked
    captured += cooked - np.minimum(link_header, captured)  # uint32 wraps; the sum is right
    original += cooked - link_header


def _write_cooked(
    data: NDArray[np.uint8],
    rows: NDArray[np.intp],
    records: NDArray[np.void],
    offset: NDArray[np.int64],
) -> None:
    header = np.empty(len(rows), COOKED)
    header["pkttype"] = records["sll_pkttype"][rows]
    header["hatype"] = records["sll_hatype"][rows]
    header["halen"] = records["sll_halen"][rows]
    header["src.other"] = records["sll_addr"][rows]
    header["etype"] = records["sll_protocol"][rows]
    items = items_of(data, COOKED.itemsize)
    items[offset[rows]] = header.view(items.dtype)


def _restore_tags(
    data: NDArray[np.uint8],
    rows: NDArray[np.intp],
    records: NDArray[np.void],
    offset: NDArray[np.int64],
    captured: NDArray[np.uint32],
) -> None:
    """Put VLAN tags back. A frame that was cut before the tag's position stays as it is."""
    rows = rows[captured[rows] >= ETHERNET_ADDRESSES]
    tags = np.empty(len(rows), VLAN_TAG)
    has_type = records["tp_status"][rows] & kernel.TP_STATUS_VLAN_TPID_VALID != 0
    types = records["tp_vlan_tpid"][rows]
    tags["type"] = np.where(has_type, types, EtherType.VLAN)  # else an old driver
    tags["control"] = records["tp_vlan_tci"][rows]
    begin = offset[rows]
    addresses = items_of(data, ETHERNET_ADDRESSES)
    addresses[begin - VLAN_TAG.itemsize] = addresses[begin]
    behind = begin + (ETHERNET_ADDRESSES - VLAN_TAG.itemsize)
    items = items_of(data, VLAN_TAG.itemsize)
    items[behind] = tags.view(items.dtype)
    offset[rows] -= VLAN_TAG.itemsize
    captured[rows] += np.uint32(VLAN_TAG.itemsize)
