"""The filters of what the statistics count pass exactly these packets."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.filter.packet_filter import PacketFilter
from core.analysis.statistics.applications import NAMES
from core.analysis.statistics.expressions import (
    length_filter,
    protocol_filter,
    talker_filter,
    time_filter,
)
from core.analysis.statistics.hierarchy import paths_of
from core.analysis.statistics.statistics import Statistics, StatisticsCounter
from core.analysis.statistics.talkers import Talker
from core.store.snapshot import Snapshot
from core.wire.application.payload_info import APPLICATIONS
from tests.helpers.scripted import START_NS, scripted_store


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return scripted_store().snapshot()


@pytest.fixture(scope="module")
def found(snapshot) -> Statistics:
    counter = StatisticsCounter()
    for chunk in snapshot.chunks:
        counter.add(chunk)
    return counter.result()


def _passing(text: str, snapshot: Snapshot) -> int:
    passes = PacketFilter.compile(text)
    return sum(int(passes(chunk, snapshot).sum()) for chunk in snapshot.chunks)


def test_protocols(found, snapshot) -> None:
    """Each filter passes what was counted. Other packets have the protocol elsewhere."""
    (chunk,) = snapshot.chunks
    texts, index = paths_of(chunk)
    nodes = list(found.hierarchy.nodes())
    assert len(nodes) > 8
    for node in nodes:
        text, path = protocol_filter(node.path), ":".join(node.path)
        passing = set(np.flatnonzero(PacketFilter.compile(text)(chunk, snapshot)).tolist())
        counted = {row for row, of in enumerate(index) if f"{texts[of]}:".startswith(f"{path}:")}
        assert counted <= passing, text
        for row in passing - counted:
            names = {layer.name for layer in chunk.dissect(row).layers}
            assert node.path[-1] in names | set(NAMES), text


@pytest.mark.parametrize(
    ("path", "expression"),
    [
        ("eth", "eth"),
        ("eth:ip:tcp", "ip and tcp"),
        ("eth:ip:ip:udp", "ip and udp"),
        ("eth:ip:udp:vxlan:eth:arp", "ip and udp and vxlan and arp"),
        ("eth:ip:tcp:tls", "ip and tcp and tls"),
        ("eth:ip:udp:ssdp", "ip and udp and ssdp"),
        ("eth:ip:udp:data", 'ip and udp and data and _ws.col.protocol == "UDP"'),
        ("eth:llc:data", "llc and data"),
        ("mpls:mpls", "mpls"),
    ],
)
def test_protocol_filters(path, expression) -> None:
    assert protocol_filter(path.split(":")) == expression
    PacketFilter.compile(expression)


@pytest.mark.parametrize("name", APPLICATIONS)
def test_applications_have_the_name_of_their_filter(name) -> None:
    """No filter goes by the text of a column where the language has a name."""
    assert protocol_filter(["eth", "ip", "udp", name]) == f"ip and udp and {name}"
    PacketFilter.compile(name)


def test_lengths(found, snapshot) -> None:
    for each in found.lengths:
        assert _passing(length_filter(each), snapshot) == each.packets


def test_talkers(found, snapshot) -> None:
    for each in found.talkers:
        text = talker_filter(each)
        assert text is not None
        ends = each.sent_packets + each.received_packets
        if each.field != "eth.addr":  # IP packets have link addresses, too
            assert _passing(text, snapshot) == ends
    assert talker_filter(Talker("ip.addr", "", 1, 1, 1, 1)) is None


def test_times(snapshot) -> None:
    first, third = (snapshot.timestamp_ns(number) for number in (1, 3))
    assert first == START_NS
    assert _passing(time_filter(first, third), snapshot) == 2
    assert _passing(time_filter(first + 1, third + 1), snapshot) == 2
