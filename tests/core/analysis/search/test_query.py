"""Queries that the user types, and the criteria that they make."""

from __future__ import annotations

import pytest

from core.analysis.filter.language.errors import FilterError
from core.analysis.search.criteria import ByteCriterion, FilterCriterion
from core.analysis.search.query import QueryError, SearchKind, SearchQuery, hex_bytes
from core.analysis.search.text_criterion import TextCriterion


@pytest.mark.parametrize(
    "text",
    ["474554", "47 45 54", "47:45:54", "0x47 0x45 0x54", " 0x474554 ", "47-45.54", "47,45,54"],
)
def test_hex_bytes(text):
    assert hex_bytes(text) == b"GET"


@pytest.mark.parametrize("text", ["", "4", "47 4", "0x"])
def test_unfinished_hex_bytes(text):
    with pytest.raises(QueryError) as raised:
        hex_bytes(text)
    assert raised.value.is_incomplete


def test_wrong_hex_bytes():
    with pytest.raises(QueryError, match="'G' is not a hex digit") as raised:
        hex_bytes("4G")
    assert not raised.value.is_incomplete


@pytest.mark.parametrize(
    ("query", "kind", "phrase"),
    [
        (SearchQuery("GET"), TextCriterion, "contains 'GET'"),
        (SearchQuery(" 47 45", SearchKind.HEX), ByteCriterion, "contains the bytes 47 45"),
        (SearchQuery("tcp ", SearchKind.FILTER), FilterCriterion, "passes tcp"),
    ],
)
def test_queries(query, kind, phrase):
    assert isinstance(query.criterion(), kind)
    assert query.phrase == phrase


@pytest.mark.parametrize("kind", SearchKind)
def test_an_empty_text_is_incomplete(kind):
    with pytest.raises(QueryError) as raised:
        SearchQuery("  ", kind).criterion()
    assert raised.value.is_incomplete


def test_a_wrong_filter_says_why():
    with pytest.raises(FilterError, match="portt"):
        SearchQuery("tcp.portt == 80", SearchKind.FILTER).criterion()
