"""Listings: conversations and endpoints in any order, selected by text."""

from __future__ import annotations

import pytest

from core.analysis.flows.conversations import FlowCounter
from core.analysis.flows.level import Level
from core.analysis.flows.listing import SORTS, FlowListing, FlowQuestion, listing_of
from core.analysis.tcp.flow_index import FlowIndex
from tests.core.analysis.tcp.conversations import Sent, chunk_of

SENT = [
    Sent(flags="syn", sequence=1),
    Sent(flags="syn ack", back=True, sequence=1, acknowledgment=2),
    Sent(sequence=2, acknowledgment=2, length=100, ports=(40_001, 443)),
    Sent(back=True, sequence=2, acknowledgment=102, length=500, ports=(40_001, 443)),
    Sent(flags="reset", sequence=9, ports=(40_002, 22)),
]


@pytest.fixture(scope="module")
def counter() -> FlowCounter:
    counter = FlowCounter()
    chunk = chunk_of(SENT)
    counter.add(chunk, FlowIndex().append(chunk))
    return counter


def _listed(counter: FlowCounter, question: FlowQuestion) -> FlowListing:
    return listing_of(question, counter.tables[question.level], counter.scale)


def _ports(listing: FlowListing) -> list[int]:
    return [listing.end(row)[1] for row in range(len(listing))]


@pytest.mark.parametrize(
    ("sort", "ports"),
    [
        ("bytes", [40_001, 40_000, 40_002]),
        ("packets", [40_000, 40_001, 40_002]),
        ("start", [40_002, 40_001, 40_000]),
        ("a", [40_002, 40_001, 40_000]),
        ("b", [40_001, 40_000, 40_002]),
        ("resets", [40_002, 40_000, 40_001]),
        ("bytes_in", [40_001, 40_000, 40_002]),
    ],
)
def test_sorted_by_a_column(counter: FlowCounter, sort: str, ports: list[int]) -> None:
    assert _ports(_listed(counter, FlowQuestion(sort=sort))) == ports


@pytest.mark.parametrize("endpoints", [False, True])
@pytest.mark.parametrize("level", Level)
def test_every_order_of_every_level(counter: FlowCounter, endpoints: bool, level: Level) -> None:
    for sort in SORTS:
        listing = _listed(counter, FlowQuestion(level, endpoints, sort))
        rows = list(range(len(listing)))
        ids = [listing.id_of(row) for row in rows]
        assert len(set(ids)) == len(listing) == listing.total
        assert [listing.row_of(id) for id in ids] == rows
        assert listing.row_of(None) is listing.row_of(-5) is None


def test_equal_flows_keep_the_order_of_their_first_packets(counter: FlowCounter) -> None:
    up = _ports(_listed(counter, FlowQuestion(sort="zero_windows", descending=False)))
    down = _ports(_listed(counter, FlowQuestion(sort="zero_windows", descending=True)))
    assert up == down == [40_000, 40_001, 40_002]


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("443", [40_001]),
        ("10.0.0.2:80", [40_000]),
        ("10.0.0 4000", [40_001, 40_000, 40_002]),
        ("RESET", [40_002]),
        ("half 4000", [40_000]),
        ("nothing", []),
    ],
)
def test_selected_by_text(counter: FlowCounter, text: str, ports: list[int]) -> None:
    listing = _listed(counter, FlowQuestion(text=text))
    assert _ports(listing) == ports
    assert listing.total == 3


def test_endpoints_sum_their_conversations(counter: FlowCounter) -> None:
    listing = _listed(counter, FlowQuestion(Level.IPV4, endpoints=True))
    found = {
        listing.end_text(row): (
            listing.number("packets", row, 0),
            listing.number("packets", row, 1),
            listing.number("conversations", row),
        )
        for row in range(len(listing))
    }
    assert found == {"10.0.0.1": (3, 2, 1), "10.0.0.2": (2, 3, 1)}
    listing = _listed(counter, FlowQuestion(endpoints=True))
    assert listing.total == 6
