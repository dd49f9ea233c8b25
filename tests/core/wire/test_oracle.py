"""Every packet of the shared captures, compared with tshark 4.0.17.

Only the outermost headers are compared (``depth`` 1, not quoted in an ICMP error), as the captures'
README says. Three kinds of difference are intended:

* a partial checksum is `offloaded` here and `bad` there, and then the field is exactly the
  pseudo-header's sum;
* tshark reads fields in another order than the wire and stops earlier on three broken headers
  (`None` there, the captured bytes here);
* tshark lists the ``eth.len`` of a frame inside an ERSPAN tunnel for the outer one.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.files.reader import open_capture
from core.wire.checksum.packet_checksums import pseudo_header_sum
from core.wire.dissect import dissect
from core.wire.model.dissection import Dissection, Verdict
from core.wire.present.record import Json, record
from core.wire.present.summary import summarize
from tests.helpers.support import capture_index, captures_dir

pytestmark = pytest.mark.corpus

NAMES = {
    "eth": {"src": "eth.src", "dst": "eth.dst", "type": "eth.type", "len": "eth.len"},
    "sll": {"pkttype": "sll.pkttype", "etype": "sll.etype"},
    "vlan": {"id": "vlan.id", "pri": "vlan.priority", "etype": "vlan.etype"},
    "arp": {
        "hw": "arp.hw.type",
        "proto": "arp.proto.type",
        "hwlen": "arp.hw.size",
        "plen": "arp.proto.size",
        "op": "arp.opcode",
        "sha": "arp.src.hw_mac",
        "spa": "arp.src.proto_ipv4",
        "tha": "arp.dst.hw_mac",
        "tpa": "arp.dst.proto_ipv4",
    },
    "ip": {
        **{key: f"ip.{key}" for key in ("version", "src", "dst", "dsfield", "len", "id", "ttl")},
        "ihl": "ip.hdr_len",
        "rb": "ip.flags.rb",
        "df": "ip.flags.df",
        "mf": "ip.flags.mf",
        "frag_off": "ip.frag_offset",
        "proto": "ip.proto",
    },
    "ipv6": {
        key: f"ipv6.{key}"
        for key in ("version", "src", "dst", "tclass", "flow", "plen", "nxt", "hlim")
    },
    "tcp": {
        "sport": "tcp.srcport",
        "dport": "tcp.dstport",
        "seq": "tcp.seq_raw",
        "ack": "tcp.ack_raw",
        "hdr_len": "tcp.hdr_len",
        "flags": "tcp.flags",
        "window": "tcp.window_size_value",
        "urgent": "tcp.urgent_pointer",
        "payload_len": "tcp.len",
        "options_hex": "tcp.options",
        "mss": "tcp.options.mss_val",
        "wscale": "tcp.options.wscale.shift",
        "tsval": "tcp.options.timestamp.tsval",
        "tsecr": "tcp.options.timestamp.tsecr",
    },
    "udp": {"sport": "udp.srcport", "dport": "udp.dstport", "len": "udp.length"},
    "icmp": {"type": "icmp.type", "code": "icmp.code", "ident": "icmp.ident", "seq": "icmp.seq"},
    "icmpv6": {"type": "icmpv6.type", "code": "icmpv6.code"},
    "igmp": {"type": "igmp.type"},
    "sctp": {
        "sport": "sctp.srcport",
        "dport": "sctp.dstport",
        "vtag": "sctp.verification_tag",
    },
}
LINKS = frozenset({"eth", "sll", "vlan", "arp"})
MEANT = {
    ("drop-protocol-change/input.pcap", 7, "tcp.ack_raw"),
    ("ipv4-internally-truncated-header.pcap", 1, "ip.dst"),
    ("arkime_synthetic.pcap", 528, "eth.len"),
}


def captures() -> list[str]:
    return [path for path, notes in capture_index() if "ORACLE DISPUTED" not in notes]


def packets(path: Path) -> Iterator[Dissection]:
    with open_capture(path) as reader:
        for batch in reader.batches():
            for row in range(len(batch)):
                start = int(batch.offset[row])
                data = bytes(batch.data[start : start + int(batch.captured[row])])
                link = reader.interfaces[int(batch.interface[row])].link_type
                yield dissect(data, link, int(batch.original[row]), int(batch.flags[row]))


def plain(value: object) -> object:
    """Return tshark's value as the record writes it."""
    if isinstance(value, list):
        return [plain(part) for part in value]
    if isinstance(value, str) and value.startswith("0x"):
        return int(value, 16)
    return value


def differences(row: dict, found: dict[str, Json]) -> Iterator[tuple[str, object, object]]:
    for layer, names in NAMES.items():
        expected = row.get(layer)
        if expected is None:
            continue
        if layer not in LINKS and (expected["depth"] != 1 or expected["in_icmp"]):
            continue
        for key, name in names.items():
            want, have = plain(expected.get(key)), found.get(name)
            if want != have and not (want in ("", []) and have is None):
                yield name, want, have
        if "checksum" in expected:
            yield from checksum_differences(layer, expected, found)


def checksum_differences(
    layer: str, expected: dict, found: dict[str, Json]
) -> Iterator[tuple[str, object, object]]:
    name = f"{layer}.checksum"
    want = plain(expected["checksum"]), expected["status"]
    have = found.get(name), found.get(f"{name}.status")
    if want[1] == "bad" and have[1] == "offloaded":
        have = have[0], "bad"
    if want != have:
        yield name, want, have
    calculated = found.get(f"{name}_calculated")
    if expected.get("calc") and calculated not in (None, plain(expected["calc"])):
        yield f"{name}_calculated", expected["calc"], calculated


@pytest.mark.parametrize("name", captures())
def test_agrees_with_tshark(name) -> None:
    folder = captures_dir()
    with gzip.open(folder / "expected" / f"{name}.jsonl.gz", "rt") as lines:
        rows = [row for row in map(json.loads, lines) if row["pkt"] is not None]
    dissections = list(packets(folder / "files" / name)) if rows else []
    assert len(dissections) == len(rows)
    wrong = []
    for row, dissection in zip(rows, dissections, strict=True):
        summarize(dissection)
        for key, want, have in differences(row, record(dissection)):
            if not any(name.endswith(end) and (row["n"], key) == (n, k) for end, n, k in MEANT):
                wrong.append((row["n"], key, want, have))
    assert wrong == []


def test_offloaded_is_exactly_the_partial_sum() -> None:
    """`offloaded` is never a guess: the test computes the field from the addresses alone."""
    seen = 0
    for name in captures():
        for dissection in packets(captures_dir() / "files" / name):
            for above, layer in zip(dissection.layers, dissection.layers[1:], strict=False):
                checks = layer.checks
                if not checks or checks[0].verdict is not Verdict.OFFLOADED:
                    continue
                size = 4 if above.name == "ip" else 16
                ends = (above.number(dissection.data, key) or 0 for key in ("src", "dst"))
                source, destination = (end.to_bytes(size, "big") for end in ends)
                protocol = {"tcp": 6, "udp": 17}[layer.name]
                length = layer.stop - layer.offset
                partial = pseudo_header_sum(source, destination, protocol, length)
                assert layer.number(dissection.data, "checksum") == partial
                seen += 1
    assert seen > 300
