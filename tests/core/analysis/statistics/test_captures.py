"""The statistics of the shared captures are those of tshark.

One run of tshark gives both of its tables. The lengths are equal. The hierarchy is equal for all
headers; names of payloads are compared where tshark needs no other segments to know them. `REASONS`
lists the other differences.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from core.analysis.statistics.applications import NAMES
from core.analysis.statistics.hierarchy import SHOWN
from core.analysis.statistics.statistics import Statistics, StatisticsCounter
from core.files.chunks import iter_chunks
from core.files.formats import FileError
from core.files.reader import open_capture
from tests.helpers.support import capture_index, captures_dir, is_thorough, require_peer
from tests.helpers.waiting import PATIENCE_S

REASONS = {
    "pim_header_asan-2.pcap": "tshark stops reading before the end",
    "clusterfuzz-testcase-FuzzTarget-6207688043397120": "a cut PPPoE header has no name in tshark",
    "extract_read2_asan.pcap": "tshark refuses the file",
    "gtp9_unknown_or_too_short_payload.pcap": "tshark 4.0 does not check the lengths of fragments",
    "frag-22.pcap": "tshark counts a fragment by the reassembled packet",
    "mpls-6in6-broken.pcap.gz": "tshark shows no more than 16 levels",
    "arkime_synthetic.pcap": "tshark reads VXLAN of a draft (port 4790), too",
    "vxlan-overlapping-http-get.pcap": "tshark counts a segment by the reassembled request",
    "smb_v2_only_non_zero_reserved1.pcap": "tshark lists the payload of a quoted packet",
}
"""Captures whose headers differ."""

OTHER_LENGTHS = {
    "pim_header_asan-2.pcap": "tshark stops reading before the end",
    "extract_read2_asan.pcap": "tshark refuses the file",
    "test102.pcapng": "tshark counts records other than packets, too",
    "test202.pcapng": "tshark counts records other than packets, too",
}
"""Captures whose lengths differ."""

LEFT_OUT = {"raw", "pkt_comment"}
"""Levels of tshark that stand for no protocol."""

SAME = {"pppoes": "pppoe"}
USUAL = (
    "input.pcap",
    "http.pcap",
    "many-protocols.pcap",
    "ipv6_ah_modes.pcap",
    "nflog.pcap",
    "lspping-fec-rsvp.pcap",
    "wireshark_samples-test.pcapng",
)
"""Captures of the usual run; ``make thorough`` compares all."""

Tree = dict[tuple[str, ...], tuple[int, int]]


def _paths() -> list[str]:
    names = [name for name, _ in capture_index()]
    return names if is_thorough() else [name for name in names if Path(name).name in USUAL] or [""]


def _tshark(path: Path) -> tuple[Tree, dict[str, int]]:
    """Return tshark's packets and bytes by protocols, and its packets by range of lengths."""
    command = [require_peer("tshark"), "-n", "-q", "-z", "io,phs", "-z", "plen,tree"]
    command += ["-o", "ip.defragment:FALSE", "-r", str(path)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_S, check=False, errors="replace"
    )
    tree: Tree = {}
    stack: list[str] = []
    for indent, name, packets, size in re.findall(
        r"^( *)(\S+) +frames:(\d+) bytes:(\d+)$", done.stdout, re.MULTILINE
    ):
        stack = [*stack[: len(indent) // 2], SAME.get(name, name)]
        kept = tuple(each for each in stack if each not in LEFT_OUT)
        if kept and stack[-1] not in LEFT_OUT:
            tree[kept] = (int(packets), int(size))
    found = re.findall(r"^ (\d+-\d+|5120 and greater) +(\d+) ", done.stdout, re.MULTILINE)
    return tree, {text: int(count) for text, count in found}


def _statistics(path: Path) -> Statistics:
    counter = StatisticsCounter()
    with open_capture(str(path)) as reader:
        for chunk in iter_chunks(reader):
            counter.add(chunk)
    return counter.result()


@pytest.mark.corpus
@pytest.mark.parametrize("name", _paths())
def test_statistics_equal_those_of_tshark(name) -> None:
    path = captures_dir() / "files" / name
    tree, lengths = _tshark(path)
    try:
        found = _statistics(path)
    except FileError:
        assert not any(lengths.values())  # tshark cannot read it, either
        return
    if path.name not in OTHER_LENGTHS:
        assert {each.text: each.packets for each in found.lengths} == lengths
    own = {node.path: (node.total.packets, node.total.bytes) for node in found.hierarchy.nodes()}
    if path.name not in REASONS:
        assert _headers(own) == _headers(tree)
    for names in own.keys() & tree.keys():  # needs no other segment
        if names[-1] in ("dns", "mdns", "llmnr"):
            assert own[names] == tree[names]


def _headers(tree: Tree) -> Tree:
    known = SHOWN - set(NAMES)
    return {names: counts for names, counts in tree.items() if known.issuperset(names)}
