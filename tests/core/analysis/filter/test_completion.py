"""Completion of filters: names with their meaning, and words for values."""

from __future__ import annotations

import pytest

from core.analysis.filter.completion import complete
from core.analysis.filter.display_filter import compile_filter
from core.analysis.filter.fields.catalog import CATALOG


def offered(text, cursor=None):
    found = complete(text, len(text) if cursor is None else cursor)
    return [each.text for each in found.items]


@pytest.mark.parametrize(
    "before", ["", "ip and ", "not ", "(", "tcp.port==80||", "{", "${", "ip.ttl+"]
)
def test_names_that_begin_with_the_word_come_first(before):
    names = offered(before + "tcp.p")
    assert names[:2] == ["tcp.port", "tcp.payload"]
    assert all("tcp.p" in name for name in names)


def test_names_that_contain_the_word_come_after():
    names = offered("ttl")
    assert "ip.ttl" in names
    assert offered("TTL") == names


def test_names_of_columns_begin_with_an_underscore():
    assert offered("ip and _ws.col.i") == ["_ws.col.info"]


def test_a_name_has_its_meaning():
    (ttl,) = (each for each in complete("ip.tt", 5).items if each.text == "ip.ttl")
    assert ttl.meaning == "Time to live"
    assert all(each.meaning for each in complete("e", 1).items)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ('ip.proto == "T', '"TCP"'),
        ("ip.proto == t", '"TCP"'),
        ("ip.proto==", '"'),
        ('ip.proto in {"UDP", "t', '"TCP"'),
        ("ip.proto ne Ic", '"ICMP"'),
        ("tcp.flags.syn == ", '"Set"'),
        ('tcp.checksum.status == "b', '"Bad"'),
    ],
)
def test_values_of_a_field_are_completed_by_its_words(text, first):
    assert offered(text)[0].startswith(first)


@pytest.mark.parametrize(
    "text", ["", "tcp ", 'frame contains "tc', "10.0.0.", "tcp.port == 8", "ip.ttl"]
)
def test_nothing_is_offered_where_nothing_fits(text):
    assert offered(text) == []


def test_a_completion_replaces_the_word_before_the_cursor():
    found = complete("tcp.por == 80", 7)
    assert found.inserted("tcp.por == 80", 0) == ("tcp.port == 80", 8)
    found = complete('ip.proto == "T and', 14)
    text, cursor = found.inserted('ip.proto == "T and', 0)
    assert (text, cursor) == ('ip.proto == "TCP" and', 17)


def test_every_word_is_a_valid_value():
    for name in CATALOG.names():
        text = f"{name} == "
        for word in offered(text)[:3]:
            compile_filter(text + word, CATALOG)
