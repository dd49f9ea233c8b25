"""Arbitrary filters: long ones, deep ones, and nonsense are compiled, or refused with a place."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.analysis.filter.combination import Combination, combined
from core.analysis.filter.display_filter import DisplayFilter, compile_filter
from core.analysis.filter.language.errors import FilterError
from core.analysis.filter.language.functions import FUNCTIONS
from core.analysis.filter.language.lexer import OPERATORS
from core.analysis.filter.language.token_stream import DEPTH, MOST_CHARACTERS
from tests.core.analysis.filter.evaluation.made_values import MadeValues, Packet
from tests.core.analysis.filter.language.failures import failure
from tests.core.analysis.filter.toy_catalog import TOY

FRAMES = 500
"""Free frames of the stack: half of Python's default. A handler of Textual has over 900."""

PACKETS: list[Packet] = [
    {"ip.ttl": [3], "tcp.port": [80, 443], "frame": [b"abcd"], "ntp.offset": [-2]},
    {"frame": [b""]},
]

TOKENS = (
    *OPERATORS, *FUNCTIONS, *TOY.names(), "any", "all", "(", ")", "{", "}", "[0:4]", "[-1]", "[",
    "]", ",", "..", "#1", "#[-1]", "#", "@", "$", "${", "$ip.src", "1", "0x1f", "080", "1e999999",
    "1e-999999", "9" * 400, "0x" + "f" * 40, "3.5", "'c'", r"'\x80'", '"a"', r'"\x00"', r'r"\d"',
    '"(a"', "10.0.0.0/8", "::1", "00:11", "fc", "fc:", ".ip", "true", "inf", "TCP",
    '"2011-07-04 12:34:56.789"', '"Set"', ".", "=", "é", '"',
)  # fmt: skip


def with_few_frames(call: Callable[[], object]) -> None:
    """Call a function with only `FRAMES` frames left."""

    def deepen(levels: int) -> None:
        if levels:
            deepen(levels - 1)
        else:
            call()

    used, frame = 0, sys._getframe()
    while frame.f_back is not None:
        used, frame = used + 1, frame.f_back
    deepen(sys.getrecursionlimit() - FRAMES - used)


def use(compiled: DisplayFilter) -> None:
    """Do with a filter all that the program does."""
    assert len(compiled.passes(MadeValues(PACKETS), MadeValues(PACKETS[:1]))) == len(PACKETS)
    _ = compiled.fields


def combine(compiled: DisplayFilter) -> None:
    """Combine a filter with another one in every way."""
    for how in Combination:
        compile_filter(combined(compiled.text, "tcp.port == 1 or ip", how), TOY)


@pytest.mark.parametrize(
    ("opening", "inner", "closing", "end"),
    [
        ("(", "tcp", ")", ""),
        ("not ", "tcp", "", ""),
        ("not (", "tcp", ")", ""),
        ("!", "tcp", "", ""),
        ("(ip or ", "tcp", ")", ""),
        ("(ip and not (ip or ", "tcp", "))", ""),
        ("{", "ip.ttl", "}", " == 3"),
        ("-{", "ip.ttl", "}", " == 3"),
        ("{1 + ", "ip.ttl", "}", " == 3"),
        ("{ip.ttl & 1 + 2 * ", "ip.ttl", "}", " == 3"),
        ("abs(", "ip.ttl", ")", " == 3"),
        ("max(1, ", "ip.ttl", ")", " == 3"),
        ("abs({2 - ", "ip.ttl", "})", " == 3"),
        ("", "frame", "[0:4]", " == 61:"),
        ("", "ip.ttl", " + 1", " == 3"),
        ("", "ip.ttl", " * 1", " == 3"),
        ("1 + ", "ip.ttl", "", " == 3"),
        ("abs(", "ip.ttl", " + 1)", " == 3"),
        ("upper(", "tcp.note", "[0:1])", ' == "a"'),
    ],
)
def test_every_kind_of_nesting_has_one_bound(
    opening: str, inner: str, closing: str, end: str
) -> None:
    """The deepest filter that is accepted needs few frames; the next one is refused in place."""

    def text(levels: int) -> str:
        return opening * levels + inner + closing * levels + end

    deepest = next(n for n in range(DEPTH + 2) if failure(lambda n=n: compile_filter(text(n), TOY)))
    assert DEPTH // 5 <= deepest <= DEPTH + 1
    with_few_frames(lambda: use(compile_filter(text(deepest - 1), TOY)))
    with_few_frames(lambda: combine(compile_filter(text(deepest - 2), TOY)))
    for levels in (deepest, 5_000):
        error = failure(
            lambda levels=levels: with_few_frames(lambda: compile_filter(text(levels), TOY))
        )
        assert error is not None
        assert "nested more than 100 levels deep" in str(error)
        assert 0 < error.place.start <= error.place.stop <= len(text(levels))


def test_depths_of_different_kinds_add_up() -> None:
    nested = "{" * 60 + "abs(" * 30 + "ip.ttl" + ")" * 30 + "}" * 60
    chain = nested + " + 1" * 9
    with_few_frames(lambda: use(compile_filter(f"{chain} == 3", TOY)))
    for text in (f"{chain} + 1 + 1 == 3", f"(({chain} == 3))", f"not not ({chain} == 3)"):
        with pytest.raises(FilterError, match="levels deep"):
            compile_filter(text, TOY)


@pytest.mark.parametrize(
    "text",
    [
        " or ".join(["ip.ttl == 3"] * 3_000),
        " and ".join(["not ip.ttl == 9"] * 3_000),
        " xor ".join(["tcp"] * 3_001),
        " or ".join(["(tcp and ip)", "not ip.ttl"] * 1_000),
        " < ".join(["ip.ttl"] * 3_000),
        f"tcp.port in {{{', '.join(map(str, range(20_000)))}}}",
        f"tcp.port in {{{', '.join(f'{n} .. {n + 1}' for n in range(2_000))}}}",
        f"max({', '.join(['ip.ttl'] * 2_000)}) == 3",
        f"frame[{', '.join(['0:1'] * 2_000)}] == 61:",
        f'frame contains "{"a" * 200_000}"',
    ],
    ids=lambda text: text[:16],
)
def test_chains_and_sets_have_no_depth(text: str) -> None:
    with_few_frames(lambda: compile_filter(text, TOY).passes(MadeValues(PACKETS)))


@pytest.mark.parametrize("part", ["tcp or ", "$ip.src ", "(", '"', "$", "${a;"])
def test_a_text_of_a_megabyte_is_refused_at_once(part: str) -> None:
    text = part * (1_000_000 // len(part))
    error = failure(lambda: compile_filter(text, TOY))
    assert error is not None
    assert str(error) == f"a filter has at most 262,144 characters, not {len(text):,}"
    assert error.place == (MOST_CHARACTERS, len(text))


MACROS = {f"m{number}": f"($m{number + 1}($1))" for number in range(40)} | {"m40": "$1"}
"""Macros of which each uses the next one."""


def test_macros_inside_each_other_are_bounded() -> None:
    with_few_frames(lambda: use(compile_filter("$m11(tcp)", TOY, MACROS)))
    with_few_frames(lambda: use(compile_filter("$m40(" * 30 + "tcp" + ")" * 30, TOY, MACROS)))
    for text in (
        "$m0(tcp)",
        "$m40(" * 500 + "tcp" + ")" * 500,
        "$m20($m20($m20($m20($m20(tcp)))))",
    ):
        error = failure(
            lambda text=text: with_few_frames(lambda: compile_filter(text, TOY, MACROS))
        )
        assert error is not None
        assert 0 <= error.place.start <= error.place.stop <= len(text)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=14).map(" ".join) | st.text(max_size=40))
@example("frame.time_delta > 1e999999")
@example("frame.time > 1e999999")
@example("frame.time_delta + 1e18 > 1")
@example("mac-lte.ratio == 1e999999")
def test_any_text_is_a_filter_or_is_refused_in_place(text: str) -> None:
    error = failure(lambda: use(compile_filter(text, TOY)))
    if error is not None:
        assert 0 <= error.place.start <= error.place.stop <= len(text)


LEFT = st.sampled_from([*TOY.names(), "@tcp.port", "frame[0:2]", "len(frame)"])
RIGHT = st.sampled_from([*TOKENS]) | st.floats().map(str) | st.decimals().map(str) | st.text()


@settings(max_examples=200, deadline=None)
@given(LEFT, st.sampled_from([*OPERATORS]), RIGHT)
def test_any_value_beside_a_field_is_converted_or_refused(
    left: str, operator: str, right: str
) -> None:
    for text in (f"{left} {operator} {right}", f"{left} in {{{right}, {right} .. {right}}}"):
        error = failure(lambda text=text: use(compile_filter(text, TOY)))
        if error is not None:
            assert 0 <= error.place.start <= error.place.stop <= len(text)
