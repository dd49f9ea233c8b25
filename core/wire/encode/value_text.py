"""The text that the user types for a field, and the value it means.

A number may be decimal, hex (``0x1f``) or binary; it counts in the field's own unit, so a header
length is 24 bytes and not 6 words. A number with a name may be given by that name (``UDP`` for a
protocol); a flag is 1, 0, true, false, set, "not set", on or off; a field whose parts are flags
takes their names (``syn,ack``); addresses have their usual text; byte strings are hex.

Any other text raises `TextError` with one sentence: the text, the field, the values that it takes,
and an example.
"""

from __future__ import annotations

import ipaddress
import re

from core.wire.model.field import PlacedField, Value
from core.wire.model.kind import Kind

_TRUE = frozenset({"1", "true", "set", "on", "yes"})
_FALSE = frozenset({"0", "false", "not set", "off", "no"})
_MAC = re.compile(r"[0-9a-f]{1,2}([:-])(?:[0-9a-f]{1,2}\1){4}[0-9a-f]{1,2}")
_SHOWN = 40  # characters of a wrong text that the error repeats
_NO_ZONE = (
    "a header holds no zone: leave out the %; the route chooses the interface, or send verbatim on "
    "one"
)
_LONGEST_NUMBER = 200  # characters: 128 bits in binary, and room; more than 4,300 digits raise


class TextError(ValueError):
    """One sentence that says why its field rejects a text."""


def parse_value(slot: PlacedField, text: str) -> Value:
    """Return the value of a field that `text` means. Raises `TextError`."""
    words = text.strip()
    match slot.field.kind:
        case Kind.FLAG:
            return _flag(slot, words)
        case Kind.MAC:
            return _mac(slot, words)
        case Kind.IPV4 | Kind.IPV6:
            return _address(slot, words)
        case Kind.BYTES:
            return _bytes(slot, words)
    return _number(slot, words)


def typed(slot: PlacedField, value: Value) -> str:
    """Return a value as `parse_value` takes it: what a form shows in its input."""
    if isinstance(value, bytes):
        return value.hex()
    if slot.field.kind is Kind.FLAG:
        return str(value)
    if slot.field.kind is Kind.NUMBER and slot.field.base == 10:
        return str(value)
    return slot.text(value)


_WORDS = {  # what a field of this kind may hold, and an example
    Kind.FLAG: ("0 or 1", "1"),
    Kind.MAC: ("an Ethernet address", "02:00:5e:10:00:01"),
    Kind.IPV4: ("an IPv4 address", "192.0.2.1"),
    Kind.IPV6: ("an IPv6 address", "2001:db8::1"),
}


def allowed(slot: PlacedField) -> str:
    """Return what a field may hold, in a few words: ``0–255``, ``0–60 bytes in steps of 4``."""
    field = slot.field
    if field.kind in _WORDS:
        return _WORDS[field.kind][0]
    if field.kind is Kind.BYTES:
        return f"{field.bits // 8} bytes in hex"
    top = f"0x{slot.maximum:x}" if field.base == 16 and field.unit == 1 else str(slot.maximum)
    words = f"0–{top}"
    if field.suffix:
        words += f" {field.suffix}"
    if field.unit != 1:
        words += f" in steps of {field.unit}"
    return words


def example(slot: PlacedField) -> str:
    """Return a text that the field takes."""
    field = slot.field
    if field.kind in _WORDS:
        return _WORDS[field.kind][1]
    if field.kind is Kind.BYTES:
        return "00" * (field.bits // 8)
    flags = [part.name for part in field.parts if part.kind is Kind.FLAG]
    if flags:
        return ",".join(flags[-2:])
    if field.values:
        named = next((n for n in field.values if n), next(iter(field.values)))
        return typed(slot, named)
    return typed(slot, field.default or min(slot.maximum, 20 * field.unit))


def complaint(slot: PlacedField, text: str, *, show_example: bool = True) -> TextError:
    """Return the one sentence about a text that a field does not take."""
    label = slot.field.label
    lowered = label if label[1:2].isupper() else label[0].lower() + label[1:]
    words = f"{shortened(text) or 'nothing'}: {lowered} is {allowed(slot)}"
    return TextError(f"{words}, e.g. {example(slot)}" if show_example else words)


def shortened(text: str) -> str:
    """Return a wrong text as its error repeats it."""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def whole_number(text: str) -> int | None:
    """Return a decimal, hex or binary number.

    Return None for any other text, and for one that is longer than any field's number.
    """
    words = text.replace("_", "")
    if not words.isascii() or len(words) > _LONGEST_NUMBER:
        return None
    try:
        return int(words, 0)
    except ValueError:
        return int(words) if words.isdigit() else None  # int(…, 0) takes no leading zeros


def _number(slot: PlacedField, text: str) -> int:
    number = whole_number(text)
    if number is None:
        number = _named(slot, text)
    if number is None:
        raise complaint(slot, text)
    if not 0 <= number <= slot.maximum:
        raise complaint(slot, text, show_example=slot.field.base == 16)
    if number % slot.field.unit:
        raise complaint(slot, text)
    return number


def _named(slot: PlacedField, text: str) -> int | None:
    """Return the value of a number's name, or of the names of flags."""
    wanted = text.casefold()
    for number, name in slot.field.values.items():
        if name.casefold() == wanted:
            return number
    return _flags(slot, wanted)


def _flags(slot: PlacedField, text: str) -> int | None:
    names = [word for word in re.split(r"[,+|\s]+", text) if word]
    bit = slot.field.bits
    bits: dict[str, int] = {}
    for part in slot.field.parts:
        bit -= part.bits
        if part.kind is Kind.FLAG:
            bits[part.name] = 1 << bit
    if not names or not all(name in bits for name in names):
        return None
    return sum({bits[name] for name in names})


def _flag(slot: PlacedField, text: str) -> int:
    word = text.casefold()
    if word in _TRUE:
        return 1
    if word in _FALSE:
        return 0
    raise complaint(slot, text)


def _mac(slot: PlacedField, text: str) -> int:
    if not _MAC.fullmatch(text.lower()):
        raise complaint(slot, text)
    return int.from_bytes(bytes(int(pair, 16) for pair in re.split("[:-]", text)), "big")


def _address(slot: PlacedField, text: str) -> int:
    kind = ipaddress.IPv4Address if slot.field.kind is Kind.IPV4 else ipaddress.IPv6Address
    if "%" in text:
        raise TextError(f"{shortened(text)}: {_NO_ZONE}")
    try:
        return int(kind(text))
    except ValueError:
        raise complaint(slot, text) from None


def _bytes(slot: PlacedField, text: str) -> bytes:
    digits = text.lower().removeprefix("0x").replace(":", "").replace(" ", "")
    try:
        value = bytes.fromhex(digits)
    except ValueError:
        raise complaint(slot, text) from None
    if len(value) * 8 != slot.field.bits:
        raise complaint(slot, text)
    return value
