"""The flows of the shared captures are those of tshark: conversations and endpoints, every level.

One run of tshark gives all tables of a capture. It prints times with the precision of a double.
`REASONS` lists the captures of which a level differs, and why.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import zip_longest
from math import isclose
from pathlib import Path
from typing import NamedTuple

import pytest

from core.analysis.flows.conversations import PART, FlowCounter
from core.analysis.flows.level import Level
from core.analysis.flows.listing import FlowListing, FlowQuestion, listing_of
from core.analysis.reassembly.chunk_pieces import with_pieces
from core.analysis.reassembly.fragment_index import FragmentIndex
from core.analysis.tcp.flow_index import FlowIndex
from core.files.chunks import iter_chunks
from core.files.formats import FileError
from core.files.reader import open_capture
from tests.helpers.support import (
    capture_index,
    captures_dir,
    is_thorough,
    require_peer,
    tcp_captures,
    tcp_dir,
)
from tests.helpers.waiting import PATIENCE_S

pytestmark = pytest.mark.corpus

SMALL_BYTES = 100_000
_TITLES = {
    "Ethernet": Level.ETHERNET,
    "IPv4": Level.IPV4,
    "IPv6": Level.IPV6,
    "TCP": Level.TCP,
    "UDP": Level.UDP,
}
_CONVERSATION = re.compile(
    r"(\S+)\s+<->\s+(\S+)\s+"
    r"(\d+) ([\d,]+ \S+)\s+(\d+) ([\d,]+ \S+)\s+(\d+) ([\d,]+ \S+)\s+(-?[\d.]+)\s+(-?[\d.]+)"
)
_END = re.compile(r"(\S+)\s+" + r"(\d+)\s+" * 6)
_END_WITH_PORT = re.compile(r"(\S+)\s+(\d+)\s+" + r"(\d+)\s+" * 6)


class Conversation(NamedTuple):
    """A conversation as tshark prints it: its ends, and packets and bytes from A to B, and back."""

    a: str
    b: str
    packets: tuple[int, int]
    bytes: tuple[str, str]
    start_s: float
    duration_s: float


class Endpoint(NamedTuple):
    """An endpoint as tshark prints it, with packets and bytes sent and received."""

    end: str
    packets: tuple[int, int]
    bytes: tuple[int, int]


Flow = Conversation | Endpoint
Tables = dict[tuple[Level, bool], list[Flow]]


def _tshark(path: Path) -> Tables:
    """Return the tables of tshark by level, and whether they are of endpoints."""
    command = [require_peer("tshark"), "-n", "-q", "-r", str(path)]
    for level in Level:
        command += ["-z", f"conv,{level.value}", "-z", f"endpoints,{level.value}"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_S, check=False, errors="replace"
    )
    found: Tables = {}
    level, table = Level.TCP, list[Flow]()
    for line in done.stdout.splitlines():
        name, _, kind = line.partition(" ")
        if name in _TITLES and kind in ("Conversations", "Endpoints"):
            level = _TITLES[name]
            table = found[level, kind == "Endpoints"] = []
        elif match := _CONVERSATION.match(line):
            a, b, *counts, start, duration = match.groups()
            table.append(
                Conversation(
                    a,
                    b,
                    (int(counts[2]), int(counts[0])),
                    (counts[3], counts[1]),
                    float(start),
                    float(duration),
                )
            )
        elif match := (_END_WITH_PORT if level.has_ports else _END).match(line):
            address, *numbers = match.groups()
            if level.has_ports:
                address = f"{address}:{numbers.pop(0)}"
            _, _, *ways = map(int, numbers)
            table.append(Endpoint(address, (ways[0], ways[2]), (ways[1], ways[3])))
    return found


def _bytes_text(count: int) -> str:
    """Return a number of bytes as tshark 4.0 prints it: in thousands if that has two digits."""
    for size, unit in ((10**9, "GB"), (10**6, "MB"), (1000, "kB")):
        if count >= 10 * size:
            return f"{count // size} {unit}"
    return f"{count} bytes"


def _end_text(listing: FlowListing, row: int, side: str = "a") -> str:
    address, port = listing.end(row, side)
    return f"{address}:{port}" if listing.question.level.has_ports else address


def _rawscope(path: Path) -> Tables:
    """Return the same tables of rawscope."""
    counter, index, fragments, first = FlowCounter(), FlowIndex(), FragmentIndex(), 1
    with open_capture(str(path)) as reader:
        for decoded in iter_chunks(reader):
            chunk = replace(decoded, first=first)
            chunk = with_pieces(chunk, fragments.append(chunk))
            first += len(chunk)
            flows = index.append(chunk)
            for start in range(0, len(chunk), PART):
                counter.add(chunk.rows(start, min(start + PART, len(chunk))), flows)
    found: Tables = {}
    for level, table in counter.tables.items():
        listing = listing_of(FlowQuestion(level), table, counter.scale)
        found[level, False] = [_conversation(listing, row) for row in range(len(listing))]
        listing = listing_of(FlowQuestion(level, endpoints=True), table, counter.scale)
        found[level, True] = [_endpoint(listing, row) for row in range(len(listing))]
    return found


def _conversation(listing: FlowListing, row: int) -> Conversation:
    packets, sizes = (
        [listing.number(name, row, way) for way in (0, 1)] for name in ("packets", "bytes")
    )
    return Conversation(
        _end_text(listing, row),
        _end_text(listing, row, "b"),
        (packets[0], packets[1]),
        (_bytes_text(sizes[0]), _bytes_text(sizes[1])),
        (listing.relative_start_ns(row) or 0) / 1e9,
        listing.duration_ns(row) / 1e9,
    )


def _endpoint(listing: FlowListing, row: int) -> Endpoint:
    packets, sizes = (
        [listing.number(name, row, way) for way in (0, 1)] for name in ("packets", "bytes")
    )
    return Endpoint(_end_text(listing, row), (packets[0], packets[1]), (sizes[0], sizes[1]))


_TUNNELS = "rawscope does not read GTP, Teredo, Geneve, and ERSPAN; packets in them do not count"
_FRAGMENTS = "tshark does not count the IPv6 headers of fragments behind the first one"
_CUT = "tshark does not count a header whose options or extension headers are cut"
_ROUTED = "tshark takes the last address of a routing header; rawscope that of the IPv6 header"
_UNTIMED = "tshark takes 0 as the time of packets that have none"

REASONS: Mapping[str, tuple[Iterable[Level], str]] = {
    "output-eve-ftp-data/input.pcap": ([Level.IPV6], _TUNNELS),
    "wireshark_samples-test.pcapng": ([Level.IPV6], _TUNNELS),
    "frag-22.pcap": ([Level.IPV6], _FRAGMENTS),
    "ipv6_frag6_negative_len.pcap": ([Level.IPV6], _CUT),
    "ipv4-internally-truncated-header.pcap": ([Level.IPV4], _CUT),
    "ip6-route0-tcp-bad-chksum.pcap": ([Level.TCP], _ROUTED),
    "gtp9_unknown_or_too_short_payload.pcap": ([Level.IPV4, Level.TCP], _TUNNELS),
    "arkime_synthetic.pcap": ([Level.ETHERNET, Level.IPV4, Level.UDP], _TUNNELS),
    "/test101.pcapng": (Level, _UNTIMED),
    "/test102.pcapng": (Level, _UNTIMED),
    "/test201.pcapng": (Level, _UNTIMED),
    "/test202.pcapng": (Level, _UNTIMED),
}
"""Captures, by the end of their path, the levels that differ in them, and why."""


def _differences(path: Path) -> dict[str, list[tuple[object, object]]]:
    """Return the flows, and what tshark has instead, by level and kind."""
    try:
        ours = _rawscope(path)
    except FileError:
        return {}
    levels = next((set(each) for end, (each, _) in REASONS.items() if str(path).endswith(end)), ())
    found = {}
    for (level, is_end), theirs in _tshark(path).items():
        pairs = list(zip_longest(sorted(ours[level, is_end]), sorted(theirs)))
        wrong = [pair for pair in pairs if not _is_same(*pair)]
        if wrong and level not in levels:
            found[f"{level.value} {'endpoints' if is_end else 'conversations'}"] = wrong
    return found


def _is_same(ours: Flow | None, theirs: Flow | None) -> bool:
    if isinstance(ours, Conversation) and isinstance(theirs, Conversation):
        return (
            ours[:4] == theirs[:4]
            and isclose(ours.start_s, theirs.start_s, rel_tol=1e-15, abs_tol=1e-9)
            and isclose(ours.duration_s, theirs.duration_s, abs_tol=1.01e-4)
        )
    return ours == theirs


def _captures() -> list[str]:
    found = [path for path, _ in capture_index()]
    return found if is_thorough() else [*found[3::12], *(path for path in found if "vxlan" in path)]


@pytest.mark.parametrize("name", _captures())
def test_public_captures_agree(name: str) -> None:
    assert not _differences(captures_dir() / "files" / name)


@pytest.mark.parametrize("name", tcp_captures(1 << 30 if is_thorough() else SMALL_BYTES))
def test_captures_with_lost_and_reordered_segments_agree(name: str) -> None:
    assert not _differences(tcp_dir() / "captures" / name)
