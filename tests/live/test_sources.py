"""Interfaces of every kind, losses, promiscuous mode, and the view of a classic raw socket."""

from __future__ import annotations

import json
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from core.capture.datagram import BATCH_FRAMES
from core.capture.options import CaptureOptions
from core.capture.source import CaptureError
from core.capture.source_factory import open_source
from core.net import sockets as kernel
from core.net.interfaces import list_interfaces
from core.net.sockets import LOCAL_SOCKETS
from core.store.packet_store import PacketStore
from core.wire.link.link_types import LinkType
from core.wire.model.dissection import PacketFlag
from tests.helpers.support import ROOT, require_peer
from tests.helpers.waiting import until
from tests.live.network import FAR_ADDRESS, NEAR_ADDRESS, Network, in_namespace
from tests.live.tunnel import Tun
from tests.live.watching import (
    ETH_P_EXPERIMENTAL,
    ethernet,
    promiscuity,
    send_frames,
    send_udp,
    tcp_packet,
    watching,
)

pytestmark = pytest.mark.live
METHODS = ["ring", "datagram"]
ETH_P_IP = 0x0800  # linux/if_ether.h


@pytest.fixture(scope="module")
def network():
    with Network() as made:
        yield made


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["lo", "any"])
def test_loopback_shows_each_packet_once(network, method, name):
    """A datagram to the closed discard port, and the ICMP error that answers it."""
    with watching(network, name, method) as watch:
        send_udp(network, b"once", 3)
        packets = watch.wait_for(6)
        assert [packet.data[14 + 9] for packet in packets] == [17, 1] * 3
        assert watch.source.statistics().received == 6
    for packet in packets:
        assert packet.interface.name == "lo"
        assert packet.flags & PacketFlag.DIRECTION_MASK == PacketFlag.INBOUND


@pytest.mark.parametrize("method", METHODS)
def test_any_distinguishes_interfaces_also_new_ones(network, method):
    require_peer("ping")
    with watching(network, "any", method) as watch, Tun(network) as tun:
        send_udp(network, b"on loopback")
        network.run_far("ping", "-c", "1", "-W", "5", NEAR_ADDRESS)
        send_udp(network, b"into the tunnel", address="10.78.0.2")
        until(lambda: network.in_near(watch.read) and {p.interface.name for p in watch.packets} >= {
            "lo", "near0", tun.name
        }, "packets of all three")  # fmt: skip
        inside = tun.read()
    link_types = {packet.interface.name: packet.link_type for packet in watch.packets}
    assert link_types == {
        "lo": LinkType.ETHERNET,
        "near0": LinkType.ETHERNET,
        tun.name: LinkType.RAW,
    }
    (tunneled,) = (packet for packet in watch.packets if packet.interface.name == tun.name)
    assert tunneled.data == inside
    assert tunneled.captured_length == tunneled.original_length


@pytest.mark.parametrize("method", METHODS)
def test_device_without_link_header_shows_bare_ip(network, method):
    with Tun(network) as tun, watching(network, tun.name, method) as watch:
        send_udp(network, b"into the tunnel", address="10.78.0.2")
        (packet,) = watch.wait_for(1)
        assert packet.link_type == LinkType.RAW
        assert packet.data == tun.read()


@pytest.mark.parametrize("method", METHODS)
def test_received_is_stored_plus_dropped(network, method):
    """More frames than fit are sent before any is read."""
    frame = ethernet(network, ETH_P_EXPERIMENTAL, bytes(1400))
    with watching(network, method=method, ring_bytes=2 << 20) as watch:
        send_frames(network, *[frame] * 4000)
        first = watch.source.statistics()
        assert first.received == 4000
        assert 0 < first.dropped < 4000
        until(lambda: watch.read() + first.dropped == first.received, "all that was kept")
        send_frames(network, frame)
        until(lambda: watch.source.statistics().received == 4001, "one more")
        until(lambda: watch.read() + watch.source.statistics().dropped == 4001, "one more stored")


def test_a_block_returns_to_the_kernel_once_it_was_read(network):
    with watching(network, ring_bytes=2 << 20) as watch:
        statuses = watch.source._headers["block_status"]
        for number in range(2 * len(statuses)):
            send_frames(network, ethernet(network, ETH_P_EXPERIMENTAL, bytes([number])))
            until(lambda: watch.source.read() is not None, "the block")
            assert watch.source.read() is None
            assert not (statuses & kernel.TP_STATUS_USER).any()


@pytest.mark.parametrize("method", METHODS)
def test_promiscuous_mode_is_left_at_close(network, method):
    assert promiscuity(network) == 0
    with watching(network, method=method) as watch:
        assert promiscuity(network) == 1
        stranger = b"\x02stran" + b"\x02other" + ETH_P_EXPERIMENTAL.to_bytes(2, "big") + bytes(46)
        send_frames(network, stranger)
        (packet,) = watch.wait_for(1)
        assert packet.flags >> PacketFlag.RECEPTION_SHIFT & 7 == 4  # not addressed to this host
        send_frames(network, stranger)
        until(lambda: watch.source.statistics().received == 2, "the second frame")
    assert promiscuity(network) == 0


def test_promiscuous_mode_is_left_while_a_batch_is_in_use(network):
    with watching(network) as watch:
        sent = ethernet(network, ETH_P_EXPERIMENTAL, b"held")
        send_frames(network, sent)
        held = []
        until(lambda: held.append(watch.source.read()) or held[-1], "a batch")
    assert promiscuity(network) == 0
    assert sent in held[-1].data.tobytes()  # beside what the hosts send by themselves


@pytest.mark.parametrize("method", METHODS)
def test_promiscuous_mode_is_not_entered_without_the_option(network, method):
    with watching(network, method=method, promiscuous=False):
        assert promiscuity(network) == 0


def test_promiscuous_mode_is_left_when_the_process_is_killed(network):
    program = (
        "from core.capture.source_factory import open_source\n"
        "from core.net.sockets import LOCAL_SOCKETS\n"
        "from core.capture.options import CaptureOptions\n"
        "options = CaptureOptions(('near0',))\n"
        "source = open_source('near0', options, lambda interface: 0, LOCAL_SOCKETS)\n"
        "print('ready', flush=True); input()"
    )
    command = [*network.inside(network.near), sys.executable, "-c", program]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as child:
        assert child.stdout.readline() == b"ready\n"
        assert promiscuity(network) == 1
        child.send_signal(signal.SIGKILL)
    until(lambda: promiscuity(network) == 0, "promiscuous mode left")


def test_datagrams_replace_a_ring_that_cannot_be_mapped(network):
    """The process really lacks address space while the source is opened."""
    store = PacketStore()
    options = CaptureOptions(("near0",), ring_bytes=64 << 20)
    old = resource.getrlimit(resource.RLIMIT_AS)

    def open_with_little_memory():
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        resource.setrlimit(
            resource.RLIMIT_AS, (pages * resource.getpagesize() + (24 << 20), old[1])
        )
        try:
            return open_source("near0", options, store.add_interface, LOCAL_SOCKETS)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, old)

    source = network.in_near(open_with_little_memory)
    assert source.note.startswith("no capture ring: Cannot allocate memory")
    send_frames(network, ethernet(network, ETH_P_EXPERIMENTAL, b"one by one"))
    until(lambda: (batch := source.read()) and len(batch) == 1, "the frame")
    source.close()
    assert promiscuity(network) == 0


@pytest.mark.parametrize("method", [*METHODS, "inet"])
def test_unknown_interface_is_named_and_the_others_listed(network, method):
    with pytest.raises(CaptureError, match=r"no interface 'nope'; there are: lo, .*near0"):
        network.in_near(
            lambda: open_source(
                "nope", CaptureOptions(("nope",), method=method), lambda _: 0, LOCAL_SOCKETS
            )
        )


def test_an_inet_source_receives_what_a_raw_socket_receives(network):
    """Incoming IPv4 only, beginning with the IP header, fragments reassembled."""
    require_peer("ping")
    with watching(network, method="inet") as watch:
        network.run_far("ping", "-c", "1", "-W", "5", "-s", "3000", NEAR_ADDRESS)
        (request,) = watch.wait_for(1)
        send_udp(network, b"outgoing is not seen", address=FAR_ADDRESS)
        network.in_far(lambda: send_udp_from_here(NEAR_ADDRESS, b"incoming is"))
        packets = watch.wait_for(3)
    assert request.link_type == LinkType.IPV4
    assert request.captured_length == 3028
    assert [packet.data[9] for packet in packets] == [1, 1, 17]  # echo, error for discard, UDP
    assert packets[2].data.endswith(b"incoming is")
    assert {packet.data[12:16] for packet in packets} == {socket.inet_aton(FAR_ADDRESS)}
    assert {packet.flags for packet in packets} == {PacketFlag.INBOUND}
    assert packets[0].timestamp_ns < packets[2].timestamp_ns


def test_inet_source_lets_no_protocol_starve_the_others(network):
    """TCP packets for three whole reads wait before a datagram arrives; it is not read last."""
    segment = ethernet(network, ETH_P_IP, tcp_packet())
    with watching(network, method="inet") as watch:
        send_frames(network, *[segment] * 3 * BATCH_FRAMES)
        network.in_far(lambda: send_udp_from_here(NEAR_ADDRESS, b"in time"))
        for _ in range(3):
            watch.store.append(watch.source.read())
        protocols = {packet.data[9] for packet in watch.packets}
    assert protocols == {socket.IPPROTO_TCP, socket.IPPROTO_UDP}


def test_inet_source_counts_its_losses(network):
    with watching(network, method="inet", ring_bytes=8192) as watch:
        network.in_far(lambda: send_udp_from_here(NEAR_ADDRESS, bytes(1000), 200))
        until(lambda: watch.source.statistics().dropped > 0, "a loss")
        watch.read()
        counted = watch.source.statistics()
        assert counted.received == watch.store.snapshot().count + counted.dropped == 200


def test_interfaces_agree_with_ip(network):
    found = {one.name: one for one in in_namespace(network.near, list_interfaces)}
    links = json.loads(network.ip_near("-d", "-j", "addr", "show"))
    assert set(found) == {link["ifname"] for link in links}
    for link in links:
        one = found[link["ifname"]]
        assert (one.index, one.mtu, one.mac) == (link["ifindex"], link["mtu"], link["address"])
        assert one.up == ("UP" in link["flags"])
        assert one.loopback == ("LOOPBACK" in link["flags"])
        assert set(one.addresses) == {
            f"{address['local']}/{address['prefixlen']}" for address in link["addr_info"]
        }
        assert one.kind == link.get("linkinfo", {}).get("info_kind", "")


def send_udp_from_here(address, payload, count=1):
    """Send from the calling thread's namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        for _ in range(count):
            sending.sendto(payload, (address, 9))


NUMBER = 4077  # an unused interface index


def add_numbered(network, name):
    """Add a veth pair whose near end has the index NUMBER."""
    network.ip_near("link", "add", name, "index", str(NUMBER), "type", "veth", "peer", "name",
                    f"{name}-far", "netns", network.far)  # fmt: skip
    network.ip_near("link", "set", name, "up")
    network.ip_far("link", "set", f"{name}-far", "up")


def send_numbered(network, name, payload):
    frame = ethernet(network, ETH_P_EXPERIMENTAL, payload)
    send_frames(network, frame, name=f"{name}-far")


def names(network, watch, count):
    """Return the interfaces of `count` packets; the reader queries links in its own namespace."""
    until(lambda: network.in_near(watch.read) >= count, f"{count} packets")
    return [packet.interface.name for packet in watch.packets]


@pytest.fixture
def empty():
    """Yield a network without other traffic."""
    with Network(addresses=False) as made:
        yield made


@pytest.mark.parametrize("method", METHODS)
def test_any_does_not_mistake_an_interface_with_the_number_of_another(empty, method):
    with watching(empty, "any", method) as watch:
        add_numbered(empty, "one")
        send_numbered(empty, "one", b"first")
        assert names(empty, watch, 1) == ["one"]
        empty.ip_near("link", "set", "one", "name", "uno")
        send_numbered(empty, "one", b"renamed")
        assert names(empty, watch, 2) == ["one", "uno"]
        empty.ip_near("link", "del", "uno")
        add_numbered(empty, "two")
        send_numbered(empty, "two", b"second")
        assert names(empty, watch, 3) == ["one", "uno", "two"]
        empty.ip_near("link", "del", "two")


def test_any_names_an_interface_deleted_before_the_query(empty):
    with watching(empty, "any") as watch:
        add_numbered(empty, "short")
        send_numbered(empty, "short", b"last")
        empty.ip_near("link", "del", "short")
        assert names(empty, watch, 1) == ["short"]


def test_any_names_an_unknown_interface_by_its_number(empty):
    with watching(empty, "any") as watch:
        add_numbered(empty, "short")
        send_numbered(empty, "short", b"last")
        empty.ip_near("link", "del", "short")
        empty.in_near(watch.source._packet_socket.interface_map._watcher.take)  # lost
        assert names(empty, watch, 1) == [f"interface {NUMBER}"]
