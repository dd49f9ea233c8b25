"""The form of messages of ICMP and ICMPv6: type, code, checksum, and continuations by type.

RFC 792, RFC 4443 §2.1. The four bytes of type, code and checksum are common to all messages; the
type selects the tables that continue them. An error quotes the packet that caused it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from core.wire.model.field import Field, PlacedField
from core.wire.model.table import HeaderTable, continuations
from core.wire.protocol import HeaderColumns

HEADER_BYTES = 4  # type, code and checksum


def message_header(
    name: str, title: str, spec: str, types: Mapping[int, str], default: int
) -> HeaderTable:
    """Return the table of type, code and checksum; `default` is the type that the forge writes."""
    return HeaderTable(
        name,
        title,
        spec,
        Field("type", 8, "Type", values=types, default=default),
        Field("code", 8, "Code"),
        Field("checksum", 16, "Checksum", base=16, automatic=True),
    )


def message_rest(name: str, title: str, spec: str, types: set[int], *fields: Field) -> HeaderTable:
    """Return the table that continues the messages of these types."""
    when = ("type", frozenset(types))
    return HeaderTable(name, title, spec, *fields, start=HEADER_BYTES, when=when)


@dataclass(frozen=True, slots=True, eq=False)
class MessageForm:
    """The messages of one protocol: names of types and codes, and continuations."""

    table: HeaderTable
    codes: Mapping[int, Mapping[int, str]]
    continuations: tuple[HeaderTable, ...]

    def tables(self, kind: int) -> tuple[HeaderTable, ...]:
        """Return the tables of a message of type `kind`."""
        return (self.table, *continuations(self.continuations, kind))

    def describe(self, kind: int, code: int) -> str:
        """Return ``Destination unreachable (port unreachable)``: the type, and a code that counts.

        A type without codes has only code 0, which is left out.
        """
        text = self.table["type"].meaning(kind) or f"Type {kind}"
        if code or kind in self.codes:
            text += f" ({self.codes.get(kind, {}).get(code, f'code {code}')})"
        return text

    def echo_columns(
        self,
        headers: HeaderColumns,
        identifier: PlacedField,
        sequence: PlacedField,
        words: Callable[[int, int], str],
    ) -> list[str | None]:
        """Return the Info lines of messages with these two fields in one table; None for others.

        `words` describes the two numbers.
        """
        kinds, codes = (headers.column(self.table[key]) for key in ("type", "code"))
        condition = identifier.table.when
        assert condition is not None
        index = np.flatnonzero(np.isin(kinds, list(condition[1])))
        headers = headers.take(index)
        columns = (kinds[index], codes[index], headers.column(identifier), headers.column(sequence))
        texts: list[str | None] = [None] * len(kinds)
        for row, kind, code, number, order in zip(
            index.tolist(), *(column.tolist() for column in columns), strict=True
        ):
            texts[row] = self.describe(kind, code) + words(number, order)
        return texts


def echo_words(identifier: int, sequence: int) -> str:
    """Return ``id=0x04d2, seq=1`` after a space."""
    return f" id=0x{identifier:04x}, seq={sequence}"
