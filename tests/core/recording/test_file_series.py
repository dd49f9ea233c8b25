"""Rotation with exact bounds, the ring, and files that are whole whatever happens."""

from __future__ import annotations

import itertools
import os
import resource
import signal
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.decode.capture_statistics import CaptureStatistics
from core.files.byte_order import STATISTICS
from core.files.reader import open_capture
from core.recording.file_series import FileSeries, RecordingError
from core.recording.plan import FileNaming, RecordingPlan, Rotation
from tests.core.recording.made import (
    ETH0,
    SECOND_NS,
    TUN0,
    joined,
    numbered,
    numbers_by_file,
    numbers_in,
)

PACKETS = 500
NAMES = ["t.pcapng", "t.pcap", "t.pcapng.gz", "t.pcapng.zst", "t.pcap.gz"]


def rotating(path: Path, **bounds: float) -> RecordingPlan:
    """Return a plan that numbers files as tcpdump: names that depend on no clock."""
    return RecordingPlan(path, Rotation(**bounds), FileNaming.TCPDUMP, is_numbered=True, digits=4)


def record(plan: RecordingPlan, packets: int = PACKETS, each: int = 70) -> FileSeries:
    """Record numbered packets in batches of `each`, and close the files."""
    series = FileSeries(plan)
    for first in range(0, packets, each):
        series.write(numbered(first, min(each, packets - first)), [ETH0])
    series.close()
    return series


@pytest.mark.parametrize("name", NAMES)
def test_one_file_holds_all_packets(tmp_path, name):
    series = record(RecordingPlan(tmp_path / name))
    assert numbers_in(tmp_path / name) == list(range(PACKETS))
    assert (series.packets, series.saved, series.files) == (PACKETS, PACKETS, 1)
    assert series.size == (tmp_path / name).stat().st_size
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_a_compression_that_is_not_written_is_refused(tmp_path):
    with pytest.raises(OSError, match=r"rawscope writes no \.lz4 files"):
        FileSeries(RecordingPlan(tmp_path / "t.pcap.lz4"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("each", [1, 70, PACKETS])
def test_each_file_has_as_many_packets_as_wanted(tmp_path, name, each):
    record(rotating(tmp_path / name, packets=33), each=each)
    files = numbers_by_file(tmp_path.iterdir())
    assert joined(files) == list(range(PACKETS))
    assert [len(numbers) for numbers in files] == [33] * 15 + [5]


@pytest.mark.parametrize("name", ["t.pcapng", "t.pcap"])
@pytest.mark.parametrize("each", [1, 70, PACKETS])
def test_a_file_ends_with_the_packet_that_reaches_its_size(tmp_path, name, each):
    record(rotating(tmp_path / name, size_bytes=2_000), each=each)
    paths = sorted(tmp_path.iterdir())
    one = 108 if name == "t.pcapng" else 76  # bytes of a packet in the file
    assert joined(numbers_by_file(paths)) == list(range(PACKETS))
    for path in paths[:-1]:
        assert 2_000 <= path.stat().st_size < 2_000 + one
    assert paths[-1].stat().st_size < 2_000 + one


@pytest.mark.parametrize("name", ["t.pcapng.gz", "t.pcapng.zst"])
def test_the_size_of_a_compressed_file_is_that_on_the_disk(tmp_path, name):
    """The bytes are random, so each packet takes its own length on the disk."""
    rng = np.random.default_rng(1)
    series = FileSeries(rotating(tmp_path / name, size_bytes=8_000))
    for first in range(0, PACKETS, 100):
        batch = numbered(first, 100)
        noise = rng.integers(0, 256, len(batch.data), np.uint8)
        for offset in batch.offset.tolist():
            noise[offset : offset + 4] = batch.data[offset : offset + 4]
        series.write(replace(batch, data=noise), [ETH0])
    series.close()
    paths = sorted(tmp_path.iterdir())
    assert joined(numbers_by_file(paths)) == list(range(PACKETS))
    for path in paths[:-1]:
        assert 8_000 <= path.stat().st_size < 8_000 + 600


def test_bounds_hold_over_a_hundred_rotations_and_a_restart(tmp_path):
    plan = rotating(tmp_path / "t", size_bytes=1_000, ring_files=5)
    most = []
    for _ in range(2):
        series = FileSeries(replace(plan, replace=True))
        for first in range(0, 1_000, 10):
            series.write(numbered(first, 10), [ETH0])
            most.append(len(list(tmp_path.iterdir())))
        series.close()
        assert series.files > 100
        kept = joined(numbers_by_file(tmp_path.iterdir()))
        assert sorted(kept) == list(range(1_000 - len(kept), 1_000))
    assert max(most) == 5
    assert {path.name for path in tmp_path.iterdir()} == {f"t{n:04}" for n in range(5)}


def test_a_ring_removes_only_its_own_files(tmp_path):
    """Somebody moves a file of the ring, and puts another in its place."""
    series = FileSeries(rotating(tmp_path / "t", packets=10, ring_files=2))
    series.write(numbered(0, 15), [ETH0])
    (tmp_path / "t0000").rename(tmp_path / "moved")
    (tmp_path / "t0000").write_text("of somebody else")
    with pytest.raises(RecordingError, match="t0000 exists: --force replaces it"):
        series.write(numbered(15, 10), [ETH0])
    series.abandon()
    assert numbers_in(tmp_path / "moved") == list(range(10))
    assert (tmp_path / "t0000").read_text() == "of somebody else"


@pytest.mark.parametrize("step_s", [-3600, 0, 3600])
def test_an_interval_divides_packets_by_their_time(tmp_path, step_s):
    """Also after a step of the clock: the periods stay whole."""
    series = FileSeries(rotating(tmp_path / "t", interval_s=2))
    series.write(numbered(1, 10, step_ns=SECOND_NS // 2), [ETH0])
    after = numbered(11, 8, step_ns=SECOND_NS // 2)
    after = replace(after, timestamp_ns=after.timestamp_ns + step_s * SECOND_NS)
    series.write(after, [ETH0])
    series.close()
    files = numbers_by_file(tmp_path.iterdir())
    assert files[:2] == [[1, 2, 3], [4, 5, 6, 7]]
    assert joined(files) == list(range(1, 19))
    if step_s == 0:
        assert files[2:] == [[8, 9, 10, 11], [12, 13, 14, 15], [16, 17, 18]]
    else:
        assert files[2:] == [[8, 9, 10], [11], [12, 13, 14, 15], [16, 17, 18]]


def test_a_duration_counts_from_the_opening_of_each_file(tmp_path):
    now = [100.0]
    series = FileSeries(rotating(tmp_path / "t", duration_s=1.5), clock=lambda: now[0])
    for number in range(8):
        series.write(numbered(number, 1), [ETH0])
        now[0] += 0.5
    series.close()
    assert numbers_by_file(tmp_path.iterdir()) == [[0, 1, 2], [3, 4, 5], [6, 7]]


def test_a_duration_without_a_clock_counts_on_the_times_of_packets(tmp_path):
    series = FileSeries(rotating(tmp_path / "t", duration_s=1.5), clock=None)
    series.write(numbered(0, 8, step_ns=SECOND_NS // 2), [ETH0])
    series.close()
    assert numbers_by_file(tmp_path.iterdir()) == [[0, 1, 2], [3, 4, 5], [6, 7]]


def test_a_recording_is_complete_after_its_files(tmp_path):
    plan = replace(rotating(tmp_path / "t", packets=10), most_files=3)
    series = record(plan)
    assert series.is_complete
    assert (series.packets, series.files) == (30, 3)
    assert joined(numbers_by_file(tmp_path.iterdir())) == list(range(30))


def test_each_file_describes_all_interfaces(tmp_path):
    series = FileSeries(rotating(tmp_path / "t.pcapng", packets=2))
    interfaces = [ETH0]
    series.write(numbered(0, 1), interfaces)
    interfaces.append(TUN0)  # in the middle of a file
    series.write(numbered(1, 3, interface=1), interfaces)
    series.close()
    for path in tmp_path.iterdir():
        with open_capture(str(path)) as reader:
            assert sum(map(len, reader.batches())) == 2
            assert [(one.name, one.link_type) for one in reader.interfaces] == [
                ("eth0", 1), ("tun0", 101)
            ]  # fmt: skip


def test_classic_pcap_ends_at_a_packet_of_another_link_type(tmp_path):
    series = FileSeries(RecordingPlan(tmp_path / "t.pcap"))
    series.write(numbered(0, 2), [ETH0, TUN0])
    mixed = numbered(2, 3)
    mixed.interface[1:] = 1
    with pytest.raises(RecordingError, match="holds one link type"):
        series.write(mixed, [ETH0, TUN0])
    series.abandon()
    assert numbers_in(tmp_path / "t.pcap") == [0, 1, 2]


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_without_packets_is_a_capture(tmp_path, name):
    FileSeries(RecordingPlan(tmp_path / name)).close()
    assert numbers_in(tmp_path / name) == []


def test_interfaces_are_described_before_the_first_packet(tmp_path):
    """Some readers refuse a file without interfaces."""
    series = FileSeries(RecordingPlan(tmp_path / "t.pcapng"))
    series.describe([ETH0])
    series.describe([ETH0, TUN0])
    with open_capture(str(tmp_path / "t.pcapng")) as reader:
        assert [len(batch) for batch in reader.batches()] == []
        assert [interface.name for interface in reader.interfaces] == ["eth0", "tun0"]
    series.close()


@pytest.mark.parametrize("name", ["t.pcapng", "t.pcapng.gz", "t.pcap"])
def test_each_file_ends_with_the_statistics_that_are_known(tmp_path, name):
    """Of two interfaces with one name, the newer one gets them."""
    series = FileSeries(rotating(tmp_path / name, packets=2))
    for first in (0, 2):
        series.statistics = {"eth0": CaptureStatistics(first + 5, first), "wlan0": LATE}
        series.write(numbered(first, 2), [ETH0, TUN0, ETH0])
    series.close()
    for number, counts in enumerate([(5, 0), (7, 2)]):
        with open_capture(str(tmp_path / f"{name}{number:04}")) as reader:
            assert sum(map(len, reader.batches())) == 2
            found = [block.body for block in reader.blocks if block.kind == STATISTICS]
        expected = [] if name == "t.pcap" else [(2, *counts)]
        assert [statistics_of(body) for body in found] == expected


LATE = CaptureStatistics(1, 1)


def statistics_of(body: bytes) -> tuple[int, ...]:
    """Return interface, received, and dropped of a statistics block."""
    (interface,) = struct.unpack_from("=I", body)
    return interface, *struct.unpack("=xxxxQxxxxQxxxx", body[12:])


# -- faults ------------------------------------------------------------------------------------


@contextmanager
def room(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size` bytes (EFBIG, getrlimit(2))."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def _fill(series: FileSeries) -> None:
    """Record without an end, with a checkpoint after each batch."""
    for first in itertools.count(0, 70):
        series.write(numbered(first, 70), [ETH0])
        series.checkpoint()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [10_000, 10_007, 10_240])
def test_a_failed_write_leaves_whole_packets(tmp_path, name, size):
    """Of a compressed file, those before the last second."""
    path = tmp_path / name
    series = FileSeries(RecordingPlan(path))
    with room(size), pytest.raises(RecordingError, match=f"{name}: File too large"):
        _fill(series)
    series.abandon()
    numbers = numbers_in(path)  # raises if the file is damaged
    with open_capture(str(path)) as reader:
        assert sum(map(len, reader.batches())) == len(numbers)
        assert not reader.damaged
    assert numbers == list(range(series.saved))
    assert series.saved > 50
    if name in ("t.pcapng", "t.pcap"):
        one = 108 if name == "t.pcapng" else 76
        assert size - one < path.stat().st_size <= size


def test_a_next_file_that_cannot_be_created_ends_the_recording(tmp_path):
    series = FileSeries(rotating(tmp_path / "t", packets=10))
    series.write(numbered(0, 10), [ETH0])
    (tmp_path / "t0001").mkdir()
    with pytest.raises(RecordingError, match="t0001 is a directory"):
        series.write(numbered(10, 1), [ETH0])
    series.abandon()
    assert numbers_in(tmp_path / "t0000") == list(range(10))


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: path.write_text("old"), "File exists"),
        (lambda path: path.symlink_to("/etc/passwd"), "is a symbolic link"),
        (os.mkfifo, "is a FIFO"),
        (lambda path: path.mkdir(), "is a directory"),
    ],
    ids=["file", "link", "FIFO", "directory"],
)
def test_a_name_that_exists_is_refused_at_once(tmp_path, make: Callable[[Path], None], why):
    path = tmp_path / "t.pcapng"
    make(path)
    with pytest.raises(OSError, match=why):
        FileSeries(RecordingPlan(path))
    with pytest.raises(OSError, match="No such file"):
        FileSeries(RecordingPlan(tmp_path / "none" / "t.pcapng"))
