"""Compare `rawscope dump -r FILE --json` with tshark's output for the same 66 files.

The expected values are in shared/captures/expected (its README describes how they were made:
without reassembly); only their names are repeated here. The test compares only the outermost
headers (`depth` 1, not quoted in an ICMP error). A packet that tshark calls `bad` may be
`offloaded` here if its field holds exactly the partial sum of the pseudo-header, which this module
computes a second time, from the addresses in the JSON.
"""

from __future__ import annotations

import gzip
import hashlib
import ipaddress
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.cli.field_names import known_names
from app.cli.main import run
from tests.helpers.support import ROOT, capture_index, captures_dir
from tests.helpers.waiting import PATIENCE_S

pytestmark = pytest.mark.corpus

Json = dict[str, Any]

NAMES = {
    "eth": {"src": "src", "dst": "dst", "type": "type", "len": "len"},
    "vlan": {"id": "id", "pri": "priority", "etype": "etype"},
    "sll": {"pkttype": "pkttype", "etype": "etype"},
    "arp": {
        "hw": "hw.type", "proto": "proto.type", "hwlen": "hw.size", "plen": "proto.size",
        "op": "opcode", "sha": "src.hw_mac", "spa": "src.proto_ipv4", "tha": "dst.hw_mac",
        "tpa": "dst.proto_ipv4",
    },
    "ip": {
        "version": "version", "src": "src", "dst": "dst", "ihl": "hdr_len",
        "dsfield": "dsfield", "len": "len", "id": "id", "rb": "flags.rb", "df": "flags.df",
        "mf": "flags.mf", "frag_off": "frag_offset", "ttl": "ttl", "proto": "proto",
        "checksum": "checksum",
    },
    "ipv6": {
        "version": "version", "src": "src", "dst": "dst", "tclass": "tclass", "flow": "flow",
        "plen": "plen", "nxt": "nxt", "hlim": "hlim",
    },
    "tcp": {
        "sport": "srcport", "dport": "dstport", "seq": "seq_raw", "ack": "ack_raw",
        "hdr_len": "hdr_len", "flags": "flags", "window": "window_size_value",
        "checksum": "checksum", "urgent": "urgent_pointer", "payload_len": "len",
        "options_hex": "options", "mss": "options.mss_val",
        "wscale": "options.wscale.shift", "tsval": "options.timestamp.tsval",
        "tsecr": "options.timestamp.tsecr",
    },
    "udp": {"sport": "srcport", "dport": "dstport", "len": "length", "checksum": "checksum"},
    "icmp": {"type": "type", "code": "code", "checksum": "checksum", "ident": "ident",
             "seq": "seq"},
    "icmpv6": {"type": "type", "code": "code", "checksum": "checksum"},
    "igmp": {"type": "type", "checksum": "checksum"},
    "sctp": {"sport": "srcport", "dport": "dstport", "vtag": "verification_tag",
             "checksum": "checksum"},
}  # fmt: skip
"""Our name for each of the oracle's keys, inside the layer."""

MEANS_ABSENT = {("eth", "len"), ("eth", "type"), ("tcp", "options_hex")}
"""Fields whose null in tshark's output means that the header lacks the part. The null of another
field means that tshark stopped at a broken header before it, so the test ignores it."""


def dump(arguments: list[str], capture: pytest.CaptureFixture[bytes]) -> tuple[int, list[Json]]:
    """Run one `dump` in this process; return its exit status and its objects."""
    status = run(["dump", "--json", "--raw", "--no-reassembly", *arguments])
    return status, [json.loads(line) for line in capture.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("path", "notes"), capture_index(), ids=[path for path, _ in capture_index()]
)
def test_agrees_with_the_oracle(
    path: str, notes: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Compare every field of every packet, the count and the order."""
    folder = captures_dir()
    status, ours = dump(["-r", str(folder / "files" / path)], capsysbinary)
    oracle = [row for row in expected(folder, path) if row.get("record") != "non-packet"]
    disputed = "ORACLE DISPUTED" in notes
    if not disputed:
        tshark = json.loads((folder / "exit.json").read_text())[path]
        assert status == (1 if tshark["tshark_exit"] else 0)
        assert len(ours) == len(oracle)
    assert {name for packet in ours for name in packet} <= known_names()
    assert [packet["frame.number"] for packet in ours] == list(range(1, len(ours) + 1))
    wrong: Counter[str] = Counter()
    first: dict[str, str] = {}
    if not disputed:
        for mine, theirs in zip(ours, oracle, strict=True):
            for name, got, want in differences(mine, theirs):
                wrong[name] += 1
                first.setdefault(
                    name, f"packet {mine['frame.number']}: {got!r}, tshark says {want!r}"
                )
    assert not wrong, "\n".join(f"{name} ×{wrong[name]}, first {first[name]}" for name in wrong)


def expected(folder: Path, path: str) -> Iterator[Json]:
    with gzip.open(folder / "expected" / f"{path}.jsonl.gz", "rt") as lines:
        for line in lines:
            yield json.loads(line)


def differences(mine: Json, theirs: Json) -> Iterator[tuple[str, Any, Any]]:
    """Return (name, rawscope's value, tshark's value) for each difference."""
    yield from frame_differences(mine, theirs)
    for layer, names in NAMES.items():
        header = theirs.get(layer)
        if header is None or header.get("in_icmp") or header.get("depth", 1) > 1:
            if any(name.startswith(f"{layer}.") for name in mine):
                yield layer, "there", "not there, or deeper"
            continue
        for key, name in names.items():
            if header.get(key) is None and (key not in header or (layer, key) not in MEANS_ABSENT):
                continue
            got, want = mine.get(f"{layer}.{name}"), header[key]
            if (layer, key) == ("eth", "len") and header["type"] is not None:
                want = None  # the outer frame has a type, so this length is inside a tunnel
            if normal(got) != normal(want):
                yield f"{layer}.{name}", got, want
        yield from verdict_differences(mine, layer, header)


def frame_differences(mine: Json, theirs: Json) -> Iterator[tuple[str, Any, Any]]:
    raw = bytes.fromhex(mine["frame.raw"])
    checks = {
        "frame.len": (mine["frame.len"], theirs["len"]),
        "frame.cap_len": (mine["frame.cap_len"], theirs["caplen"]),
        "frame.raw": (len(raw), theirs["caplen"]),
        "md5": (hashlib.md5(raw, usedforsecurity=False).hexdigest(), theirs["md5"]),
    }
    if theirs["ts_ok"] and theirs["ts"] is not None:
        checks["frame.time_epoch"] = (mine["frame.time_epoch"], theirs["ts"])
    for name, (got, want) in checks.items():
        if got != want:
            yield name, got, want


def verdict_differences(mine: Json, layer: str, header: Json) -> Iterator[tuple[str, Any, Any]]:
    if header.get("status") is None:
        return
    name = f"{layer}.checksum.status"
    got, want = mine.get(name), header["status"]
    if got == "offloaded" and want == "bad":
        field, partial = mine[f"{layer}.checksum"], partial_sum(mine, layer)
        if field != partial:
            yield f"{name}, not the partial sum", field, partial
        return
    if got != want:
        yield name, got, want
    if want == "bad" and "calc" in header:
        calculated = mine.get(f"{layer}.checksum_calculated")
        if calculated != normal(header["calc"]):
            yield f"{layer}.checksum_calculated", calculated, header["calc"]


def partial_sum(packet: Json, layer: str) -> int:
    """Return the sum of the pseudo-header (RFC 9293 §3.1, RFC 8200 §8.1), not complemented."""
    outer = "ip" if "ip.src" in packet else "ipv6"
    protocol = {"tcp": 6, "udp": 17}[layer]
    tcp_length = packet.get("tcp.hdr_len", 0) + packet.get("tcp.len", 0)
    length = packet["udp.length"] if layer == "udp" else tcp_length
    data = b"".join(
        ipaddress.ip_address(packet[f"{outer}.{side}"]).packed for side in ("src", "dst")
    ) + (protocol + length).to_bytes(4, "big")
    total = sum(int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def normal(value: Any) -> Any:
    """Convert a value of tshark, which writes some numbers as hex and flags as 0 and 1."""
    if isinstance(value, str) and value.startswith("0x"):
        return int(value, 16)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, list):
        return [normal(one) for one in value] or None
    return value


def test_the_command_as_a_process(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """A process prints the same bytes as the command in this process."""
    path = captures_dir() / "files/kbandla+dpkt/examples/data/http.pcap"
    assert run(["dump", "--json", "-r", str(path)]) == 0
    here = capsysbinary.readouterr().out
    there = subprocess.run(
        [sys.executable, "-m", "app", "dump", "--json", "-r", path],
        cwd=ROOT, capture_output=True, check=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert there.stdout == here
    assert there.stderr == b""


@pytest.mark.parametrize("style", [[], ["--hex"], ["--fields", "frame.number,ip.src,vlan.id"]])
def test_every_style_prints_every_capture(
    style: list[str], capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """No capture makes a format fail, and no control character but the line end is printed."""
    folder = captures_dir()
    printable: Callable[[str], bool] = str.isprintable
    for path, _ in capture_index():
        assert run(["dump", "-c", "50", *style, "-r", str(folder / "files" / path)]) in (0, 1)
        out, err = capsysbinary.readouterr()
        for line in (out + err).decode().splitlines():
            assert printable(line.replace("\t", "")), (path, line)
        assert b"Traceback" not in err
        assert b"--debug" not in err
