"""Find the frames of handmade blocks, also of packets that contain what the scan looks for."""

from __future__ import annotations

import socket
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.capture import block_chain
from core.capture.block_chain import FAMILY_AT, frame_offsets

FIRST = 48
HEADER = 88


def block_of(contents: list[bytes]) -> tuple[NDArray[np.uint8], list[int]]:
    """Return a block with a frame of each content, and the offsets of the frames."""
    data, places = bytearray(FIRST), []
    for number, content in enumerate(contents):
        places.append(len(data))
        size = HEADER + len(content) + (-len(content) & 7)
        distance = 0 if number == len(contents) - 1 else size
        header = struct.pack("=I", distance).ljust(FAMILY_AT, b"\0")
        header += struct.pack("=H", socket.AF_PACKET)
        data += (header.ljust(HEADER, b"\0") + content).ljust(size, b"\0")
    return np.frombuffer(bytes(data), np.uint8), places


def fake(distance: int) -> bytes:
    """Return what looks like a frame that begins a content."""
    header = struct.pack("=I", distance & 0xFFFF_FFFF).ljust(FAMILY_AT, b"\0")
    return header + struct.pack("=H", socket.AF_PACKET)


FAKES = [fake(distance) for distance in (0, 8, 56, 144, 1 << 20, (1 << 32) - 8)]
FAMILIES = struct.pack("=H6x", socket.AF_PACKET) * 20
CONTENTS = st.binary(max_size=90) | st.sampled_from([*FAKES, FAMILIES, FAKES[2] * 3])


@given(st.lists(CONTENTS, min_size=1, max_size=40))
def test_every_frame_is_found(contents: list[bytes]) -> None:
    data, places = block_of(contents)
    assert frame_offsets(data, FIRST, len(contents)).tolist() == places


def test_a_scan_finds_small_frames_without_following_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(block_chain, "_followed")
    data, places = block_of([bytes(60), FAKES[0], FAKES[1], *FAKES[4:], bytes(1000)] * 50)
    assert frame_offsets(data, FIRST, len(places)).tolist() == places


@pytest.mark.parametrize("distance", [HEADER + 56, 2 * (HEADER + 56)])
def test_a_packet_that_imitates_the_chain_is_not_a_frame(distance: int) -> None:
    """A content that leads to a real frame, and one that another content leads to."""
    inner = fake(HEADER + 56) + bytes(6)
    data, places = block_of([inner, fake(distance) + bytes(6), inner, bytes(60)] * 20)
    assert frame_offsets(data, FIRST, len(places)).tolist() == places


def test_large_frames_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(block_chain, "_scanned")
    data, places = block_of([bytes(1500)] * 9)
    assert frame_offsets(data, FIRST, 9).tolist() == places


def test_frames_without_a_family_are_followed() -> None:
    """If a kernel leaves out what the scan looks for, the chain leads to the frames."""
    data, places = block_of([bytes(60)] * 9)
    changed = data.copy()
    for place in places[::2]:
        changed[place + FAMILY_AT] = 0
    assert frame_offsets(changed, FIRST, 9).tolist() == places
