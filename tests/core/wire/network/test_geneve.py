"""Geneve: the header, its options, and the same values as in tshark, by columns and one by one."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from core.analysis.filter.display_filter import compile_filter
from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.values.chunk_values import ChunkValues
from core.analysis.filter.values.frame_values import CaptureContext
from core.decode.chunk import Chunk
from core.files.chunks import iter_chunks
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from core.wire.model.dissection import Cause
from tests.app.made import capture_of
from tests.core.analysis.filter.values.reference import dissecting_values, listed
from tests.core.decode.frames import ethernet, ipv4, ipv6, tcp_frame, udp_frame
from tests.core.decode.test_inner_packets import chunk_of
from tests.helpers.support import require_peer
from tests.helpers.waiting import PATIENCE_S

ETHER = EtherType.TRANSPARENT_ETHERNET
LONG = bytes.fromhex("01028001 01020304")
EMPTY = bytes.fromhex("01030540")
LAST = bytes.fromhex("fff00502") + bytes(8)
TOO_LONG = bytes.fromhex("01028005 01020304")
TCP, UDP = tcp_frame(b"GET / HTTP/1.1"), udp_frame(b"payload")


def carried(
    kind: int,
    inner: bytes,
    options: bytes = b"",
    *,
    flags: int = 0,
    words: int | None = None,
    ports: tuple[int, int] = (40_000, 6081),
) -> bytes:
    """Return a UDP datagram with a header and what it carries."""
    words = len(options) // 4 if words is None else words
    header = struct.pack(">BBH", words, flags, kind) + bytes.fromhex("12345600") + options
    return struct.pack(">HHHH", *ports, 16 + len(options + inner), 0) + header + inner


def over_ip(datagram: bytes) -> bytes:
    return ethernet(ipv4(datagram, IpProtocol.UDP))


FRAMES = (
    over_ip(carried(ETHER, UDP)),
    over_ip(carried(EtherType.IPV4, UDP[14:])),
    over_ip(carried(ETHER, TCP, LONG)),
    over_ip(carried(ETHER, TCP, LONG + EMPTY + LAST, flags=0xC0)),
    over_ip(carried(EtherType.IPV6, ipv6(struct.pack(">HHHH", 1, 2, 8, 0), IpProtocol.UDP))),
    over_ip(carried(0x1234, b"abc", EMPTY)),
    over_ip(carried(EtherType.IPV4, TCP[14:], words=64)),  # version 1
    over_ip(carried(EtherType.IPV4, TCP[14:], flags=0x3F)),
    over_ip(carried(EtherType.IPV4, TCP[14:], TOO_LONG)),
    over_ip(carried(EtherType.IPV4, TCP[14:], EMPTY + TOO_LONG)),
    ethernet(ipv6(carried(ETHER, TCP, LAST + LONG), IpProtocol.UDP), EtherType.IPV6),
    over_ip(carried(ETHER, over_ip(carried(ETHER, UDP, LONG)), EMPTY)),
    over_ip(carried(ETHER, TCP, LONG, ports=(6081, 40_000))),
    over_ip(carried(ETHER, UDP, ports=(6081, 6081))),
    UDP,
    TCP,
)
FIELDS = (
    "geneve.version", "geneve.flags", "geneve.flags.oam", "geneve.flags.critical",
    "geneve.flags.reserved", "geneve.proto_type", "geneve.vni", "geneve.reserved",
    "geneve.options", "geneve.option", "geneve.option.class", "geneve.option.type",
    "geneve.option.type.critical", "geneve.option.flags", "geneve.option.flags.reserved",
    "eth.type", "ip.len", "ip.src", "ipv6.nxt", "udp.dstport", "tcp.flags",
)  # fmt: skip
FILTERS = (
    "geneve", "not geneve and ip", "geneve#2", "geneve.vni == 0x123456", "geneve.vni#2 == 1193046",
    "geneve.flags.oam == 1", "geneve.flags == 0xc0", "geneve.flags.reserved == 1",
    "geneve.proto_type == 0x6558", "geneve.proto_type != 0x6558", "geneve.version == 1",
    "geneve.options", "geneve.options contains 01:02:03", "geneve.option.class == 0xfff0",
    "geneve.option.class != 0x0102", "all geneve.option.type == 5", "geneve.option.type > 5",
    "geneve.option.type.critical == 1", "geneve.option.flags == 2", "geneve.option[0:2] == 01:03",
    "count(geneve.option.class) == 3", "geneve.option contains 04", "geneve && tcp.flags.ack == 1",
    "geneve[0] == 0x02", "geneve.option.class in {0x100 .. 0x1ff}", "udp.dstport == 6081 && ipv6",
    "ip.src#2", "geneve.option.flags.reserved == 1", "frame.protocols contains \"geneve:eth\"",
)  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> str:
    return capture_of(tmp_path / "geneve.pcap", FRAMES)


@pytest.fixture
def chunk(path: str) -> Chunk:
    (found,) = iter_chunks(path)
    return found


def test_columns_and_dissections_agree(chunk: Chunk) -> None:
    context = CaptureContext()
    values, dissected = ChunkValues(chunk, context), dissecting_values(chunk, context)
    for field in CATALOG:
        if field.name.startswith("geneve") or field.name in FIELDS:
            found, expected = (
                listed(each.occurrences(field.name, with_layers=True))
                for each in (values, dissected)
            )
            assert found == expected, field.name
            found, expected = (
                listed(each.raw(field.name, with_layers=True)) for each in (values, dissected)
            )
            assert found == expected, f"@{field.name}"


def test_filters_are_those_of_tshark(path: str, chunk: Chunk) -> None:
    values = ChunkValues(chunk, CaptureContext())
    command = [require_peer("tshark"), "-n", "-r", path, "-T", "fields", "-e", "frame.number"]
    for text in FILTERS:
        done = subprocess.run(
            [*command, "-Y", text], capture_output=True, text=True, check=True, timeout=PATIENCE_S
        )
        found = np.flatnonzero(compile_filter(text, CATALOG).passes(values)) + 1
        assert found.tolist() == [int(line) for line in done.stdout.split()], text


def test_values_are_those_of_tshark(path: str, chunk: Chunk) -> None:
    command = [require_peer("tshark"), "-n", "-r", path, "-T", "fields", "-E", "separator=|"]
    command += [each for name in FIELDS for each in ("-e", name)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    lines = [line.split("|") for line in done.stdout.splitlines()]
    values = ChunkValues(chunk, CaptureContext())
    for index, name in enumerate(FIELDS):
        counts = [len(line[index].split(",")) if line[index] else 0 for line in lines]
        rows = values.occurrences(name).rows
        assert np.bincount(rows, minlength=len(lines)).tolist() == counts, name


def test_an_option_that_is_too_long_does_not_count() -> None:
    layer = chunk_of(FRAMES[9]).dissect(0).layer("geneve")
    assert layer is not None
    assert [(each.name, bool(each.problem)) for each in layer.options] == [
        ("geneve.option", False),
        ("geneve.option.invalid", True),
    ]


@pytest.mark.parametrize("size", range(len(FRAMES[3])))
def test_every_cut_length(size: int) -> None:
    """A header that the capture cut is truncated; nothing is read of what it lacks."""
    whole = chunk_of(FRAMES[3]).dissect(0).layer("geneve")
    chunk = chunk_of(FRAMES[3], captured=size)
    dissection, layer = chunk.dissect(0), chunk.dissect(0).layer("geneve")
    assert whole is not None
    if size < whole.offset + whole.header_length:
        assert dissection.stop is not None
        assert dissection.stop.cause is Cause.TRUNCATED
    if layer is not None and size < whole.offset + whole.header_length:
        assert layer.options == ()
    values, dissected = (make(chunk, CaptureContext()) for make in (ChunkValues, dissecting_values))
    for name in ("geneve.vni", "geneve.option.class", "geneve", "geneve.options"):
        assert listed(values.occurrences(name, with_layers=True)) == listed(
            dissected.occurrences(name, with_layers=True)
        )


def test_options_past_the_datagram_are_malformed() -> None:
    stop = chunk_of(over_ip(carried(ETHER, UDP, words=60))).dissect(0).stop
    assert stop is not None
    assert (stop.layer, stop.cause) == ("geneve", Cause.MALFORMED)
