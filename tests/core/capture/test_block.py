"""Convert handmade kernel blocks to batches: the chain, flags, VLAN tags and cooked headers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.capture import block
from core.capture.block_chain import frame_offsets
from core.capture.interface_map import InterfaceMap
from core.net import sockets as kernel
from core.net.interfaces import ARPHRD_ETHER, ARPHRD_NONE
from core.wire.link.link_types import LinkType
from core.wire.model.dissection import PacketFlag

CANARY = 0xAA
START = 48  # of the first frame, after the block's own header
ARPHRD_INFINIBAND = 32
ETHERNET, TUN, OTHER = 4, 7, 9  # interface numbers
HARDWARE = {ETHERNET: ARPHRD_ETHER, TUN: ARPHRD_NONE, OTHER: ARPHRD_INFINIBAND}
LINK_HEADER = {ETHERNET: 14, TUN: 0, OTHER: 44}


def make_block(*frames):
    """Return a block of ``(bytes, header fields)`` frames, laid out as tpacket_rcv does."""
    parts = [bytes([CANARY]) * START]
    for number, (data, fields) in enumerate(frames):
        index = fields.get("sll_ifindex", ETHERNET)
        link_header = LINK_HEADER[index]
        net = (block.FRAME_HEADER.itemsize + max(16, link_header) + 15) & ~15
        header = np.zeros(1, block.FRAME_HEADER)
        header["tp_mac"], header["tp_net"] = net - link_header, net
        header["tp_snaplen"] = header["tp_len"] = len(data)
        header["sll_ifindex"], header["sll_hatype"] = index, HARDWARE[index]
        for name, value in fields.items():
            header[name] = value
        body = header.tobytes().ljust(net - link_header, bytes([CANARY])) + data
        body = body.ljust((len(body) + 7) & ~7, bytes([CANARY]))
        last = number == len(frames) - 1
        header["tp_next_offset"] = 0 if last else len(body)
        parts.append(header.tobytes() + body[header.itemsize :])
    return np.frombuffer(bytearray(b"".join(parts)), np.uint8)


class Interfaces(list):
    """A substitute for the store's list of interfaces."""

    def add(self, interface):
        self.append(interface)
        return len(self) - 1


def read_block(data, count, snap_length=1 << 18):
    """Return the batch, its frames as bytes, and the interfaces that were added."""
    interfaces = Interfaces()
    interface_map = InterfaceMap(interfaces.add, snap_length)
    interface_map.add(ETHERNET, "eth9", ARPHRD_ETHER)
    interface_map.add(TUN, "tun9", ARPHRD_NONE)
    interface_map.add(OTHER, "ib9", ARPHRD_INFINIBAND)
    places = frame_offsets(data, START, count)
    batch = block.to_batch(data, places, block.gather(data, places), interface_map)
    frames = [
        bytes(data[offset : offset + length])
        for offset, length in zip(batch.offset, batch.captured, strict=True)
    ]
    return batch, frames, interfaces


@given(st.lists(st.binary(min_size=14, max_size=90), min_size=1, max_size=20))
def test_every_frame_of_a_chain_is_found(contents):
    data = make_block(*((content, {}) for content in contents))
    batch, frames, _interfaces = read_block(data, len(contents))
    assert frames == contents
    assert batch.original.tolist() == [len(content) for content in contents]
    assert not batch.stable


def test_time_is_seconds_and_nanoseconds_past_2038():
    fields = {"tp_sec": 4_000_000_000, "tp_nsec": 999_999_999}
    batch, _frames, _interfaces = read_block(make_block((bytes(14), fields)), 1)
    assert batch.timestamp_ns.tolist() == [4_000_000_000_999_999_999]


@pytest.mark.parametrize(
    ("status", "flag"),
    [
        (kernel.TP_STATUS_CSUMNOTREADY, PacketFlag.CHECKSUM_NOT_READY),
        (kernel.TP_STATUS_CSUM_VALID, PacketFlag.CHECKSUM_VALID),
        (kernel.TP_STATUS_GSO_TCP, PacketFlag.SEGMENTED),
        (1 << 29, 0),  # TP_STATUS_TS_SOFTWARE is not shown
    ],
)
def test_status_bits(status, flag):
    fields = {"tp_status": kernel.TP_STATUS_USER | status}
    batch, _frames, _interfaces = read_block(make_block((bytes(14), fields)), 1)
    assert batch.flags[0] == PacketFlag.INBOUND | 1 << PacketFlag.RECEPTION_SHIFT | flag


@pytest.mark.parametrize(
    ("packet_type", "direction", "reception"),
    [
        (kernel.PACKET_HOST, PacketFlag.INBOUND, 1),
        (kernel.PACKET_MULTICAST, PacketFlag.INBOUND, 2),
        (kernel.PACKET_BROADCAST, PacketFlag.INBOUND, 3),
        (kernel.PACKET_OTHERHOST, PacketFlag.INBOUND, 4),
        (kernel.PACKET_OUTGOING, PacketFlag.OUTBOUND, 0),
        (6, 0, 0),
    ],
)
def test_direction_and_reception_type(packet_type, direction, reception):
    fields = {"sll_pkttype": packet_type}
    batch, _frames, _interfaces = read_block(make_block((bytes(14), fields)), 1)
    assert batch.flags[0] == direction | reception << PacketFlag.RECEPTION_SHIFT


VALID = kernel.TP_STATUS_VLAN_VALID
FRAME = bytes(range(1, 61))


@pytest.mark.parametrize(
    ("fields", "tag"),
    [
        ({"tp_status": VALID, "tp_vlan_tci": 0xE007}, "8100e007"),
        ({"tp_status": VALID, "tp_vlan_tci": 0}, "81000000"),
        (
            {
                "tp_status": VALID | kernel.TP_STATUS_VLAN_TPID_VALID,
                "tp_vlan_tci": 100,
                "tp_vlan_tpid": 0x88A8,
            },
            "88a80064",
        ),
    ],
)
def test_tag_goes_behind_the_addresses(fields, tag):
    data = make_block((FRAME, {}), (FRAME, fields), (FRAME, {}))
    batch, frames, _interfaces = read_block(data, 3)
    assert frames == [FRAME, FRAME[:12] + bytes.fromhex(tag) + FRAME[12:], FRAME]
    assert batch.original.tolist() == [60, 64, 60]
    restored = (batch.flags & PacketFlag.VLAN_RESTORED) != 0
    assert restored.tolist() == [False, True, False]


@pytest.mark.parametrize("snap_length", range(61))
def test_cut_tagged_frame_begins_like_the_whole_one(snap_length):
    fields = {"tp_status": VALID, "tp_vlan_tci": 7, "tp_snaplen": snap_length}
    data = make_block((FRAME, fields))
    batch, frames, _interfaces = read_block(data, 1, snap_length)
    whole = FRAME[:12] + bytes.fromhex("81000007") + FRAME[12:]
    assert frames == [whole[:snap_length]]
    assert batch.original.tolist() == [64]


def test_bare_ip_begins_at_the_network_header():
    packet = bytes.fromhex("4500001c") + bytes(24)
    batch, frames, interfaces = read_block(make_block((packet, {"sll_ifindex": TUN})), 1)
    assert frames == [packet]
    assert interfaces[batch.interface[0]].link_type == LinkType.RAW


def test_unknown_device_gets_a_cooked_header():
    fields = {
        "sll_ifindex": OTHER,
        "sll_pkttype": kernel.PACKET_MULTICAST,
        "sll_halen": 20,
        "sll_addr": [1, 2, 3, 4, 5, 6, 7, 8],
        "sll_protocol": 0x86DD,
    }
    packet = bytes(range(100))
    batch, frames, interfaces = read_block(make_block((bytes(44) + packet, fields)), 1)
    cooked = bytes.fromhex("0002 0020 0014 0102030405060708 86dd")
    assert frames == [cooked + packet]
    assert batch.original.tolist() == [len(cooked + packet)]
    assert interfaces[batch.interface[0]].link_type == LinkType.LINUX_SLL


def test_cooked_frame_cut_inside_the_link_header_shows_the_cooked_header_only():
    fields = {"sll_ifindex": OTHER, "tp_snaplen": 30, "sll_protocol": 0x0800}
    batch, frames, _interfaces = read_block(make_block((bytes(144), fields)), 1)
    assert [len(one) for one in frames] == [16]
    assert batch.original.tolist() == [116]


def test_devices_of_every_kind_in_one_block():
    tagged = {"tp_status": VALID, "tp_vlan_tci": 7}
    data = make_block(
        (FRAME, tagged),
        (b"\x45" + bytes(27), {"sll_ifindex": TUN}),
        (bytes(44) + b"\x60" + bytes(39), {"sll_ifindex": OTHER, "sll_protocol": 0x86DD}),
        (FRAME, {}),
    )
    batch, frames, interfaces = read_block(data, 4)
    names = [interfaces[number].name for number in batch.interface]
    assert names == ["eth9", "tun9", "ib9", "eth9"]
    assert [len(one) for one in frames] == [64, 28, 56, 60]
    assert frames[2][14:17] == b"\x86\xdd\x60"


def test_an_interface_is_added_once_with_its_first_frame():
    interfaces = Interfaces()
    interface_map = InterfaceMap(interfaces.add, 100)
    gone = 999_999  # no interface has this number
    assert interface_map.look_up(gone, ARPHRD_ETHER) is interface_map.look_up(gone, ARPHRD_ETHER)
    assert [(one.name, one.snap_length) for one in interfaces] == [("interface 999999", 100)]


def test_headers_have_the_sizes_of_the_kernel_structures():
    assert block.TPACKET3_HDR.itemsize == 48
    assert block.SOCKADDR_LL.itemsize == 20
    assert block.COOKED.itemsize == 16
    assert block.VLAN_TAG.itemsize == 4
