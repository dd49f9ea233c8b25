"""Verdicts of known packets; `test_header_index` compares them with dissection for all packets."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from core.decode import verdicts
from core.decode.batch import CaptureInterface
from core.decode.chunk import VERDICT_UNKNOWN
from core.decode.verdicts import BLOCK, fill, network_verdicts, transport_verdicts, unpack
from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.store.packet_store import PacketStore
from core.store.snapshot import Snapshot
from core.wire.checksum.packet_checksums import crc32c, internet_checksum
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from core.wire.model.batch import Network
from core.wire.model.dissection import PacketFlag, Verdict
from core.wire.network.icmp import ICMP
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv4_options import SOURCE_ROUTES
from core.wire.network.ipv6_extensions import DESTINATION_OPTIONS
from core.wire.network.ipv6_options import HOME_ADDRESS, PAD_N
from core.wire.network.ipv6_routing import ROUTING
from core.wire.protocol import LayerKind, Protocol
from core.wire.registry import PROTOCOLS
from core.wire.transport.sctp import SCTP
from tests.core.decode.frames import (
    CLIENT,
    CLIENT_6,
    SERVER,
    SERVER_6,
    arp_frame,
    ethernet,
    ipv4,
    ipv6,
    pseudo_sum,
    tcp,
    tcp_frame,
    udp,
    udp_frame,
)
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of, verdicts_of
from tests.core.wire.checksum.test_packet_checksums import DOUBTED, WRONG

NONE, GOOD, BAD = Verdict.NONE, Verdict.GOOD, Verdict.BAD
NOT_READY, VALID = PacketFlag.CHECKSUM_NOT_READY, PacketFlag.CHECKSUM_VALID


def _snapshot(frames: list[bytes], **fields) -> Snapshot:
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.append(batch_of(frames, gap=1, **fields))
    return store.snapshot()


def _verdict(frame: bytes, flags: int = 0, missing: int = 0) -> tuple[Verdict, Verdict]:
    snapshot = _snapshot([frame], flags=[flags], original=[len(frame) + missing])
    return verdicts_of(snapshot, 1)


def _partial(payload: bytes, *, six: bool = False, has_length: bool = True) -> bytes:
    """Return a TCP segment whose checksum field has the pseudo-header's sum only."""
    segment = bytearray(tcp(payload, six=six))
    length = len(segment) if has_length else 0
    segment[16:18] = pseudo_sum(length, IpProtocol.TCP, six=six).to_bytes(2, "big")
    if six:
        return ethernet(ipv6(bytes(segment), IpProtocol.TCP), EtherType.IPV6)
    return ethernet(ipv4(bytes(segment), IpProtocol.TCP))


def _sctp(chunk: bytes) -> bytes:
    header = SCTP.emit({"srcport": 1, "dstport": 2, "checksum": 0})
    return SCTP.emit({"srcport": 1, "dstport": 2, "checksum": crc32c(header + chunk)}) + chunk


def _built(kind: LayerKind, network: str, **values: int) -> bytes:
    """Return a frame with this layer inside a network header."""
    layers = ("eth", network) if kind.name == network else ("eth", network, kind.name)
    texts = {f"{kind.prefix}.{key}": str(value) for key, value in values.items()}
    return evaluate(Draft(layers, texts | {"payload": "x"})).data


SUMMED = [p for p in PROTOCOLS if p.checksum is not None and p.kinds]
CARRIERS = [p for p in PROTOCOLS if p.has_pseudo_header]


@pytest.mark.parametrize("protocol", SUMMED, ids=lambda p: p.name)
@pytest.mark.parametrize("carrier", CARRIERS, ids=lambda p: p.name)
def test_the_rule_of_every_record(protocol: Protocol, carrier: Protocol) -> None:
    """A built sum is good and another one bad; a sum of 0 may be absent, or illegal."""
    assert protocol.checksum is not None
    is_network = protocol.network is not Network.NONE
    if is_network and protocol is not carrier:
        return
    kind = next((k for k in protocol.kinds if k.over == carrier.name), protocol.kinds[0])
    right, wrong, zero = (
        _verdict(_built(kind, carrier.name, **values))[0 if is_network else 1]
        for values in ({}, {"checksum": 0x1234}, {"checksum": 0})
    )
    assert (right, wrong) == (GOOD, BAD)
    if carrier.network in protocol.checksum.zero_is_illegal_over:
        assert zero is Verdict.ILLEGAL
    else:
        assert zero is (Verdict.NOT_PRESENT if protocol.checksum.zero_is_absent else BAD)


@pytest.mark.parametrize("odd", [b"", b"odd"])
def test_good_and_bad(odd):
    """Every protocol, with an even and an odd number of bytes."""
    echo = ICMP.emit({"checksum": internet_checksum(ICMP.emit({}) + bytes(4) + odd)})
    icmp = ethernet(ipv4(echo + bytes(4) + odd, IpProtocol.ICMP))
    six = ethernet(ipv6(tcp(odd, six=True), IpProtocol.TCP), EtherType.IPV6)
    sctp = ethernet(ipv4(_sctp(b"chunk" + odd), IpProtocol.SCTP))
    assert _verdict(tcp_frame(odd)) == (GOOD, GOOD)
    assert _verdict(udp_frame(odd)) == (GOOD, GOOD)
    assert _verdict(icmp) == (GOOD, GOOD)
    assert _verdict(sctp) == (GOOD, GOOD)
    assert _verdict(six) == (NONE, GOOD)
    assert _verdict(arp_frame()) == (NONE, NONE)
    for frame in (icmp, sctp, six, tcp_frame(odd, wrong=1)):
        damaged = frame[:-1] + bytes([frame[-1] ^ 0x40])
        assert _verdict(damaged)[1] == BAD
    assert _verdict(ethernet(ipv4(tcp(), IpProtocol.TCP, checksum=0x1234))) == (BAD, GOOD)


def test_the_kernels_word():
    """ "Not ready" excuses a wrong sum, not a right one; "valid" never makes a verdict."""
    wrong = tcp_frame(b"payload", wrong=1)
    assert _verdict(wrong, NOT_READY) == (GOOD, Verdict.OFFLOADED)
    assert _verdict(wrong, VALID) == (GOOD, BAD)
    assert _verdict(tcp_frame(b"payload"), NOT_READY) == (GOOD, GOOD)
    assert _verdict(wrong[:-2], NOT_READY, missing=2) == (GOOD, Verdict.OFFLOADED)


@pytest.mark.parametrize("has_length", [True, False])
@pytest.mark.parametrize("six", [False, True])
def test_a_partial_sum_is_offloaded(six, has_length):
    """Also without the length, as Windows' large send offload leaves it."""
    frame = _partial(b"payload", six=six, has_length=has_length)
    assert _verdict(frame) == (NONE if six else GOOD, Verdict.OFFLOADED)
    assert _verdict(frame[:-1] + b"!") == (NONE if six else GOOD, Verdict.OFFLOADED)
    at = len(frame) - len(b"payload") - 4
    other = frame[:at] + bytes([frame[at] ^ 1]) + frame[at + 1 :]
    assert _verdict(other) == (NONE if six else GOOD, BAD)


@pytest.mark.parametrize(("name", "link", "data", "flags"), [*DOUBTED, *WRONG])
def test_a_doubted_sum_is_bad_in_a_batch_too(name, link, data, flags):
    store = PacketStore()
    store.add_interface(CaptureInterface("test", link))
    store.append(batch_of([data], gap=1, flags=[flags]))
    assert verdicts_of(store.snapshot(), 1)[0 if name == "ip" else 1] == BAD


def test_udp_without_a_checksum():
    """Absent over IPv4, illegal over IPv6, unless the length is wrong already."""
    absent = ethernet(ipv4(udp(b"x", checksum=0), IpProtocol.UDP))
    illegal = ethernet(ipv6(udp(b"x", checksum=0), IpProtocol.UDP), EtherType.IPV6)
    assert _verdict(absent) == (GOOD, Verdict.NOT_PRESENT)
    assert _verdict(illegal) == (NONE, Verdict.ILLEGAL)


def test_checksums_that_cannot_be_checked():
    """Cut by the snap length, a fragment, a UDP length past the packet."""
    whole = tcp_frame(b"payload")
    assert _verdict(whole[:-3], missing=3) == (GOOD, Verdict.UNVERIFIED)
    first = ethernet(ipv4(tcp(b"12345678"), IpProtocol.TCP, flags__mf=1))
    assert _verdict(first) == (GOOD, Verdict.UNVERIFIED)
    later = ethernet(ipv4(tcp(b"12345678"), IpProtocol.TCP, frag_offset=3))
    assert _verdict(later) == (GOOD, NONE)
    longer = bytearray(udp(b"payload"))
    longer[4:6] = (len(longer) + 1).to_bytes(2, "big")
    assert _verdict(ethernet(ipv4(bytes(longer), IpProtocol.UDP))) == (GOOD, Verdict.UNVERIFIED)


def test_a_routing_header_names_the_final_destination():
    """RFC 8200 §8.1: the pseudo-header has the last address, not the next hop."""
    via = 0xFD00 << 112 | 0x99
    header = ROUTING.emit({"nxt": IpProtocol.TCP, "len": 2, "type": 0, "segleft": 1})
    route = header + bytes(4) + SERVER_6.to_bytes(16, "big")
    packet = ipv6(route + tcp(b"data", six=True), IpProtocol.ROUTING, dst=via)
    assert _verdict(ethernet(packet, EtherType.IPV6)) == (NONE, GOOD)


def test_a_home_address_is_the_source():
    """RFC 6275 §11.3.1: the sum is computed with the home address, not the care-of address."""
    option = bytes([PAD_N, 2, 0, 0, HOME_ADDRESS, 16]) + CLIENT_6.to_bytes(16, "big")
    header = DESTINATION_OPTIONS.emit({"nxt": IpProtocol.TCP, "len": 2})
    body = header + option + tcp(b"data", six=True)
    packet = ipv6(body, IpProtocol.DESTINATION, src=0xFD00 << 112 | 0x99)
    assert _verdict(ethernet(packet, EtherType.IPV6)) == (NONE, GOOD)


def _routed(options: bytes, **fields: int) -> bytes:
    """Return TCP to SERVER with IPv4 options."""
    options = options.ljust(-len(options) % 4 + len(options), b"\0")
    values = {"hdr_len": 20 + len(options), "len": 20 + len(options) + 24, "proto": IpProtocol.TCP}
    values |= {"src": CLIENT, "dst": SERVER, **fields}
    total = internet_checksum(IPV4.emit(values) + options)
    return ethernet(IPV4.emit({**values, "checksum": total}) + options + tcp(b"data"))


@pytest.mark.parametrize("kind", SOURCE_ROUTES)
def test_a_source_route_names_the_final_destination(kind):
    """RFC 791 §3.1: the header's destination is the next hop while the route is not used up."""
    via = 0x0A000063
    unused = bytes([1, kind, 7, 4]) + SERVER.to_bytes(4, "big")
    used_up = bytes([1, kind, 7, 8]) + via.to_bytes(4, "big")
    assert _verdict(_routed(unused, dst=via)) == (GOOD, GOOD)
    assert _verdict(_routed(unused[:-1] + b"\x77", dst=via)) == (GOOD, BAD)
    assert _verdict(_routed(used_up)) == (GOOD, GOOD)


def test_a_row_costs_no_other_rows_dissection(monkeypatch):
    """A sender of source routes must not make a screen slow."""
    dissected: list[int] = []
    monkeypatch.setattr(
        verdicts, "_dissected", lambda chunk, row, rule: dissected.append(row) or Verdict.GOOD
    )
    route = _routed(bytes([131, 7, 4]) + SERVER.to_bytes(4, "big"))
    snapshot = _snapshot([tcp_frame(), route] * BLOCK)
    assert verdicts_of(snapshot, 1) == (GOOD, GOOD)
    assert dissected == []
    verdicts_of(snapshot, 2)
    assert len(dissected) == 1
    fill(snapshot.chunks[0])
    assert len(dissected) == BLOCK


def test_options_that_route_nowhere_are_not_dissected(monkeypatch):
    """Padding, a recorded route, a router alert: they do not affect the pseudo-header."""
    monkeypatch.setattr(verdicts, "_dissected", lambda *_: pytest.fail("dissected"))
    for options in (b"\1" * 40, bytes([7, 7, 4]) + b"\x83" * 4, bytes([148, 4, 0, 0])):
        assert _verdict(_routed(options)) == (GOOD, GOOD)


def test_one_row_fills_its_block_only():
    """The cost of a screen does not depend on the size of the file."""
    snapshot = _snapshot([tcp_frame()] * (3 * BLOCK))
    chunk = snapshot.chunks[0]
    verdicts_of(snapshot, BLOCK + 5)
    known = np.flatnonzero(chunk.verdict != VERDICT_UNKNOWN)
    assert (known[0], known[-1], len(known)) == (BLOCK, 2 * BLOCK - 1, BLOCK)


def test_each_packet_is_checked_once(monkeypatch):
    """Verdicts of a growing chunk are not computed again."""
    checked: list[int] = []
    check = verdicts._check
    monkeypatch.setattr(
        verdicts, "_check", lambda chunk, rows: checked.append(len(rows)) or check(chunk, rows)
    )
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    for count in (3, 4):
        store.append(batch_of([tcp_frame()] * count))
        fill(store.snapshot().chunks[0])
    fill(store.snapshot().chunks[0])
    assert checked == [3, 4]


def test_threads_may_fill_the_same_rows():
    """The values are the same, whichever thread is first."""
    frames = [tcp_frame(bytes([n % 251]) * (n % 50), wrong=n % 3) for n in range(2_000)]
    snapshot = _snapshot(frames)
    expected = [(GOOD, BAD if n % 3 else GOOD) for n in range(2_000)]
    barrier = threading.Barrier(4)
    results: list[list[tuple[Verdict, Verdict]]] = []

    def read() -> None:
        barrier.wait()
        results.append([verdicts_of(snapshot, number) for number in range(1, 2_001)])

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 4


def test_columns_of_one_verdict_agree_with_the_pairs():
    chunk = _snapshot([tcp_frame(), udp_frame(), arp_frame(), b""]).chunks[0]
    network, transport = network_verdicts(chunk).tolist(), transport_verdicts(chunk).tolist()
    pairs = list(map(unpack, fill(chunk).tolist()))
    assert list(zip(network, transport, strict=True)) == pairs
    assert pairs[0] == (GOOD, GOOD)
