"""The names of payloads: those of columns are those of one packet at a time."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest

from core.analysis.filter.values.chunk_headers import ChunkHeaders
from core.analysis.statistics.applications import NAMES, application_of, applications
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.decode_rules import DecodeRules
from tests.core.analysis.statistics.packets import chunk_of
from tests.core.decode.frames import ethernet, ipv4
from tests.helpers.scripted import client_hello, dns

QUESTION = dns("example.org")
PAYLOADS = (
    b"",
    b"GET / HTTP/1.1\r\n",
    b"M-SEARCH * HTTP/1.1\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.0 2x0",
    b"PUT \r",
    b"GETTING",
    client_hello("example.org"),
    b"\x17\x03\x03\x00\x01x",
    b"\x17\x03\x03\x00\x00x",
    b"\x17\x03\x09\x00\x01x",
    QUESTION,
    struct.pack(">H", len(QUESTION)) + QUESTION,
    b"\x00\x01\x78" + bytes(12),
)
PORTS = ((40_000, 443), (53, 40_000), (5353, 5353), (40_000, 5355), (8080, 5300), (40_000, 1900))


def _frame(transport: int, ports: tuple[int, int], payload: bytes) -> bytes:
    if transport == IpProtocol.TCP:
        header = struct.pack(">HHIIBBHHH", *ports, 1, 0, 0x50, 0x10, 100, 0, 0)
    else:
        header = struct.pack(">HHHH", *ports, 8 + len(payload), 0)
    return ethernet(ipv4(header + payload, transport))


@pytest.mark.parametrize("assigned", [{}, {("tcp", 8080): "data", ("udp", 5300): "dns"}])
def test_columns_name_payloads_as_one_packet_does(assigned) -> None:
    """All payloads, cut at every length up to 16, between all ports."""
    frames = [
        _frame(transport, ports, payload[:size])
        for transport in (IpProtocol.TCP, IpProtocol.UDP)
        for ports in PORTS
        for payload in PAYLOADS
        for size in {*range(min(16, len(payload))), len(payload)}
    ]
    chunk = replace(chunk_of(frames), decode_rules=DecodeRules(assigned))
    found = [NAMES[number] for number in applications(ChunkHeaders(chunk)).tolist()]
    expected = [application_of(chunk.dissect(row)) for row in range(len(chunk))]
    assert found == expected
    assert set(found) == set(NAMES)


def test_other_transports_have_data_or_nothing() -> None:
    echo = ethernet(ipv4(bytes.fromhex("0800000000010001") + b"GET / ", IpProtocol.ICMP))
    empty = ethernet(ipv4(bytes.fromhex("0800000000010001"), IpProtocol.ICMP))
    found = applications(ChunkHeaders(chunk_of([echo, empty])))
    np.testing.assert_array_equal(found, [NAMES.index("data"), 0])
