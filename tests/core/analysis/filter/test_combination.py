"""Filters combined with one more expression: brackets where the meaning needs them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.filter.combination import Combination, combined
from core.analysis.filter.display_filter import compile_filter
from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.language.errors import FilterError
from core.analysis.filter.packet_filter import PacketFilter
from tests.core.analysis.filter.test_packet_filter import store_of
from tests.core.decode.frames import tcp_frame, udp_frame

ONLY, AND, OR, AND_NOT = Combination


@pytest.mark.parametrize(
    ("text", "expression", "how", "result"),
    [
        ("", "tcp", ONLY, "tcp"),
        ("", "tcp", AND, "tcp"),
        ("", "tcp", OR, "tcp"),
        ("", "tcp", AND_NOT, "not tcp"),
        ("udp", "tcp", ONLY, "tcp"),
        (" udp ", " tcp ", AND, "udp and tcp"),
        ("udp", "ip.ttl == 64", OR, "udp or ip.ttl == 64"),
        ("udp", "ip.ttl == 64", AND_NOT, "udp and not ip.ttl == 64"),
        ("udp or tcp", "ip", AND, "(udp or tcp) and ip"),
        ("(udp or tcp)", "ip", AND, "(udp or tcp) and ip"),
        ("(udp) or (tcp)", "ip", AND, "((udp) or (tcp)) and ip"),
        ("udp and tcp", "ip", OR, "udp and tcp or ip"),
        ("udp and tcp", "ip and eth", AND, "udp and tcp and ip and eth"),
        ("udp", "ip or eth", AND, "udp and (ip or eth)"),
        ("udp xor tcp", "ip", AND, "(udp xor tcp) and ip"),
        ("udp", "ip or eth", AND_NOT, "udp and not (ip or eth)"),
        ("", "ip and eth", AND_NOT, "not (ip and eth)"),
        ("", "not ip", AND_NOT, "not not ip"),
        ("not udp", "tcp", AND, "not udp and tcp"),
        ("10 < ip.ttl < 20", "tcp", AND, "10 < ip.ttl < 20 and tcp"),
        ("udp && tcp", "ip", AND, "udp && tcp and ip"),
        ("udp", "", AND, "udp"),
    ],
)
def test_brackets_stand_where_the_meaning_needs_them(text, expression, how, result):
    assert combined(text, expression, how) == result


@pytest.mark.parametrize(("text", "expression"), [("tcp ==", "ip"), ("ip", "tcp ==")])
def test_a_wrong_text_raises(text, expression):
    with pytest.raises(FilterError):
        combined(text, expression, AND)


FILTERS = st.recursive(
    st.sampled_from(["tcp", "udp", "ip.ttl > 60", "tcp.port == 80", "frame.number in {1, 3}"]),
    lambda inner: (
        st.builds(
            lambda one, word, other, closed: (
                f"({one} {word} {other})" if closed else f"{one} {word} {other}"
            ),
            inner,
            st.sampled_from(["and", "or", "xor", "&&", "||"]),
            inner,
            st.booleans(),
        )
        | inner.map(lambda text: f"not {text}")
        | inner.map(lambda text: f"!({text})")
    ),
    max_leaves=5,
)
SNAPSHOT = store_of([tcp_frame(), udp_frame(), tcp_frame(), bytes(60)]).snapshot()


@given(FILTERS, FILTERS, st.sampled_from([AND, OR, AND_NOT]))
def test_the_combination_passes_what_its_parts_say(text, expression, how):
    (chunk,) = SNAPSHOT.chunks
    left, right, both = (
        PacketFilter(compile_filter(one, CATALOG))(chunk, SNAPSHOT)
        for one in (text, expression, combined(text, expression, how))
    )
    expected = {AND: left & right, OR: left | right, AND_NOT: left & ~right}[how]
    assert both.tolist() == expected.tolist()
