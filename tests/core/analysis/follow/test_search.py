"""Searching a stream, in both directions and around its end."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.follow import search
from core.analysis.follow.search import Needle, StreamSearch
from core.analysis.search.query import QueryError, SearchKind, SearchQuery
from core.store.budget import Budget
from core.store.snapshot import EMPTY_SNAPSHOT
from tests.core.analysis.follow.test_rows import contents_of

TALK = contents_of((0, b"Get a, g"), (0, b"et b"), (1, b"get c, g"), (0, b"et d"), 3, (0, b"x"))


def found(
    text: str, start: int, step: int = 1, side: int | None = None, *, joins: bool = True, **query
) -> tuple[int, bool] | None:
    """Return the offset of the match, and whether the search wrapped."""
    needle = Needle.of(SearchQuery(text, **query))
    one = StreamSearch(TALK, needle, side, start, step, joins=joins)
    while one.extend(EMPTY_SNAPSHOT, Budget(0)):
        assert not one.state.is_done
    assert one.state.is_done
    return None if one.state.found is None else (one.state.found[0], one.state.is_wrapped)


@pytest.mark.parametrize("window", [1, 3, 1 << 19])
def test_places(window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "WINDOW", window)
    assert found("get", 0) == (0, False)
    assert found("get", 1) == (7, False)  # over two pieces
    assert found("get", 8) == (12, False)
    assert found("get", 13) == (0, True)  # at 19 it is of both sides
    assert found("get", 12, -1) == (7, False)
    assert found("get", 0, -1) == (12, True)
    assert found("get", 1, ignores_case=False) == (7, False)
    assert found("get", 13, ignores_case=False) == (7, True)
    assert found("get", 0, side=1) == (12, False)
    assert found("get", 1, joins=False) == (12, False)
    assert found("67 65", 0, kind=SearchKind.HEX) == (7, False)
    assert found("nothing", 5) is None
    assert found("dx", 0) is None  # a mark is between them
    assert found(".", 0) is None


@pytest.mark.parametrize(("text", "kind"), [("", SearchKind.TEXT), ("0", SearchKind.HEX)])
def test_a_query_without_bytes(text: str, kind: SearchKind) -> None:
    with pytest.raises(QueryError):
        Needle.of(SearchQuery(text, kind))


def _brute(data: tuple[tuple[int, bytes] | int, ...], needle: bytes, side: int | None, joins: bool):
    """Return all offsets of matches, by a plain reading of the rules."""
    runs: list[list] = []
    at, previous = 0, None
    for each in data:
        if isinstance(each, int):
            previous = None
            continue
        if joins and previous == each[0]:
            runs[-1][2] += each[1]
        else:
            runs.append([each[0], at, each[1]])
        previous = each[0]
        at += len(each[1])
    return [
        start + place
        for run_side, start, text in runs
        if side in (None, run_side)
        for place in range(len(text) - len(needle) + 1)
        if text[place : place + len(needle)] == needle
    ]


PIECES = st.lists(
    st.one_of(
        st.integers(1, 9),
        st.tuples(st.integers(0, 1), st.text("ab", min_size=1, max_size=6).map(str.encode)),
    ),
    min_size=1,
    max_size=12,
)


@given(
    PIECES, st.text("ab", min_size=1, max_size=4), st.sampled_from([None, 0, 1]), st.booleans(),
    st.integers(0, 40), st.sampled_from([1, -1]), st.sampled_from([1, 2, 5, 1 << 18]),
    st.sampled_from([1, 1 << 11]),
)  # fmt: skip
def test_any_stream_against_a_plain_search(
    pieces: list, text: str, side: int | None, joins: bool, start: int, step: int, window: int,
    tries: int,
) -> None:  # fmt: skip
    contents = contents_of(*pieces)
    start = min(start, len(contents.data))
    places = _brute(tuple(pieces), text.encode(), side, joins)
    first = [each for each in places if (each >= start) == (step > 0)]
    rest = [each for each in places if (each >= start) != (step > 0)]
    end = 0 if step > 0 else -1
    expected = (first[end], False) if first else (rest[end], True) if rest else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "WINDOW", window)
        patch.setattr(search, "TRIES", tries)
        needle = Needle.of(SearchQuery(text))
        one = StreamSearch(contents, needle, side, start, step, joins=joins)
        while one.extend(EMPTY_SNAPSHOT, Budget(0)):
            pass
    state = one.state
    assert (state.found and (state.found[0], state.is_wrapped)) == expected
    assert state.found is None or state.found[1] == state.found[0] + len(text)


SIZE = 1 << 20
LETTER = b"a" * 64
STREAMS = {
    "one letter": [(0, b"a" * SIZE)],
    "one letter, in small pieces": [(0, LETTER)] * (SIZE // 64),
    "one letter of both sides in turn": [(0, LETTER), (1, LETTER)] * (SIZE // 128),
    "one letter, with gaps": [(0, LETTER), 1] * (SIZE // 64),
}
BUFFERS = {name: contents_of(*pieces) for name, pieces in STREAMS.items()}


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("text", ["a" * 65, "ab" + "a" * 300, "a" * 300 + "b", "b"])
@pytest.mark.parametrize("step", [1, -1])
@pytest.mark.parametrize(("side", "joins"), [(None, True), (1, True), (None, False), (0, False)])
def test_a_step_does_little_work(
    name: str, text: str, step: int, side: int | None, joins: bool
) -> None:
    """Count the calls of each step, and the bytes that it searches."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    contents = BUFFERS[name]
    one = StreamSearch(contents, Needle.of(SearchQuery(text)), side, 100, step, joins=joins)
    is_more, steps = True, 0
    while is_more:
        calls = 0
        sys.setprofile(count)
        try:
            is_more = one.extend(EMPTY_SNAPSHOT, Budget(0))
        finally:
            sys.setprofile(None)
        steps += 1
        assert calls < 8 * search.TRIES + 200
    assert steps <= 2 + SIZE // search.WINDOW + SIZE // 64 // search.TRIES
