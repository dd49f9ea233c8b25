"""Text is fitted to terminal cells, also if a character takes two of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from widgets.lines.cells import (
    cut,
    is_numeric_address,
    left,
    right,
    shorten_address,
    width_of,
    without,
)

WIDE = "日本語"  # two cells each
WORDS = st.text(st.sampled_from("ab:…日語é\u0301"), max_size=30)


@given(WORDS, st.integers(1, 30))
def test_left_and_right_fill_exactly_the_width(text, width):
    assert cell_len(left(text, width)) == width
    assert cell_len(right(text, width)) == width


@given(WORDS, st.integers(0, 30))
def test_cut_never_exceeds_the_width_and_says_when_it_cut(text, width):
    short = cut(text, width)
    assert width_of(short) <= width
    assert short == text or width == 0 or short.endswith("…")


def test_without_takes_cells_not_characters():
    assert without("abcdef", 2) == "cdef"
    assert without(WIDE, 2) == "本語"
    assert without(WIDE, 99) == ""
    assert without("ab", 0) == "ab"


def test_a_long_ipv6_address_loses_whole_groups_from_its_middle():
    address = "2001:db8:85a3::8a2e:370:7334"
    for width in range(12, len(address)):
        short = shorten_address(address, width)
        assert len(short) <= width
        head, tail = short.split("…")
        assert address.startswith(head)
        assert address.endswith(tail)
        assert head.endswith(":")
        assert tail.startswith(":") or not tail
    assert shorten_address(address, len(address)) == address
    assert shorten_address(address, 20) == "2001:db8:…:370:7334"


def test_short_addresses_stay_as_they_are():
    assert shorten_address("255.255.255.255", 15) == "255.255.255.255"
    assert shorten_address("::1", 15) == "::1"


@pytest.mark.parametrize(
    ("text", "is_numeric"),
    [
        ("192.0.2.1", True),
        ("2001:db8::1", True),
        ("::ffff:192.0.2.1", True),
        ("02:00:5e:00:53:01", True),
        ("Intel_00:00:01", False),
        ("cafe.example", False),
        ("bad.cafe", False),
        ("", False),
    ],
)
def test_a_numeric_address_is_not_a_name(text, is_numeric):
    assert is_numeric_address(text) == is_numeric
