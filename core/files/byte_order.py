"""Turn values of pcapng options and blocks into the byte order of this host.

A section may have either byte order, and the program writes its own. So whatever the reader keeps
to be written again is turned once, when it is read. Only known numbers are turned; the bytes of
unknown options and blocks, and of custom ones after the enterprise number, stay as they are.

Source: draft-ietf-opsawg-pcapng §3.5, §4.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Mapping

NAME_RESOLUTION = 4
STATISTICS = 5
SECRETS = 10
CUSTOM = 0xBAD
CUSTOM_NOT_COPIED = 0x4000_0BAD

_CUSTOM_OPTIONS = {2988: "I", 2989: "I", 19372: "I", 19373: "I"}
PACKET_OPTIONS: Mapping[int, str] = {4: "Q", 5: "Q", 6: "I", 8: "II", **_CUSTOM_OPTIONS}
INTERFACE_OPTIONS: Mapping[int, str] = {8: "Q", 10: "I", 16: "Q", 17: "Q", **_CUSTOM_OPTIONS}
SECTION_OPTIONS: Mapping[int, str] = _CUSTOM_OPTIONS
_STATISTICS_OPTIONS = {2: "II", 3: "II", **dict.fromkeys(range(4, 9), "Q"), **_CUSTOM_OPTIONS}
_TURNED = (NAME_RESOLUTION, STATISTICS, SECRETS, CUSTOM, CUSTOM_NOT_COPIED)
_MOST = 1 << 14  # options or names of one block that are turned
HOST = "<" if sys.byteorder == "little" else ">"


def native_value(code: int, value: bytes, order: str, numbers: Mapping[int, str]) -> bytes:
    """Return the value of an option; `numbers` are the numbers that options begin with, by code."""
    return value if order == HOST else _turned(value, 0, numbers.get(code, ""), order)


def native_body(kind: int, body: bytes, order: str) -> bytes:
    """Return the body of a block of any type but sections, interfaces, and packets.

    Raise `ValueError` for one with more than `_MOST` options or names.
    """
    if order == HOST or kind not in _TURNED:
        return body
    turned = bytearray(body)
    if kind == NAME_RESOLUTION:
        _turn_options(turned, _turn_options(turned, 0, order, {}), order, _CUSTOM_OPTIONS)
    elif kind == STATISTICS:
        _turn(turned, 0, "III", order)
        _turn_options(turned, 12, order, _STATISTICS_OPTIONS)
    elif kind == SECRETS:
        _turn(turned, 0, "II", order)
        length = int.from_bytes(turned[4:8], sys.byteorder)
        _turn_options(turned, 8 + length + (-length & 3), order, _CUSTOM_OPTIONS)
    else:
        _turn(turned, 0, "I", order)
    return bytes(turned)


def _turned(data: bytes, at: int, numbers: str, order: str) -> bytes:
    turned = bytearray(data)
    _turn(turned, at, numbers, order)
    return bytes(turned)


def _turn(data: bytearray, at: int, numbers: str, order: str) -> None:
    """Turn the numbers from byte `at` on, if `data` is long enough for them."""
    if len(data) >= at + struct.calcsize("=" + numbers):
        values = struct.unpack_from(order + numbers, data, at)
        struct.pack_into("=" + numbers, data, at, *values)


def _turn_options(data: bytearray, at: int, order: str, numbers: Mapping[int, str]) -> int:
    """Turn the options, or the names (§4.5), from byte `at` on; return where they end."""
    for _ in range(_MOST):
        if at + 4 > len(data):
            return len(data)
        _turn(data, at, "HH", order)
        code, length = struct.unpack_from("=HH", data, at)
        at += 4
        if code == 0:
            return at
        _turn(data, at, numbers.get(code, ""), order)
        at += length + (-length & 3)
    raise ValueError("too many options")
