"""Options as the user types them, and back: ``mss=1460,nop,wscale=7,sackOK,timestamp=1:0``.

Commas separate the options. An option is the last word of its name (``tcp.options.mss``), or its
number; ``sackOK``, ``ts``, ``ws`` and a few more have the names that tcpdump and hping3 give them.
After ``=`` come the values of its table in their order, separated by colons; missing ones take
their defaults. After the table's fields comes an IPv4 address or hex
(``lsrr=4:192.0.2.1:192.0.2.9``); an option without a table takes hex alone. ``hex:`` at the
beginning means that the rest is bytes.

The length byte is computed; padding at the end is added when the header is built.
"""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Iterator

from core.wire.encode.value_text import TextError, parse_value, shortened, typed, whole_number
from core.wire.model.dissection import Option
from core.wire.model.field import PlacedField, Value
from core.wire.model.options import OptionKind, OptionList
from core.wire.model.table import HeaderTable

HEX = "hex:"
ALIASES = {
    "sackok": "sack_perm",
    "sackpermitted": "sack_perm",
    "ts": "timestamp",
    "ws": "wscale",
    "end": "eol",
    "rr": "record_route",
    "lsrr": "route",
    "loose_route": "route",
    "ssrr": "source_route",
    "strict_route": "source_route",
    "stream": "sid",
    "ra": "routeralert",
    "router_alert": "routeralert",
}
_HIGHEST_KIND = 255
_NEAR = 4  # names that the error for an unknown one lists


def parse_options(options: OptionList, text: str) -> bytes:
    """Return the bytes of the options that `text` lists. Raises `TextError`."""
    words = text.strip()
    if words.lower().startswith(HEX):
        return hex_bytes(words)
    return b"".join(_one(options, word.strip()) for word in words.split(",") if word.strip())


def options_text(options: OptionList, data: bytes) -> str:
    """Return option bytes as `parse_options` takes them; as hex if it would not restore them."""
    found = options.read(data, 0, len(data))
    text = ",".join(_text(options, option, data) for option in found if not option.problem)
    try:
        again = parse_options(options, text)
    except TextError:
        again = b""
    if again.ljust(len(data), b"\0") == data:
        return text
    return HEX + data.hex()


def hex_bytes(text: str) -> bytes:
    """Return bytes from hex digits with spaces or colons between them, also after ``hex:``.

    Raises `TextError`, with the prefix if the user typed it.
    """
    words = text.strip()
    prefix = HEX if words.lower().startswith(HEX) else ""
    digits = words[len(prefix) :].replace(":", "").replace(" ", "")
    try:
        return bytes.fromhex(digits)
    except ValueError:
        shown = shortened(words) or "nothing"
        raise TextError(f"{shown}: not hex, e.g. {prefix}0204 05b4") from None


def _names(options: OptionList) -> dict[str, int]:
    found: dict[str, int] = {}
    for number, kind in options.kinds.items():
        found.setdefault(kind.name.rpartition(".")[2].casefold(), number)
    return found


def _one(options: OptionList, text: str) -> bytes:
    name, equals, given = (piece.strip() for piece in text.partition("="))
    shown = shortened(text)
    kind = _kind(options, name)
    if kind in options.single:
        if equals:
            raise TextError(f"{shown}: {name} is one byte and takes no value")
        return bytes((kind,))
    body = _body(options.kinds.get(kind), text, given.split(":") if given else [])
    whole = len(body) + 2
    counted = whole if options.inclusive else len(body)
    if counted % options.unit:
        raise TextError(f"{shown}: {whole} bytes, but its length is in steps of {options.unit}")
    length = counted // options.unit
    if length > 255:
        raise TextError(f"{shown}: {whole} bytes, more than an option's length can hold")
    return bytes((kind, length)) + body


def _kind(options: OptionList, name: str) -> int:
    names = _names(options)
    word = name.casefold()
    found = names.get(word, names.get(ALIASES.get(word, "")))
    if found is None:
        found = whole_number(name)
    if found is None or not 0 <= found <= _HIGHEST_KIND:
        first, _, rest = name.partition(" ")
        if first.casefold() in names:
            raise TextError(f"{shortened(name)}: a value follows '=': {first}={rest.strip()}")
        near = difflib.get_close_matches(word, names, _NEAR, cutoff=0.0)
        raise TextError(f"{shortened(name)}: no such option; near it: {', '.join(near)}; or hex:…")
    return found


def _body(known: OptionKind | None, text: str, items: list[str]) -> bytes:
    table = known.table if known else None
    if table is None:
        return b"".join(_rest(item) for item in items)
    body = _fields(table, items)
    while known and known.repeated and items:
        body += _fields(table, items)
    return body + b"".join(_rest(item) for item in items)


def _fields(table: HeaderTable, items: list[str]) -> bytes:
    """Return one filling of the table, with values taken from the front of `items`."""
    values: dict[str, Value] = {}
    for slot in _top(table):
        if items:
            values[slot.key] = parse_value(slot, items.pop(0))
    return table.emit(values)


def _top(table: HeaderTable) -> Iterator[PlacedField]:
    return (slot for slot in table.slots if slot.parent is None)


def _rest(item: str) -> bytes:
    """Return the bytes of an address, or of hex digits."""
    if "." in item:
        try:
            return ipaddress.IPv4Address(item).packed
        except ValueError:
            raise TextError(f"{shortened(item)}: neither an IPv4 address nor hex") from None
    return hex_bytes(item)


def _text(options: OptionList, option: Option, data: bytes) -> str:
    known = options.kinds.get(option.kind)
    name = known.name.rpartition(".")[2] if known else str(option.kind)
    if known and _names(options)[name.casefold()] != option.kind:
        name = str(option.kind)  # two numbers share the name
    if option.kind in options.single:
        return name
    start, stop = option.span.start + 2, option.span.stop
    items: list[str] = []
    table = known.table if known else None
    if table is not None:
        while start + table.size <= stop:
            values = table.read(data, start - table.start)
            items += (typed(slot, values[slot.key]) for slot in _top(table))
            start += table.size
            if known and not known.repeated:
                break
    if start < stop:
        items.append(data[start:stop].hex())
    return f"{name}={':'.join(items)}" if items else name
