"""The texts of an address field in many packets, and of an end of a flow.

Few addresses occur in most captures.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.wire.model.field import PlacedField
from core.wire.model.words import WORD_BITS

ADDRESS_CHARACTERS = frozenset("0123456789abcdef.:")
"""All characters of the texts of addresses."""
MAPPED = b"\0" * 10 + b"\xff\xff"
"""The first bytes of an IPv4 address in 16 bytes (RFC 4291 §2.5.5.2)."""


class _Texts(dict[Any, str]):
    """The texts of a field by its number, or by its words if it has two."""

    def __init__(self, slot: PlacedField) -> None:
        self._slot = slot

    def __missing__(self, key: Any) -> str:
        number = key if isinstance(key, int) else key[0] << WORD_BITS | key[1]
        text = self[key] = self._slot.text(number)
        return text


def address_texts(
    slot: PlacedField, data: NDArray[np.uint8], starts: NDArray[np.int64]
) -> list[str]:
    """Return a field's text for headers at `starts` (n,) in `data`, each address written once."""
    column = slot.column(data, starts)
    keys: Iterable[Any] = column.tolist()
    if column.ndim == 2:
        keys = zip(*column.T.tolist(), strict=True)
    return list(map(_Texts(slot).__getitem__, keys))


def end_text(address: str, port: int | None) -> str:
    """Return ``10.0.0.1:443`` or ``[::1]:443``; without a port the address alone."""
    if port is None:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
