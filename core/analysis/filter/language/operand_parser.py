"""The parser of operands: values, fields, ranges of them, functions, and arithmetic."""

from __future__ import annotations

from core.analysis.filter.language.errors import TextSpan
from core.analysis.filter.language.lexer import Token, TokenKind
from core.analysis.filter.language.ranges import parse_range
from core.analysis.filter.language.syntax import (
    Binary,
    Call,
    Character,
    FieldName,
    Literal,
    Negative,
    Number,
    Operand,
    Operator,
    Range,
    Reference,
    Slice,
    String,
    Word,
)
from core.analysis.filter.language.token_stream import TokenStream

_ARITHMETIC: tuple[frozenset[Operator], ...] = (  # loosest first
    frozenset({Operator.BIT_AND}),
    frozenset({Operator.PLUS, Operator.MINUS}),
    frozenset({Operator.TIMES, Operator.DIVIDE, Operator.MODULO}),
)
_LEVELS = {operator: level for level, each in enumerate(_ARITHMETIC) for operator in each}


class OperandParser:
    """Reads operands from a token stream."""

    def __init__(self, stream: TokenStream) -> None:
        self._stream = stream

    def arithmetic(self) -> Operand:
        """Read operands joined by arithmetic operators; equal ones go from left to right."""
        waiting: list[tuple[Operand, Operator, TextSpan] | None] = [None] * len(_ARITHMETIC)
        with self._stream.operand():
            while True:
                operand = self.signed(may_be_braced=True)
                operator = self._stream.operator
                level = _LEVELS.get(operator, 0) if operator is not None else 0
                for tighter in range(len(waiting) - 1, level - 1, -1):
                    before = waiting[tighter]
                    if before is not None:
                        operand = _binary(*before, operand)
                        self._stream.wrap()
                    waiting[tighter] = None
                if operator not in _LEVELS or operator is None:
                    return operand
                waiting[level] = operand, operator, self._stream.advance().place

    def signed(self, *, may_be_braced: bool = False) -> Operand:
        """Read an entity, or arithmetic in curly brackets, which may have a sign."""
        sign = self._stream.operator
        start = self._stream.place
        if sign in (Operator.PLUS, Operator.MINUS):
            self._stream.advance()
        if may_be_braced and self._stream.has("{"):
            self._stream.advance()
            with self._stream.deeper():
                operand = self.arithmetic()
            self._stream.expect("}", "'}'")
        else:
            operand = self.entity()
        if sign is not Operator.MINUS:
            return operand
        self._stream.wrap()
        return Negative(start.to(operand.place), operand)

    def entity(self) -> Operand:
        """Read a field, a value, or a function, with its ranges."""
        if self._stream.kind is TokenKind.IDENTIFIER:
            name = self._stream.advance()
            operand = self._call(name) if self._stream.has("(") else self._named(name)
        else:
            operand = self._atom()
        while self._stream.has("["):
            self._stream.wrap()
            ranges, place = self._ranges()
            operand = Slice(operand.place.to(place), operand, ranges)
        return operand

    def _atom(self) -> Operand:
        token = self._stream.token
        match token.kind:
            case TokenKind.STRING:
                assert isinstance(token.value, bytes)
                return String(self._stream.advance().place, token.text, token.value)
            case TokenKind.CHARACTER:
                assert isinstance(token.value, int)
                return Character(self._stream.advance().place, token.text, token.value)
            case TokenKind.NUMBER:
                assert isinstance(token.value, int | float)
                return Number(self._stream.advance().place, token.text, token.value)
            case TokenKind.LITERAL:
                return Literal(self._stream.advance().place, token.text, str(token.value))
            case TokenKind.WORD | TokenKind.FIELD:
                return self._word()
        if self._stream.has("@"):
            return self._raw()
        if self._stream.has("$"):
            return self._reference()
        raise self._stream.unexpected("a field, a value, or a function")

    def _word(self) -> Operand:
        token = self._stream.advance()
        if self._stream.has("("):
            raise self._stream.unexpected("an operator")
        return self._named(token)

    def _named(self, token: Token) -> Operand:
        """Return the field or the value that a word is."""
        if self._stream.has("#"):
            return self._layered(token)
        if token.kind is TokenKind.FIELD:
            return FieldName(token.place, str(token.value))
        return Word(token.place, token.text)

    def _field(self) -> FieldName:
        """Read the name of a field, with its layers."""
        names = (TokenKind.IDENTIFIER, TokenKind.WORD, TokenKind.FIELD)
        if self._stream.kind not in names:
            raise self._stream.unexpected("the name of a field")
        token = self._stream.advance()
        if self._stream.has("#"):
            return self._layered(token)
        return FieldName(token.place, _name(token))

    def _layered(self, token: Token) -> FieldName:
        self._stream.advance()
        if self._stream.kind is TokenKind.LAYER:
            number = self._stream.advance()
            layers: tuple[Range, ...] = (parse_range(number.text, number.place),)
            end = number.place
        else:
            layers, end = self._ranges()
        return FieldName(token.place.to(end), _name(token), layers)

    def _raw(self) -> Operand:
        start = self._stream.advance().place
        field = self._field()
        return FieldName(start.to(field.place), field.name, field.layers, is_raw=True)

    def _reference(self) -> Operand:
        start = self._stream.advance().place
        if not self._stream.has("{"):
            field = self._field()
            return Reference(start.to(field.place), field)
        self._stream.advance()
        raw = self._stream.has("@")
        named = self._raw() if raw else self._field()
        assert isinstance(named, FieldName)
        operand: Operand = Reference(start.to(named.place), named)
        if self._stream.has("["):
            ranges, place = self._ranges()
            operand = Slice(start.to(place), operand, ranges)
        self._stream.expect("}", "'}' after the name of a field")
        return operand

    def _call(self, token: Token) -> Call:
        self._stream.advance()
        arguments: list[Operand] = []
        with self._stream.deeper():
            if not self._stream.has(")"):
                arguments.append(self.arithmetic())
            while self._stream.has(","):
                self._stream.advance()
                arguments.append(self.arithmetic())
        end = self._stream.expect(")", "',' or ')'").place
        return Call(token.place.to(end), token.text, token.place, tuple(arguments))

    def _ranges(self) -> tuple[tuple[Range, ...], TextSpan]:
        """Read ranges in brackets; return them and the place of the right bracket."""
        self._stream.advance()
        found: list[Range] = []
        while True:
            if self._stream.kind is not TokenKind.RANGE:
                raise self._stream.unexpected("a range, such as 0:4 or -1")
            token = self._stream.advance()
            found.append(parse_range(token.text, token.place))
            if not self._stream.has(","):
                break
            self._stream.advance()
        end = self._stream.expect("]", "',' or ']'").place
        return tuple(found), end


def _name(token: Token) -> str:
    return str(token.value) if token.kind is TokenKind.FIELD else token.text


def _binary(left: Operand, operator: Operator, place: TextSpan, right: Operand) -> Binary:
    return Binary(left.place.to(right.place), operator, place, left, right)
