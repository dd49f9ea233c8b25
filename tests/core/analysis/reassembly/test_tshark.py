"""Reassembly is that of tshark: fields, filters, Info, and checksums."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.wire.model.reassembly import FRAGMENT_FIELDS
from tests.core.analysis.reassembly.fragmented import cases, write_pcap
from tests.helpers.support import ROOT, captures_dir, require_peer
from tests.helpers.waiting import PATIENCE_S

FIELDS = [
    *FRAGMENT_FIELDS,
    "udp.srcport", "tcp.srcport", "udp.length", "udp.stream", "tcp.stream", "tcp.len",
]  # fmt: skip
FILTERS = [
    "udp",
    "udp.checksum.status == 0",
    "ip.proto == 17 && !udp",
    "ip contains 40:41:42 || ipv6 contains 40:41:42",
    "udp contains 40:41:42",
]


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fragments") / "fragments.pcap"
    write_pcap(path, cases())
    return path


def _tshark(path: Path, *arguments: str) -> list[str]:
    command = [require_peer("tshark"), "-n", "-2", "-r", str(path)]
    for option in ("ip.check_checksum", "udp.check_checksum", "tcp.check_checksum"):
        command += ["-o", f"{option}:TRUE"]
    done = subprocess.run(
        [*command, *arguments], capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    return done.stdout.splitlines()


def _rawscope(path: Path, *arguments: str) -> list[str]:
    command = [sys.executable, "-m", "app", "dump", "-r", str(path), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_S, check=True, cwd=ROOT
    )
    return done.stdout.splitlines()


def _compare(path: Path) -> int:
    """Compare the fields of all packets. Return the number of completed datagrams."""
    options = [word for name in ("frame.number", *FIELDS) for word in ("-e", name)]
    theirs = _tshark(path, "-T", "fields", *options)
    ours = _rawscope(path, "--fields", ",".join(("frame.number", *FIELDS)))
    ours = [line.replace("true", "1") for line in ours]
    for mine, other in zip(ours, theirs, strict=True):
        pairs = zip(("frame.number", *FIELDS), mine.split("\t"), other.split("\t"), strict=True)
        assert not [each for each in pairs if each[1] != each[2]], mine
    place = FIELDS.index("ip.fragment.count") + 1
    return sum(bool(line.split("\t")[place]) for line in theirs)


def test_fields(capture: Path) -> None:
    assert _compare(capture) == 12


@pytest.mark.parametrize("text", FILTERS)
def test_filters(text: str, capture: Path) -> None:
    theirs = _tshark(capture, "-T", "fields", "-e", "frame.number", "-Y", text)
    assert theirs
    assert _rawscope(capture, "--fields", "frame.number", "-Y", text) == theirs


def test_the_datagrams_of_a_stream(capture: Path) -> None:
    theirs = _tshark(capture, "-q", "-z", "follow,udp,raw,0")
    command = [
        sys.executable,
        "-m",
        "app",
        "follow",
        "-r",
        str(capture),
        "--udp",
        "--as",
        "raw",
        "0",
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_S, check=True, cwd=ROOT
    )
    assert done.stdout.splitlines() == theirs
    assert len(theirs) > 10


def test_fragments_alone(capture: Path) -> None:
    options = ("-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE")
    fields = ("-T", "fields", "-e", "frame.number", "-e", "udp.srcport")
    theirs = _tshark(capture, *options, *fields, "-Y", "udp")
    names = ("--no-reassembly", "--fields", "frame.number,udp.srcport")
    assert _rawscope(capture, *names, "-Y", "udp") == theirs


def test_info_of_fragments(capture: Path) -> None:
    options = ("-e", "frame.number", "-e", "_ws.col.Info")
    theirs = dict(line.split("\t") for line in _tshark(capture, "-T", "fields", *options))
    records = [json.loads(line) for line in _rawscope(capture, "--json")]
    fragments = [each for each in records if not each.keys() & {"udp.srcport", "tcp.srcport"}]
    assert len(fragments) > 30
    for each in fragments:
        info = theirs[str(each["frame.number"])]
        if "ipv6.reassembled.in" in each:  # tshark 4.0 says this of IPv4 only
            info += f" [Reassembled in #{each['ipv6.reassembled.in']}]"
        assert each["_ws.col.info"] == info


@pytest.mark.corpus
def test_the_shared_capture_with_fragments() -> None:
    folder = captures_dir() / "files" / "zeek+zeek/testing/btest/Traces/tunnels/gtp"
    path = folder / "gtp9_unknown_or_too_short_payload.pcap"
    names = [name for name in FRAGMENT_FIELDS if name.startswith("ip.")]
    options = [word for name in names for word in ("-e", name)]
    theirs = _tshark(path, "-T", "fields", *options)
    assert _rawscope(path, "--fields", ",".join(names)) == theirs
