"""Engines in one process with different rules (``-d``): each has its own for all its readers."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from core.analysis.filter.packet_filter import PacketFilter, values_of_packet
from core.analysis.filter.types import Occurrences
from core.analysis.statistics.statistics import StatisticsCounter
from core.decode.chunk import Chunk
from core.decode.summaries import summaries
from core.engine.engine import Engine
from core.engine.snapshot import EngineState
from core.net.sockets import LOCAL_SOCKETS
from core.store.gathered_packets import gather
from core.store.packet_store import PacketStore
from core.store.selected_packet import select_packet
from core.store.snapshot import Snapshot
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.decode_rules import DecodeRules
from core.wire.present.faults import Faults
from core.wire.present.summary import summarize
from tests.app.made import capture_of, udp_frame
from tests.core.decode.frames import ethernet, ipv4
from tests.core.wire.application.test_payload_info import QUESTION, message
from tests.helpers.waiting import until

DNS = message(1, 0, QUESTION, 0x0100)
RULES = ({("udp", 9): "dns"}, {("udp", 9): "mdns"}, {})
NAMES = ("DNS", "mDNS", "UDP")
"""The names of the payloads from port 9 by each of the rules."""


def frames() -> list[bytes]:
    """Return a datagram, one in a tunnel of IP in IP, and one in two fragments."""
    plain = udp_frame(DNS)
    packet = plain[14:]
    datagram = packet[20:]
    fragments = [
        ethernet(ipv4(datagram[:16], IpProtocol.UDP, id=7, **{"flags.mf": 1})),
        ethernet(ipv4(datagram[16:], IpProtocol.UDP, id=7, frag_offset=2)),
    ]
    return [plain, ethernet(ipv4(packet, IpProtocol.IPV4)), *fragments]


@pytest.fixture
def snapshots(tmp_path: Path) -> list[Snapshot]:
    """Return what engines have read of one file, each by its rules, all at the same time."""
    path = capture_of(tmp_path / "each.pcap", frames())
    engines = [Engine(PacketStore(decode_rules=DecodeRules(each)), LOCAL_SOCKETS) for each in RULES]
    for engine in engines:
        engine.start()
        engine.open_file(path)  # replaces the store
    found = []
    for engine in engines:
        with closing(engine):
            until(lambda e=engine: e.snapshot().state is EngineState.DONE, "the end of the file")
            found.append(engine.store.snapshot())
    return found


def passing(chunk: Chunk, snapshot: Snapshot, text: str) -> list[int]:
    return (np.flatnonzero(PacketFilter.compile(text)(chunk, snapshot)) + 1).tolist()


def test_rows_and_trees(snapshots: list[Snapshot]) -> None:
    for name, snapshot in zip(NAMES, snapshots, strict=True):
        selected = select_packet(snapshot, 1, Faults())
        assert selected is not None
        assert summarize(selected.layers()).protocol == name
        labels = [row.label for row in selected.rows]
        assert (f"Payload, {name}" in labels) == (name != "UDP")


def test_rows_by_columns(snapshots: list[Snapshot]) -> None:
    for name, snapshot in zip(NAMES, snapshots, strict=True):
        for chunk in (snapshot.chunks[0], gather(snapshot, [1])):
            one = chunk.rows(0, 1)
            found = summaries(one)
            assert found.protocol.tolist() == [name]


def test_filters(snapshots: list[Snapshot]) -> None:
    """In tunnels and in reassembled datagrams, too, and over a copy of some packets."""
    for name, snapshot in zip(NAMES, snapshots, strict=True):
        for text in ("dns", "mdns"):
            expected = [1, 2, 4] if text == name.lower() else []
            for chunk in (snapshot.chunks[0], gather(snapshot, [1, 2, 3, 4])):
                assert passing(chunk, snapshot, text) == expected
        found = [values_of_packet(snapshot, 1).occurrences(each) for each in ("dns", "mdns")]
        assert [count(each) for each in found] == [name == "DNS", name == "mDNS"]


def count(found: Occurrences) -> int:
    return len(found.rows)


def test_statistics(snapshots: list[Snapshot]) -> None:
    for name, snapshot in zip(NAMES, snapshots, strict=True):
        counter = StatisticsCounter()
        counter.add(snapshot.chunks[0])
        names = {node.path[-1] for node in counter.result(most_talkers=1).hierarchy.nodes()}
        assert names & {"dns", "mdns"} == {name.lower()} - {"udp"}
