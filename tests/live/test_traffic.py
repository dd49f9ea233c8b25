"""Capture real traffic between two namespaces, and check flags and verdicts."""

from __future__ import annotations

import contextlib
import socket
import subprocess

import pytest

from core.files.reader import open_capture
from core.wire.model.dissection import PacketFlag, Verdict
from tests.helpers.support import require_peer
from tests.helpers.waiting import PATIENCE_S, until
from tests.live.network import FAR_ADDRESS, NEAR_ADDRESS, Network
from tests.live.watching import (
    ETH_P_EXPERIMENTAL,
    ethernet,
    send_frames,
    send_udp,
    tcp_packet,
    watching,
)

pytestmark = pytest.mark.live
DIRECTION = PacketFlag.DIRECTION_MASK
PORT = 5001
IP = slice(14, None)


@pytest.fixture(scope="module")
def network():
    with Network() as made:
        # the two ends have neighbor entries: no ARP among the counted packets
        for end, other, show in (("near0", "far0", made.ip_far), ("far0", "near0", made.ip_near)):
            address = show("-br", "link", "show", other).split()[2]
            of_other = FAR_ADDRESS if other == "far0" else NEAR_ADDRESS
            ip = made.ip_near if end == "near0" else made.ip_far
            ip("neigh", "replace", of_other, "lladdr", address, "dev", end, "nud", "permanent")
        yield made


@pytest.fixture(params=["ring", "datagram"])
def watch(network, request):
    with watching(network, method=request.param) as made:
        yield made


def talk_tcp(network, data):
    """Connect from far to near, send `data`, close; near closes after it."""
    with contextlib.ExitStack() as stack:
        listener = network.in_near(lambda: socket.create_server((NEAR_ADDRESS, PORT)))
        stack.enter_context(listener)
        client = network.in_far(lambda: socket.create_connection((NEAR_ADDRESS, PORT), PATIENCE_S))
        stack.enter_context(client)
        served, _peer = listener.accept()
        stack.enter_context(served)
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        while served.recv(65536):
            pass


def ip_protocol(packet):
    return packet.data[14 + 9]


def tcp_flags(packet):
    return packet.data[14 + 20 + 13]


def test_tcp_handshake_with_data_is_offloaded_both_ways(network, watch):
    """veth never fills in the checksum: sender and receiver see the partial sum."""
    talk_tcp(network, b"GET / HTTP/1.0\r\n\r\n")
    packets = watch.wait_for(5)
    assert [tcp_flags(packet) for packet in packets[:3]] == [0x02, 0x12, 0x10]  # SYN SYN+ACK ACK
    directions = [packet.flags & DIRECTION for packet in packets[:3]]
    assert directions == [PacketFlag.INBOUND, PacketFlag.OUTBOUND, PacketFlag.INBOUND]
    assert any(packet.data.endswith(b"GET / HTTP/1.0\r\n\r\n") for packet in packets)
    for packet in packets:
        assert packet.flags & PacketFlag.CHECKSUM_NOT_READY
        assert packet.network_verdict is Verdict.GOOD
        assert packet.transport_verdict is Verdict.OFFLOADED


def test_checksum_filled_in_by_the_sender_is_good(network, watch):
    require_peer("ethtool")
    network.run_far("ethtool", "-K", "far0", "tx", "off")
    try:
        talk_tcp(network, b"x")
    finally:
        network.run_far("ethtool", "-K", "far0", "tx", "on")
    packets = watch.wait_for(5)
    inbound = [packet for packet in packets if packet.flags & DIRECTION == PacketFlag.INBOUND]
    assert {packet.transport_verdict for packet in inbound} == {Verdict.GOOD}
    assert not any(packet.flags & PacketFlag.CHECKSUM_NOT_READY for packet in inbound)


def test_segment_larger_than_the_link_is_kept_whole_and_marked(network, watch):
    """With segmentation offload, one frame of tens of kilobytes passes."""
    talk_tcp(network, bytes(60_000))
    packets = watch.wait_for(6)
    large = [packet for packet in packets if packet.original_length > 1514]
    assert large
    for packet in large:
        assert packet.captured_length == packet.original_length
        assert packet.flags & PacketFlag.SEGMENTED
        assert packet.transport_verdict is Verdict.OFFLOADED


def test_icmp_echo(network, watch):
    require_peer("ping")
    network.run_far("ping", "-c", "1", "-W", "5", NEAR_ADDRESS)
    request, reply = watch.wait_for(2)
    assert (request.data[34], reply.data[34]) == (8, 0)
    assert request.flags & DIRECTION == PacketFlag.INBOUND
    assert reply.flags & DIRECTION == PacketFlag.OUTBOUND
    for packet in (request, reply):
        assert (packet.network_verdict, packet.transport_verdict) == (Verdict.GOOD, Verdict.GOOD)
    assert request.timestamp_ns <= reply.timestamp_ns


def test_fragments_get_no_verdict(network, watch):
    require_peer("ping")
    network.run_far("ping", "-c", "1", "-W", "5", "-s", "3000", NEAR_ADDRESS)
    packets = watch.wait_for(6)
    assert [packet.captured_length for packet in packets] == [1514, 1514, 82] * 2
    assert {packet.network_verdict for packet in packets} == {Verdict.GOOD}
    # only the first fragment holds the ICMP header
    transport = [packet.transport_verdict for packet in packets]
    assert transport == [Verdict.UNVERIFIED, Verdict.NONE, Verdict.NONE] * 2


@pytest.mark.parametrize(
    "tags",
    ["8100 0007", "88a8 0064", "8100 6fff", "88a8 0064 8100 0007"],
    ids=["802.1Q", "802.1ad", "with priority", "stacked"],
)
def test_a_vlan_tag_is_restored(network, watch, tags):
    """The kernel removes the outer tag from the bytes; rawscope shows the frame as on the wire."""
    frame = ethernet(network, 0, b"")[:12] + bytes.fromhex(tags) + b"\x08\x00" + tcp_packet()
    send_frames(network, frame)
    (packet,) = watch.wait_for(1)
    assert packet.data == frame
    assert packet.original_length == len(frame)
    assert packet.flags & PacketFlag.VLAN_RESTORED
    assert packet.transport_verdict is Verdict.GOOD


def test_bad_tcp_checksum(network, watch):
    right, wrong = (ethernet(network, 0x0800, tcp_packet(damage=damage)) for damage in (0, 1))
    send_frames(network, right, wrong)
    packets = [p for p in watch.wait_for(2) if p.flags & DIRECTION == PacketFlag.INBOUND]
    assert [packet.transport_verdict for packet in packets[:2]] == [Verdict.GOOD, Verdict.BAD]
    assert packets[0].data == right


def test_snap_length_keeps_the_original_length(network):
    long = ethernet(network, ETH_P_EXPERIMENTAL, bytes(range(256)) * 4)
    tagged = long[:12] + bytes.fromhex("81000007") + long[12:]
    for method in ("ring", "datagram"):
        with watching(network, method=method, snap_length=68) as watch:
            send_frames(network, long, tagged)
            packets = watch.wait_for(2)
        assert [packet.data for packet in packets] == [long[:68], tagged[:68]]
        assert [packet.original_length for packet in packets] == [len(long), len(tagged)]


@pytest.mark.parametrize("snap_length", range(1, 20))
def test_a_tagged_frame_cut_anywhere_is_a_prefix_of_the_sent_frame(network, snap_length):
    frame = ethernet(network, ETH_P_EXPERIMENTAL, b"data")
    tagged = frame[:12] + bytes.fromhex("81000007") + frame[12:]
    with watching(network, snap_length=snap_length) as watch:
        send_frames(network, tagged)
        (packet,) = watch.wait_for(1)
    assert tagged.startswith(packet.data)
    assert packet.captured_length <= snap_length
    assert packet.original_length == len(tagged)


def test_ring_and_datagram_agree(network):
    """Both capture the same traffic at the same time."""
    with watching(network, method="ring") as ring, watching(network, method="datagram") as datagram:
        talk_tcp(network, bytes(100_000))
        tagged = ethernet(network, 0x8100, bytes.fromhex("0007 88b5") + b"tagged")
        send_frames(network, tagged, ethernet(network, 0x0800, tcp_packet(damage=7)))
        until_quiet = ring.wait_for(10)
        datagram.wait_for(len(until_quiet))
        ring.wait_for(len(datagram.packets))
        fields = ("data", "original_length", "flags", "network_verdict", "transport_verdict")
        assert [[getattr(packet, field) for packet in ring.packets] for field in fields] == [
            [getattr(packet, field) for packet in datagram.packets] for field in fields
        ]


@pytest.mark.parametrize("name", ["near0", "lo"])
def test_tcpdump_captures_the_same_frames(network, tmp_path, name):
    """Bytes and lengths agree, also of VLAN tags and of both directions on loopback."""
    path = tmp_path / "peer.pcap"
    command = [*network.inside(network.near), require_peer("tcpdump"),
               "-i", name, "-U", "-s", "200", "--time-stamp-precision", "nano", "-Z", "root",
               "-w", str(path)]  # fmt: skip
    with (
        watching(network, name, snap_length=200) as watch,
        subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as peer,
    ):
        assert "listening on" in peer.stderr.readline()
        if name == "lo":
            send_udp(network, bytes(500), 3)
        else:
            talk_tcp(network, bytes(30_000))
            tagged = ethernet(network, 0x88A8, bytes.fromhex("0064 8100 0007 88b5") + bytes(300))
            send_frames(network, tagged, ethernet(network, ETH_P_EXPERIMENTAL, b"the last"))
        watch.wait_for(6)
        until(lambda: path.exists() and frames_of(path) == lengths_and_bytes(watch), "agreement")
        peer.terminate()


def lengths_and_bytes(watch):
    watch.read()
    return [(packet.original_length, packet.data) for packet in watch.packets]


def frames_of(path):
    """Return original length and bytes of each packet in a capture file; none while it is empty."""
    if not path.stat().st_size:
        return []
    with open_capture(path) as reader:
        return [
            (int(original), bytes(batch.data[offset : offset + captured]))
            for batch in reader.batches()
            for offset, captured, original in zip(
                batch.offset, batch.captured, batch.original, strict=True
            )
        ]
