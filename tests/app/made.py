"""Handmade frames and capture files for tests."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

TIME_NS = 1700000000_123456789

# The packet of PRODUCT.md's JSON example: a SYN on loopback whose checksum the kernel left to do.
SYN = bytes.fromhex(
    "000000000000000000000000" "0800"
    "4500003c12674000400600007f0000017f000001"
    "9c401b5f0000000100000000a002ffd7fe300000"
    "0204ffd70402080a00000001000000000103030a"
)  # fmt: skip


def _with_ip_checksum(frame: bytes) -> bytes:
    total = sum(struct.unpack(">10H", frame[14:34]))
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return frame[:24] + struct.pack(">H", total ^ 0xFFFF) + frame[26:]


SYN = _with_ip_checksum(SYN)


def udp_frame(payload: bytes, port: int = 9) -> bytes:
    """Return Ethernet, IPv4, and UDP without a checksum, on loopback."""
    length = 28 + len(payload)
    header = struct.pack(">BBHHHBBHII", 0x45, 0, length, 1, 0, 64, 17, 0, 0x7F000001, 0x7F000001)
    udp = struct.pack(">HHHH", 40000, port, length - 20, 0)
    return _with_ip_checksum(bytes(12) + b"\x08\x00" + header + udp + payload)


def pcap_header() -> bytes:
    """Return a nanosecond pcap file header for Ethernet."""
    return struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)


def pcap_record(frame: bytes, time_ns: int = TIME_NS) -> bytes:
    """Return one packet record of such a file."""
    seconds, rest = divmod(time_ns, 10**9)
    return struct.pack("<IIII", seconds, rest, len(frame), len(frame)) + frame


def capture_of(path: Path, frames: Sequence[bytes], times_ns: Sequence[int] | None = None) -> str:
    """Write a pcap file and return its name."""
    times = times_ns or [TIME_NS] * len(frames)
    records = (pcap_record(frame, time) for frame, time in zip(frames, times, strict=True))
    path.write_bytes(pcap_header() + b"".join(records))
    return str(path)
