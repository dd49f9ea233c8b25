"""The texts of flows: every column of every kind of list, and durations."""

from __future__ import annotations

import pytest

from core.analysis.flows.conversations import FlowCounter
from core.analysis.flows.level import Level
from core.analysis.flows.listing import SORTS, FlowQuestion, listing_of
from core.analysis.tcp.flow_index import FlowIndex
from tests.core.analysis.flows.test_listing import SENT
from tests.core.analysis.tcp.conversations import chunk_of
from widgets.flows.columns import columns_of, duration_text, fixed_of


@pytest.mark.parametrize("endpoints", [False, True])
@pytest.mark.parametrize("level", Level)
def test_every_column_has_a_text_and_an_order(level: Level, endpoints: bool) -> None:
    chunk = chunk_of(SENT)
    counter = FlowCounter()
    counter.add(chunk, FlowIndex().append(chunk))
    question = FlowQuestion(level, endpoints)
    listing = listing_of(question, counter.tables[level], counter.scale)
    columns = columns_of(question)
    assert len({column.heading for column in columns}) == len(columns)
    assert {column.sort for column in columns} <= SORTS.keys()
    for row in range(len(listing)):
        words = {column.heading: column.text(listing, row) for column in columns}
        assert all(words[column.heading] for column in columns[: fixed_of(question) + 2])


def test_words_of_a_conversation() -> None:
    chunk = chunk_of(SENT)
    counter = FlowCounter()
    counter.add(chunk, FlowIndex().append(chunk))
    listing = listing_of(FlowQuestion(), counter.tables[Level.TCP], counter.scale)
    words = {column.heading: column.text(listing, 0) for column in columns_of(FlowQuestion())}
    assert words | {"Over time": ""} == {
        "End A": "10.0.0.1:40001",
        "End B": "10.0.0.2:443",
        "Packets": "2",
        "Bytes": "708",
        "State": "open",
        "Retr": "0",
        "RTT": "",
        "ZeroWin": "0",
        "Resets": "0",
        "Over time": "",
        "Rate": "5.7 Mbit/s",
        "Duration": "1.0 ms",
        "Start": "0.002",
        "A→B": "154",
        "B→A": "554",
        "Pkts A→B": "1",
        "Pkts B→A": "1",
        "Stream": "1",
    }


@pytest.mark.parametrize(
    ("duration_ns", "text"),
    [
        (-1, ""),
        (0, ""),
        (340_000, "340 µs"),
        (12_345_678, "12.3 ms"),
        (4_560_000_000, "4.56 s"),
        (119_000_000_000, "119.00 s"),
        (720_000_000_000, "12 min"),
        (12_240_000_000_000, "3.4 h"),
    ],
)
def test_durations(duration_ns: int, text: str) -> None:
    assert duration_text(duration_ns) == text
