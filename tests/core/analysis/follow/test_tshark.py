"""Streams of the shared captures are those of ``tshark -z follow``, byte for byte.

``make test`` compares all shared captures but one: `LARGE` is compared in ``make thorough``.
To start tshark costs more than to read most captures. So it reads captures in groups, one behind
the other as one file, and so does rawscope; one run gives all streams of a group. `REASONS` lists
the captures that differ on purpose.
"""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path

import pytest

from core.analysis.follow.forms import RawForm
from core.wire.model.assigned_numbers import EtherType
from core.wire.network.ipv4 import IPV4
from tests.core.analysis.follow.streams import Key, Streams, streams_of
from tests.helpers.support import (
    capture_index,
    captures_dir,
    is_thorough,
    require_peer,
    tcp_captures,
    tcp_dir,
    tcp_situations,
)
from tests.helpers.waiting import PATIENCE_S

REASONS = {
    "arkime_synthetic.pcap": "tshark numbers each UDP header in a tunnel, rawscope the outermost",
    "gtp9_unknown_or_too_short_payload.pcap": "tshark reads the datagrams in the tunnel, too",
    "vxlan-overlapping-http-get.pcap": "tshark takes the sides from the innermost addresses",
}
"""Captures whose UDP streams differ from tshark 4.0, and why.

Besides, tshark names the innermost addresses of a packet, rawscope those before the header.
"""

LAST = (
    "drop-protocol-change/input.pcap",
    "ip6-route0-tcp-bad-chksum.pcap",
    "kill_router6.pcap",
    "mpls-6in6-broken.pcap.gz",
    "urgent11_cve_2019_12260.pcap",
)
"""Captures in which damaged, quoted, or routed TCP headers begin streams in tshark only.

A routing header counts for tshark as the destination. Later streams have other numbers, so each of
these captures is the last one of its group.
"""

ALONE = {
    "clusterfuzz-testcase-minimized-FuzzTarget-5165538295939072": "mergecap refuses it: damaged",
    "clusterfuzz-testcase-FuzzTarget-6207688043397120": "mergecap refuses it: cut short",
    "test102.pcapng": "mergecap refuses it: no packets",
    "test002.pcapng": "mergecap refuses it: no packets",
    "test301.pcapng": "mergecap refuses it: packets of unknown types",
    "many-protocols.pcap": "it has 253 streams, and tshark gives each packet to all of them",
    **REASONS,
}
"""Captures that are in no group, and why."""

LARGE = "wireshark_samples-test.pcapng"  # 1,149 streams, which take some seconds
STREAMS = {
    "clusterfuzz-testcase-minimized-FuzzTarget-5165538295939072": 1,
    "clusterfuzz-testcase-FuzzTarget-6207688043397120": 0,
    "test102.pcapng": 3,
    "test002.pcapng": 0,
    "test301.pcapng": 1,
    "many-protocols.pcap": 253,
    "arkime_synthetic.pcap": 194,
    "gtp9_unknown_or_too_short_payload.pcap": 1,
    "vxlan-overlapping-http-get.pcap": 2,
    LARGE: 1149,
}
"""The number of streams of each capture that is compared alone."""
UNREADABLE = ("pcap-invalid-version-1.pcap",)  # for tshark and for rawscope

PARTS = len(LAST)  # of the captures that are read as one
_FILE_HEADER, _RECORD_HEADER = 24, 16


def _tshark(path: Path, keys: list[Key]) -> dict[Key, list[str]]:
    """Return the lines of each stream, without the heading."""
    command = [require_peer("tshark"), "-n", "-q", "-r", str(path)]
    command += ["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"]
    for protocol, number in keys:
        command += ["-z", f"follow,{protocol},raw,{number}"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_S, check=False, errors="replace"
    )
    found = {}
    for section in re.split(r"\n(?==+\nFollow: )", done.stdout):
        match = re.search(r"Filter: (\w+)\.stream eq (\d+)", section)
        if match:
            found[match[1], int(match[2])] = section.strip("\n").splitlines()
    return found


def _lines(streams: Streams, key: Key) -> list[str]:
    """Return what ``rawscope follow --as raw`` prints, without the blank line before it."""
    form = RawForm(streams.readers[key], key[1])
    pieces = (line for piece in streams.pieces[key] for line in form.piece(piece))
    return [*form.begin(), *pieces, *form.end()][1:]


def differences(path: Path) -> tuple[int, list[Key]]:
    """Return how many streams were compared, and those that differ."""
    streams = streams_of(path)
    keys = sorted(streams.readers)
    if not keys:
        return 0, []
    theirs = _tshark(path, keys)
    wrong = []
    for key in keys:
        lines, expected = _lines(streams, key), theirs[key]
        nodes = slice(3, 5)
        del lines[nodes], expected[nodes]
        if lines != expected:
            wrong.append(key)
    return len(keys), wrong


def _captures() -> list[Path]:
    """Return the shared captures that both programs can read, the smallest first."""
    paths = [captures_dir() / "files" / path for path, _ in capture_index() if path]
    paths += [tcp_dir() / "captures" / name for name in tcp_captures(1 << 30) if name]
    readable = [path for path in paths if path.name not in UNREADABLE]
    return sorted(readable, key=lambda path: path.stat().st_size)


def _is_one(path: Path, ends: tuple[str, ...]) -> bool:
    return str(path).endswith(ends)


def _joined(paths: list[Path], target: Path) -> Path:
    """Write some captures to one file, one behind the other."""
    command = [require_peer("mergecap"), "-a", "-w", str(target), *map(str, paths)]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_S)
    return target


@pytest.mark.corpus
@pytest.mark.parametrize("part", range(PARTS))
def test_captures_agree(part: int, tmp_path: Path) -> None:
    captures = _captures()
    others = [path for path in captures if path.name not in {*ALONE, LARGE}]
    paths = [path for path in others if not _is_one(path, LAST)][part::PARTS]
    paths += [path for path in others if _is_one(path, LAST[part : part + 1])]
    count, wrong = differences(_joined(paths, tmp_path / "joined.pcapng"))
    assert len(paths) > 10
    assert count > 5
    assert not wrong


@pytest.mark.corpus
@pytest.mark.parametrize("name", [*ALONE, *([LARGE] if is_thorough() else [])])
def test_other_captures_agree(name: str) -> None:
    (path,) = (path for path in _captures() if path.name == name)
    count, wrong = differences(path)
    assert count == STREAMS[name]
    assert not [key for key in wrong if key[0] == "tcp" or name not in REASONS]


def _records(path: Path, number: int) -> bytes:
    """Return the records of a classic capture of IPv4 with the addresses of another network."""
    content = bytearray(path.read_bytes())
    assert content[:4] == struct.pack("<I", 0xA1B2C3D4)
    at = _FILE_HEADER
    while at < len(content):
        frame = at + _RECORD_HEADER
        assert content[frame + 12 : frame + 14] == EtherType.IPV4.to_bytes(2, "big")
        for address in ("src", "dst"):
            content[frame + 14 + IPV4[address].span.start + 1] = number
        at = frame + struct.unpack_from("<I", content, at + 8)[0]
    return bytes(content[_FILE_HEADER:])


def test_situations_agree(tmp_path: Path) -> None:
    tcp_dir()  # skips where the situations are absent
    names = sorted({row.split()[1] for row in tcp_situations() if row})
    paths = [tcp_dir() / "synthetic" / f"{name}.pcap" for name in names]
    joined = tmp_path / "joined.pcap"
    records = (_records(path, number) for number, path in enumerate(paths, 1))
    joined.write_bytes(paths[0].read_bytes()[:_FILE_HEADER] + b"".join(records))
    count, wrong = differences(joined)
    assert count == len(paths) > 30
    assert not wrong


@pytest.mark.corpus
def test_a_gap_leaves_the_mark_of_tshark() -> None:
    name = "zeek+zeek/testing/btest/Traces/ldap/gap-data-missing.pcapng"
    path = captures_dir() / "files" / name
    assert differences(path) == (1, [])
    mark = b"bytes missing in capture file]\0".hex()
    assert sum(mark in line for line in _lines(streams_of(path), ("tcp", 0))) == 1
