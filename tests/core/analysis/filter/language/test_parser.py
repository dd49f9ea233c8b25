"""The syntax of filters: precedence, chains, and the places of errors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.filter.language.errors import FilterError
from core.analysis.filter.language.parser import parse
from core.analysis.filter.language.syntax import (
    Binary,
    Call,
    Comparison,
    FieldName,
    Logic,
    Negative,
    Not,
    Operand,
    Reference,
    SetTest,
    Slice,
    Test,
    Truth,
)
from tests.core.analysis.filter.language.failures import failure


def shape(node: Test | Operand | None) -> str:
    """Return a tree in prefix notation."""
    match node:
        case None:
            return ""
        case Truth(_, operand):
            return shape(operand)
        case Not(_, test):
            return f"(not {shape(test)})"
        case Logic():
            return f"({node.operator.value} {' '.join(map(shape, node.tests))})"
        case Binary():
            return f"({node.operator.value} {shape(node.left)} {shape(node.right)})"
        case Comparison():
            prefix = f"{node.quantifier.value} " if node.quantifier else ""
            return f"({prefix}{node.operator.value} {shape(node.left)} {shape(node.right)})"
        case SetTest():
            prefix = f"{node.quantifier.value} " if node.quantifier else ""
            word = "not-in" if node.is_negated else "in"
            items = " ".join(
                shape(item.low) + (f"..{shape(item.high)}" if item.high else "")
                for item in node.items
            )
            return f"({prefix}{word} {shape(node.left)} {items})"
        case Negative(_, operand):
            return f"(- {shape(operand)})"
        case Slice(_, operand, ranges):
            return f"{shape(operand)}[{len(ranges)}]"
        case Call():
            return f"{node.name}({' '.join(map(shape, node.arguments))})"
        case Reference(_, field):
            return f"${shape(field)}"
        case FieldName():
            raw = "@" if node.is_raw else ""
            return f"{raw}.{node.name}" + (f"#{len(node.layers)}" if node.layers else "")
    return node.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("  \t\r\n ", ""),
        ("tcp", "tcp"),
        (".tcp", ".tcp"),
        (
            "a and b or not c or d and not e or f",
            "(or (and a b) (not c) (and d (not e)) f)",
        ),
        ("a or b xor c and d", "(or a (xor b (and c d)))"),
        ("a xor b ^^ c", "(xor a b c)"),
        ("not a and b", "(and (not a) b)"),
        ("!a == 1", "(not (== a 1))"),
        ("not not a", "(not (not a))"),
        ("(a or b) and c", "(and (or a b) c)"),
        ("a == b + c * 2", "(== a (+ b (* c 2)))"),
        ("a - b - 1 == 0", "(== (- (- a b) 1) 0)"),
        ("a & 2 == 0", "(== (& a 2) 0)"),
        ("a & b + 1", "(& a (+ b 1))"),
        ("a != b & 0x0F", "(!= a (& b 0x0F))"),
        ("{a + 2} * 2 == 4", "(== (* (+ a 2) 2) 4)"),
        ("a * { 10 / {5 - 4} } == 1", "(== (* a (/ 10 (- 5 4))) 1)"),
        ("-a == -1", "(== (- a) (- 1))"),
        ("+a == +1", "(== a 1)"),
        ("a == -{b * 20}", "(== a (- (* b 20)))"),
        ("80 < a < 4000", "(and (< 80 a) (< a 4000))"),
        ("a == b == c <= d", "(and (== a b) (== b c) (<= c d))"),
        ("any a < b < c", "(and (any < a b) (any < b c))"),
        ("all a === 1", "(all === a 1)"),
        ("any a eq 1", "(any == a 1)"),
        ("a any_ne 1 or a all_eq 2", "(or (!== a 1) (=== a 2))"),
        ('a contains "x"', '(contains a "x")'),
        ('a ~ "x"', '(matches a "x")'),
        ('all a matches r"x"', '(all matches a r"x")'),
        ("a in {1, 2 .. 3,-4..-3}", "(in a 1 2..3 (- 4)..(- 3))"),
        ("a not in {1}", "(not-in a 1)"),
        ("not a in {1}", "(not (in a 1))"),
        ("all a in {1}", "(all in a 1)"),
        ("a[0:2][1] == fc:", "(== a[1][1] fc:)"),
        ("a[0-1,-2:] == 00", "(== a[2] 00)"),
        ("@a[1] == 0xc3", "(== @.a[1] 0xc3)"),
        ("a#2 == b#[-1,1]", "(== .a#1 .b#2)"),
        ("a == ${b}", "(== a $.b)"),
        ("a == $b#4", "(== a $.b#1)"),
        ("a == ${b[0:3]}", "(== a $.b[1])"),
        ("a == $b[0:3]", "(== a $.b[1])"),
        ("a == ${@b}", "(== a $@.b)"),
        ("len (a) == min(b, 2 + 3)", "(== len(a) min(b (+ 2 3)))"),
        ("count()", "count()"),
        ("len(a)[1]", "len(a)[1]"),
    ],
)  # fmt: skip
def test_trees(text: str, expected: str) -> None:
    assert shape(parse(text)) == expected


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("a b", 3, "expected an operator"),
        ("tcp AND udp", 5, "did you mean and?"),
        ("a == 1 2", 8, "expected 'and', 'or', or the end"),
        ("()", 2, "expected a field"),
        ("a)", 2, "expected an operator"),
        ("(a b)", 4, "expected an operator"),
        ("(a + 2) * 2 == 4", 9, "write { } around arithmetic"),
        ("a in {}", 7, "expected a field"),
        ("a in {80,}", 10, "expected a field"),
        ("a in {80 81}", 10, "expected ',' or '}'"),
        ("a in 80", 6, "expected a set"),
        ("a not 80", 7, "'in' after 'not'"),
        ('a ~ "b" ~ "c"', 9, "expected 'and'"),
        ("a + 1 in {2}", 7, "not arithmetic"),
        ("{a} contains b", 5, "not arithmetic"),
        ("any (a == 1)", 5, "expected a field"),
        ("any a and b", 7, "after 'any …'"),
        ("a == == 1", 6, "expected a field"),
        ("a and and", 7, "expected a field"),
        ("a == 1..2", 7, "expected 'and'"),
        ("tcp.port(1)", 9, "expected an operator"),
        ("f(a b)", 5, "expected ',' or ')'"),
        ("@ 5", 3, "the name of a field"),
        ("${a b}", 5, "'}' after the name"),
        ("a[]", 3, "a range, such as"),
        ("a[1,]", 5, "a range, such as"),
        ("a == 1 # x", 8, "was unexpected"),
        ("--a", 2, "expected a field"),
        ("a = b c", 3, "write =="),
    ],
)
def test_places_of_errors(text: str, column: int, says: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert says in str(caught.value)
    assert caught.value.column == column
    assert not caught.value.is_incomplete


@pytest.mark.parametrize(
    "text",
    [
        "a ==", "not", "(a", "a and", "a in", "a in {", "a in {1", "a in {1,", "a in {1 ..",
        "any", "any a", "f(", "f(a", "f(a,", "a[", "a[1", "a[1,", "a#", "a contains", "$", "${",
        "${a", "{a", "-", "@", 'a == "x', "a == 'x", "a not", "!",
    ],
)  # fmt: skip
def test_more_text_could_make_it_valid(text: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert caught.value.is_incomplete


@pytest.mark.parametrize("opening", ["(", "not ", "{"])
def test_deep_nesting_is_an_error(opening: str) -> None:
    with pytest.raises(FilterError, match="levels deep"):
        parse(opening * 5000 + "a")


WORDS = st.sampled_from(
    ["a", "tcp.port", "==", "in", "{", "}", "(", ")", ",", "..", "1", "and", "not", "any", "+",
     "-", "[", "0:2", "]", "#", "2", '"x"', "'c'", "$", "@", "contains", "&", "10.0.0.0/8", "<"]
)  # fmt: skip


@given(st.lists(WORDS, max_size=12).map(" ".join) | st.text(max_size=30))
def test_any_text_gives_a_tree_or_an_error_inside_it(text: str) -> None:
    error = failure(lambda: parse(text))
    if error is not None:
        assert 0 <= error.place.start <= error.place.stop <= len(text)
        if error.is_incomplete:
            assert error.place.stop == len(text)


def test_a_long_chain_is_a_shallow_tree() -> None:
    """A list of a thousand addresses is a valid filter; arithmetic has a limit."""
    assert parse(" or ".join(["a"] * 5_000)) is not None
    assert parse("0 < a" + " < b" * 5_000) is not None
    with pytest.raises(FilterError, match="levels deep"):
        parse(" + ".join(["a"] * 5_000) + " == 1")
