"""The batch decode compared with dissection, packet by packet; other bytes do not count."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.decode.batch import CaptureInterface
from core.decode.header_index import STEPS, index_batch, index_headers
from core.store.packet_store import PacketStore
from core.store.snapshot import Snapshot
from core.wire.dissect import MAXIMUM_LAYERS, dissect
from core.wire.link.link_types import LinkType
from core.wire.link.mpls import MPLS
from core.wire.link.serial import NFLOG_PAYLOAD
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from core.wire.model.batch import HeaderState
from core.wire.model.dissection import PacketFlag
from core.wire.model.walk import Numbering
from core.wire.network.ipv6_extensions import DESTINATION_OPTIONS, HOP_BY_HOP
from core.wire.registry import PARSERS
from tests.core.decode.agreement import leaves_outermost, outline_of, outline_of_chunk
from tests.core.decode.captures import stored_captures
from tests.core.decode.frames import ethernet, ipv4, ipv6, tcp
from tests.core.decode.support import batch_of
from tests.core.wire.network.test_unset_length import BIG, FAULTS, LEFT, WRITTEN

SAMPLE = 12  # frames of each capture that the test cuts at every length
LONGEST = 300


def _stored(
    frames: list[bytes], link_type: int, originals: list[int], flags: list[int]
) -> Snapshot:
    store = PacketStore()
    store.add_interface(CaptureInterface("test", link_type))
    store.append(batch_of(frames, gap=3, original=originals, flags=flags))
    return store.snapshot()


def _disagreements(snapshot: Snapshot) -> list[str]:
    found = []
    for chunk in snapshot.chunks:
        for row, batch in enumerate(outline_of_chunk(chunk)):
            link_type = snapshot.interfaces[chunk.interface[row]].link_type
            frame, original = chunk.frame(row), int(chunk.original[row])
            dissection = dissect(frame, link_type, original, int(chunk.flags[row]))
            scalar = outline_of(dissection)
            if batch != scalar:
                found.append(f"{chunk.first + row}: {batch} but {scalar}: {frame.hex()}")
            if leaves_outermost(dissection) and not chunk.state[row] & HeaderState.NESTED:
                found.append(f"{chunk.first + row}: not marked as nested: {frame.hex()}")
    return found


def test_agrees_on_jumbo_options_wherever_they_stand():
    """Among the first options or too far behind, whole or cut, with other packets beside."""
    jumbo = b"\xc2\x04\0\0\0\x23"
    lists = [bytes(padding) + jumbo for padding in range(12)]
    lists += [b"\x05\x02\0\0" + jumbo, b"\xc2\x02\0\0" + jumbo, jumbo[:5], b"\x05\xff" + jumbo]
    frames = []
    for options in lists:
        header = HOP_BY_HOP.emit({"nxt": IpProtocol.TCP, "len": 2}) + options
        packet = ipv6(header.ljust(24, b"\0") + tcp(six=True), IpProtocol.HOP_BY_HOP, plen=0)
        frames += [packet, packet[:60], packet[:49], packet[:41], packet[:40]]
    sizes = [len(frame) for frame in frames]
    assert _disagreements(_stored(frames, LinkType.IPV6, sizes, [0] * len(frames))) == []


def _unset() -> Iterator[tuple[int, list[bytes]]]:
    """Yield frames with lengths of 0, left to the card or not, by link type."""
    by_link: dict[int, list[bytes]] = {}
    for link_type, frame in (*LEFT.values(), *WRITTEN.values(), *FAULTS.values()):
        by_link.setdefault(link_type, []).append(frame)
    by_link[LinkType.ETHERNET] += BIG.values()
    return iter(by_link.items())


def test_agrees_on_lengths_left_to_the_card():
    """Whole, cut anywhere in the headers by the snap length or for real, padded, in fragments."""
    for link_type, frames in _unset():
        pieces = [frame[:kept] for frame in frames for kept in range(150)]
        whole = [len(frame) for frame in frames for _ in range(150)]
        for originals in (whole, [len(piece) for piece in pieces]):
            stored = _stored(pieces, link_type, originals, [0] * len(pieces))
            assert _disagreements(stored) == []
        padded = [*frames, *(frame + bytes(9) for frame in frames)]
        lengths = [len(frame) for frame in padded]
        for flags in (0, PacketFlag.CHECKSUM_NOT_READY, PacketFlag.OUTBOUND):
            stored = _stored(padded, link_type, lengths, [flags] * len(padded))
            assert _disagreements(stored) == []


@pytest.mark.parametrize("path", [*LEFT, *BIG])
def test_the_outer_end_is_the_packets_end(path):
    """The column has the end that the dissected network layer has."""
    link_type, frame = LEFT[path] if path in LEFT else (LinkType.ETHERNET, BIG[path])
    (chunk,) = _stored([frame], link_type, [len(frame)], [0]).chunks
    layers = dissect(frame, link_type, len(frame)).layers
    network = next(layer for layer in layers if layer.name in ("ip", "ipv6"))
    assert int(chunk.stop[0]) == network.stop == len(frame)


@pytest.mark.corpus
def test_agrees_on_every_packet_of_the_corpus():
    """Kinds, offsets, verdicts and stop causes of the outermost headers."""
    packets = 0
    for path, snapshot in stored_captures():
        packets += snapshot.count
        assert _disagreements(snapshot) == [], path
    assert packets > 16_000


@pytest.mark.corpus
def test_agrees_at_every_cut_length():
    """A sample of each capture's frames, cut at every byte by the snap length, and for real."""
    cuts = 0
    for path, snapshot in stored_captures():
        seen: set[tuple[int, int, int, int]] = set()
        for chunk in snapshot.chunks:
            for row in range(len(chunk)):
                shape = (
                    int(chunk.network[row]),
                    int(chunk.transport[row]),
                    int(chunk.transport_offset[row]),
                    int(chunk.state[row]),
                )
                if shape in seen or len(seen) >= SAMPLE or chunk.captured[row] > LONGEST:
                    continue
                seen.add(shape)
                frame = chunk.frame(row)
                link_type = snapshot.interfaces[chunk.interface[row]].link_type
                pieces = [frame[:cut] for cut in range(len(frame) + 1)]
                for originals in ([len(frame)] * len(pieces), [len(each) for each in pieces]):
                    stored = _stored(pieces, link_type, originals, [0] * len(pieces))
                    assert _disagreements(stored) == [], path
                    cuts += len(pieces)
    assert cuts > 10_000


@pytest.mark.corpus
def test_agrees_on_damaged_packets():
    """Real frames, cut, with bytes changed, mostly to numbers that lead to other headers."""
    generator = random.Random(5)
    numbers = [0, 1, 4, 5, 6, 17, 41, 43, 44, 51, 58, 60, 132, 255, 0x45, 0x60]
    flags = [
        0,
        0,
        PacketFlag.CHECKSUM_NOT_READY,
        PacketFlag.CHECKSUM_VALID,
        4 << PacketFlag.FCS_SHIFT,
    ]
    for path, snapshot in stored_captures():
        held = range(1, snapshot.count + 1)
        by_link: dict[int, list[bytes]] = {}
        for number in generator.choices(held, k=min(150, len(held) * 10)) if held else ():
            packet = snapshot.packet(number)
            frame = bytearray(packet.data[:600])
            for _ in range(generator.randint(1, 4) if frame else 0):
                place = min(len(frame) - 1, int(generator.expovariate(1 / 25)))
                frame[place] = generator.choice([*numbers, generator.randrange(256)])
            cut = generator.choice([len(frame), len(frame), generator.randint(0, len(frame))])
            by_link.setdefault(packet.link_type, []).append(bytes(frame[:cut]))
        for link_type, frames in by_link.items():
            originals = [len(each) + generator.choice([0, 0, 5, 70_000]) for each in frames]
            marks = [int(generator.choice(flags)) for _ in frames]
            assert _disagreements(_stored(frames, link_type, originals, marks)) == [], path


def test_agrees_on_deep_stacks():
    """VLAN tags, labels and extension headers up to the depth limit and past it."""

    def options(count: int) -> bytes:
        following = [IpProtocol.DESTINATION] * (count - 1) + [IpProtocol.TCP]
        return b"".join(DESTINATION_OPTIONS.emit({"nxt": each}) + bytes(6) for each in following)

    depths = range(1, MAXIMUM_LAYERS + 8)
    packet, six = ipv4(tcp(), IpProtocol.TCP), tcp(six=True)
    label, last = MPLS.emit({"label": 16}), MPLS.emit({"label": 16, "bottom": 1})
    frames = [ethernet(packet, tags=depth) for depth in depths]
    frames += [ethernet(label * depth + last + packet, EtherType.MPLS) for depth in depths]
    frames += [
        ethernet(ipv6(options(depth) + six, IpProtocol.DESTINATION), EtherType.IPV6)
        for depth in depths
    ]
    lengths = [len(frame) for frame in frames]
    assert _disagreements(_stored(frames, LinkType.ETHERNET, lengths, [0] * len(frames))) == []


LINK_TYPES = [int(kind) for kind in LinkType] + [105]
BEGINNINGS = [
    b"",
    bytes(12) + b"\x08\x00\x45",
    bytes(12) + b"\x08\x00\x46",
    bytes(12) + b"\x86\xdd\x60",
    bytes(12) + b"\x81\x00\x00\x05\x08\x00\x45",
    bytes(12) + b"\x00\x20\xaa\xaa\x03\x00\x00\x00\x08\x00\x45",
    b"\x45\x00",
    b"\x60\x00",
    b"\x02\x00\x00\x00\x45",
]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(BEGINNINGS),
            st.binary(max_size=90),
            st.integers(0, 40),
            st.sampled_from([0, 0, 0, PacketFlag.CHECKSUM_NOT_READY, 4 << PacketFlag.FCS_SHIFT]),
        ),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from(LINK_TYPES),
)
def test_agrees_on_random_bytes(parts, link_type):
    """Whatever the bytes: no exception, and the same answer from both decoders."""
    frames = [start + rest for start, rest, _, _ in parts]
    originals = [len(frame) + part[2] for frame, part in zip(frames, parts, strict=True)]
    stored = _stored(frames, link_type, originals, [int(part[3]) for part in parts])
    assert _disagreements(stored) == []


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(BEGINNINGS), st.binary(max_size=60)), min_size=1),
    st.sampled_from(LINK_TYPES),
)
def test_bytes_outside_a_frame_do_not_count(parts, link_type):
    """The same frames decode the same between other bytes, or at the very end of memory."""
    frames = [start + rest for start, rest in parts]
    batch = batch_of(frames, gap=8)
    inside = np.zeros(len(batch.data), dtype=bool)
    for start, length in zip(batch.offset, batch.captured, strict=True):
        inside[start : start + length] = True
    batches = [
        replace(batch, data=np.where(inside, batch.data, canary).astype(np.uint8))
        for canary in (0x00, 0xFF, 0x45)
    ]
    layouts = [
        index_batch(one, np.full(len(frames), link_type)) for one in (*batches, batch_of(frames))
    ]
    for layout in layouts[1:]:
        for name in ("network", "network_offset", "transport", "transport_offset", "stop", "state"):
            assert np.array_equal(getattr(layout, name), getattr(layouts[0], name)), name


@pytest.mark.parametrize(
    "space", [Numbering.LINK, Numbering.LLC, Numbering.ETHERTYPE, Numbering.PPP]
)
def test_every_number_that_dissection_follows_has_a_step(space):
    """A header read for one packet but not for a batch would leave its columns empty."""
    assert set(STEPS[space]) == set(PARSERS[space])


def test_no_packets():
    """An empty batch has empty columns."""
    none = np.zeros(0, dtype=np.uint32)
    layout = index_headers(
        np.zeros(0, dtype=np.uint8), none, none, none, none, none.astype(np.uint16)
    )
    assert len(layout.network) == len(layout.state) == 0


def test_agrees_on_link_headers_that_never_end():
    """However long they are, both decodes stop after the same few bytes or values."""
    value = b"\x04\0\x01\0"
    frames = {
        LinkType.FRELAY: [
            bytes(zeros) + b"\x01\x08\x00" + ipv4(bytes(8), 17) for zeros in (1, 2, 3, 4, 9, 70_000)
        ],
        LinkType.NFLOG: [
            b"\x02\0\0\0" + value * values + struct.pack("<HH", 4, NFLOG_PAYLOAD)
            for values in (0, 62, 63, 64, 65, 16_000)
        ],
    }
    for link_type, made in frames.items():
        lengths = [len(frame) for frame in made]
        snapshot = _stored(made, link_type, lengths, [0] * len(made))
        assert _disagreements(snapshot) == []
        ends = [dissect(frame, link_type, len(frame)).layers[-1] for frame in made]
        assert max(layer.header_length for layer in ends) < 300


def test_marks_packets_that_carry_others_and_no_others():
    """Tunnels and ICMP errors; the packet inside counts, whatever it is."""
    inner = ipv4(tcp(), IpProtocol.TCP)
    error, echo = b"\3\1\0\0\0\0\0\0", b"\x08\0\0\0\0\0\0\0"
    vxlan = b"\x9c\x40\x12\xb5\0\x10\0\0\x08\0\0\0\0\0\x07\0"
    marked = [
        ipv4(inner, IpProtocol.IPV4),
        ipv4(ipv6(tcp(six=True), IpProtocol.TCP), IpProtocol.IPV6),
        ipv4(b"\0\0\x08\0" + inner, IpProtocol.GRE),
        ipv4(error + inner, IpProtocol.ICMP),
        ipv4(vxlan + ethernet(inner), IpProtocol.UDP),
    ]
    plain = [
        inner,
        ipv4(echo + inner, IpProtocol.ICMP),
        ipv4(b"\x9c\x40\0\x35\0\x08\0\0", IpProtocol.UDP),
        ipv4(inner, IpProtocol.ESP),
        error + inner,
    ]
    for frames, expected in ((marked, HeaderState.NESTED), (plain, 0)):
        made = [ethernet(frame) for frame in frames]
        (chunk,) = _stored(made, LinkType.ETHERNET, list(map(len, made)), [0] * len(made)).chunks
        assert (chunk.state & HeaderState.NESTED == expected).all()
