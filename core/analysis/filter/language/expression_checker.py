"""The checker of operands: looks up their fields, and finds their types.

A constant has no type of its own: it gets that of the operand beside it. Each error names the place
and what was expected there.
"""

from __future__ import annotations

from core.analysis.filter.language import type_rules
from core.analysis.filter.language.errors import FilterError, TextSpan, nearest
from core.analysis.filter.language.expressions import (
    Arithmetic,
    Expression,
    FieldValue,
    Invocation,
    Negation,
    ReferenceValue,
    SliceValue,
    Value,
)
from core.analysis.filter.language.functions import FUNCTIONS
from core.analysis.filter.language.literals import Target, convert
from core.analysis.filter.language.syntax import (
    Binary,
    Call,
    Character,
    Constant,
    FieldName,
    Literal,
    Negative,
    Number,
    Operand,
    Reference,
    Slice,
    String,
    Word,
)
from core.analysis.filter.types import FieldCatalog, FilterField, FilterType

_T = FilterType
CONSTANTS = (Literal, Word, Number, Character, String)
NO_FIELD = "expected a field: this expression is the same for every packet"


class ExpressionChecker:
    """Turns operands of a syntax tree into typed expressions.

    `length` is that of the filter's text.
    """

    def __init__(self, catalog: FieldCatalog, length: int) -> None:
        self._catalog = catalog
        self._length = length
        self._own_types: dict[int, FilterType | None] = {}  # by the node's identity

    def resolved(self, node: Operand, *, is_strict: bool = False) -> Operand:
        """Return a word that is the name of a field as a `FieldName`.

        With `is_strict`, an unknown word is an error.
        """
        if not isinstance(node, Word):
            return node
        if self._catalog.find(node.text) is not None:
            return FieldName(node.place, node.text)
        if is_strict:
            raise self._unknown(node.text, node.place)
        return node

    def _unknown(self, name: str, place: TextSpan) -> FilterError:
        names = self._catalog.names()
        hint = self._catalog.advice(name) or nearest(name, names)
        is_start = place.stop == self._length and any(each.startswith(name) for each in names)
        message = f'"{name}" is not a field or protocol{hint}'
        return FilterError(message, place, is_incomplete=is_start)

    def _field(self, node: FieldName) -> FilterField:
        found = self._catalog.find(node.name)
        if found is None:
            raise self._unknown(node.name, node.place)
        return found

    def type_of(self, place: TextSpan, *nodes: Operand) -> FilterType:
        """Return the type of the first operand that has one without context."""
        for node in nodes:
            found = self._own_type(node)
            if found is not None:
                return found
        raise FilterError(NO_FIELD, place)

    def _own_type(self, node: Operand) -> FilterType | None:
        """Return the type of an operand without context, None if it has none."""
        if id(node) not in self._own_types:
            self._own_types[id(node)] = self._read_own_type(node)
        return self._own_types[id(node)]

    def _read_own_type(self, node: Operand) -> FilterType | None:
        match node:
            case Word():
                found = self._catalog.find(node.text)
                return found.type if found else None
            case FieldName():
                return _T.BYTES if node.is_raw else self._field(node).type
            case Reference():
                return self._own_type(node.field)
            case Slice():
                inner = self._own_type(self.resolved(node.operand, is_strict=True))
                return _T.STRING if inner is _T.STRING else _T.BYTES
            case Call():
                return self._result_type(node)
            case Negative():
                return self._own_type(node.operand)
            case Binary():
                return self._own_type(node.left) or self._own_type(node.right)
        return None

    def _result_type(self, node: Call) -> FilterType | None:
        function = FUNCTIONS.get(node.name)
        if function is None:
            hint = nearest(node.name, FUNCTIONS) or f"; there are {', '.join(sorted(FUNCTIONS))}"
            raise FilterError(f'"{node.name}" is not a function{hint}', node.name_place)
        if function.result is not None:
            return function.result
        for argument in node.arguments:
            if (found := self._own_type(argument)) is not None:
                return found
        return None

    def expression(self, node: Operand, hint: FilterType | None) -> Expression:
        """Return a typed operand; constants get the type `hint`."""
        match node:
            case FieldName():
                return self._field_value(node)
            case Reference():
                return ReferenceValue(self._field_value(node.field))
            case Slice():
                return self._part(node, hint)
            case Call():
                return self._invocation(node, hint)
            case Negative():
                operand = self.expression(self.resolved(node.operand, is_strict=True), hint)
                type_rules.check_negation(operand, node.operand.place)
                return Negation(operand, operand.type)
            case Binary():
                return self._arithmetic(node, hint)
        if hint is None:
            raise FilterError(NO_FIELD, node.place)
        return self.converted(node, Target(hint))[0]

    def _field_value(self, node: FieldName) -> FieldValue:
        field = self._field(node)
        kind = _T.BYTES if node.is_raw else field.type
        return FieldValue(field, kind, node.layers, node.is_raw)

    def _part(self, node: Slice, hint: FilterType | None) -> Expression:
        inner = self.resolved(node.operand, is_strict=True)
        if isinstance(inner, CONSTANTS):
            raise FilterError(f"a range does not apply to a constant ({inner.text})", inner.place)
        operand = self.expression(inner, hint)
        if not type_rules.has_parts(operand.type):
            name = operand.field.name if isinstance(operand, FieldValue) else "this"
            advice = f"; @{name}[…] has its bytes" if isinstance(operand, FieldValue) else ""
            message = f"{name} is {operand.type.phrase} and has no ranges{advice}"
            raise FilterError(message, inner.place)
        kind = _T.STRING if operand.type is _T.STRING else _T.BYTES
        return SliceValue(operand, node.ranges, kind)

    def _invocation(self, node: Call, hint: FilterType | None) -> Expression:
        own = self._result_type(node)  # raises for an unknown name
        function = FUNCTIONS[node.name]
        function.check_count(len(node.arguments), node.place)
        wanted = own if function.result is None else hint
        arguments: list[Expression] = []
        for each in node.arguments:
            operand = self.resolved(each, is_strict=function.result is not None)
            argument = self.expression(operand, wanted or hint)
            function.check(node.name, argument, each.place)
            is_mixed = wanted is not None and not type_rules.are_compatible(argument.type, wanted)
            if function.is_variadic and wanted is not None and is_mixed:
                message = f"{node.name}() takes values of one type: {wanted.value}"
                raise FilterError(f"{message}, not {argument.type.value}", each.place)
            arguments.append(argument)
        result = function.result or (arguments[0].type if wanted is None else wanted)
        return Invocation(function, tuple(arguments), result)

    def _arithmetic(self, node: Binary, hint: FilterType | None) -> Expression:
        left = self.expression(self.resolved(node.left, is_strict=True), hint)
        type_rules.check_operand(node.operator, left, node.left.place)
        right_node = self.resolved(node.right, is_strict=True)
        right_hint = type_rules.right_type(node.operator, left.type, right_node)
        right = self.expression(right_node, right_hint)
        type_rules.check_pair(node, left, right)
        return Arithmetic(node.operator, left, right, left.type)  # also a date minus a date

    def converted(self, node: Constant, target: Target) -> tuple[Value, ...]:
        """Return what a constant means; an error is incomplete only at the end of the text."""
        try:
            return convert(node, target)
        except FilterError as error:
            raise self._at_end(error, node) from None

    def _at_end(self, error: FilterError, node: Operand) -> FilterError:
        """Return the error as incomplete only if the text ends with it."""
        if error.is_incomplete and node.place.stop != self._length:
            return FilterError(error.message, error.place)
        return error
