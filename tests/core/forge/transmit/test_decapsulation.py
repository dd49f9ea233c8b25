"""The IP packets in frames, for interfaces without link headers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.decode.batch import Batch
from core.forge.transmit.decapsulation import Decapsulation
from core.wire.link.link_types import LinkType
from core.wire.link.linux_cooked import SLL
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from tests.core.decode.support import batch_of
from tests.core.forge.transmit.rewriting import frames_of
from tests.core.wire.frames import ethernet, ipv4, ipv6, udp, vlan

FOUR = ipv4(udp(b"four"), IpProtocol.UDP)
SIX = ipv6(udp(b"six", six=True), IpProtocol.UDP)


def packets_in(
    records: list[tuple[int, bytes]], missing: int = 0
) -> tuple[Batch, list[int], Decapsulation]:
    batch = batch_of([data for _, data in records])
    batch = replace(batch, original=batch.captured + np.uint32(missing))
    adapter = Decapsulation()
    ((found, rows),) = adapter.frames(batch, np.array([kind for kind, _ in records], np.int64))
    return found, rows.tolist(), adapter


def test_headers_tags_and_padding_are_removed() -> None:
    records = [
        (LinkType.ETHERNET, ethernet(FOUR).ljust(60, b"\0")),
        (LinkType.ETHERNET, ethernet(vlan(SIX, 7, EtherType.IPV6), EtherType.VLAN)),
        (LinkType.LINUX_SLL, SLL.emit({"etype": EtherType.IPV4}) + FOUR),
        (LinkType.NULL, b"\2\0\0\0" + FOUR),
        (LinkType.PPP, b"\xff\x03\x00\x21" + FOUR),
    ]
    found, rows, adapter = packets_in(records)
    assert frames_of(found) == [FOUR, SIX, FOUR, FOUR, FOUR]
    assert (found.original == found.captured).all()
    assert rows == [0, 1, 2, 3, 4]
    assert adapter.omitted.without_ip == 0


def test_packets_without_a_link_header_stay_as_they_are() -> None:
    odd = b"\x15" + FOUR[1:] + b"trailer"
    records = [(LinkType.RAW, odd), (LinkType.IPV6, SIX + b"x"), (LinkType.RAW, b"")]
    found, rows, _ = packets_in(records)
    assert frames_of(found) == [odd, SIX + b"x", b""]
    assert rows == [0, 1, 2]


def test_frames_without_an_ip_packet_are_omitted_and_counted() -> None:
    records = [
        (LinkType.ETHERNET, ethernet(bytes(28), EtherType.ARP)),
        (LinkType.ETHERNET, ethernet(FOUR)),
        (147, b"whatever"),
        (LinkType.ETHERNET, b""),
    ]
    found, rows, adapter = packets_in(records)
    assert frames_of(found) == [FOUR, b""]
    assert rows == [1, 3]
    assert adapter.omitted.without_ip == 2
    adapter.omitted.clear()
    assert adapter.omitted.without_ip == 0


def test_packets_that_are_cut_keep_the_length_that_they_had() -> None:
    cut = ethernet(FOUR)[:-3]
    found, _, _ = packets_in([(LinkType.ETHERNET, cut)], missing=40)
    assert frames_of(found) == [FOUR[:-3]]
    assert found.original.tolist() == [len(FOUR)]
