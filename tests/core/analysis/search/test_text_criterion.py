"""A text is found in the bytes of packets and in their rows, the nearest one first."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.search import text_criterion
from core.analysis.search.criteria import Answer
from core.analysis.search.search import Search
from core.analysis.search.text_criterion import RowTexts, TextCriterion
from core.analysis.tcp.flow_index import FlowIndex
from core.decode.summaries import WHOLE_ROWS, LeftOut
from core.store.budget import Budget
from core.store.filtered_view import AllPackets
from core.wire.model.field import Span
from tests.helpers.scripted import scripted_store

SNAPSHOT = scripted_store().snapshot()


def _found(criterion: TextCriterion, step: int = 1) -> list[int]:
    """Return the numbers of all packets that a search finds one after the other."""
    found: list[int] = []
    start = 0
    while True:
        search = Search(criterion, AllPackets(1, SNAPSHOT.count), start, step)
        while search.extend(SNAPSHOT, Budget(0)):
            pass
        state = search.state
        if state.found is None or (start and state.is_wrapped):
            return found
        found.append(state.found)
        start = state.found


def _by_hand(text: str) -> list[int]:
    """Return the packets whose bytes or row contain a text, in both cases."""
    texts = RowTexts()
    (chunk,) = SNAPSHOT.chunks
    return [
        chunk.first + row
        for row in range(len(chunk))
        if text.lower().encode() in chunk.frame(row).lower()
        or text.lower() in texts.of_packet(SNAPSHOT, chunk, row).lower()
    ]


@pytest.mark.parametrize("text", ["who has", "GET", "192.0.2.53", "dns", "example", "SYN, ACK"])
def test_a_text_finds_packets_by_their_bytes_and_their_rows(text):
    found = _found(TextCriterion(text))
    assert found
    assert found == _by_hand(text)
    assert _found(TextCriterion(text), -1) == found[::-1]


def test_the_case_counts_if_the_user_wants_it():
    assert _found(TextCriterion("who HAS"))
    assert not _found(TextCriterion("who HAS", ignores_case=False))
    assert _found(TextCriterion("Who has", ignores_case=False))
    assert _found(TextCriterion("get /"))
    assert not _found(TextCriterion("get /", ignores_case=False))


def test_rows_have_relative_numbers_where_they_are_known():
    index = FlowIndex()
    index.extend(SNAPSHOT, Budget())
    text = "Seq=1 "
    assert not _found(TextCriterion(text))
    assert _found(TextCriterion(text, flows=index.published))


def test_columns_write_what_a_dissection_does():
    index = FlowIndex()
    index.extend(SNAPSHOT, Budget())
    texts = RowTexts(index.published)
    (chunk,) = SNAPSHOT.chunks
    for rows in (np.arange(len(chunk)), np.arange(3, len(chunk), 3)):
        found = texts.by_columns(chunk, rows, WHOLE_ROWS)
        columns = (found.source, found.destination, found.protocol, found.info)
        written = [each for each in zip(rows, *columns, strict=True) if each[-1] is not None]
        assert len(written) > len(rows) / 2
        for row, *parts in written:
            assert "\0".join(parts) == texts.of_packet(SNAPSHOT, chunk, row)


@pytest.mark.parametrize(
    "text", ["Len=", "len", "ck", "sack_p", "80 → 51", "d=0x", "2.0.2", "db8:", "DB8", "1234"]
)
@pytest.mark.parametrize("ignores_case", [True, False])
def test_lines_that_cannot_contain_a_text_are_left_out_and_no_others(text, ignores_case):
    """Compare with a search that writes all lines."""
    criterion = TextCriterion(text, ignores_case=ignores_case)
    found = _found(criterion)
    criterion._left_out = WHOLE_ROWS
    assert _found(criterion) == found


def test_a_word_that_no_segment_has_leaves_its_lines_out():
    def left_out(text, **options):
        return TextCriterion(text, **options)._left_out

    assert left_out("password") == LeftOut(True, True, frozenset({"tcp", "udp"}))
    assert left_out("TSval").info == {"udp"}
    assert not left_out("LEN=12").info
    assert left_out("LEN=12", ignores_case=False).info == {"tcp", "udp"}
    assert not left_out("DB8:").addresses
    assert left_out("DB8:", ignores_case=False).addresses


def test_rows_behind_the_first_match_in_bytes_are_not_read(monkeypatch):
    read: list[int] = []

    def of_packet(self, snapshot, chunk, row):
        read.append(row)
        return ""

    monkeypatch.setattr(RowTexts, "of_packet", of_packet)
    monkeypatch.setattr(RowTexts, "by_columns", lambda self, chunk, rows, left_out: None)
    (chunk,) = SNAPSHOT.chunks
    rows = np.arange(len(chunk))
    answer = TextCriterion("GET /").find(SNAPSHOT, chunk, rows, Budget())
    assert b"GET /" in chunk.frame(answer.row)
    assert answer.checked == answer.row + 1
    assert read == list(range(answer.row))
    assert TextCriterion("nowhere at all").find(SNAPSHOT, chunk, rows, Budget(0)) == Answer(None, 1)


def test_a_packet_that_cannot_be_described_has_no_text(monkeypatch):
    def fail(*_arguments):
        raise ValueError("a fault of the program")

    monkeypatch.setattr(text_criterion, "summarize", fail)
    monkeypatch.setattr(text_criterion, "summaries", fail)
    assert _found(TextCriterion("GET /"))  # in its bytes
    assert not _found(TextCriterion("SYN, ACK"))


def test_the_bytes_of_a_match():
    assert TextCriterion("get").span_in(b"a GET") == Span(2, 5)
    assert TextCriterion("get", ignores_case=False).span_in(b"a GET") is None
    assert TextCriterion("é").span_in("é".encode()) == Span(0, 2)
