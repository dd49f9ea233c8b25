"""``dump --json``: by columns and by packet, the objects are the same."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from app.cli.dump import json_columns
from app.cli.dump.json_lines import JsonLines
from app.cli.dump.line_format import ChunkPart
from core.analysis.filter.values.chunk_values import ChunkValues
from core.analysis.filter.values.frame_values import CaptureContext
from core.decode.batch import CaptureInterface
from core.decode.batch_decoder import decode_batch
from core.store.captured_packet import packets_of
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from core.wire.model.dissection import PacketFlag
from core.wire.protocol import SequenceBases
from tests.app.cli.dump.test_field_lines import parts_of
from tests.app.made import SYN, udp_frame
from tests.bench.traffic.mixed import frames
from tests.core.analysis.filter.values.test_occurrences import COVER
from tests.core.decode.frames import arp_frame, ethernet, ipv4, ipv6, tcp
from tests.core.decode.support import batch_of
from tests.helpers.support import captures_dir

ODD_NAME = 'e"th\\0'
SACK = bytes.fromhex("0101050a0000000100000002") + bytes.fromhex("01010512") + bytes(range(16))


def part_of(
    packets: Sequence[bytes], link_type: int = LinkType.ETHERNET, flags: Sequence[int] | None = None
) -> ChunkPart:
    """Return some frames of one interface as the rows of a chunk."""
    times = [1_700_000_000_000_000_000 + index for index in range(len(packets))]
    batch = batch_of(packets, gap=3, times_ns=times, flags=flags or [0] * len(packets))
    chunk = decode_batch(batch, np.array([link_type], np.int32), 7)
    context = CaptureContext([CaptureInterface(ODD_NAME, link_type)])
    rows = np.arange(len(chunk))
    return ChunkPart(
        chunk, context, ChunkValues(chunk, context), rows, SequenceBases.unknown(len(chunk))
    )


def written(part: ChunkPart, *, raw: bool = False) -> list[str | None]:
    """Return the object of each packet by columns, after comparing it with the packet path."""
    line_format = JsonLines(raw)
    lines = [line for block in line_format.lines(part) for line in block]
    packets = packets_of(part.chunk, part.interfaces, part.chunk.first, part.rows)
    for line, row, packet in zip(lines, part.rows.tolist(), packets, strict=True):
        if line is not None:
            assert line == line_format(packet, part.bases.of(row))
    return lines


def segment(options: bytes, payload: bytes = b"", sequence: int = 1) -> bytes:
    """Return a TCP segment with these options, its checksum not right."""
    head = bytearray(tcp(sequence=sequence))
    head[12] = (20 + len(options)) // 4 << 4
    return bytes(head) + options + payload


@pytest.mark.corpus
@pytest.mark.parametrize("raw", [False, True])
def test_columns_equal_the_packet_path_in_captures(raw: bool) -> None:
    count = by_columns = 0
    for path in islice(COVER, int(raw), None, 2):
        for part in parts_of(captures_dir() / "files" / path):
            lines = written(part, raw=raw)
            count += len(lines)
            by_columns += sum(line is not None for line in lines)
    assert by_columns > count / 2


@pytest.mark.parametrize("raw", [False, True])
def test_mixed_packets(raw: bool) -> None:
    """All but those with a wrong checksum are written by columns."""
    lines = written(part_of(frames()), raw=raw)
    assert sum(line is None for line in lines) == sum(number % 100 == 1 for number in range(1000))


def test_some_rows_of_a_chunk_keep_their_numbers() -> None:
    part = part_of(frames()[:60])
    whole = written(part)
    for rows in ([5], [3, 4, 5, 6], [0, 7, 30, 59]):
        chosen = replace(part, rows=np.array(rows))
        assert written(chosen) == [whole[row] for row in rows]


@pytest.mark.parametrize(
    "flag", [0, PacketFlag.CHECKSUM_NOT_READY], ids=["verified", "left to the card"]
)
def test_options_have_one_shape_for_each_layout(flag: int) -> None:
    """Values differ, kinds and lengths do not; a list of several values is a list."""
    mss, timestamps = bytes.fromhex("020405b4"), bytes.fromhex("0101080a0000000100000002")
    bodies = [
        segment(mss), segment(timestamps), segment(SACK), segment(timestamps, b"x", 9),
        segment(bytes.fromhex("0101080affffffff00000009"), b"y", 8), segment(mss + b"\0\0\0\0"),
        segment(bytes.fromhex("0209ffff")),  # a length that does not fit
    ]  # fmt: skip
    made = [ethernet(ipv4(body, IpProtocol.TCP)) for body in bodies]
    lines = written(part_of(made, flags=[flag] * len(made)))
    if flag:  # offloaded, and not bad
        assert [line is None for line in lines] == [False] * 6 + [True]
        assert json.loads(lines[2] or "")["tcp.options.sack_le"] == [1, 0x00010203, 0x08090A0B]


def test_link_headers() -> None:
    datagram = udp_frame(b"data")[14:]
    cooked = struct.pack(">HHH8sH", 0, 1, 6, b"\2\0\0\0\0\1\0\0", EtherType.IPV4)
    other_cooked = struct.pack(">HHH8sH", 4, 772, 6, bytes(8), EtherType.IPV4)
    tagged = ethernet(datagram, tags=1)
    for packets, link_type in (
        ([cooked + datagram, other_cooked + datagram], LinkType.LINUX_SLL),
        ([tagged, tagged[:14] + b"\x20\x07" + tagged[16:], SYN, arp_frame()], LinkType.ETHERNET),
        ([datagram, datagram], LinkType.RAW),
        ([b"\2\0\0\0" + datagram, b"\0\0\0\2" + datagram], LinkType.NULL),
    ):
        assert None not in written(part_of(packets, link_type)), link_type


def test_tunnels_and_cut_packets_are_left_to_the_packet_path() -> None:
    inner = ipv4(tcp(), IpProtocol.TCP)
    tunnel = ethernet(ipv4(inner, IpProtocol.IPV4))
    routed = ethernet(ipv6(bytes(8) + tcp(six=True), 43), EtherType.IPV6)
    for packet in (tunnel, routed, SYN[:40], ethernet(b"", 0x88CC), udp_frame(b"x")[:-1]):
        lines = written(part_of([packet, SYN]))
        assert lines[0] is None or packet == udp_frame(b"x")[:-1]
        assert lines[1] is not None


def test_shapes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_columns, "SHAPES", 3)
    columns = json_columns.JsonColumns(raw=False)
    part = part_of(frames()[:40])
    whole = written(part)
    for _ in range(3):
        assert columns.lines(part, part.rows) == whole
        assert sum(map(len, columns.shapes.values())) <= 3
