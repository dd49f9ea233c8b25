"""Relations: types that fit, and errors where they do not."""

from __future__ import annotations

import pytest

from core.analysis.filter.display_filter import compile_filter
from core.analysis.filter.language.errors import FilterError
from core.analysis.filter.language.expressions import (
    Existence,
    FieldValue,
    Match,
    Membership,
    Negated,
    NonZero,
    Relation,
    SliceValue,
    Value,
)
from core.analysis.filter.types import FilterType
from tests.core.analysis.filter.toy_catalog import TOY


@pytest.mark.parametrize(
    "text",
    [
        "", "tcp", "tcp.port == 80", "80 == tcp.port", "-2 == tcp.port", "2 + 3 == frame.number",
        "tcp.port == ip.ttl", "tcp.port == ip.flags.df", "tcp == 0c:c3", "tcp == tcp",
        "tcp.port == 66+1", "tcp.port == 68 -1", "ip.src & 255.0.0.0 == 10.0.0.0",
        "eth.src & ff:ff:ff:00:00:00 == 00:09:6b:00:00:00", "frame[0:2] & 00:ff == 00:e0",
        "ip.src[0] == 10", "ip.src[0:2] == eth.src[0:2]", "ip.src[0:4] == ip.src",
        "eth.src == frame[6:6]", "@tcp.port[1] == 0xc3", "@tcp.port == 0c:c3",
        "80 < tcp.port <= 90", "tcp.port in {80, 90 .. 99, ip.ttl, -1 .. -2, len(ip)}",
        "ip.addr in {10.0.0.0/8, 10.0.0.1..10.0.0.2}", 'ip.proto in {"tcp" .. "udp"}',
        'ip.proto contains "P"', 'ip.flags.df matches "set"', "frame contains fc:",
        'eth.src contains 00:09', 'tcp.note[0:2] == "up"', "tcp.payload[0:2] > 48",
        "frame.time + 5 > 1041342931.3", "frame.time - frame.time > 3", "frame.time_delta * 2 < 1",
        "frame.time_delta / 2.5 < 1", "-frame.time_delta < 0", "frame.number < ${frame.number}",
        "eth.src[0:3] == ${eth.src[0:3]}", "ip.src#[1-2,-1] == 1.1.1.1", "mac-lte.ratio * 2 > 1.5",
        'frame.time == "2002-12-31 13:55:31.3Z"', 'ip.proto == "twice"', "any tcp.port != 80",
        "fc", "frame[37] == :fc", "ip.ttl == 1 and (tcp or not ip.ttl == 2) xor fc",
    ],
)  # fmt: skip
def test_valid(text: str) -> None:
    compile_filter(text, TOY)


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("tcp.prot == 1", (0, 8), "did you mean tcp.port"),
        (".tcp.prot", (0, 9), "is not a field"),
        ("tcp and hTTp", (8, 12), "is not a field"),
        ("6 == 7", (0, 6), "the same for every packet"),
        ('"a" == "a"', (0, 10), "the same for every packet"),
        ("1 + 2 == 3", (0, 10), "the same for every packet"),
        ("1 - 2", (0, 5), "the same for every packet"),
        ("10.0.0.5", (0, 8), "is not a field"),
        ("$ip.src == 1.1.1.1", (0, 18), "the same for every packet"),
        ("max(1, 2) == 3", (0, 14), "the same for every packet"),
        ("tcp.port == 80 == 80", (0, 20), "the same for every packet"),
        ("tcp.port == ip.src", (0, 18), "cannot be compared with an IPv4 address"),
        ("ip.src == eth.src", (0, 17), "cannot be compared"),
        ("ip.src == ip.src[0:4]", (0, 21), "cannot be compared"),
        ("tcp.port == fc", (0, 14), "cannot be compared with a protocol"),
        ("ip.flags.df == tcp.port", (0, 23), "cannot be compared"),
        ("tcp.port[1] == 0xc3", (0, 8), "@tcp.port[…]"),
        ('frame == "00"[1]', (9, 13), "does not apply to a constant"),
        ("frame == b[1]", (9, 10), "is not a field"),
        ("-tcp", (1, 4), "cannot be negated"),
        ("ip.src + 1 == 2", (0, 6), "cannot be added"),
        ("ip.flags.df & 1", (0, 11), "cannot be combined"),
        ("ip.ttl + ip.flags.df == 1", (9, 20), "cannot be added"),
        ("mac-lte.ratio % 2 == 1", (0, 13), "does not support %"),
        ("10 / 0 == ip.ttl", (0, 6), "division by zero"),
        ("frame.time > 2 * ip.ttl", (13, 14), "on the right side of *"),
        ("frame.time + ip.ttl == 1", (13, 19), "expected a time"),
        ("frame.time_delta * frame.time_delta == 1", (19, 35), "expected a number"),
        ("ip.ttl * 2 == 256", (14, 17), "too large"),
        ("udp == 1", (0, 3), "is not a field"),
        ("123 in {ip}", (0, 3), "only a field can be in a set"),
        ("len(tcp) in {1}", (0, 8), "only a field can be in a set"),
        ("tcp.port in {frame[0]}", (13, 21), "cannot be an item"),
        ("tcp.port in {ip.src}", (13, 19), "cannot be compared"),
        ("tcp.port contains 80", (0, 8), "string(tcp.port)"),
        ('ip.src matches "^10"', (0, 6), "takes text or bytes"),
        ("frame contains tcp.note", (15, 23), "cannot be compared"),
        ('"x" contains "y"', (0, 3), "expected a field"),
        ('${tcp.note} contains "y"', (0, 10), "expected a field"),
        ("tcp.payload matches HEAD", (20, 24), "double quotes"),
        ('tcp.payload matches "(a"', (20, 24), "regular expression is wrong"),
        ('ip.proto > "twice"', (9, 10), '"twice" names several numbers, which have no order'),
        ('"Twice" <= ip.proto', (8, 10), '"Twice" names several numbers, which have no order'),
    ],
)
def test_wrong(text: str, place: tuple[int, int], says: str) -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter(text, TOY)
    assert says in str(caught.value)
    assert caught.value.place == place


@pytest.mark.parametrize(
    ("text", "is_incomplete"),
    [
        ("tcp.por", True),
        ("tcp.por ", True),
        ("tcp.por == 1", False),
        ("tcp.xyz", False),
        ("ip.src == 10.0", True),
        ("ip.src == 10.0 or tcp", False),
        ("eth.src == 00:11", True),
        ("eth.src == 00:11 or tcp", False),
        ("ipv6.src == ff05", True),
        ("ip.src == host", False),
        ("ip.src == 300.1.1.1", False),
        ("ip.src == 10.256", False),
        ("ipv6.src == fe80:12345", False),
    ],
)
def test_the_start_of_a_right_word_is_incomplete(text: str, is_incomplete: bool) -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter(text, TOY)
    assert caught.value.is_incomplete is is_incomplete


def test_the_meaning_of_a_word_depends_on_its_context() -> None:
    """``fc`` is a protocol beside a field, and a byte only with a colon."""
    found = compile_filter("frame[37] == fc", TOY).condition
    assert isinstance(found, Relation)
    assert isinstance(found.right, SliceValue)  # the bytes of the protocol
    found = compile_filter("frame[37] == :fc", TOY).condition
    assert isinstance(found, Relation)
    assert found.right == Value(FilterType.BYTES, b"\xfc")


def test_a_field_alone_exists_and_an_expression_alone_is_not_zero() -> None:
    assert isinstance(compile_filter("tcp", TOY).condition, Existence)
    assert isinstance(compile_filter("frame[2]", TOY).condition, Existence)
    assert isinstance(compile_filter("tcp.flags & 2", TOY).condition, NonZero)
    assert isinstance(compile_filter("len(tcp)", TOY).condition, NonZero)


def test_text_is_searched_in_the_words_of_numbers() -> None:
    found = compile_filter('ip.proto matches "^t"', TOY).condition
    assert isinstance(found, Match)
    assert isinstance(found.left, FieldValue)
    assert found.left.as_words


def test_a_word_with_several_numbers_is_a_set() -> None:
    found = compile_filter('ip.proto == "twice"', TOY).condition
    assert isinstance(found, Membership)
    assert [low for low, _ in found.items] == [
        Value(FilterType.UINT8, 18),
        Value(FilterType.UINT8, 19),
    ]


def test_not_in_wraps_the_quantified_membership() -> None:
    found = compile_filter("all tcp.port not in {1, 2}", TOY).condition
    assert isinstance(found, Negated)
    assert isinstance(found.condition, Membership)
