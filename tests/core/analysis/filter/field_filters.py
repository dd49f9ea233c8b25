"""Filters for each field that occurs in a capture, in every form that its type takes.

They use the common part of tshark 4.0's language and 4.6's: no raw bytes (``@``), no single byte as
``01:``, no function alone, no number beyond 32 bits, which 4.0 cuts off, and no range that may end
after the data, or that counts from the end of a protocol, which 4.0 takes with what it carries.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from typing import Any

from core.analysis.filter.types import FilterField
from core.analysis.filter.types import FilterType as T

LAYERED = frozenset({
    "arp", "eth", "geneve", "gre", "icmp", "icmpv6", "ip", "ipv6", "mpls", "tcp", "udp", "vlan",
    "vxlan",
})  # fmt: skip
_EQUAL = ("==", "!=", "===", "!==")
_ORDERS = ("<", "<=", ">", ">=")
_LAYERS = ("#1", "#2", "#[-1]", "#[-2]", "#[1-2]")
_SLICES = (
    "{}[0:1]", "{}[1]", "{}[0:2] == 00:00", "{}[-2:] == 00:01", "{}[1-2] != ff:ff",
    "{}[:2] > 7f:00", "{}[0:2] & 01:01", "not {}[0:2] == {}[2:2]",
)  # fmt: skip
_NUMBERS = (
    "{} % 3 == 1", "{} & 1", "{} - 1 > 5", "string({}) matches \"[13579]$\"", "count({}) > 1",
    "max({}) > 1", "min({}) < 200", "abs({}) >= 17",
)  # fmt: skip
_TEXTS = (
    "{} contains \"0\"", "{} matches \"^[0-9]\"", "len({}) > 6", "upper({}) contains \"A\"",
    "{}[0:1] == \"1\"", "lower({}) matches \"a\"",
)  # fmt: skip
_BYTES = ("{} contains 00:00", '{} matches "[a-z]"', "len({}) > 3", "count({}) == 2")
_ADDRESSES = ('string({}) matches "1$"', 'string({}) contains "0"', "count({}) == 2")
_PROTOCOLS = (
    "{}#1", "{}#2", "{}#[-1]", "{}[0:2]", "{}[0]", "{} contains 00:00", "count({}) == 1",
    "{} matches \"[a-z]{{3}}\"", "{}[0:1] == {}[1:1]", "{}[0:2] > 7f:00", "{}[0:2] & 01:01",
)  # fmt: skip


def literal(kind: T, value: Any) -> str:
    """Return a value as a filter names it; an empty text if this comparison leaves it out."""
    match kind:
        case T.IPV4:
            return socket.inet_ntoa(int(value).to_bytes(4, "big"))
        case T.IPV6:
            return socket.inet_ntop(socket.AF_INET6, value)
        case T.ETHER:
            return str(value.hex(":"))
        case T.BYTES:
            return str(value[:8].hex(":")) if len(value) > 1 else ""
        case T.BOOLEAN:
            return str(int(value))
        case T.RELATIVE_TIME:
            return f"{value // 10**9}.{value % 10**9:09d}" if value >= 0 else ""
        case T.STRING:
            return f'"{value}"' if value.isprintable() and not set(value) & {'"', "\\"} else ""
        case T.ABSOLUTE_TIME:
            return ""
    return str(value) if 0 <= value < 1 << 32 else ""


def filters_of(field: FilterField, values: Sequence[Any]) -> Iterator[str]:
    """Yield the filters of a field, some of which compare it with the first of the values."""
    name, kind = field.name, field.type
    yield name
    yield f"not {name}"
    if kind is T.PROTOCOL:
        yield from _written(_PROTOCOLS, name)
        return
    literals = [text for value in values if (text := literal(kind, value))]
    if literals:
        yield from _with_values(name, kind, literals[0], literals[-1])
    if kind.is_integer and kind is not T.FRAMENUM:
        yield from _written(_NUMBERS, name)
    elif kind is T.STRING:
        yield from _written(_TEXTS, name)
    elif kind in (T.IPV4, T.IPV6, T.ETHER, T.BYTES):
        yield from _written(_SLICES[:2] if kind is T.BYTES else _SLICES, name)
        yield from _written(_ADDRESSES if kind in (T.IPV4, T.IPV6) else _BYTES, name)


def _written(forms: Sequence[str], name: str) -> Iterator[str]:
    return (form.format(*[name] * form.count("{}")) for form in forms)


def _with_values(name: str, kind: T, one: str, other: str) -> Iterator[str]:
    yield from (f"{name} {operator} {one}" for operator in _EQUAL)
    if kind not in (T.BOOLEAN, T.STRING):
        yield from (f"{name} {operator} {one}" for operator in _ORDERS)
        yield f"all {name} >= {one}"
        yield f"any {name} != {one}"
        yield f"{name} in {{{one}}}"
        yield f"not {name} in {{{one}, {other}}}"
        yield f"{name} in {{{one} .. {other}}}"
    if name.partition(".")[0] in LAYERED:
        yield from (f"{name}{layers} == {one}" for layers in _LAYERS)
        yield f"{name}#2 != {one}"
    if kind in (T.IPV4, T.IPV6):
        prefix = 20 if kind is T.IPV4 else 60
        yield f"{name} == {one}/{prefix}"
        yield f"{name} != {one}/8"
        yield f"{name} in {{{one}/16}}"
