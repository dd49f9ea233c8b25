"""Packets by address, compared with a count by hand."""

from __future__ import annotations

from collections import Counter

from core.analysis.statistics.talkers import TalkerCounter
from tests.core.analysis.statistics.packets import chunk_of
from tests.helpers.scripted import arp, ethernet, ipv6, udp

HOSTS = [f"10.0.{number // 100}.{number % 100 + 1}" for number in range(300)]


def _datagram(source: str, destination: str, payload: bytes = b"") -> bytes:
    if ":" in source:
        return ethernet(ipv6(source, destination, 59, payload), kind=0x86DD)
    return udp(source, destination, (1, 2), payload)


def test_both_ends_of_each_packet_count() -> None:
    pairs = [("10.0.0.1", "10.0.0.2")] * 3 + [("10.0.0.2", "10.0.0.1"), ("10.0.0.3", "10.0.0.3")]
    pairs += [("2001:db8::1", "2001:db8::2")] * 4
    frames = [_datagram(*pair, bytes(number)) for number, pair in enumerate(pairs)]
    counter = TalkerCounter()
    counter.add(chunk_of(frames[:4]))
    counter.add(chunk_of(frames[4:]))
    found = {each.address: each for each in counter.result()}
    sent, received = Counter(), Counter()
    for frame, (source, destination) in zip(frames, pairs, strict=True):
        sent[source] += len(frame)
        received[destination] += len(frame)
    assert {name: each.sent_bytes for name, each in found.items()} == {
        **dict.fromkeys(found, 0),
        **sent,
    }
    assert {name: each.received_bytes for name, each in found.items()} == {
        **dict.fromkeys(found, 0),
        **received,
    }
    assert found["10.0.0.3"].packets == 2
    assert found["10.0.0.1"].sent_packets == 3
    assert found["2001:db8::1"].field == "ipv6.addr"
    assert [each.bytes for each in counter.result()] == sorted(
        (each.bytes for each in found.values()), reverse=True
    )


def test_packets_without_an_ip_header_count_for_link_addresses() -> None:
    counter = TalkerCounter()
    counter.add(chunk_of([arp(1), _datagram("10.0.0.1", "10.0.0.2")]))
    assert {each.field for each in counter.result()} == {"eth.addr", "ip.addr"}
    assert counter.top(1)[1] == 4


def test_the_number_of_addresses_is_bounded() -> None:
    """Those that come first are kept; the others count together, and nothing is lost."""
    counter = TalkerCounter(most=50)
    frames = [_datagram(host, HOSTS[0]) for host in HOSTS]
    for start in range(0, len(frames), 40):
        counter.add(chunk_of(frames[start : start + 40]))
    found = counter.result()
    assert len(found) == 51
    assert sum(each.sent_packets for each in found) == len(frames)
    (others,) = [each for each in found if not each.address]
    assert others.sent_packets == len(frames) - 50
