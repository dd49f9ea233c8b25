"""Macros: texts that replace their uses before a filter is parsed."""

from __future__ import annotations

import pytest

from core.analysis.filter.combination import Combination, combined
from core.analysis.filter.completion import complete
from core.analysis.filter.display_filter import compile_filter
from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.language.errors import FilterError
from core.analysis.filter.language.macros import expand

MACROS = {
    "web": "tcp.port in {80, 443}",
    "private": "($1 == 10.0.0.0/8 or $1 == 192.168.0.0/16)",
    "both": "$private($1) and $2",
    "pair": "$1 == $2",
    "ip": "ip.version == 4",
    "loop": "$loop() or $loop()",
    "wrong": "ip.ttl == x",
    "inner": "not $nope(1)",
    "either": "tcp or udp",
}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$web()", MACROS["web"]),
        ("${web}", MACROS["web"]),
        ("not $web() and udp", f"not {MACROS['web']} and udp"),
        ("$pair(ip.ttl, 5)", "ip.ttl == 5"),
        ("${pair:ip.ttl;5}", "ip.ttl == 5"),
        ("${pair;ip.ttl ; 5}", "ip.ttl == 5"),
        ("$pair(max(ip.ttl, 1), {2 + 3})", "max(ip.ttl, 1) == {2 + 3}"),
        ('$pair(tcp.payload, "a,)b")', 'tcp.payload == "a,)b"'),
        ("$both(ip.src, $web())", f"(ip.src == 10.0.0.0/8 or ip.src == 192.168.0.0/16) and "
                                  f"{MACROS['web']}"),
        ("${ip}", "ip.version == 4"),  # a macro before a field
        ("ip.src == ${ip.src} and ip.ttl < $ip.ttl", "ip.src == ${ip.src} and ip.ttl < $ip.ttl"),
        ('frame contains "$web()"', 'frame contains "$web()"'),
        (r'frame matches r"\"$web()"', r'frame matches r"\"$web()"'),
        ("frame contains '$' and $web()", f"frame contains '$' and {MACROS['web']}"),
    ],
)  # fmt: skip
def test_uses(text: str, expanded: str) -> None:
    assert expand(text, MACROS).text == expanded
    compile_filter(text, CATALOG, MACROS)


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("tcp and $nope(1)", (8, 16), '"nope" is not a macro; [macros]'),
        ("$privat(ip.src)", (0, 15), "did you mean private"),
        ("$private()", (0, 10), "takes 1 argument, not 0"),
        ("$pair(1)", (0, 8), "takes 2 arguments, not 1"),
        ("$web(1)", (0, 7), "takes 0 arguments, not 1"),
        ("tcp and $wrong() and udp", (8, 16), 'in the macro wrong: "x" is not a number'),
        ("$pair(ip.ttl, x)", (0, 16), 'in the macro pair: "x" is not a number'),
        ("$inner()", (0, 8), 'in the macro inner: "nope" is not a macro'),
        ("$loop()", (0, 7), "use each other too often"),
        ("$web() and ip.ttl == x", (21, 22), '"x" is not a number'),
        ("$web() tcp", (7, 10), '"tcp" was unexpected'),
    ],
)
def test_an_error_names_the_macro_and_the_place_in_the_filter(
    text: str, place: tuple[int, int], says: str
) -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter(text, CATALOG, MACROS)
    assert says in str(caught.value)
    assert caught.value.place == place
    assert not caught.value.is_incomplete


@pytest.mark.parametrize("text", ["$pair(ip.ttl", "${pair:ip.ttl", "$web() and", "$web() or ip.tt"])
def test_a_filter_that_needs_more_text(text: str) -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter(text, CATALOG, MACROS)
    assert caught.value.is_incomplete
    assert caught.value.place.stop <= len(text)


def test_many_uses_end() -> None:
    chain = {f"m{n}": f"$m{n + 1}() $m{n + 1}()" for n in range(20)} | {"m20": ""}
    with pytest.raises(FilterError, match="too often"):
        expand("$m0()", chain)
    with pytest.raises(FilterError, match="too long"):
        compile_filter("$long() " * 60, CATALOG, {"long": "tcp or " * 2000})


def test_combinations_see_what_a_macro_means() -> None:
    """Brackets are added around a macro as around its text."""
    both = combined("$either()", "ip.ttl == 1", Combination.AND, MACROS)
    assert both == "($either()) and ip.ttl == 1"
    assert combined("tcp", "$either()", Combination.AND_NOT, MACROS) == "tcp and not ($either())"


def test_completion_offers_macros() -> None:
    found = complete("tcp and $pr", 11, MACROS)
    assert (found.items[0].text, found.items[0].meaning) == ("private(", MACROS["private"])
    assert found.inserted("tcp and $pr", 0) == ("tcp and $private(", 17)


def test_filters_see_only_the_macros_that_they_are_given() -> None:
    for text in ("$web()", "${web}"):
        with pytest.raises(FilterError):
            compile_filter(text, CATALOG)
        compile_filter(text, CATALOG, {"web": "tcp"})
