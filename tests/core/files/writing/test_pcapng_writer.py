"""The pcapng writer: rawscope and tshark read its files back."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from core.files.reader import open_capture
from core.files.writing.pcapng_writer import PcapngWriter
from core.wire.link.link_types import LinkType
from core.wire.model.dissection import PacketFlag
from tests.helpers.support import require_peer
from tests.helpers.waiting import PATIENCE_S

TIME_NS = 1_700_000_000_123_456_789


def write(path: Path, packets: int = 2) -> None:
    with PcapngWriter(path) as writer:
        number = writer.add_interface("veth0", LinkType.ETHERNET, 262144, "a test")
        for index in range(packets):
            writer.write(
                bytes(range(20 + index)),
                timestamp_ns=TIME_NS + index,
                interface=number,
                original_length=100,
                flags=PacketFlag.OUTBOUND | PacketFlag.OURS,
                comments=(f"number {index}", "grün"),
            )


def read(path: Path) -> tuple[list[bytes], list[int], list[int], list[str]]:
    """Return frames, times, flags and comments; the file must be whole."""
    frames: list[bytes] = []
    times: list[int] = []
    flags: list[int] = []
    comments: list[str] = []
    with open_capture(path) as reader:
        for batch in reader.batches():
            ends = zip(batch.offset.tolist(), batch.captured.tolist(), strict=True)
            frames += [batch.data[at : at + size].tobytes() for at, size in ends]
            times += batch.timestamp_ns.tolist()
            flags += batch.flags.tolist()
            comments += [text for texts in batch.comments.values() for text in texts]
        assert not reader.damaged, reader.notes
    return frames, times, flags, comments


def test_written_packets_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    write(path)
    frames, times, flags, comments = read(path)
    assert frames == [bytes(range(20)), bytes(range(21))]
    assert times == [TIME_NS, TIME_NS + 1]
    assert flags == [PacketFlag.OUTBOUND] * 2
    assert comments == ["number 0", "grün", "number 1", "grün"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_tshark_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    write(path)
    fields = ("frame.time_epoch", "frame.len", "frame.cap_len", "frame.interface_name",
              "frame.packet_flags")  # fmt: skip
    arguments = [word for field in fields for word in ("-e", field)]
    answer = subprocess.run(
        [require_peer("tshark"), "-r", path, "-T", "fields", *arguments],
        capture_output=True, text=True, check=True, timeout=PATIENCE_S,
    )  # fmt: skip
    first = answer.stdout.splitlines()[0].split("\t")
    assert first == ["1700000000.123456789", "100", "20", "veth0", "0x00000002"]


@pytest.mark.parametrize("cut", [*range(1, 60), 100])
def test_a_writer_continues_after_the_last_whole_block(tmp_path: Path, cut: int) -> None:
    """The next writer removes any part of the last packet's block and keeps the rest."""
    path = tmp_path / "a.pcapng"
    write(path, packets=3)
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    write(path, packets=1)
    frames, *_ = read(path)
    lost = 1 if cut < 92 else 2
    assert frames == [bytes(range(20 + n)) for n in range(3 - lost)] + [bytes(range(20))]


def test_a_batch_is_written_as_one_by_one(tmp_path: Path) -> None:
    data = np.arange(250, dtype=np.uint8)
    offset, captured = np.array([0, 10, 50, 100]), np.array([60, 61, 62, 63])
    times = TIME_NS + np.arange(4)
    with PcapngWriter(tmp_path / "a") as writer:
        writer.add_interface("x", LinkType.ETHERNET)
        writer.write_many(data, offset, captured, times, PacketFlag.OUTBOUND)
    with PcapngWriter(tmp_path / "b") as writer:
        writer.add_interface("x", LinkType.ETHERNET)
        for at, size, time in zip(offset, captured, times, strict=True):
            frame = data[at : at + size].tobytes()
            writer.write(frame, timestamp_ns=int(time), flags=PacketFlag.OUTBOUND)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_two_writers_can_share_a_file(tmp_path: Path) -> None:
    """Both open it before either has written, and take turns; packets keep their interfaces."""
    path = tmp_path / "a.pcapng"
    first, second = PcapngWriter(path), PcapngWriter(path)
    first.add_interface("one", LinkType.ETHERNET)
    second.add_interface("other", LinkType.RAW)
    for turn in range(3):
        for mark, writer in ((b"1", first), (b"2", second)):
            writer.write(mark * (20 + turn), timestamp_ns=TIME_NS)
            writer.flush()
    first.write(b"last" * 5, timestamp_ns=TIME_NS)
    first.close()
    second.close()
    names = []
    with open_capture(path) as reader:
        for batch in reader.batches():
            names += [reader.interfaces[index].name for index in batch.interface.tolist()]
        assert not reader.damaged, reader.notes
    frames, *_ = read(path)
    assert frames == [m * (20 + n) for n in range(3) for m in (b"1", b"2")] + [b"last" * 5]
    assert names == ["one", "other"] * 3 + ["one"]


def test_half_a_block_of_another_writer_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    with PcapngWriter(path) as writer:
        writer.add_interface("one", LinkType.ETHERNET)
        writer.write(bytes(20), timestamp_ns=TIME_NS)
        writer.flush()
        with path.open("ab") as other:
            other.write(b"\x06\x00\x00\x00\x60\x00\x00\x00half")
        writer.write(bytes(21), timestamp_ns=TIME_NS)
    assert read(path)[0] == [bytes(20), bytes(21)]


@pytest.mark.parametrize("content", [b"somebody else's file", b"\xd4\xc3\xb2\xa1" + bytes(60)])
def test_a_file_of_another_kind_is_left_unchanged(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.pcapng"
    path.write_bytes(content)
    with pytest.raises(OSError, match="not written by rawscope"):
        PcapngWriter(path)
    assert path.read_bytes() == content


def test_a_file_damaged_in_its_middle_is_left_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    write(path, packets=3)
    content = bytearray(path.read_bytes())
    content[4] ^= 0xFF  # the length of the first block
    content[-1] ^= 0xFF  # and of the last one, so the file is walked
    path.write_bytes(content)
    with pytest.raises(OSError, match="damaged at byte 0"):
        PcapngWriter(path)
    assert path.read_bytes() == content


def test_a_failed_write_leaves_whole_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.pcapng"
    real = os.write

    def full(descriptor: int, data: memoryview) -> int:
        if len(data) <= 30:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, data[:-30])

    with PcapngWriter(path) as writer:
        writer.add_interface("one", LinkType.ETHERNET)
        writer.write(bytes(20), timestamp_ns=TIME_NS)
        writer.flush()
        writer.write(bytes(64), timestamp_ns=TIME_NS)
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            with pytest.raises(OSError, match="No space"):
                writer.flush()
        writer.write(bytes(22), timestamp_ns=TIME_NS)
    assert read(path)[0] == [bytes(20), bytes(22)]


def test_comments_with_lone_surrogates_or_a_cut_character(tmp_path) -> None:
    path = tmp_path / "x.pcapng"
    with PcapngWriter(path) as writer:
        number = writer.add_interface("lo", 1)
        for comment in ("a\udcffb", "é" * 40_000):
            writer.write(b"x", timestamp_ns=1, interface=number, comments=(comment,))
            writer.remark(number, 1, comment)
    with open_capture(path) as reader:
        told = [text for batch in reader.batches() for said in batch.comments.values()
                for text in said]  # fmt: skip
    assert told[0] == "a\\udcffb"
    assert set(told[1]) == {"é"}
