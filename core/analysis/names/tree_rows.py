"""Names beside the values of the detail tree: vendors, hosts, and services."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.types import FilterType
from core.analysis.names.name_table import NameTable
from core.wire.model.text import safe
from core.wire.present.detail_row import Row

_ADDRESSES = (FilterType.IPV4, FilterType.IPV6)
_PORTS = ("srcport", "dstport")
_TRANSPORTS = ("tcp", "udp", "sctp")


def with_name_rows(rows: Sequence[Row], names: NameTable) -> tuple[Row, ...]:
    """Return the rows of a packet's tree with the names of addresses and ports as meanings.

    A row that has a meaning keeps it.
    """
    return tuple(_named(row, names) for row in rows)


def _named(row: Row, names: NameTable) -> Row:
    children = with_name_rows(row.children, names) if row.children else row.children
    meaning = row.meaning or safe(_name(row, names))
    if meaning == row.meaning and children == row.children:
        return row
    return replace(row, meaning=meaning, children=children)


def _name(row: Row, names: NameTable) -> str:
    """Return the name of the value of a row, or an empty text."""
    transport, _, last = row.field.partition(".")
    if last in _PORTS and transport in _TRANSPORTS and isinstance(row.raw, int):
        return names.service(transport, row.raw)
    if row.raw is None or not row.field or (field := CATALOG.find(row.field)) is None:
        return ""
    if field.type is FilterType.ETHER:
        return names.vendor(row.value)
    return names.host(row.value) if field.type in _ADDRESSES else ""
