"""pcapng: every relevant block, in both byte orders, and every kind of damage to a block."""

from __future__ import annotations

import struct

import pytest

from core.decode.batch import MICROSECONDS, CaptureInterface
from core.files import pcapng
from core.files.formats import FileError
from core.store.interface_numbers import MORE, OWN
from core.wire.model.dissection import PacketFlag, is_timed
from tests.core.files.make import (
    FRAME,
    SECOND,
    block,
    enhanced,
    interface,
    obsolete,
    option,
    read,
    section,
    simple,
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.pcapng"


@pytest.mark.parametrize("order", ["<", ">"])
def test_enhanced_packets(path, order) -> None:
    packets = [
        enhanced(FRAME[:n], order, stamp=SECOND * 10**6 + n, original=n + 1) for n in range(50)
    ]
    found = read(path, section(order) + interface(order) + b"".join(packets))
    assert found.frames == [FRAME[:n] for n in range(50)]
    assert found.times == [SECOND * 10**9 + n * 1000 for n in range(50)]
    assert found.original == [n + 1 for n in range(50)]
    assert (found.damaged, found.notes, found.format) == (False, [], "pcapng")


@pytest.mark.parametrize("order", ["<", ">"])
def test_simple_and_obsolete_packets_among_enhanced(path, order) -> None:
    blocks = (
        section(order)
        + interface(order, snap_length=40)
        + interface(order, link_type=101)
        + enhanced(order=order, stamp=1)
        + simple(FRAME[:40], order, original=60)
        + obsolete(FRAME[:7], order, number=1, stamp=2)
        + simple(FRAME[:3], order)
    )
    found = read(path, blocks)
    assert found.frames == [FRAME, FRAME[:40], FRAME[:7], FRAME[:3]]
    assert found.original == [60, 60, 7, 3]
    assert found.interface == [0, 0, 1, 0]
    assert found.times == [1000, 0, 2000, 0]
    # a simple packet has no time: its 0 is flagged
    assert found.flags == [0, PacketFlag.TIME_INVALID, 0, PacketFlag.TIME_INVALID]


def test_interface_options(path) -> None:
    options = (
        option(2, b"eth0\0rest")
        + option(3, "uplink ☃".encode())
        + option(13, bytes([32]))
        + option(99, b"unknown")
        + option(0, b"")
    )
    found = read(
        path, section() + interface(link_type=101, snap_length=96, options=options) + enhanced()
    )
    kept = ((13, bytes([32])), (99, b"unknown"))
    assert found.interfaces == [
        CaptureInterface("eth0", 101, 96, "uplink ☃", MICROSECONDS, options=kept)
    ]
    assert (found.flags[0] & PacketFlag.FCS_MASK) >> PacketFlag.FCS_SHIFT == 4


@pytest.mark.parametrize(
    ("resolution", "stamp", "expected_ns"),
    [
        (0, 5, 5 * 10**9),
        (3, 5001, 5_001_000_000),
        (9, 9_223_372_035_999_999_999, 9_223_372_035_999_999_999),
        (12, 1_234_567_890_123_456_789, 1_234_567_890_123_456),
        (19, 2**64 - 1, 1_844_674_407),
        (40, 2**64 - 1, 0),
        (127, 2**64 - 1, 0),
        (0x80, 7, 7 * 10**9),
        (0x81, 7, 3_500_000_000),
        (0x8A, (9 << 10) + 1, 9 * 10**9 + 10**9 // 1024),
        (0xA0, (3 << 32) + 0xFFFF_FFFF, 3_999_999_999),
        (0xB2, (3 << 50) + (1 << 49) + 1, 3_500_000_000),
        (0xBF, 2**64 - 1, 1_999_999_999),
        (0xC0, 2**64 - 1, 999_999_999),
        (0xFF, 2**64 - 1, 0),
    ],
)
def test_time_resolutions_are_exact(path, resolution, stamp, expected_ns) -> None:
    options = option(9, bytes([resolution]))
    found = read(path, section() + interface(options=options) + enhanced(stamp=stamp))
    assert found.times == [expected_ns]
    base, exponent = (2 if resolution & 0x80 else 10), resolution & 0x7F
    assert expected_ns == stamp * 10**9 // base**exponent
    assert found.flags == [0]


@pytest.mark.parametrize("order", ["<", ">"])
def test_time_offset(path, order) -> None:
    def with_offset(seconds: int) -> bytes:
        return interface(order, options=option(14, struct.pack(order + "q", seconds), order))

    blocks = section(order) + with_offset(1000) + with_offset(-SECOND - 5) + with_offset(-(2**63))
    packets = b"".join(enhanced(order=order, number=n) for n in range(3))
    found = read(path, blocks + packets)
    assert found.times[:2] == [(SECOND + 1000) * 10**9, -5 * 10**9]
    assert found.times[2] < -(2**62)
    assert found.flags == [0, 0, PacketFlag.TIME_INVALID]


def test_times_outside_int64_nanoseconds_are_flagged(path) -> None:
    blocks = section() + interface() + interface(options=option(9, b"\0"))
    packets = enhanced(stamp=2**64 - 1) + enhanced(number=1, stamp=2**64 - 1)
    found = read(path, blocks + packets + enhanced(stamp=4_323_283_200 * 10**6))
    assert found.flags == [PacketFlag.TIME_INVALID, PacketFlag.TIME_INVALID, 0]
    assert all(time > 2**62 for time in found.times[:2])
    assert found.times[2] == 4_323_283_200 * 10**9


def test_packet_flags_and_comments(path) -> None:
    flags = 0xFFFF_0000 | PacketFlag.OUTBOUND | PacketFlag.CHECKSUM_NOT_READY | 4 << 5
    blocks = [
        enhanced(options=option(2, struct.pack("<I", flags)) + option(0, b"")),
        enhanced(),
        enhanced(options=option(1, b"first") + option(1, "zwölf".encode()) + option(0, b"")),
        enhanced(options=option(1, b"no end of options")),
        enhanced(options=option(4, bytes(8)) * 20 + option(1, b"late")),
    ]
    found = read(path, section() + interface() + b"".join(blocks))
    assert found.flags == [flags & 0x0FFF, 0, 0, 0, 0]
    assert found.comments == {2: ["first", "zwölf"], 3: ["no end of options"], 4: ["late"]}
    assert not found.damaged


def test_comments_are_numbered_over_batches_and_sections(path) -> None:
    commented = enhanced(options=option(1, b"here"))
    part = section() + interface() + enhanced() * 1500 + commented
    assert read(path, part + part).comments == {1500: ["here"], 3001: ["here"]}


def test_other_blocks_are_skipped(path) -> None:
    others = [block(kind, b"body of a block" * 3) for kind in (4, 5, 9, 10, 0xBAD, 0x4000_0BAD, 77)]
    between = b"".join(other + enhanced() for other in others)
    found = read(path, section() + others[0] + interface() + between + others[1])
    assert found.frames == [FRAME] * len(others)
    assert not found.damaged


def test_sections_of_either_byte_order(path) -> None:
    blocks = b""
    for index, order in enumerate("<><"):
        name = option(2, b"if%d" % index, order)
        blocks += section(order, version=(1, 2 * (index & 1))) + interface(order, options=name)
        blocks += interface(order) + enhanced(order=order, number=1) + enhanced(order=order)
    found = read(path, blocks)
    assert found.frames == [FRAME] * 6
    assert found.interface == [1, 0, 3, 2, 5, 4]
    assert [each.name for each in found.interfaces] == ["if0", "", "if1", "", "if2", ""]


def test_lengths_are_rounded_up_to_a_multiple_of_four(path) -> None:
    head = struct.pack("<IIIII", 0, 0, 0, 57, 57)
    told = block(6, head + FRAME[:57], length=12 + 20 + 57)
    rounded_at_the_end = told[:-4] + struct.pack("<I", 92)
    skipped = block(77, bytes(8), length=18)
    blocks = told + skipped + rounded_at_the_end + enhanced()
    found = read(path, section() + interface() + blocks)
    assert found.frames == [FRAME[:57], FRAME[:57], FRAME]
    assert not found.damaged


BAD = {
    "length 0": (block(6, bytes(40), length=0), "length as 0"),
    "length 8": (block(77, bytes(40), length=8), "length as 8"),
    "too short for its kind": (block(6, bytes(8)), "length as 20"),
    "over 16 MiB": (block(6, bytes(40), length=(16 << 20) + 4), "length as 16777220"),
    "nearly 4 GiB": (block(77, bytes(40), length=0xFFFF_FFFC), "length as 4294967292"),
    "unequal lengths": (enhanced()[:-4] + b"\1\0\0\0", "does not repeat its length"),
    "unequal lengths, stepped over": (block(5, bytes(12))[:-4] + bytes(4), "does not repeat"),
    "unequal lengths, interface": (interface()[:-4] + bytes(4), "does not repeat its length"),
    "unknown interface": (enhanced(number=1), "interface 1, which was not described"),
    "captured beyond the block": (enhanced(captured=90), "too short for its 90 captured bytes"),
    "captured 2 GiB": (enhanced(captured=0x7FFF_FFFF), "2147483647 captured bytes"),
    "simple beyond the block": (simple(original=61), "too short for its 61 captured bytes"),
    "too long a packet": (enhanced(bytes(262_145)), "262145 captured bytes"),
    "option past the block": (
        enhanced(options=b"\1\0\x40\0abcd"),
        "option 1 of 64 bytes runs past",
    ),
    "flags of 3 bytes": (enhanced(options=option(2, b"abc")), "option 2 cannot be 3 bytes"),
    "process of 4 bytes": (enhanced(options=option(8, b"abcd")), "option 8 cannot be 4 bytes"),
    "bad interface option": (interface(options=b"\2\0\xff\xff"), "option 2 of 65535 bytes"),
    "unknown version": (section(version=(9, 0)), "pcapng version 9.0"),
    "bad byte-order mark": (block(0x0A0D0D0A, b"nope" + bytes(12)), "byte-order mark"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_blocks_end_the_file_and_are_named(path, name) -> None:
    bad, reason = BAD[name]
    good = section() + interface() + enhanced() * 3
    found = read(path, good + bad + enhanced())
    assert found.frames == [FRAME] * 3
    assert found.damaged
    assert f"damaged at byte {len(good)}:" in found.notes[0]
    assert reason in found.notes[0]


def test_a_simple_packet_has_no_time(path) -> None:
    """The time offset of its interface does not apply to it."""
    offset = option(14, struct.pack("<q", 3600))
    found = read(path, section() + interface(options=offset) + simple() + enhanced(stamp=0))
    assert found.times == [0, 3600 * 10**9]
    told = [is_timed(*each) for each in zip(found.times, found.flags, strict=True)]
    assert told == [False, True]


def test_no_interface_at_all(path) -> None:
    for packet in (enhanced(), simple(), obsolete()):
        found = read(path, section() + packet)
        assert (found.frames, found.damaged) == ([], True)
        assert "interface 0, which was not described" in found.notes[0]


def test_more_interfaces_than_can_be_numbered(path) -> None:
    """Further interfaces share one number per link type, also in later sections."""
    many = interface() * 69_998 + interface(link_type=101, snap_length=9) + interface()
    packets = [enhanced(number=number) for number in (0, OWN - 1, OWN, 69_998, 69_999)]
    later = section() + interface(link_type=101) + enhanced() + simple()
    found = read(path, section() + many + b"".join(packets) + later)
    assert len(found.frames) == len(packets) + 2
    assert not found.damaged
    assert found.interface == [0, OWN - 1, OWN, OWN + 1, OWN, OWN + 1, OWN + 1]
    assert found.interfaces[OWN:] == [CaptureInterface(MORE, 1), CaptureInterface(MORE, 101)]
    (note,) = found.notes
    assert "more than 64,512 interfaces" in note


def test_more_link_types_than_can_share_a_number(path) -> None:
    kinds = b"".join(interface(link_type=kind) for kind in range(1_025))
    found = read(path, section() + interface() * OWN + enhanced() + kinds + enhanced())
    assert (found.frames, found.damaged) == ([FRAME], True)
    assert "more than 65,536 interfaces" in found.notes[-1]


def test_the_interfaces_of_a_section_take_bounded_memory(path, monkeypatch) -> None:
    monkeypatch.setattr(pcapng, "_MAXIMUM_INTERFACES", 10)
    content = (section() + interface() * 10 + enhanced()) * 2 + interface() + enhanced()
    found = read(path, content)
    assert (found.frames, found.damaged) == ([FRAME] * 2, True)
    assert "more than 10 interfaces in one section" in found.notes[0]


def test_cut_anywhere(path) -> None:
    blocks = [section(), interface(), enhanced(), block(5, bytes(12)), simple(), enhanced(b"")]
    whole = b"".join(blocks)
    ends = [len(b"".join(blocks[: n + 1])) for n in range(len(blocks))]
    for length in range(28, len(whole)):
        found = read(path, whole[:length])
        assert len(found.frames) == sum(ends[n] <= length for n in (2, 4, 5))
        assert found.damaged == (length not in ends), length


def test_half_a_section_header(path) -> None:
    for length in range(4, 28):
        with pytest.raises(FileError, match=f"header is cut short: it has {length} of at least"):
            read(path, section()[:length])


def test_wrong_byte_order_mark_at_the_start(path) -> None:
    with pytest.raises(FileError, match="not a pcapng file: its byte-order mark is 00 00 00 00"):
        read(path, block(0x0A0D0D0A, bytes(16)))
