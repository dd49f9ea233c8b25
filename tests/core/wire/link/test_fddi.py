"""FDDI frames: with IP in LLC and SNAP, and those of the ring itself."""

from __future__ import annotations

import pytest

from core.wire.dissect import dissect
from core.wire.link.link_types import LinkType
from core.wire.present.summary import summarize
from tests.core.decode import frames

HEADER = bytes.fromhex("00d4cd596f1000074a016e00")
SNAP_IPV4 = bytes.fromhex("aaaa030000000800")
DATAGRAM = frames.ipv4(frames.udp(b"x"), 17)


@pytest.mark.parametrize("control", [0x50, 0x51, 0x57, 0xD0])
def test_frames_of_stations_carry_llc(control: int) -> None:
    data = bytes((control,)) + HEADER + SNAP_IPV4 + DATAGRAM
    found = dissect(data, LinkType.FDDI, len(data))
    assert [layer.name for layer in found.layers] == ["fddi", "llc", "ip", "udp"]
    assert found.layers[0].value(data, "dst") == int.from_bytes(HEADER[:6], "big")
    assert found.stop is None


@pytest.mark.parametrize("control", [0x00, 0x41, 0x80, 0xC2])
def test_frames_of_the_ring_end_after_the_addresses(control: int) -> None:
    data = bytes((control,)) + HEADER + bytes(10)
    found = dissect(data, LinkType.FDDI, len(data))
    assert [layer.name for layer in found.layers] == ["fddi"]
    summary = summarize(found)
    assert (summary.source, summary.destination) == ("00:07:4a:01:6e:00", "00:d4:cd:59:6f:10")
    assert f"0x{control:02x}" in summary.info
