"""The kinds of fields, and the text of addresses."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from enum import Enum


class Kind(Enum):
    """The kind of value that a field's bits encode."""

    __hash__ = object.__hash__  # unique members; Enum's own hash hashes the name

    NUMBER = "number"
    FLAG = "flag"
    MAC = "MAC address"
    IPV4 = "IPv4 address"
    IPV6 = "IPv6 address"
    BYTES = "bytes"


def mac_text(address: bytes) -> str:
    """Return ``02:00:5e:10:00:01`` for 6 bytes."""
    return address.hex(":")


def ipv4_text(address: bytes) -> str:
    """Return ``192.0.2.1`` for 4 bytes."""
    return socket.inet_ntoa(address)


def ipv6_text(address: bytes) -> str:
    """Return ``2001:db8::1`` for 16 bytes: shortened by RFC 5952, its §5 included."""
    return socket.inet_ntop(socket.AF_INET6, address)


ADDRESS_TEXTS: Mapping[Kind, Callable[[bytes], str]] = {
    Kind.MAC: mac_text,
    Kind.IPV4: ipv4_text,
    Kind.IPV6: ipv6_text,
}
_ADDRESS_BYTES = {Kind.MAC: 6, Kind.IPV4: 4, Kind.IPV6: 16}


def address_text(kind: Kind, value: int) -> str:
    """Return the text of an address from its number. Raises `KeyError` for other kinds."""
    return ADDRESS_TEXTS[kind](value.to_bytes(_ADDRESS_BYTES[kind], "big"))
