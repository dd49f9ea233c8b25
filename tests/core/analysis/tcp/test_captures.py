"""The analysis of the shared captures is that of tshark, packet by packet.

One run of tshark gives all fields of a capture. `known_differences` lists the packets that differ,
each of them: another difference fails, and so does one that has gone.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from core.analysis.tcp.fields import FLOW_FIELDS, FlowKind
from core.files.formats import FileError
from tests.core.analysis.tcp.conversations import analyzed_file, findings
from tests.core.analysis.tcp.known_differences import (
    DIFFERENCES,
    DIGESTS,
    REASONS,
    UNLIKE,
)
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

NAMES = [name for name, field in FLOW_FIELDS.items() if name != "tcp.analysis.fills_hole"]
SMALL_BYTES = 100_000


def _tshark(path: Path) -> dict[int, dict[str, str]]:
    """Return tshark's fields of each TCP and UDP packet that no ICMP error quotes."""
    names = ["frame.number", "icmp.type", "icmpv6.type", "tcp.hdr_len", *NAMES]
    command = [require_peer("tshark"), "-n", "-r", str(path), "-T", "fields", "-Y", "tcp || udp"]
    command += ["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-E", "occurrence=f"]
    for name in names:
        command += ["-e", name]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_S, check=False, errors="replace"
    )
    found = {}
    for line in done.stdout.splitlines():
        number, icmp, icmpv6, header, *values = line.split("\t")
        if not icmp and not icmpv6 and (not header or int(header) >= 20):
            found[int(number)] = dict(zip(NAMES, values, strict=True))
    return found


def _text(name: str, value: Any) -> str:
    kind = FLOW_FIELDS[name].kind
    if kind is FlowKind.MARK:
        return "1"
    if kind is FlowKind.DURATION:
        sign, number = "-" * (value < 0), abs(value)
        return f"{sign}{number // 10**9}.{number % 10**9:09d}"
    return str(value)


def _differences(path: Path) -> tuple[int, dict[str, list[tuple[int, str, str]]]]:
    """Return how many packets were compared, and the packets that differ by field."""
    try:
        ours = analyzed_file(path)
    except FileError:
        return 0, {}
    theirs = _tshark(path)
    _renumber_datagrams(ours, theirs)
    wrong: dict[str, list[tuple[int, str, str]]] = {}
    common = ours.keys() & theirs.keys()
    for number in sorted(common):
        for name, expected in theirs[number].items():
            value = ours[number].get(name)
            text = "" if value is None else _text(name, value)
            if text != expected:
                wrong.setdefault(name, []).append((number, expected, text))
    return len(common), wrong


def _renumber_datagrams(ours: dict[int, dict[str, Any]], theirs: dict[int, dict[str, str]]) -> None:
    """Number streams of UDP alike: tshark also numbers datagrams that only ICMP errors quote."""
    numbers: dict[int, str] = {}
    for packet in sorted(ours.keys() & theirs.keys()):
        expected, stream = theirs[packet]["udp.stream"], ours[packet].get("udp.stream")
        if stream is not None and expected not in numbers.values():
            numbers.setdefault(stream, expected)
        if stream is not None:
            ours[packet]["udp.stream"] = numbers.get(stream, stream)


def _packets(wrong: dict[str, list[tuple[int, str, str]]]) -> dict[str, tuple[int, ...]]:
    """Return the numbers of the packets that differ, by field."""
    return {field: tuple(number for number, *_ in each) for field, each in wrong.items()}


def _digest(wrong: dict[str, list[tuple[int, str, str]]]) -> str | None:
    """Return a digest of the packets that differ, with the values of both programs."""
    if not wrong:
        return None
    return hashlib.sha256(json.dumps(wrong, sort_keys=True).encode()).hexdigest()[:16]


def _captures() -> list[str]:
    found = [path for path, _ in capture_index()]
    if is_thorough():
        return found
    return list(dict.fromkeys((*found[::12], *(name for name in found if name in DIFFERENCES))))


@pytest.mark.corpus
@pytest.mark.parametrize("name", _captures())
def test_public_captures_agree(name: str) -> None:
    path = captures_dir() / "files" / name
    _, wrong = _differences(path)
    assert _packets(wrong) == DIFFERENCES.get(name, {}), wrong
    assert _digest(wrong) == DIGESTS.get(name), wrong


@pytest.mark.corpus
@pytest.mark.parametrize("name", tcp_captures(1 << 30 if is_thorough() else SMALL_BYTES))
def test_captures_with_lost_and_reordered_segments_agree(name: str) -> None:
    path = tcp_dir() / "captures" / name
    count, wrong = _differences(path)
    assert count
    assert _packets(wrong) == DIFFERENCES.get(name, {}), wrong
    assert _digest(wrong) == DIGESTS.get(name), wrong


def test_each_known_difference_has_a_reason_and_a_capture() -> None:
    captures_dir()  # skips where the captures are absent
    known = {path for path, _ in capture_index()} | set(tcp_captures(1 << 30))
    assert known >= DIFFERENCES.keys() == DIGESTS.keys()
    for name, fields in DIFFERENCES.items():
        assert fields
        assert all(fields.values())
        assert any(part in name for part in UNLIKE) or fields.keys() <= REASONS.keys()


# -- made situations --------------------------------------------------------------------

_ROW = re.compile(r"(SAME|DIFF)\s+(\S+) \[(.*?)\]")


BY_RULE = {
    "dupack_new_win_sack": {6: {"duplicate_ack"}},
    "retrans_acked": {5: {"retransmission"}},
    "partial_ack": {},
    "unacked_revdata": {5: {"lost_segment"}, 7: {"out_of_order", "fills_hole"}},
}
"""The findings, by packet, of situations that two versions of Wireshark judge differently.

All others fill a hole within the initial round-trip time, or 3 ms.
"""


def _expected(text: str) -> tuple[dict[int, set[str]], dict[int, str]]:
    """Return the findings by packet, and the round-trip times, that a row lists."""
    marks: dict[int, set[str]] = {}
    times: dict[int, str] = {}
    for part in filter(None, text.split(", ")):
        number, _, words = part.partition(":")
        if match := re.search(r"\(rtt ([\d.]+)ms\)", words):
            times[int(number)] = match[1]
        names = re.sub(r"\(.*?\)", "", words)
        if names:
            marks[int(number)] = set(names.split("+"))
    return marks, times


@pytest.mark.parametrize("row", tcp_situations())
def test_situations(row: str) -> None:
    folder = tcp_dir() / "synthetic"
    match = _ROW.match(row)
    assert match is not None
    kind, name, text = match.groups()
    found = analyzed_file(folder / f"{name}.pcap")
    marks = {number: findings(fields) for number, fields in found.items() if findings(fields)}
    times = {
        number: f"{fields['tcp.analysis.ack_rtt'] / 1e6:.1f}"
        for number, fields in found.items()
        if "tcp.analysis.ack_rtt" in fields
    }
    expected, rtts = _expected(text)
    if kind == "SAME":
        assert {n: each - {"fills_hole"} for n, each in marks.items()} == expected
        assert times == rtts
    elif name in BY_RULE:
        assert marks == BY_RULE[name]
    else:
        lost, filled = sorted(expected)
        assert marks == {lost: {"lost_segment"}, filled: {"out_of_order", "fills_hole"}}
