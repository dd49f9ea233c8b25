"""The messages of applications as fields: which payloads are messages, and their bytes."""

from __future__ import annotations

import re
import struct
import subprocess

import pytest

from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.types import FilterType
from core.analysis.filter.values.chunk_values import ChunkValues
from core.analysis.filter.values.frame_values import CaptureContext
from core.decode.batch import CaptureInterface
from core.store.packet_store import PacketStore
from core.wire.application import payload_info
from core.wire.application.payload_info import APPLICATIONS
from core.wire.link.link_types import LinkType
from tests.core.analysis.filter.capture_values import Capture
from tests.core.analysis.filter.values.reference import dissecting_values, listed
from tests.helpers.scripted import ACK, HOST, PSH, SERVER, Frame, batch, dns, icmp, tcp, udp
from tests.helpers.support import captures_dir, require_peer
from tests.helpers.waiting import PATIENCE_S

NAMES = tuple(APPLICATIONS)
MESSAGE = dns("example.org")
HTTP, TLS = b"GET / HTTP/1.1\r\n", bytes.fromhex("1703030002abcd")
PORTS = ((53, 5353), (5353, 5355), (5355, 9), (9, 5353), (53, 53), (9, 10), (40_000, 53), (1900, 9))
PAYLOADS = (MESSAGE, b"\0\x1d" + MESSAGE, b"", b"\0" * 11, b"\xff" * 20, MESSAGE[:12], HTTP, TLS)
VXLAN = bytes.fromhex("0800000000000100")


def _chunk(frames: list[bytes]):
    store = PacketStore()
    store.add_interface(CaptureInterface("eth0", LinkType.ETHERNET))
    store.append(batch([Frame(each) for each in frames]))
    return store.snapshot().chunks[0]


def _frames() -> list[bytes]:
    made = []
    for ports in PORTS:
        for payload in PAYLOADS:
            made.append(udp(HOST, SERVER, ports, payload))
            made.append(tcp(HOST, SERVER, ports, PSH | ACK, (1, 2), payload))
    return made


def test_a_message_is_what_the_info_column_describes() -> None:
    """By columns and by dissection; at most one application has the payload."""
    chunk = _chunk(_frames())
    values, dissected = (
        ChunkValues(chunk, CaptureContext()),
        dissecting_values(chunk, CaptureContext()),
    )
    found = {name: listed(values.occurrences(name, with_layers=True)) for name in NAMES}
    assert found == {name: listed(dissected.occurrences(name, with_layers=True)) for name in NAMES}
    for row in range(len(chunk)):
        dissection = chunk.dissect(row)
        shown = payload_info.describe(dissection, dissection.layers[-1])
        names = [name for name in NAMES for at, _, _ in found[name] if at == row]
        assert names == ([shown.name.lower()] if shown else [])
    assert all(found.values())


def test_the_length_before_a_message_over_tcp_is_not_part_of_it() -> None:
    frames = [
        udp(HOST, SERVER, (40_000, 53), MESSAGE),
        tcp(HOST, SERVER, (40_000, 53), PSH | ACK, (1, 2), b"\0\x1d" + MESSAGE),
    ]
    values = ChunkValues(_chunk(frames), CaptureContext())
    assert [value for _, _, value in listed(values.occurrences("dns"))] == [MESSAGE, MESSAGE]


def test_messages_in_tunnels_and_quotes_are_numbered_by_message() -> None:
    inner = udp(HOST, SERVER, (40_000, 53), MESSAGE)
    frames = [
        udp(HOST, SERVER, (40_000, 4789), VXLAN + inner),
        icmp(SERVER, HOST, 3, 3, struct.pack(">I", 0) + inner[14:]),
    ]
    values = ChunkValues(_chunk(frames), CaptureContext())
    found = listed(values.occurrences("dns", with_layers=True))
    assert found == [(0, 1, MESSAGE), (1, 1, MESSAGE)]


@pytest.mark.parametrize("name", NAMES)
def test_the_fields_are_protocols(name: str) -> None:
    field = CATALOG.find(name)
    assert field is not None
    assert field.type is FilterType.PROTOCOL
    assert field.meaning


# -- against tshark -----------------------------------------------------------------------------

ONLY_HERE = {
    "OISF+suricata-verify/tests/output-eve-ftp-data/input.pcap": {},
    "arkime+arkime/tests/pcap/arkime_synthetic.pcap": {
        "http": (1, "an OPTIONS request of SIP, which begins like one of HTTP"),
    },
    "kbandla+dpkt/examples/data/http.pcap": {},
    "seladb+PcapPlusPlus/Tests/ExamplesTest/pcap_examples/many-protocols.pcap": {
        "tls": (1, "a repeated segment, whose payload tshark does not read again"),
    },
}
"""Captures, and how many messages only rawscope finds in them, and why."""
ONLY_IN_TSHARK = {
    "http": "Continuation|WebSocket",  # inside a body, or after it changed the protocol
    "tls": "Ignored Unknown Record|Initial,|$",  # begins inside a record, or is in QUIC
    "ssdp": "(?!)",
}
"""The beginning of Info in messages that only tshark finds: it reads each payload after others."""


@pytest.mark.corpus
@pytest.mark.parametrize("path", ONLY_HERE)
def test_the_packets_are_those_of_tshark_without_reassembly(path: str) -> None:
    file = captures_dir() / "files" / path
    done = subprocess.run(
        [require_peer("tshark"), "-n", "-o", "tcp.desegment_tcp_streams:FALSE", "-r", str(file),
         "-T", "fields", "-E", "separator=/t", "-e", "frame.protocols", "-e", "_ws.col.Info"],
        capture_output=True, text=True, errors="replace", check=False, timeout=PATIENCE_S,
    )  # fmt: skip
    rows = [line.partition("\t")[::2] for line in done.stdout.splitlines()]
    capture = Capture(file)
    for name, reason in ONLY_IN_TSHARK.items():
        expected = {
            number for number, (protocols, _) in enumerate(rows, 1) if name in protocols.split(":")
        }
        found = set(capture.passing(name))
        assert len(found - expected) == ONLY_HERE[path].get(name, (0, ""))[0]
        for number in expected - found:
            assert re.search(f"^(\\[.*\\] )?,? ?({reason})", rows[number - 1][1]), number
