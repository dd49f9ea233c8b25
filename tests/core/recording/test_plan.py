"""The names of recorded files are those of dumpcap and tcpdump."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from core.recording.plan import FileNaming, RecordingPlan, Rotation

NOON = time.struct_time((2026, 11, 30, 12, 0, 5, 0, 334, 0))


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("t.pcapng", "t_00003_20261130120005.pcapng"),
        ("t", "t_00003_20261130120005"),
        ("t.pcapng.gz", "t_00003_20261130120005.pcapng.gz"),
        ("a.b.pcap", "a.b_00003_20261130120005.pcap"),
    ],
)
def test_names_of_dumpcap(name, wanted):
    plan = RecordingPlan(Path(name), Rotation(size_bytes=1), FileNaming.DUMPCAP)
    assert plan.file_name(2, NOON) == wanted


@pytest.mark.parametrize(
    ("files", "digits", "wanted"),
    [(None, 0, ["t", "t1", "t2", "t3"]), (3, 1, ["t0", "t1", "t2", "t0"]),
     (11, 2, ["t00", "t01", "t02", "t03"])],
)  # fmt: skip
def test_numbers_of_tcpdump(files, digits, wanted):
    rotation = Rotation(size_bytes=1, ring_files=files)
    plan = RecordingPlan(Path("t"), rotation, FileNaming.TCPDUMP, is_numbered=True, digits=digits)
    assert [plan.file_name(index, NOON) for index in range(4)] == wanted


def test_times_of_tcpdump():
    plan = RecordingPlan(
        Path("t-%H%M%S.pcap"), Rotation(duration_s=1), FileNaming.TCPDUMP, is_timed=True
    )
    assert plan.file_name(7, NOON) == "t-120005.pcap"
