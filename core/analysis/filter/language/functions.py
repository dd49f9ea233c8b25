"""The functions of the filter language: their arguments and the types of their results.

`core.analysis.filter.evaluation.function_values` computes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.analysis.filter.language.errors import FilterError, TextSpan
from core.analysis.filter.language.expressions import Expression, FieldValue
from core.analysis.filter.types import FilterType

_T = FilterType
_TO_STRING = frozenset({_T.IPV4, _T.IPV6, _T.ETHER, _T.EUI64, _T.FLOAT, _T.DOUBLE})

Check = Callable[[str, Expression, TextSpan], None]


@dataclass(frozen=True, slots=True)
class Function:
    """A function: name, type of its result, and what it accepts.

    `result` is None if the result has the type of the arguments. `is_variadic` functions take one
    argument or more, others one. `check` raises `FilterError` for an unsuitable argument. `meaning`
    describes it for completion.
    """

    name: str
    result: FilterType | None
    check: Check
    meaning: str
    is_variadic: bool = False

    def check_count(self, count: int, place: TextSpan) -> None:
        """Raise `FilterError` if the function does not take that many arguments."""
        if count == 0 or (count > 1 and not self.is_variadic):
            takes = "at least one argument" if self.is_variadic else "one argument"
            raise FilterError(f"{self.name}() takes {takes}, not {count}", place)


def _is_field(name: str, argument: Expression, place: TextSpan) -> None:
    if not isinstance(argument, FieldValue):
        raise FilterError(f"{name}() takes a field", place)


def _is_text(name: str, argument: Expression, place: TextSpan) -> None:
    if argument.type is not _T.STRING:
        raise FilterError(f"{name}() takes text, not {argument.type.phrase}", place)


def _has_length(name: str, argument: Expression, place: TextSpan) -> None:
    if argument.type.is_time or argument.type is _T.BOOLEAN:
        raise FilterError(f"{argument.type.phrase} has no length", place)


def _has_text(name: str, argument: Expression, place: TextSpan) -> None:
    _is_field(name, argument, place)
    kind = argument.type
    if not (kind.is_integer and kind is not _T.CHAR) and kind not in _TO_STRING:
        raise FilterError(f"{name}() does not take {kind.phrase}", place)


def _is_whole(name: str, argument: Expression, place: TextSpan) -> None:
    _is_field(name, argument, place)
    if not argument.type.is_unsigned or argument.type is _T.CHAR:
        raise FilterError(f"{name}() takes an unsigned field, not {argument.type.phrase}", place)


def _has_words(name: str, argument: Expression, place: TextSpan) -> None:
    _is_field(name, argument, place)
    assert isinstance(argument, FieldValue)
    if not argument.field.words or argument.is_raw:
        raise FilterError(f"{argument.field.name} has no words for its values", place)


def _is_number(name: str, argument: Expression, place: TextSpan) -> None:
    kind = argument.type
    if not (kind.is_integer or kind.is_time or kind.is_float or kind is _T.BOOLEAN):
        raise FilterError(f"{name}() takes a number, not {kind.phrase}", place)


def _has_sign(name: str, argument: Expression, place: TextSpan) -> None:
    kind = argument.type
    if not (kind.is_integer or kind.is_float or kind is _T.RELATIVE_TIME):
        raise FilterError(f"{name}() takes a number, not {kind.phrase}", place)


def _anything(name: str, argument: Expression, place: TextSpan) -> None:
    """Accept every argument: all types have an order."""


def _is_one_of(phrase: str, *types: FilterType) -> Check:
    """Return the check that the argument is a field of one of these types."""

    def check(name: str, argument: Expression, place: TextSpan) -> None:
        _is_field(name, argument, place)
        if argument.type not in types:
            raise FilterError(f"{name}() takes {phrase}, not {argument.type.phrase}", place)

    return check


_is_ip = _is_one_of("an IP address", _T.IPV4, _T.IPV6)
_is_ipv4 = _is_one_of(_T.IPV4.phrase, _T.IPV4)
_is_ipv6 = _is_one_of(_T.IPV6.phrase, _T.IPV6)

_ALL = (
    Function("lower", _T.STRING, _is_text, "Text in lower case"),
    Function("upper", _T.STRING, _is_text, "Text in upper case"),
    Function("len", _T.UINT32, _has_length, "Length in bytes, or in characters"),
    Function("count", _T.UINT32, _is_field, "Number of occurrences of a field"),
    Function("string", _T.STRING, _has_text, "The value as text"),
    Function("dec", _T.STRING, _is_whole, "The number in decimal digits"),
    Function("hex", _T.STRING, _is_whole, "The number in hexadecimal digits"),
    Function("vals", _T.STRING, _has_words, "The word for the value"),
    Function("float", _T.FLOAT, _is_number, "The number in single precision"),
    Function("double", _T.DOUBLE, _is_number, "The number in double precision"),
    Function("max", None, _anything, "The largest value", is_variadic=True),
    Function("min", None, _anything, "The smallest value", is_variadic=True),
    Function("abs", None, _has_sign, "The number without its sign"),
    Function("ip_special_name", _T.STRING, _is_ip, "Name of a special-purpose address block"),
    Function("ip_special_mask", _T.UINT32, _is_ip, "Properties of a special-purpose block"),
    Function("ip_linklocal", _T.BOOLEAN, _is_ip, "The address is link-local"),
    Function("ip_multicast", _T.BOOLEAN, _is_ip, "The address is a multicast group"),
    Function("ip_rfc1918", _T.BOOLEAN, _is_ipv4, "The address is private (RFC 1918)"),
    Function("ip_ula", _T.BOOLEAN, _is_ipv6, "The address is unique local (RFC 4193)"),
)
FUNCTIONS: Mapping[str, Function] = {each.name: each for each in _ALL}
"""All functions by name. Case matters."""
