"""The rows of many packets at once are those of `summarize`, packet by packet."""

from __future__ import annotations

import random
import re
from collections import Counter

import numpy as np
import pytest

from core.analysis.tcp.flow_index import FlowIndex
from core.analysis.tcp.info_marks import MARK_WORDS
from core.decode.chunk import Chunk
from core.decode.summaries import summaries
from core.store.budget import Budget
from core.store.packet_store import PacketStore
from core.store.snapshot import Snapshot
from core.wire.checksum.packet_checksums import internet_checksum
from core.wire.model.address_texts import ADDRESS_CHARACTERS
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from core.wire.model.walk import Numbering
from core.wire.network.icmpv6 import ECHO, ICMPV6
from core.wire.present.summary import summarize, wrong_checksums
from core.wire.protocol import INFO_MARKS, SequenceBases
from core.wire.registry import PROTOCOLS
from tests.bench.traffic import mixed
from tests.core.decode import frames
from tests.core.decode.captures import stored_captures
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of
from tests.core.wire import frames as wire
from tests.helpers.support import is_thorough

CHANGED = 1000
MOST = 200  # packets of each capture, unless all are requested
INFO_TEXTS = {each.shown: each.info_texts for each in PROTOCOLS if each.info_texts}
INFO_TEXTS["TCP"] += MARK_WORDS
WITH_COLUMNS = {protocol.shown for protocol in PROTOCOLS if protocol.info_columns is not None}


def _snapshot(made: list[bytes], original: list[int] | None = None) -> Snapshot:
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.append(batch_of(made, original=original))
    return store.snapshot()


def _bases(snapshot: Snapshot, chunk: Chunk) -> SequenceBases:
    index = FlowIndex()
    index.extend(snapshot, Budget())
    return index.published.bases(chunk)


def _compare(chunk: Chunk, bases: SequenceBases) -> Counter[str]:
    """Compare what columns write with each packet's own row; return how often each protocol was."""
    found = summaries(chunk, bases)
    written: Counter[str] = Counter()
    for row in range(len(chunk)):
        texts = tuple(
            each[row] for each in (found.source, found.destination, found.protocol, found.info)
        )
        if texts[-1] is None:
            continue
        dissection = chunk.dissect(row)
        expected = summarize(dissection, bases.of(row))
        assert texts == (expected.source, expected.destination, expected.protocol, expected.info)
        assert found.wrong.get(row, ()) == wrong_checksums(dissection)
        assert set(expected.source + expected.destination) <= ADDRESS_CHARACTERS
        if known := INFO_TEXTS.get(expected.protocol):
            words = filter(None, re.split(f"[0-9{re.escape(INFO_MARKS)}]+", expected.info))
            assert all(any(word in each for each in known) for word in words), expected.info
        written[expected.protocol] += 1
    return written


@pytest.mark.corpus
def test_all_captures_agree() -> None:
    written: Counter[str] = Counter()
    total = 0
    for path, snapshot in stored_captures():
        for chunk in snapshot.chunks:
            chunk = chunk if is_thorough() else chunk.rows(0, MOST)
            try:
                written += _compare(chunk, _bases(snapshot, chunk))
            except AssertionError as error:
                raise AssertionError(path.name) from error
            total += len(chunk)
    assert written.keys() >= WITH_COLUMNS | {"DNS", "HTTP", "TLS"}
    assert written.total() > total / 2


OPTIONS = [
    b"",
    bytes.fromhex("0101080a0000000100000002"),  # as most segments have them
    bytes.fromhex("0101080a000000010000000201010101"),
    bytes.fromhex("0101080b0000000100000002"),  # a length past the end
    bytes.fromhex("0101080200000000"),
    bytes.fromhex("020405b40402080a000000010000000001030307"),
    bytes.fromhex("0101050a000000010000000a"),
    bytes.fromhex("01010101"),
    bytes.fromhex("020405b40402080a0000000700000000"),
    bytes.fromhex("0204080a010101010101010101010101"),  # an MSS that looks like timestamps
    bytes.fromhex("0204080a080a0000000100000002010101010101"),
    bytes.fromhex("fe000000"),
    bytes.fromhex("1e0c0081000000000000000100000000"),
]
PAYLOADS = [
    b"",
    b"x",
    b"GET / HTTP/1.1\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"\x16\x03\x01\x00\x02ab",
    b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01\x1b\x00\x00\x01\x00\x01",
]


def _echo_6() -> bytes:
    body = ECHO.emit({"echo.identifier": 7, "echo.sequence_number": 9})
    pseudo = wire.pseudo(ICMPV6.size + len(body), IpProtocol.ICMPV6, six=True)
    checksum = internet_checksum(ICMPV6.emit({}) + body, pseudo)
    return wire.ipv6(ICMPV6.emit({"checksum": checksum}) + body, IpProtocol.ICMPV6)


def _made() -> list[bytes]:
    """Return frames of every shape that columns describe, with variants that they must refuse."""
    made = mixed.frames()[:100]
    for payload in PAYLOADS:
        for port in (80, 53, 5353):
            for segment in (
                *(wire.tcp(payload, each, dstport=port, flags__ack=1) for each in OPTIONS),
                wire.tcp(payload, srcport=port, flags__syn=1, seq_raw=77),
            ):
                made.append(wire.ethernet(wire.ipv4(segment, IpProtocol.TCP)))
            datagram = wire.udp(payload, dstport=port)
            made.append(wire.ethernet(wire.ipv4(datagram, IpProtocol.UDP)))
            made.append(wire.ethernet(wire.ipv4(datagram, IpProtocol.UDP, flags__mf=1)))
            made.append(wire.ethernet(wire.ipv4(datagram, IpProtocol.UDP, b"\x01" * 4)))
            six = wire.ipv6(wire.udp(payload, six=True, dstport=port), IpProtocol.UDP)
            made.append(wire.ethernet(six, EtherType.IPV6))
    made += [
        frames.tcp_frame(flags="syn", sequence=1_000),
        frames.tcp_frame(flags="syn ack", sequence=5_000, back=True),
        frames.tcp_frame(b"data", sequence=1_001),
        frames.tcp_frame(wrong=1),
        *(
            wire.ethernet(wire.ipv4(each, 6, checksum=sum_))
            for each in (wire.tcp(), wire.tcp(checksum=5))
            for sum_ in (0, 7)
        ),
        *(wire.ethernet(wire.ipv4(wire.tcp(checksum=sum_), 6, len=0)) for sum_ in (0, 7)),
        *(
            wire.ethernet(wire.ipv6(wire.udp(b"", checksum=sum_), 17, **length), EtherType.IPV6)
            for sum_ in (0, 7)
            for length in ({}, {"plen": 0})
        ),
        wire.ethernet(wire.ipv4(wire.udp(b"", checksum=7), IpProtocol.UDP)),
        frames.arp_frame(),
        wire.ethernet(wire.ipv4(wire.icmp_echo(), IpProtocol.ICMP)),
        wire.ethernet(_echo_6(), EtherType.IPV6),
        wire.ethernet(wire.vlan(wire.ipv4(wire.icmp_echo(), IpProtocol.ICMP), 5), EtherType.VLAN),
        frames.ethernet(frames.arp_frame()[14:], EtherType.ARP, tags=1),
    ]
    return made


MADE = _made()


def test_every_protocol_with_columns_agrees() -> None:
    snapshot = _snapshot(MADE)
    written = sum(
        (_compare(chunk, _bases(snapshot, chunk)) for chunk in snapshot.chunks), Counter()
    )
    assert written.keys() >= WITH_COLUMNS | {"DNS", "mDNS", "HTTP", "TLS"}


@pytest.mark.parametrize("seed", range(3))
def test_changed_frames_agree(seed: int) -> None:
    """Bytes that are changed or cut lead to the same words, or to the packet path."""
    rng = random.Random(seed)
    made, lengths = [], []
    for _ in range(CHANGED):
        frame = bytearray(rng.choice(MADE))
        for _ in range(rng.randrange(4)):
            frame[rng.randrange(len(frame))] = rng.choice((0, 1, 4, 6, 8, 17, 0x45, 0x50, 0xFF))
        lengths.append(len(frame))
        if rng.random() < 0.3:
            del frame[rng.randrange(len(frame)) :]
            lengths[-1] = rng.choice((lengths[-1], len(frame)))
        made.append(bytes(frame))
    snapshot = _snapshot(made, lengths)
    written = sum(
        (_compare(chunk, _bases(snapshot, chunk)) for chunk in snapshot.chunks), Counter()
    )
    assert CHANGED / 10 < written.total() < CHANGED


def test_some_rows_of_a_chunk_are_those_of_the_whole() -> None:
    (chunk,) = _snapshot(MADE).chunks
    whole = summaries(chunk)
    rows = np.arange(3, len(chunk), 7)
    part = summaries(chunk.copied(rows), SequenceBases.unknown(len(rows)))
    assert part.info.tolist() == whole.info[rows].tolist()
    assert part.source.tolist() == whole.source[rows].tolist()


def test_only_tunnels_follow_a_datagram() -> None:
    """A header behind UDP would be the subject of the row; columns know of it by `NESTED` only."""
    steps = [
        reader.step
        for protocol in PROTOCOLS
        for reader in protocol.readers
        if reader.space is Numbering.UDP_PORT
    ]
    assert steps
    assert not any(steps)
