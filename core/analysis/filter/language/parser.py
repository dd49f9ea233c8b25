"""The parser: tokens to a syntax tree, by recursive descent.

Precedence, from the tightest::

    unary + -      * / %      + -      &      comparison, contains, matches, in
    not            and        xor      or

Round brackets group tests, curly brackets arithmetic, as in Wireshark. ``a < b <= c`` means
``a < b and b <= c``; ``contains`` and ``matches`` cannot be chained.
"""

from __future__ import annotations

from contextlib import ExitStack

from core.analysis.filter.language.errors import FilterError, TextSpan
from core.analysis.filter.language.lexer import TokenKind
from core.analysis.filter.language.macros import NO_MACROS, Macros, expand
from core.analysis.filter.language.operand_parser import OperandParser
from core.analysis.filter.language.syntax import (
    Binary,
    Comparison,
    Item,
    Logic,
    Negative,
    Not,
    Operand,
    Operator,
    Quantifier,
    SetTest,
    Test,
    Truth,
)
from core.analysis.filter.language.token_stream import TokenStream, check_length

_COMPARISONS = frozenset(
    {
        Operator.ANY_EQUAL,
        Operator.ALL_NOT_EQUAL,
        Operator.ALL_EQUAL,
        Operator.ANY_NOT_EQUAL,
        Operator.GREATER,
        Operator.GREATER_EQUAL,
        Operator.LESS,
        Operator.LESS_EQUAL,
    }
)
_SEARCHES = frozenset({Operator.CONTAINS, Operator.MATCHES})
_LOGIC = (Operator.OR, Operator.XOR, Operator.AND)  # loosest first


def parse(text: str, macros: Macros = NO_MACROS) -> Test | None:
    """Return the syntax tree of a filter, None if it is empty. Raise `FilterError`.

    The places in it are those in the text that `expand` returns.
    """
    check_length(text)
    expansion = expand(text, macros)
    try:
        return _TestParser(TokenStream(expansion.text)).filter()
    except FilterError as error:
        raise expansion.located(error) from None


class _TestParser:
    def __init__(self, stream: TokenStream) -> None:
        self._stream = stream
        self._operands = OperandParser(stream)

    def filter(self) -> Test | None:
        if self._stream.at_end():
            return None
        test = self._logic()
        if not self._stream.at_end():
            raise self._after(test)
        return test

    def _after(self, test: Test) -> FilterError:
        """Return the error of a token that cannot follow a whole test."""
        operator = self._stream.operator
        is_bracketed = self._stream.follows(")")
        if is_bracketed and operator is not None and operator not in (*_LOGIC, Operator.NOT):
            message = "( ) groups tests; write { } around arithmetic"
            return FilterError(message, self._stream.place)
        if isinstance(test, Truth) and operator in (*_SEARCHES, Operator.IN):
            message = f"'{self._stream.token.text}' takes a field or a function, not arithmetic"
            return FilterError(message, self._stream.place)
        if isinstance(test, Truth) and operator is None:
            return self._stream.unexpected("an operator such as ==, contains, or 'and'")
        return self._stream.unexpected("'and', 'or', or the end")

    def _logic(self) -> Test:
        """Read tests joined by operators; those of a tighter operator become one test."""
        waiting: tuple[list[Test], ...] = ([], [], [])  # for the operators of `_LOGIC`
        while True:
            waiting[-1].append(self._negatable())
            operator = self._stream.operator
            level = _LOGIC.index(operator) if operator in _LOGIC and operator is not None else 0
            for tighter in range(len(_LOGIC) - 1, level, -1):
                waiting[tighter - 1].append(_joined(_LOGIC[tighter], waiting[tighter]))
                waiting[tighter].clear()
            if operator not in _LOGIC:
                return _joined(_LOGIC[0], waiting[0])
            self._stream.advance()

    def _negatable(self) -> Test:
        """Read a relation or tests in round brackets, negated as often as it says."""
        starts: list[TextSpan] = []
        with ExitStack() as levels:
            while self._stream.operator is Operator.NOT:
                starts.append(self._stream.advance().place)
                levels.enter_context(self._stream.deeper())
            if self._stream.has("("):
                self._stream.advance()
                levels.enter_context(self._stream.deeper())
                test = self._logic()
                if not self._stream.has(")"):
                    is_end = self._stream.at_end()
                    raise self._stream.unexpected("')'") if is_end else self._after(test)
                self._stream.advance()
            else:
                test = self._relation()
        for start in reversed(starts):
            test = Not(start.to(test.place), test)
        return test

    def _relation(self) -> Test:
        quantifier: Quantifier | None = None
        start = self._stream.place
        if self._stream.kind is TokenKind.QUANTIFIER:
            quantifier = Quantifier(self._stream.advance().text)
        is_simple = not self._stream.has("{") and self._stream.operator is None
        left = self._operands.arithmetic()
        operator = self._stream.operator
        if operator in _COMPARISONS:
            return self._comparison(left, start, quantifier)
        is_entity = is_simple and not isinstance(left, Binary | Negative)
        if operator in _SEARCHES and is_entity:
            return self._search(left, start, quantifier)
        if operator in (Operator.IN, Operator.NOT) and is_entity:
            return self._membership(left, start, quantifier)
        if quantifier is not None:
            raise self._stream.unexpected(f"an operator such as == after '{quantifier.value} …'")
        return Truth(left.place, left)

    def _comparison(self, left: Operand, start: TextSpan, quantifier: Quantifier | None) -> Test:
        """Read one comparison, or a chain of them joined by 'and'."""
        tests: list[Test] = []
        while (operator := self._stream.operator) in _COMPARISONS and operator is not None:
            operator_place = self._stream.advance().place
            right = self._operands.arithmetic()
            place = start.to(right.place)
            tests.append(Comparison(place, operator, operator_place, left, right, quantifier))
            left = right
        return _joined(Operator.AND, tests)

    def _search(self, left: Operand, start: TextSpan, quantifier: Quantifier | None) -> Test:
        operator, token = self._stream.operator, self._stream.advance()
        assert operator is not None
        right = self._operands.entity()
        place = start.to(right.place)
        return Comparison(place, operator, token.place, left, right, quantifier)

    def _membership(self, left: Operand, start: TextSpan, quantifier: Quantifier | None) -> Test:
        is_negated = self._stream.operator is Operator.NOT
        if is_negated:
            self._stream.advance()
            if self._stream.operator is not Operator.IN:
                raise self._stream.unexpected("'in' after 'not'")
        self._stream.advance()
        self._stream.expect("{", "a set, such as {80, 8000 .. 8999}")
        items = [self._item()]
        while self._stream.has(","):
            self._stream.advance()
            items.append(self._item())
        end = self._stream.expect("}", "',' or '}'").place
        return SetTest(start.to(end), left, tuple(items), is_negated, quantifier)

    def _item(self) -> Item:
        low = self._operands.signed()
        if not self._stream.has(".."):
            return Item(low.place, low)
        self._stream.advance()
        high = self._operands.signed()
        return Item(low.place.to(high.place), low, high)


def _joined(operator: Operator, tests: list[Test]) -> Test:
    """Return one test for those that an operator joins."""
    if len(tests) == 1:
        return tests[0]
    return Logic(tests[0].place.to(tests[-1].place), operator, tuple(tests))
