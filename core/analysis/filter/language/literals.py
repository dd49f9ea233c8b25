"""Conversion of the constants of a filter to the type that they are compared with.

The type of the other side decides what a constant means: ``10`` is a number for a port, one byte
for a range of bytes, text for a string. A constant that does not fit the type is an error, with
what the type expects.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping
from typing import NamedTuple

from core.analysis.filter.language.byte_texts import hex_bytes
from core.analysis.filter.language.errors import FilterError, nearest
from core.analysis.filter.language.expressions import Value
from core.analysis.filter.language.syntax import Character, Constant, Literal, Number, String, Word
from core.analysis.filter.language.times import date_to_ns, seconds_to_ns
from core.analysis.filter.types import ADDRESS_BYTES, FilterField, FilterType

_T = FilterType


class Target(NamedTuple):
    """The purpose of a conversion.

    `field` is the field on the other side, if it is one: its words are valid values. `is_partial`
    accepts a part of an address, for ``contains``.
    """

    type: FilterType
    field: FilterField | None = None
    is_partial: bool = False

    @property
    def name(self) -> str:
        """The field's name, or the type's."""
        return self.field.name if self.field else f"this {self.type.value}"


def convert(node: Constant, target: Target) -> tuple[Value, ...]:
    """Return the values that a constant means: one, except for a word that several numbers have.

    Raise `FilterError`.
    """
    if target.type.is_integer or target.type is _T.BOOLEAN:
        numbers = _numbers(node, target)
        return tuple(Value(target.type, number) for number in numbers)
    return (_CONVERTERS[target.type](node, target),)


# -- numbers and their words -------------------------------------------------------------


def _numbers(node: Constant, target: Target) -> tuple[int, ...]:
    is_boolean = target.type is _T.BOOLEAN
    match node:
        case Number(value=int() as value):
            return (int(value != 0),) if is_boolean else (_in_range(node, value, target),)
        case Number():
            raise FilterError(f'"{node.text}" is not a whole number', node.place)
        case Character(value=value):
            if is_boolean:
                message = f"{target.name} is true or false, not a character"
                raise FilterError(message, node.place)
            return (value,)
        case String(value=value):
            return _word(node, value.decode(errors="surrogateescape"), target)
        case Word() | Literal():
            if is_boolean and node.text.lower() in ("true", "false"):
                return (int(node.text.lower() == "true"),)
            return _word(node, node.text, target)


def _in_range(node: Constant, value: int, target: Target) -> int:
    maximum = (1 << (target.type.bits - target.type.is_signed)) - 1
    if value > maximum:
        message = f"{node.text} is too large for {target.name}, which is at most {maximum}"
        raise FilterError(message, node.place)
    return value


def _word(node: Constant, text: str, target: Target) -> tuple[int, ...]:
    """Return the numbers that the field has this word for."""
    words = _words(target)
    folded = text.lower()
    found = [number for number, word in words if word.lower() == folded]
    if found:
        return tuple(dict.fromkeys(found))
    raise FilterError(_word_error(node, text, target, [word for _, word in words]), node.place)


def _words(target: Target) -> list[tuple[int, str]]:
    if target.field is None:
        return []
    field = target.field
    words = [(number, word) for number, word in field.words.items()]
    if target.type is _T.BOOLEAN and not words:
        words = [(1, "True"), (0, "False")]
    return words + [(number, word) for word, number in field.aliases.items()]


def _word_error(node: Constant, text: str, target: Target, words: list[str]) -> str:
    shown = f'"{text}"'
    if target.type is _T.BOOLEAN and 0 < len(words) <= 2:
        return f'{shown} is not a value of {target.name}; expected "{words[0]}" or "{words[1]}"'
    if isinstance(node, String):
        if not words:
            return f"{target.name} is a number; it cannot be compared with a string"
        hint = nearest(text, words) or f'; expected a word such as "{words[0]}", or a number'
        return f"{shown} is not a value of {target.name}{hint}"
    if re.fullmatch(r"[0-9]+-[0-9]+", text):
        low, high = text.split("-")
        advice = f'put a space before "-" to subtract, or write a range: in {{{low} .. {high}}}'
        return f"{shown} is one word; {advice}"
    expected = f"{shown} is not a number; expected one for {target.name}"
    return expected + (nearest(text, words) if words else "")


# -- other types -------------------------------------------------------------------------


def _float(node: Constant, target: Target) -> Value:
    if isinstance(node, Number):
        value = float(node.value)
        if value == float("inf"):
            raise FilterError(f"{node.text} is too large for {target.name}", node.place)
        return Value(target.type, value)
    if isinstance(node, Word) and node.text.lower() in ("inf", "infinity", "nan"):
        return Value(target.type, float(node.text))
    raise FilterError(f"{node.text} is not a number", node.place)


def _duration(node: Constant, target: Target) -> Value:
    if isinstance(node, Number):
        try:
            return Value(target.type, seconds_to_ns(str(_decimal(node))))
        except ValueError as error:
            raise FilterError(str(error), node.place) from error
    message = f"{node.text} is not a number of seconds, such as 0.25"
    raise FilterError(message, node.place)


def _decimal(node: Number) -> str | int:
    """Return a number for the conversion of times: exact if it is written in decimal."""
    return node.value if isinstance(node.value, int) else node.text


def _date(node: Constant, target: Target) -> Value:
    try:
        match node:
            case Number():
                return Value(target.type, seconds_to_ns(str(_decimal(node))))
            case String(value=value):
                return Value(target.type, date_to_ns(value.decode(errors="replace")))
            case Word(text=text) | Literal(text=text):
                return Value(target.type, date_to_ns(text))
    except ValueError as error:
        raise FilterError(str(error), node.place) from error
    raise FilterError(f"{node.text} is not a date", node.place)


def _text(node: Constant, target: Target) -> Value:
    match node:
        case String(value=value):
            return Value(target.type, value.decode(errors="surrogateescape"))
        case Character(value=code):
            return Value(target.type, chr(code))
        case Literal(value=text):
            return Value(target.type, text)
    return Value(target.type, node.text)


def _bytes(node: Constant, target: Target) -> Value:
    match node:
        case String(value=value):
            return Value(target.type, value)
        case Character(value=code) if code <= 0xFF:
            return Value(target.type, bytes((code,)))
        case Number(value=int() as number) if target.type is _T.BYTES:
            if number > 0xFF:
                size = (number.bit_length() + 7) // 8
                written = number.to_bytes(size, "big").hex(":")
                message = f"{node.text} is too large for one byte; write bytes as {written}"
                raise FilterError(message, node.place)
            return Value(target.type, bytes((number,)))
        case Number():
            digits = node.text.removeprefix("0x")
            advice = f"{digits}: for a byte, or a string" if len(digits) <= 2 else f":{digits}"
            raise FilterError(f"{node.text} is a number, not bytes; write {advice}", node.place)
        case Word(text=text) | Literal(value=text):
            data = hex_bytes(text)
            if data is not None:
                return Value(target.type, data)
    message = f'"{node.text}" is neither a field nor bytes; write bytes as 48:65 or "text"'
    raise FilterError(message, node.place)


def _mac(node: Constant, target: Target) -> Value:
    """Return the bytes of a MAC or EUI-64 address."""
    size = ADDRESS_BYTES[target.type]
    is_digits = isinstance(node, Number) and len(node.text) == 2 * size
    if isinstance(node, Word | Literal) or is_digits:
        text = node.value if isinstance(node, Literal) else node.text
        data = hex_bytes(text)
        if data is not None:
            if len(data) == size or (target.is_partial and len(data) < size):
                return Value(target.type, data)
            few = "few" if len(data) < size else "many"
            message = f'"{node.text}" has too {few} bytes: {target.name} has {size}'
            raise FilterError(message, node.place, is_incomplete=few == "few")
    raise _address_error(node, target, ":".join(["02"] * size))


def _ipv4(node: Constant, target: Target) -> Value:
    text, _, prefix = node.text.partition("/")
    if isinstance(node, Literal) and re.fullmatch(r"\d+(?:\.\d+){3}", text):
        number = int.from_bytes(socket.inet_pton(socket.AF_INET, text), "big")
        return Value(target.type, number, _prefix(node, prefix, 32))
    raise _address_error(node, target, "10.0.0.1 or 10.0.0.0/8")


def _ipv6(node: Constant, target: Target) -> Value:
    text, _, prefix = node.text.partition("/")
    if isinstance(node, Literal):
        try:
            data = socket.inet_pton(socket.AF_INET6, text)
        except (OSError, UnicodeError):
            pass
        else:
            return Value(target.type, data, _prefix(node, prefix, 128))
    raise _address_error(node, target, "2001:db8::1 or 2001:db8::/32")


def _prefix(node: Constant, text: str, bits: int) -> int | None:
    if not text:
        return None
    if int(text) > bits:
        raise FilterError(f"the prefix /{text} is longer than {bits} bits", node.place)
    return int(text)


_OCTET = "(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_STARTS: Mapping[FilterType, re.Pattern[str]] = {  # the beginnings of addresses
    _T.IPV4: re.compile(rf"(?:{_OCTET}\.){{0,3}}{_OCTET}?"),
    _T.IPV6: re.compile(r"(?:[0-9a-fA-F]{0,4}:){0,7}[0-9a-fA-F]{0,4}"),
    _T.ETHER: re.compile(r"[0-9a-fA-F.:-]{1,17}"),
    _T.EUI64: re.compile(r"[0-9a-fA-F.:-]{1,23}"),
}


def _is_other_ip(node: Constant, kind: FilterType) -> bool:
    """Return True for an IPv6 address where an IPv4 address is expected, or the reverse."""
    family = socket.AF_INET6 if kind is _T.IPV4 else socket.AF_INET
    try:
        socket.inet_pton(family, node.text.partition("/")[0])
    except (OSError, UnicodeError):
        return False
    return True


def _address_error(node: Constant, target: Target, example: str) -> FilterError:
    if isinstance(node, String):
        message = f"{target.name} is not a string; write the address without quotes"
        return FilterError(message, node.place)
    message = f'"{node.text}" is not of type {target.type.value}; expected, for example, {example}'
    if target.type in (_T.IPV4, _T.IPV6) and _is_other_ip(node, target.type):
        message += f"; this is an {'IPv6' if target.type is _T.IPV4 else 'IPv4'} address"
    elif re.fullmatch(r"[A-Za-z0-9_-]*[A-Za-z][\w.-]*", node.text) and "." in node.text:
        message += "; names are not looked up"
    is_start = _STARTS[target.type].fullmatch(node.text) is not None
    return FilterError(message, node.place, is_incomplete=is_start)


_CONVERTERS: Mapping[FilterType, Callable[[Constant, Target], Value]] = {
    _T.FLOAT: _float,
    _T.DOUBLE: _float,
    _T.ABSOLUTE_TIME: _date,
    _T.RELATIVE_TIME: _duration,
    _T.STRING: _text,
    _T.ETHER: _mac,
    _T.EUI64: _mac,
    _T.IPV4: _ipv4,
    _T.IPV6: _ipv6,
    _T.BYTES: _bytes,
    _T.PROTOCOL: _bytes,
}
