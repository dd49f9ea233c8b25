"""What the bits of a field stand for, and how addresses are written."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from enum import Enum


class Kind(Enum):
    """How a field's bits are to be understood."""

    __hash__ = object.__hash__  # members are single: Enum's own hashes the name, in Python

    NUMBER = "number"
    FLAG = "flag"
    MAC = "MAC address"
    IPV4 = "IPv4 address"
    IPV6 = "IPv6 address"
    BYTES = "bytes"


def mac_text(address: bytes) -> str:
    """``02:00:5e:10:00:01`` for 6 bytes."""
    return address.hex(":")


def ipv4_text(address: bytes) -> str:
    """``192.0.2.1`` for 4 bytes."""
    return socket.inet_ntoa(address)


def ipv6_text(address: bytes) -> str:
    """``2001:db8::1`` for 16 bytes: shortened by RFC 5952, its §5 included."""
    return socket.inet_ntop(socket.AF_INET6, address)


ADDRESS_TEXTS: Mapping[Kind, Callable[[bytes], str]] = {
    Kind.MAC: mac_text,
    Kind.IPV4: ipv4_text,
    Kind.IPV6: ipv6_text,
}
_ADDRESS_BYTES = {Kind.MAC: 6, Kind.IPV4: 4, Kind.IPV6: 16}


def address_text(kind: Kind, value: int) -> str:
    """An address as people write it, from the number it is. `KeyError` if `kind` is none."""
    return ADDRESS_TEXTS[kind](value.to_bytes(_ADDRESS_BYTES[kind], "big"))
