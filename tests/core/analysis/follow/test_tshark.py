"""Streams of the shared captures are those of ``tshark -z follow``, byte for byte.

One run of tshark gives all streams of a capture. `REASONS` lists the captures that differ on
purpose.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from core.analysis.follow.forms import RawForm
from core.files.formats import FileError
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

Besides, tshark names the innermost addresses of a packet, rawscope those before the header, and a
damaged TCP header begins a stream in tshark only (drop-protocol-change).
"""

SMALL_BYTES = 100_000


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
    try:
        streams = streams_of(path)
    except FileError:
        return 0, []
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


def _captures() -> list[str]:
    found = [path for path, _ in capture_index()]
    return found if is_thorough() else found[::10]


@pytest.mark.corpus
@pytest.mark.parametrize("name", _captures())
def test_public_captures_agree(name: str) -> None:
    _, wrong = differences(captures_dir() / "files" / name)
    excused = any(name.endswith(each) for each in REASONS)
    assert not [key for key in wrong if key[0] == "tcp" or not excused]


@pytest.mark.corpus
@pytest.mark.parametrize("name", tcp_captures(1 << 30 if is_thorough() else SMALL_BYTES))
def test_captures_with_lost_and_reordered_segments_agree(name: str) -> None:
    count, wrong = differences(tcp_dir() / "captures" / name)
    assert count
    assert not wrong


def _situations() -> list[str]:
    names = sorted({row.split()[1] for row in tcp_situations() if row})
    return (names if is_thorough() else names[::8]) or [""]


@pytest.mark.parametrize("name", _situations())
def test_situations_agree(name: str) -> None:
    count, wrong = differences(tcp_dir() / "synthetic" / f"{name}.pcap")
    assert count
    assert not wrong


@pytest.mark.corpus
def test_a_gap_leaves_the_mark_of_tshark() -> None:
    name = "zeek+zeek/testing/btest/Traces/ldap/gap-data-missing.pcapng"
    path = captures_dir() / "files" / name
    assert differences(path) == (1, [])
    mark = b"bytes missing in capture file]\0".hex()
    assert sum(mark in line for line in _lines(streams_of(path), ("tcp", 0))) == 1
