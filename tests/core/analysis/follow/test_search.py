"""Searching a stream, in both directions and around its end."""

from __future__ import annotations

import pytest

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


@pytest.mark.parametrize("block", [1, 3, 1 << 19])
def test_places(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "BLOCK", block)
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
