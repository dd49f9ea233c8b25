"""The frame's own row of the detail tree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.decode.batch import CaptureInterface
from core.store.captured_packet import CapturedPacket
from core.store.frame_detail import frame_row, seconds_text, seconds_texts, time_text
from core.wire.model.dissection import PacketFlag, Verdict
from core.wire.present.detail_row import Row, Severity

TIME = 1_700_000_000_123_456_789


def _packet(
    captured: int = 74, original: int = 74, flags: int = 0, name: str = "lo"
) -> CapturedPacket:
    interface = CaptureInterface(name, 1)
    data = bytes(captured)
    return CapturedPacket(12, data, original, TIME, interface, flags, Verdict.NONE, Verdict.NONE)


def _texts(row: Row) -> dict[str, str]:
    return {child.key: child.value for child in row.children}


def test_the_details_of_a_frame():
    """Times, lengths, interface and link type."""
    row = frame_row(_packet(), TIME - 2_000_000_000, TIME - 1_000)
    assert (row.key, row.label, row.value) == ("frame", "Frame 12", "74 bytes")
    assert row.is_layer
    assert row.severity is Severity.NONE
    assert _texts(row) == {
        "frame.time_utc": "2023-11-14 22:13:20.123456789 UTC",
        "frame.time_delta": "0.000001000 s",
        "frame.time_relative": "2.000000000 s",
        "frame.len": "74 bytes",
        "frame.cap_len": "74 bytes",
        "frame.interface_name": "lo",
        "frame.encap_type": "ETHERNET",
    }


def test_the_first_packet_has_no_packet_before_it():
    """And a clock that steps back gives a negative difference."""
    assert "frame.time_delta" not in _texts(frame_row(_packet(), None, None))
    assert _texts(frame_row(_packet(), None, TIME + 1))["frame.time_delta"] == "-0.000000001 s"


def test_invalid_times_and_lengths_are_shown():
    """Cut short, longer than the wire, a time out of range."""
    cut = frame_row(_packet(captured=60, original=1514), None, None)
    assert cut.value == "1514 bytes on the wire, 60 captured"
    assert cut.severity is Severity.NOTE
    longer = frame_row(_packet(captured=80, flags=PacketFlag.LENGTH_INVALID), None, None)
    assert longer.severity is Severity.WARNING
    odd_time = frame_row(_packet(flags=PacketFlag.TIME_INVALID), None, None)
    assert odd_time.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("flags", "key", "value"),
    [
        (PacketFlag.INBOUND, "frame.direction", "inbound"),
        (PacketFlag.OUTBOUND, "frame.direction", "outbound"),
        (PacketFlag.OURS, "frame.direction", "outbound"),
        (3 << PacketFlag.RECEPTION_SHIFT, "frame.reception", "broadcast"),
        (4 << PacketFlag.FCS_SHIFT, "frame.fcs_length", "4 bytes"),
        (PacketFlag.CHECKSUM_NOT_READY, "frame.checksum_state", "checksum not filled in yet"),
        (PacketFlag.CHECKSUM_VALID, "frame.checksum_state", "checksum accepted"),
        (PacketFlag.SEGMENTED, "frame.segmented", "not yet cut into segments"),
    ],
)
def test_flags_become_rows(flags, key, value):
    """Each only where it is set."""
    assert _texts(frame_row(_packet(flags=flags), None, None))[key] == value
    assert key not in _texts(frame_row(_packet(), None, None))


def test_strings_from_outside_are_made_safe():
    """Comments and interface names come from files."""
    row = frame_row(_packet(name="et\x1b[2Jh"), None, None, ["one\x07", "two"])
    texts = [child.value for child in row.children]
    assert not any("\x1b" in text or "\x07" in text for text in texts)
    assert [child.value for child in row.children if child.key == "frame.comment"][1] == "two"


def test_a_time_that_nobody_told():
    """No date of 1970, and nothing counted from it."""
    untimed = replace(_packet(flags=PacketFlag.TIME_INVALID), timestamp_ns=0)
    row = frame_row(untimed, TIME, TIME)
    (time,) = [child for child in row.children if "time" in child.key]
    assert (time.key, time.value) == ("frame.time_utc", "–")
    assert _texts(frame_row(replace(untimed, flags=0), None, None))["frame.time_utc"].startswith(
        "1970"
    )


def test_times_no_calendar_goes_to():
    """Shown in seconds; and before 1970."""
    assert time_text(10**21) == "1000000000000.000000000 s after 1970"
    assert time_text(-1) == "1969-12-31 23:59:59.999999999"
    assert seconds_text(-1_500_000_000) == "-1.500000000"


@pytest.mark.parametrize("decimals", [0, 3, 6, 9])
def test_many_durations_read_like_one(decimals: int) -> None:
    durations = [0, 1, -1, 999, -1_500, 10**9, -(10**9), 1_000_999_999, 9_007_199_254_740_993_000]
    texts = seconds_texts(np.array(durations), decimals)
    assert texts == [seconds_text(each, decimals) for each in durations]
