"""Reassembly is that of tshark: fields, filters, Info, and checksums."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.reassembly import FRAGMENT_FIELDS
from tests.core.analysis.reassembly.fragmented import WHOLE, WHOLE_6, piece, pieces, write_pcap
from tests.core.decode.frames import tcp
from tests.helpers.support import ROOT, captures_dir, require_peer
from tests.helpers.waiting import PATIENCE_S

SEGMENT = tcp(bytes(100), flags="ack push")
FIELDS = [
    *FRAGMENT_FIELDS,
    "udp.srcport", "tcp.srcport", "udp.length", "udp.stream", "tcp.stream", "tcp.len",
]  # fmt: skip
FILTERS = ["udp", "udp.checksum.status == 0", "ip.proto == 17 && !udp"]


def cases() -> list[bytes]:
    """Return all kinds of fragmented datagrams, each with an identification of its own."""
    first, second, third = WHOLE[:96], WHOLE[96:192], WHOLE[192:]
    frames = [*pieces(ident=1), *pieces(ident=2)[::-1], *pieces(ident=1)]  # used again
    frames += [*pieces(ident=3)[:1] * 2, *pieces(ident=3)]  # duplicates, and a late one
    frames += [
        piece(first, more=True, ident=4),
        piece(bytes(96), 96, more=True, ident=4),
        piece(second, 96, more=True, ident=4),
        piece(third, 192, ident=4),
    ]  # conflict
    frames += [
        piece(first, more=True, ident=5),
        piece(third, 192, ident=5),
        piece(third, 200, ident=5),
        piece(second, 96, more=True, ident=5),
    ]  # two tails
    frames += [
        piece(first, more=True, ident=6),
        piece(third, 192, ident=6),
        piece(bytes(80), 800, more=True, ident=6),
        piece(second, 96, more=True, ident=6),
    ]
    frames += [piece(b"a" * 36, more=True, ident=7), piece(b"b" * 4, 24, ident=7)]  # teardrop
    frames += [piece(first, more=True, ident=8), piece(third, 192, ident=8)]  # a hole
    frames += [piece(WHOLE[:103], more=True, ident=9), piece(WHOLE[96:], 96, ident=9)]
    frames += [piece(b"", 96, ident=10), piece(first, more=True, ident=10)]  # nothing in it
    frames += [*pieces(WHOLE[:-1] + b"!", (0, 96, len(WHOLE)), ident=11)]  # a wrong checksum
    frames += [*pieces(WHOLE_6, (0, 96, 192, len(WHOLE_6)), six=True)]
    frames += [*pieces(WHOLE_6, (0, 96, 192, len(WHOLE_6)), six=True, ident=2)[::-1]]
    frames += [
        piece(SEGMENT[:16], more=True, ident=12, protocol=IpProtocol.TCP),
        piece(SEGMENT[16:], 16, ident=12, protocol=IpProtocol.TCP),
    ]  # a tiny first one
    frames += [
        piece(first, more=True, ident=64, tags=1),
        piece(second, 96, more=True, ident=64),
        piece(WHOLE[96:], 96, ident=64, tags=1),
    ]  # in a VLAN; tshark mixes it with the ID
    return frames  # fmt: skip


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
