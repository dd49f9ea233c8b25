"""Fields that are parts or texts of addresses: ``eth.dst.ig``, ``eth.src.oui``, ``ip.src_host``.

Their values follow from those of the address, so they are in the same headers, and in the same
order. Names and types are Wireshark's. A host's text is its address: rawscope resolves no names
here. The first bits of a MAC address are those of IEEE 802-2014, section 8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.types import FilterField, FilterType
from core.wire.model.field import Value
from core.wire.model.kind import ipv4_text, ipv6_text

_T = FilterType
_GROUP = {1: "Group", 0: "Individual"}
_LOCAL = {1: "Local", 0: "Global"}
_ORGANIZATION_BYTES = 3


@dataclass(frozen=True, slots=True)
class AddressPart:
    """A field, the field with the addresses, and how to read it.

    `read` takes addresses as `core.analysis.filter.types.Occurrences` has them, (k,) or (k, bytes).
    """

    field: FilterField
    source: str
    read: Callable[[NDArray[Any]], NDArray[Any]]

    def text(self, address: Value) -> str:
        """Return the value of one address as text: a word for a bit, hex for an organization."""
        if isinstance(address, bytes):
            addresses: NDArray[Any] = np.frombuffer(address, np.uint8).reshape(1, -1)
        else:
            addresses = np.array([address], np.uint32)
        (value,) = self.read(addresses).tolist()
        if self.field.type is _T.UINT24:
            return f"0x{value:06x}"
        return self.field.words[value] if self.field.words else str(value)


def _bit(number: int) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Return a reader of one bit of the first byte, from the least significant."""
    mask = np.uint8(1 << number)
    return lambda addresses: addresses[:, 0] & mask > 0


_group, _local = _bit(0), _bit(1)


def _organization(addresses: NDArray[Any]) -> NDArray[Any]:
    found = np.zeros(len(addresses), np.uint32)
    for byte in range(_ORGANIZATION_BYTES):
        found = found << np.uint32(8) | addresses[:, byte]
    return found


class _Texts(dict[Any, str]):
    """The texts of addresses, each written once."""

    def __init__(self, text: Callable[[Any], str]) -> None:
        self._text = text

    def __missing__(self, key: Any) -> str:
        text = self[key] = self._text(key)
        return text


def _ipv4_hosts(addresses: NDArray[Any]) -> NDArray[Any]:
    texts = _Texts(lambda number: ipv4_text(number.to_bytes(4, "big")))
    return _texts(list(map(texts.__getitem__, addresses.tolist())))


def _ipv6_hosts(addresses: NDArray[Any]) -> NDArray[Any]:
    keys = np.ascontiguousarray(addresses).view(f"V{addresses.shape[1]}").reshape(-1)
    return _texts(list(map(_Texts(ipv6_text).__getitem__, keys.tolist())))


def _texts(texts: list[str]) -> NDArray[Any]:
    found = np.empty(len(texts), dtype=object)
    found[:] = texts
    return found


def _parts() -> Iterator[AddressPart]:
    for side, where in (("dst", "of the destination"), ("src", "of the source"), ("", "of either")):
        source, name = f"eth.{side or 'addr'}", f"eth.{side}." if side else "eth."
        bits = (("lg", "Local bit", _LOCAL, _local), ("ig", "Group bit", _GROUP, _group))
        for last, meaning, words, read in bits:
            field = FilterField(f"{name}{last}", _T.BOOLEAN, f"{meaning} {where}", words=words)
            yield AddressPart(field, source, read)
        field = FilterField(f"{source}.oui", _T.UINT24, f"Organization {where}", base=16)
        yield AddressPart(field, source, _organization)
    for network, hosts in (("ip", _ipv4_hosts), ("ipv6", _ipv6_hosts)):
        for name, source, where in (
            ("src_host", "src", "source"), ("dst_host", "dst", "destination"),
            ("host", "addr", "source or destination"),
        ):  # fmt: skip
            field = FilterField(f"{network}.{name}", _T.STRING, f"Address of the {where} as text")
            yield AddressPart(field, f"{network}.{source}", hosts)


ADDRESS_PARTS: Mapping[str, AddressPart] = {part.field.name: part for part in _parts()}
"""The fields by name."""
