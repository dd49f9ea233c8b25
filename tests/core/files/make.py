"""Build capture files byte by byte for tests, correct ones and damaged ones."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from core.files.reader import CaptureReader, open_capture

FRAME = bytes(range(60))
SECOND = 1_700_000_000


def pcap_header(
    order: str = "<",
    magic: int = 0xA1B2C3D4,
    version: tuple[int, int] = (2, 4),
    snap_length: int = 262_144,
    network: int = 1,
) -> bytes:
    return struct.pack(order + "IHHiIII", magic, *version, 0, 0, snap_length, network)


def pcap_record(
    data: bytes = FRAME,
    order: str = "<",
    seconds: int = SECOND,
    fraction: int = 0,
    captured: int | None = None,
    original: int | None = None,
    extra: bytes = b"",
) -> bytes:
    captured = len(data) if captured is None else captured
    original = captured if original is None else original
    return struct.pack(order + "IIII", seconds, fraction, captured, original) + extra + data


def block(kind: int, body: bytes, order: str = "<", length: int | None = None) -> bytes:
    """Return a pcapng block; `length` replaces the length at both ends."""
    body += bytes(-len(body) % 4)
    told = len(body) + 12 if length is None else length
    return struct.pack(order + "II", kind, told) + body + struct.pack(order + "I", told)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order: str = "<", options: bytes = b"", version: tuple[int, int] = (1, 0)) -> bytes:
    body = struct.pack(order + "IHHq", 0x1A2B3C4D, *version, -1)
    return block(0x0A0D0D0A, body + options, order)


def interface(
    order: str = "<", link_type: int = 1, snap_length: int = 0, options: bytes = b""
) -> bytes:
    return block(1, struct.pack(order + "HHI", link_type, 0, snap_length) + options, order)


def enhanced(
    data: bytes = FRAME,
    order: str = "<",
    number: int = 0,
    stamp: int = SECOND * 1_000_000,
    original: int | None = None,
    captured: int | None = None,
    options: bytes = b"",
) -> bytes:
    captured = len(data) if captured is None else captured
    original = captured if original is None else original
    head = struct.pack(order + "IIIII", number, stamp >> 32, stamp & 0xFFFFFFFF, captured, original)
    return block(6, head + data + bytes(-len(data) % 4) + options, order)


def simple(data: bytes = FRAME, order: str = "<", original: int | None = None) -> bytes:
    original = len(data) if original is None else original
    return block(3, struct.pack(order + "I", original) + data, order)


def obsolete(
    data: bytes = FRAME, order: str = "<", number: int = 0, stamp: int = 0, options: bytes = b""
) -> bytes:
    head = struct.pack(
        order + "HHIIII", number, 0xFFFF, stamp >> 32, stamp & 0xFFFFFFFF, len(data), len(data)
    )
    return block(2, head + data + bytes(-len(data) % 4) + options, order)


class Read:
    """All results of reading a capture to its end, as Python lists."""

    def __init__(self, reader: CaptureReader) -> None:
        self.frames: list[bytes] = []
        self.times: list[int] = []
        self.original: list[int] = []
        self.interface: list[int] = []
        self.flags: list[int] = []
        self.sizes: list[int] = []
        self.comments: dict[int, Sequence[str]] = {}
        with reader:
            for batch in reader.batches():
                before = len(self.frames)
                self.comments |= {before + row: texts for row, texts in batch.comments.items()}
                self.sizes.append(len(batch))
                spans = zip(batch.offset.tolist(), batch.captured.tolist(), strict=True)
                self.frames += [batch.data[at : at + n].tobytes() for at, n in spans]
                self.times += batch.timestamp_ns.tolist()
                self.original += batch.original.tolist()
                self.interface += batch.interface.tolist()
                self.flags += batch.flags.tolist()
            self.interfaces = list(reader.interfaces)
            self.notes = list(reader.notes)
            self.damaged = reader.damaged
            self.format = reader.format
            self.compression = reader.compression


def read(path: Path, content: bytes) -> Read:
    """Write `content` to `path` and read it as a capture."""
    path.write_bytes(content)
    return Read(open_capture(path))
