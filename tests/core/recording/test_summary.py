"""The summary of recordings that the monitor prints after the screen is gone."""

from __future__ import annotations

import pytest

from core.recording.state import RecordingState, RecordingStatus
from core.recording.summary import summary


@pytest.mark.parametrize(
    ("status", "packets", "lost", "cause", "line"),
    [
        (RecordingStatus.ENDED, 1234, 0, "", "1,234 packets saved in t.pcap"),
        (RecordingStatus.COMPLETE, 1, 0, "", "1 packet saved in t.pcap"),
        (RecordingStatus.ENDED, 5, 2, "", "t.pcap: the disk was too slow; 5 packets saved, 2 lost"),
        (
            RecordingStatus.FAILED, 5, 2, "t.pcap: the disk is full",
            "recording stopped: t.pcap: the disk is full; 5 packets saved, 2 lost",
        ),
        (
            RecordingStatus.RECORDING, 5, 0, "",
            "t.pcap: the disk took too long; 5 packets saved, 0 lost, and those that still waited",
        ),
    ],
)  # fmt: skip
def test_lines(status, packets, lost, cause, line):
    state = RecordingState(status, "t.pcap", 9, 1, packets, lost, cause)
    assert summary(state) == (line, " saved in " in line)
