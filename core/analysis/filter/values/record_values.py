"""The values of fields as a packet's record has them (``dump --json``, ``--fields``), by columns.

In a filter, a field means all its occurrences. In a record, a name means the outermost one: the
values in the first header of its protocol, and only in the outermost packet, not in one that a
tunnel or an ICMP error carries. Options that repeat, and tags that stack, have several values.

The type of a value is that of the header table (`core.wire.model.kind.Kind`), which is not always
that of Wireshark's field: `tcp.flags.res` is a number here, and a boolean in a filter.
"""

from __future__ import annotations

import numpy as np

from core.analysis.filter.fields.catalog import CATALOG, SLOTS_BY_NAME
from core.analysis.filter.types import FilterType, Occurrences
from core.analysis.filter.values.chunk_values import ChunkValues
from core.analysis.filter.values.frame_values import CaptureContext
from core.decode.chunk import Chunk
from core.wire.model.field import PlacedField
from core.wire.model.kind import Kind
from core.wire.present.record import STACKED

_TYPES = {
    Kind.NUMBER: FilterType.UINT64,
    Kind.FLAG: FilterType.BOOLEAN,
    Kind.MAC: FilterType.ETHER,
    Kind.IPV4: FilterType.IPV4,
    Kind.IPV6: FilterType.IPV6,
    Kind.BYTES: FilterType.BYTES,
}


def record_type(name: str) -> FilterType:
    """Return the type of the values of a field of the catalog. Raises `KeyError`."""
    slots = _slots(name)
    if slots:
        return _TYPES[slots[0].field.kind]
    field = CATALOG.find(name)
    if field is None:
        raise KeyError(name)
    return field.type


class RecordValues:
    """The values of fields in the records of the packets of one chunk."""

    def __init__(self, chunk: Chunk, context: CaptureContext) -> None:
        self._values = ChunkValues(chunk, context, outermost=True)

    def occurrences(self, name: str) -> Occurrences:
        """Return the values of a field of the catalog, in the order of the packets' bytes.

        Numbers of all sizes are UINT64, whatever the dtype; see `Occurrences` for the other types.
        """
        slots = _slots(name)
        if not slots:
            found, owner = self._values.occurrences(name), name.partition(".")[0]
        else:
            found = self._values.numbers(name, record_type(name))
            owner = slots[0].table.name
        if found.layers is None or owner in STACKED:
            return found
        first = np.flatnonzero(found.layers == 1)
        values = found.values
        taken = values[first] if isinstance(values, np.ndarray) else values.take(first)
        return Occurrences(found.rows[first], taken)


def _slots(name: str) -> tuple[PlacedField, ...]:
    members = CATALOG.combined(name) or (name,)
    return SLOTS_BY_NAME.get(members[0], ())
