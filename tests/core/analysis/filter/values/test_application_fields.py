"""The messages of applications as fields: which payloads are messages, and their bytes."""

from __future__ import annotations

import struct

import pytest

from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.types import FilterType
from core.analysis.filter.values.chunk_values import ChunkValues
from core.analysis.filter.values.frame_values import CaptureContext
from core.decode.batch import CaptureInterface
from core.store.packet_store import PacketStore
from core.wire.application import payload_info
from core.wire.link.link_types import LinkType
from tests.core.analysis.filter.values.reference import dissecting_values, listed
from tests.helpers.scripted import ACK, HOST, PSH, SERVER, Frame, batch, dns, icmp, tcp, udp

NAMES = ("dns", "mdns", "llmnr")
MESSAGE = dns("example.org")
PORTS = ((53, 5353), (5353, 5355), (5355, 9), (9, 5353), (53, 53), (9, 10), (40_000, 53))
PAYLOADS = (MESSAGE, b"\0\x1d" + MESSAGE, b"", b"\0" * 11, b"\xff" * 20, MESSAGE[:12])
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
