"""Every occurrence of every field that tshark knows too, in the shared captures.

tshark prints them with ``-T fields -E occurrence=a``. Reassembly and relative numbers are off,
since they change what a field is. The differences that remain are listed by field, each with its
reason; all other fields are equal in every packet that is not malformed.

A process of tshark takes longer than most captures, so `COVER` has only as many captures as are
needed for every field that occurs in any of them, for every field that a packet has several
times, and for every verdict on a checksum. `RAWSCOPE_THOROUGH=1` compares all captures;
``python -m`` with this module chooses again and prints the list.
"""

from __future__ import annotations

import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.types import FilterType
from core.analysis.filter.values.chunk_values import ChunkValues
from core.analysis.filter.values.frame_values import CaptureContext
from core.analysis.tcp.fields import FLOW_FIELDS
from core.files.chunks import iter_chunks
from core.files.formats import FileError
from core.files.reader import open_capture
from core.wire.model.dissection import Cause
from tests.core.analysis.filter.fields.test_catalog import wireshark_types
from tests.core.analysis.filter.values.reference import plain
from tests.helpers.support import capture_index, captures_dir, is_thorough, require_peer
from tests.helpers.waiting import PATIENCE_S

COVER = (
    "OISF+suricata-verify/tests/ipv6-evasion/ipv6-malformed-fragments-22/frag-22.pcap",
    "OISF+suricata-verify/tests/output-eve-ftp-data/input.pcap",
    "arkime+arkime/tests/pcap/arkime_synthetic.pcap",
    "arkime+arkime/tests/pcap/icmp-frame-relay.pcap",
    "arkime+arkime/tests/pcap/nflog.pcap",
    "hadrielk+pcapng-test-generator/output_le/advanced/test101.pcapng",
    "hadrielk+pcapng-test-generator/output_le/basic/test009.pcapng",
    "mozillazg+ptcpdump/testdata/format/tfo.pcap",
    "rusticata+pcap-parser/assets/wireshark_samples-test.pcapng",
    "seladb+PcapPlusPlus/Tests/ExamplesTest/pcap_examples/many-protocols.pcap",
    "seladb+PcapPlusPlus/Tests/Fuzzers/RegressionTests/regression_samples/"
    "clusterfuzz-testcase-FuzzTarget-6207688043397120",
    "the-tcpdump-group+tcpdump/tests/HDLC.pcap",
    "the-tcpdump-group+tcpdump/tests/extract_read2_asan.pcap",
    "the-tcpdump-group+tcpdump/tests/lspping-fec-rsvp.pcap",
    "zeek+zeek/testing/btest/Traces/chksums/ip4-icmp-bad-chksum.pcap",
    "zeek+zeek/testing/btest/Traces/chksums/ip6-icmp6-bad-chksum.pcap",
    "zeek+zeek/testing/btest/Traces/chksums/ip6-route0-tcp-bad-chksum.pcap",
    "zeek+zeek/testing/btest/Traces/trunc/mpls-6in6-broken.pcap.gz",
)
OPTIONS = (
    "ip.defragment:FALSE",
    "ipv6.defragment:FALSE",
    "tcp.relative_sequence_numbers:FALSE",
    "ip.check_checksum:TRUE",
    "tcp.check_checksum:TRUE",
    "udp.check_checksum:TRUE",
)
FURTHER_TUNNELS = frozenset({"teredo", "gtp", "erspan", "etherip"})
"""Packets with these are not compared: rawscope does not read the packets inside them."""

ODD_PACKETS = {
    ("arkime_synthetic.pcap", 618): "VXLAN-GPE, which tshark does not name",
    ("arkime_synthetic.pcap", 619): "VXLAN-GPE, which tshark does not name",
    ("ipv4-internally-truncated-header.pcap", 1): "tshark ends an IP header at ip.len",
}

WITH_JOURNAL = frozenset({"test102.pcapng", "test202.pcapng"})
"""Captures in which tshark counts journal entries as packets."""

NOT_COMPARED = {
    "data.data": "data is what rawscope does not read, although tshark may",
    "data.len": "as data.data",
    "frame.interface_id": "tshark has it for pcapng only",
    "frame.interface_name": "tshark calls interfaces without a name 'unknown'",
    "frame.protocols": "tshark lists its dissectors",
    "frame.time": "tshark writes a date; frame.time_epoch is compared",
}

DIFFERENT = {
    "fr.ea": "rawscope has a field for each of the two bits",
    "frame.time_delta": "Wireshark 4.6 has none for the first packet, 4.0 has 0",
    "frame.time_delta_displayed": "as frame.time_delta",
    "frame.time_epoch": "rawscope reads the seconds of pcap as unsigned",
    "geneve.option.length": "tshark has the length of each option under this name, too",
    "gre.flags.ack": "tshark has it for GRE version 1 only",
    "icmp.length": "tshark has it only if it is not 0",
    "icmp.mtu": "tshark has it for code 4 only",
    "icmp.reserved": "tshark has unused bytes as icmp.unused",
    "icmp.unused": "tshark has all unused bytes in one field",
    "icmpv6.opt.reserved": "tshark has it in every option",
    "icmpv6.reserved": "tshark has it in messages of mobile IPv6, too",
    "igmp.aux_data_len": "rawscope reads the first group record",
    "igmp.maddr": "rawscope reads the first group record",
    "igmp.max_resp": "tshark calls it igmp.reserved in version 3 reports",
    "igmp.num_src": "rawscope reads the first group record",
    "igmp.record_type": "rawscope reads the first group record",
    "igmp.reserved": "as igmp.max_resp",
    "ip.checksum.status": "rawscope does not verify quoted headers, which routers change",
    "llc.control": "tshark reads 16 bits as little-endian",
    "llc.type": "tshark calls it llc.cisco_pid for the organization Cisco",
    "nsh.length": "rawscope has it in bytes",
    "pppoe.type": "tshark has it for version 1 only",
    "pppoe.version": "tshark has it for version 1 only",
    "sctp.checksum.status": "tshark verifies CRC-32C if a setting says so",
    "tcp.ack_raw": "tshark leaves it out of a damaged header",
    "tcp.checksum.status": "rawscope tells sums that were left to the network card from bad ones",
    "tcp.len": "tshark has none for a quoted segment that is cut",
    "tcp.options.eol": "tshark has one for each byte after the end of the list, too",
    "tcp.payload": "tshark has none for a port of 0",
    "udp.checksum.status": "as tcp.checksum.status; and quoted datagrams are not verified",
}
"""Fields with values that differ from those of tshark 4.0 in some packets, and why."""

Packet = dict[str, list[str]]


def compared_names() -> list[str]:
    known = wireshark_types()
    return [
        field.name
        for field in CATALOG
        if field.name in known
        and field.type is not FilterType.PROTOCOL
        and field.name not in NOT_COMPARED
        and field.name not in FLOW_FIELDS  # tests/core/analysis/tcp compares them
    ]


def text(kind: FilterType, value: Any) -> str:
    """Return a value as tshark writes it, but numbers in base 10."""
    match kind:
        case FilterType.IPV4:
            return socket.inet_ntoa(int(value).to_bytes(4, "big"))
        case FilterType.IPV6:
            return socket.inet_ntop(socket.AF_INET6, value)
        case FilterType.ETHER:
            return value.hex(":")
        case FilterType.BYTES:
            return value.hex()
        case FilterType.BOOLEAN:
            return str(int(value))
        case FilterType.RELATIVE_TIME | FilterType.ABSOLUTE_TIME:
            sign, number = "-" * (value < 0), abs(value)
            return f"{sign}{number // 10**9}.{number % 10**9:09d}"
    return str(value)


def normal(kind: FilterType, written: str) -> str:
    """Return a value of tshark in the form of `text`."""
    if kind is FilterType.BYTES:
        return "" if written == "<none>" else written.replace(":", "")
    return str(int(written, 16)) if written.startswith("0x") else written


def by_columns(path: Path, names: list[str]) -> tuple[list[Packet], set[int]]:
    """Return the values of each packet, and the indices of the malformed ones."""
    packets: list[Packet] = []
    malformed: set[int] = set()
    context = CaptureContext()
    with open_capture(path) as reader:
        for chunk in iter_chunks(reader):
            values = ChunkValues(chunk, context)
            base = len(packets)
            packets += [{} for _ in range(len(chunk))]
            for name in names:
                found = values.occurrences(name)
                field = CATALOG.find(name)
                assert field is not None
                for row, value in zip(found.rows.tolist(), plain(found), strict=True):
                    packets[base + row].setdefault(name, []).append(text(field.type, value))
            causes = values.occurrences("frame.stop.cause")
            malformed |= {
                base + row
                for row, cause in zip(causes.rows.tolist(), plain(causes), strict=True)
                if cause == Cause.MALFORMED
            }
            context = context.after(chunk)
    return packets, malformed


def by_tshark(path: Path, names: list[str]) -> list[Packet]:
    command = [require_peer("tshark"), "-n", "-r", str(path), "-T", "fields"]
    command += ["-E", "occurrence=a", "-E", "aggregator=|", "-E", "separator=/t"]
    for option in OPTIONS:
        command += ["-o", option]
    for name in names:
        command += ["-e", name]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=PATIENCE_S, errors="replace",
    )  # fmt: skip
    return [
        {name: cell.split("|") for name, cell in zip(names, line.split("\t"), strict=True) if cell}
        for line in done.stdout.splitlines()
    ]


def differences(path: Path) -> Iterator[tuple[int, str, list[str], list[str]]]:
    """Yield packet number, field, values by columns, and values of tshark where they differ."""
    names = compared_names()
    mine, malformed = by_columns(path, names)
    theirs = by_tshark(path, [*names, "frame.protocols"])
    assert len(mine) == len(theirs)
    kinds = {field.name: field.type for field in CATALOG}
    for index, (packet, other) in enumerate(zip(mine, theirs, strict=True)):
        layers = set(other["frame.protocols"][0].split(":"))
        if index in malformed or layers & FURTHER_TUNNELS or (path.name, index + 1) in ODD_PACKETS:
            continue
        for name in names:
            got = packet.get(name, [])
            want = [normal(kinds[name], each) for each in other.get(name, [])]
            if got != want:
                yield index + 1, name, got, want


def compared_captures() -> list[str]:
    """Return the captures of `COVER`, or all of them."""
    return [path for path, _ in capture_index()] if is_thorough() else [*COVER]


def features(path: Path, names: list[str]) -> set[tuple[str, str]]:
    """Return what can be compared in a capture: fields, repeated fields, and verdicts."""
    packets, malformed = by_columns(path, names)
    found: set[tuple[str, str]] = set()
    for index, packet in enumerate(packets):
        if index not in malformed:
            found |= {(name, "") for name in packet}
            found |= {(name, "repeated") for name, values in packet.items() if len(values) > 1}
            found |= {
                (name, value)
                for name, values in packet.items()
                if name.endswith(".status")
                for value in values
            }
    return found


def choose_cover() -> list[str]:
    """Return captures that together have all features; a greedy choice."""
    names = compared_names()
    of: dict[str, set[tuple[str, str]]] = {}
    for path, _ in capture_index():
        if Path(path).name in WITH_JOURNAL:
            continue
        try:
            of[path] = features(captures_dir() / "files" / path, names)
        except FileError:
            continue
    missing, chosen = set[tuple[str, str]]().union(*of.values()), []
    while missing:
        chosen.append(max(of, key=lambda path: len(of[path] & missing)))
        missing -= of[chosen[-1]]
    return sorted(chosen)


@pytest.mark.corpus
@pytest.mark.parametrize("path", compared_captures())
def test_occurrences_are_those_of_tshark(path: str) -> None:
    """All values in order, in tunnels and quoted packets, too."""
    capture = captures_dir() / "files" / path
    if capture.name in WITH_JOURNAL:
        return
    try:
        found = list(differences(capture))
    except FileError:  # the readers' tests check which files they reject
        return
    wrong = [each for each in found if each[1] not in DIFFERENT]
    counts = Counter(name for _, name, _, _ in wrong)
    assert not wrong, f"{counts}: {wrong[:5]}"


def test_most_fields_are_compared() -> None:
    assert len(compared_names()) > 250
    assert DIFFERENT.keys() <= set(compared_names())


if __name__ == "__main__":
    print(*choose_cover(), sep="\n")
