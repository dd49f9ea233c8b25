"""Capture filters on real sockets: what passes is what tcpdump passes, and no change loses a frame.

tcpdump and rawscope run beside each other, each with the same filter on the same numbered frames.
"""

from __future__ import annotations

import signal
import socket
import struct
import subprocess
import threading
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from core.capture.capture_filter import CaptureFilter, compile_filter
from core.capture.options import CaptureOptions
from core.capture.session import CaptureSession
from core.capture.source import CaptureError
from core.net.sockets import LOCAL_SOCKETS
from core.store.packet_store import PacketStore
from tests.helpers.support import require_peer
from tests.helpers.waiting import PATIENCE_S, until
from tests.live.filter_traffic import (
    END_PROTOCOL,
    NUMBER,
    ethernet_frames,
    ip_packets,
    numbered,
)
from tests.live.network import NEAR_ADDRESS, Network
from tests.live.numbered import frame
from tests.live.tunnel import Tun
from tests.live.watching import send_frames, watching

pytestmark = pytest.mark.live

FOR_ALL_LINKS = (
    "tcp",
    "udp and not port 53",
    "icmp or icmp6",
    "ip6",
    "port 443",
    "tcp port 80 and host 192.0.2.10",
    "src host 198.51.100.7",
    "net 192.0.2.16/28",
    "dst net 2001:db8:1::/48",
    "portrange 6000-6100 or sctp",
    "ip6 proto 17 or ip proto 4",
    "ip[6:2] & 0x1fff != 0",
    "tcp[tcpflags] & (tcp-syn|tcp-rst) != 0",
    "tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420",
    "ip multicast or ip6 multicast",
    "not (tcp port 51522 and host 198.51.100.7 and tcp port 22 and host 192.0.2.20)",
)
WITH_LINK_HEADER = (
    "vlan",
    "vlan 5 and tcp port 80",
    "vlan 7 and vlan 5",
    "not vlan 5 and udp",
    "arp or ether host ff:ff:ff:ff:ff:ff",
    "ether[12:2] = 0x88b5 or pppoes",
    "mpls and udp port 53",
    "greater 200 and not ether multicast",
)
WITHOUT_LINK_HEADER = ("inbound and udp", "ip proto 4", "ip[8] = 64", "outbound or port 53")

IP_KINDS = {4: 0x0800, 6: 0x86DD}  # EtherTypes, by version


@cache
def compiled(text: str) -> CaptureFilter | None:
    return compile_filter(text)


@pytest.fixture(scope="module")
def network():
    with Network(addresses=False) as made:
        yield made


@pytest.fixture(scope="module")
def tun(network):
    with Tun(network) as made:
        yield made


def with_ends(text: str) -> str:
    return f"ip proto {END_PROTOCOL} or ({text})"


def numbers_in(path: Path) -> list[int]:
    """Return the numbers at the ends of the packets of a pcap file, as far as it is written."""
    data, at, found = path.read_bytes(), 24, []
    while at + 16 <= len(data):
        (length,) = struct.unpack_from("=8xI", data, at)
        at += 16 + length
        if at <= len(data):
            found += NUMBER.unpack_from(data, at - 4)
    return found


def what_both_pass(network, folder, name, filters, send, last):
    """Return the numbers that tcpdump and that rawscope captured, by filter."""
    by_tcpdump, by_us = {}, {}
    with ExitStack() as stack:
        running = {}
        for index, text in enumerate(filters):
            path = folder / f"{index}.pcap"
            command = [*network.inside(network.near), require_peer("tcpdump")]
            options = [
                "-i",
                name,
                "-Z",
                "root",
                "-s",
                "2048",
                "-U",
                "-n",
                "--immediate-mode",
                "-w",
                str(path),
            ]
            process = stack.enter_context(
                subprocess.Popen(
                    [*command, *options, with_ends(text)], stderr=subprocess.PIPE, text=True
                )
            )
            stack.callback(process.kill)
            running[text] = path, process
        watches = {
            text: stack.enter_context(
                watching(network, name, "datagram", capture_filter=compiled(with_ends(text)))
            )
            for text in filters
        }
        for _path, process in running.values():
            said = ""
            while "listening on" not in said:
                said = process.stderr.readline()
                assert said, "tcpdump ended"
        send()
        for text, (path, process) in running.items():
            until(lambda path=path: last in numbers_in(path), f"the end in tcpdump {text!r}")
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE_S)
            by_tcpdump[text] = numbers_in(path)
        for text, watch in watches.items():
            numbers: list[int] = []

            def read(watch=watch, numbers=numbers):
                network.in_near(watch.read)
                numbers[:] = [NUMBER.unpack(one.data[-4:])[0] for one in watch.packets]
                return last in numbers

            until(read, f"the end in rawscope {text!r}")
            by_us[text] = numbers
    return by_tcpdump, by_us


def assert_same(by_tcpdump, by_us, sent):
    for text, expected in by_tcpdump.items():
        assert sorted(by_us[text]) == sorted(expected), text
        assert 2 < len(expected) < sent, f"{text!r} decides nothing here"


def test_ethernet(network, tmp_path):
    """Tags of received frames are removed by the kernel; those of sent frames are not."""
    frames = numbered(ethernet_frames(), bytes(12) + b"\x08\x00")
    filters = FOR_ALL_LINKS + WITH_LINK_HEADER

    def send() -> None:
        send_frames(network, *frames)

    results = what_both_pass(network, tmp_path, "near0", filters, send, len(frames) - 1)
    assert_same(*results, len(frames))


def test_ethernet_frames_sent_with_a_tag(network, tmp_path):
    frames = numbered(ethernet_frames(), bytes(12) + b"\x08\x00")

    def send() -> None:
        network.in_near(lambda: send_on("near0", frames))

    results = what_both_pass(network, tmp_path, "near0", WITH_LINK_HEADER, send, len(frames) - 1)
    assert_same(*results, len(frames))


def test_loopback(network, tmp_path):
    frames = numbered(ethernet_frames(), bytes(12) + b"\x08\x00")
    filters = FOR_ALL_LINKS + WITH_LINK_HEADER[:4]

    def send() -> None:
        network.in_near(lambda: send_on("lo", frames))

    results = what_both_pass(network, tmp_path, "lo", filters, send, len(frames) - 1)
    assert_same(*results, len(frames))


def test_tun(network, tun, tmp_path):
    packets = numbered(ip_packets(), b"")
    filters = FOR_ALL_LINKS + WITHOUT_LINK_HEADER

    def send() -> None:
        """Let every second packet arrive, and send the others."""
        for number, one in enumerate(packets):
            if number % 2:
                tun.write(one)
            else:
                network.in_near(lambda one=one: send_on(tun.name, [one]))

    results = what_both_pass(network, tmp_path, Tun.name, filters, send, len(packets) - 1)
    assert_same(*results, len(packets))


def test_any(network, tun, tmp_path):
    """The same packets on three links, with a number each; rawscope sees their link headers."""
    on_links = [
        ("near0", bytes(12) + b"\x08\x00", ethernet_frames()),
        ("lo", bytes(12) + b"\x08\x00", ethernet_frames()),
        (Tun.name, b"", ip_packets()),
    ]
    frames = [(name, one) for name, _header, many in on_links for one in many]
    all_numbered = numbered([one for _name, one in frames], b"")
    filters = FOR_ALL_LINKS + WITHOUT_LINK_HEADER

    def send() -> None:
        network.in_near(lambda: send_on(tun.name, all_numbered[:1]))
        for (name, _), one in zip(frames, all_numbered[1:], strict=False):
            network.in_near(lambda name=name, one=one: send_on(name, [one]))
        network.in_near(lambda: send_on(Tun.name, all_numbered[-1:]))

    results = what_both_pass(network, tmp_path, "any", filters, send, len(frames) + 1)
    assert_same(*results, len(all_numbered))


def send_on(name: str, frames: list[bytes]) -> None:
    """Send frames from the calling thread's namespace."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sending:
        for one in frames:
            has_link_header = name != Tun.name
            kind = int.from_bytes(one[12:14], "big") if has_link_header else IP_KINDS[one[0] >> 4]
            sending.sendto(one, (name, kind))


CHANGES, ROUND = 100, 20


class Sender(threading.Thread):
    """Sends numbered frames from the far end: ROUND of them for each release of `rounds`."""

    def __init__(self, network: Network) -> None:
        super().__init__(daemon=True)
        self._network = network
        self.sent = 0
        self.rounds = threading.Semaphore(0)

    def run(self) -> None:
        self._network.in_far(self._send)

    def _send(self) -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sending:
            sending.bind(("far0", 0))
            for _ in range(CHANGES):
                self.rounds.acquire()
                for _ in range(ROUND):
                    sending.send(frame(self.sent))
                    self.sent += 1


@pytest.mark.parametrize("method", ["ring", "datagram"])
def test_a_change_loses_no_frame_that_both_filters_want(network, method):
    """Of four frames both filters want two, and each wants one of the others."""
    filters = [compiled("ether[17] & 3 != 1"), compiled("ether[17] & 3 != 2")]
    asked = CaptureOptions(
        ("near0",), method=method, ring_bytes=16 << 20, capture_filter=filters[0]
    )
    store = PacketStore()
    session = network.in_near(lambda: CaptureSession(asked, store.add_interface, LOCAL_SOCKETS))
    (feed,) = session.feeds
    sender = Sender(network)
    try:
        sender.start()
        for change in range(CHANGES):
            sender.rounds.release()
            session.change_filter(filters[change % 2])
            if (batch := session.read(feed)) is not None:
                store.append(batch)
            until(lambda least=change * ROUND: sender.sent >= least, "the frames of the last round")
        sender.join()
        session.end(feed, store.append)
        counted = session.statistics()
    finally:
        session.close()
    snapshot = store.snapshot()
    packets = [snapshot.packet(at).data for at in range(1, snapshot.count + 1)]
    numbers = [NUMBER.unpack_from(data, 14)[0] for data in packets]
    assert (counted.dropped, counted.received) == (0, len(numbers))
    assert numbers == sorted(set(numbers))
    wanted_by_both = {number for number in range(sender.sent) if number & 3 in (0, 3)}
    assert wanted_by_both <= set(numbers)
    others = [number & 3 for number in numbers if number not in wanted_by_both]
    assert set(others) == {1, 2}
    assert len(numbers) < sender.sent


def test_a_wrong_filter_leaves_the_old_one(network):
    asked = CaptureOptions(("near0",), capture_filter=compiled("ether proto 0x88b5"))
    with watching(network, capture_filter=asked.capture_filter) as watch:
        with pytest.raises(CaptureError, match=r"802.11 link-layer types supported only on 802.11"):
            network.in_near(lambda: watch.source.program(compiled("type mgt")))
        send_frames(network, frame(1))
        assert len(watch.wait_for(1)) == 1


def test_a_raw_ip_socket_has_a_filter_too():
    with (
        Network() as network,
        watching(network, method="inet", capture_filter=compiled("udp port 53")) as watch,
    ):
        network.in_far(lambda: send_ports(8, 53))
        (packet,) = watch.wait_for(1)
        assert packet.data[22:24] == b"\x00\x35"
        assert packet.original_length == 20 + 8 + 900
        assert watch.source.statistics().received == 1


def send_ports(*ports: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        for port in ports:
            sending.sendto(bytes(900), (NEAR_ADDRESS, port))
