"""Blocks made by columns are read back as they were: by rawscope's reader, and by tshark."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.decode.batch import Batch, CaptureInterface
from core.files.reader import open_capture
from core.files.step import join_batches
from core.files.timestamps import Resolution, nanoseconds, stamps
from core.files.writing import pcapng_blocks as blocks
from core.files.writing.packet_blocks import packet_blocks
from core.wire.link.link_types import LinkType
from core.wire.model.dissection import PacketFlag
from tests.helpers.support import require_peer
from tests.helpers.waiting import PATIENCE_S

TIME_NS = 1_700_000_000_123_456_789
ETHERNET = CaptureInterface("veth0", LinkType.ETHERNET, 262_144, "a test")


def batch_of(lengths: list[int], flags: list[int] | None = None) -> Batch:
    """Return packets of these lengths, with other bytes between them."""
    captured = np.array(lengths, np.int64)
    offset = np.cumsum(captured + 3) - captured
    size = int(captured.sum()) + 3 * len(lengths) + 3
    return Batch(
        data=np.random.default_rng(1).integers(1, 255, size, np.uint8),
        offset=offset,
        captured=captured.astype(np.uint32),
        original=(captured + 9).astype(np.uint32),
        timestamp_ns=TIME_NS + np.arange(len(lengths)),
        interface=np.zeros(len(lengths), np.uint16),
        flags=np.array(flags or [0] * len(lengths), np.uint16),
    )


def frames_of(batch: Batch) -> list[bytes]:
    ends = zip(batch.offset.tolist(), batch.captured.tolist(), strict=True)
    return [batch.data[at : at + size].tobytes() for at, size in ends]


def read(path: Path) -> Batch:
    with open_capture(path) as reader:
        batches = list(reader.batches())
        assert not reader.damaged, reader.notes
    return join_batches(batches)


def file_of(tmp_path: Path, *pieces: bytes) -> Path:
    path = tmp_path / "a.pcapng"
    head = blocks.section_header() + blocks.interface_description(ETHERNET)
    path.write_bytes(head + b"".join(pieces))
    return path


@given(
    lengths=st.lists(st.integers(0, 70) | st.sampled_from([4095, 4096, 9001]), max_size=12),
    seed=st.integers(0, 1 << 30),
)
def test_every_packet_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], seed: int
) -> None:
    random = np.random.default_rng(seed)
    flags = random.choice([0, PacketFlag.OUTBOUND, PacketFlag.CHECKSUM_NOT_READY], len(lengths))
    written = batch_of(lengths, flags.tolist())
    rows = np.flatnonzero(random.random(len(lengths)) < 0.3).tolist()
    commented = dict.fromkeys(rows, ("one", "zwei ü"))
    options = {index: blocks.comment_options(texts) for index, texts in commented.items()}
    packets = packet_blocks(written, options=options).tobytes()
    path = file_of(tmp_path_factory.mktemp("blocks"), packets)
    if not lengths:
        return
    found = read(path)
    assert frames_of(found) == frames_of(written)
    for name in ("captured", "original", "timestamp_ns", "flags"):
        assert np.array_equal(getattr(found, name), getattr(written, name)), name
    assert {row: tuple(found.comments[row]) for row in found.comments} == commented


def test_some_rows_in_another_order(tmp_path: Path) -> None:
    written = batch_of([5, 60, 0, 33])
    rows = np.array([3, 0])
    found = read(file_of(tmp_path, packet_blocks(written, rows).tobytes()))
    frames = frames_of(written)
    assert frames_of(found) == [frames[3], frames[0]]
    assert found.timestamp_ns.tolist() == [TIME_NS + 3, TIME_NS]


def test_simple_packets_have_no_time(tmp_path: Path) -> None:
    written = batch_of([5, 60, 7])
    written.original[1] = 60
    simple = np.array([False, True, False])
    found = read(file_of(tmp_path, packet_blocks(written, simple=simple).tobytes()))
    assert frames_of(found) == frames_of(written)
    assert found.timestamp_ns.tolist() == [TIME_NS, 0, TIME_NS + 2]
    assert found.flags.tolist() == [0, PacketFlag.TIME_INVALID, 0]


@pytest.mark.parametrize("code", [0, 3, 6, 9, 12, 0x80 | 10, 0x80 | 20, 0x80 | 30, 0x80 | 40])
@pytest.mark.parametrize("offset_s", [0, 1_000, -1_000])
def test_stamps_are_the_inverse_of_reading(code: int, offset_s: int) -> None:
    """A time that was read in a unit is written as a stamp that reads as the same time."""
    stamp = np.random.default_rng(code).integers(1 << 31, 1 << 34, 1_000, np.uint64)
    seconds, fraction = Resolution.of(code).split(stamp)
    time, invalid = nanoseconds(seconds + offset_s, fraction)
    time, stamp = time[~invalid], stamp[~invalid]
    again = stamps(time, code, offset_s)
    seconds, fraction = Resolution.of(code if code & 0x7F <= 30 and code != 12 else 9).split(again)
    assert np.array_equal(nanoseconds(seconds + offset_s, fraction)[0], time)


def test_tshark_reads_the_blocks_without_a_complaint(tmp_path: Path) -> None:
    written = batch_of([60, 61], [PacketFlag.OUTBOUND, 0])
    packets = packet_blocks(written, options={1: blocks.comment_options(("grün",))})
    statistics = blocks.statistics_block(0, TIME_NS, received=9, dropped=7)
    path = file_of(tmp_path, packets.tobytes(), statistics)
    fields = ("frame.time_epoch", "frame.len", "frame.cap_len", "frame.interface_name",
              "frame.packet_flags", "frame.comment")  # fmt: skip
    arguments = [word for field in fields for word in ("-e", field)]
    answer = subprocess.run(
        [require_peer("tshark"), "-r", path, "-T", "fields", *arguments],
        capture_output=True, text=True, check=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert [line.split("\t") for line in answer.stdout.splitlines()] == [
        ["1700000000.123456789", "69", "60", "veth0", "0x00000002", ""],
        ["1700000000.123456790", "70", "61", "veth0", "", "grün"],
    ]
    known = subprocess.run(
        [require_peer("capinfos"), path],
        capture_output=True, text=True, check=True, timeout=PATIENCE_S,
    ).stdout  # fmt: skip
    assert "Number of stat entries = 1" in known
