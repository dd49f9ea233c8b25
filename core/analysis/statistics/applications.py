"""The application protocol of each payload, as the Protocol column of the packet table names it.

The ports and the first bytes decide, as in `core.wire.application.payload_info`; here they do so
for all payloads of a chunk at once. Numbers are indices of `NAMES`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.values.byte_fields import COLUMN_PAYLOADS, transport_payloads
from core.analysis.filter.values.chunk_headers import ChunkHeaders
from core.analysis.filter.values.places import BytePlaces
from core.wire.application import payload_info
from core.wire.application.payload_info import APPLICATIONS
from core.wire.model.dissection import Dissection

NAMES = ("", "data", *APPLICATIONS)
"""The names of payloads: nothing, bytes of an unknown protocol, and the known protocols."""

_NUMBERS = {
    transport: np.array(
        [
            NAMES.index("data"),
            *(
                NAMES.index(reader.names.get(transport, "data").lower())
                for reader in payload_info.READERS.values()
            ),
        ],
        np.uint8,
    )
    for transport in payload_info.TRANSPORTS
}
"""The number of the payload by that of the reader that describes it."""


def applications(headers: ChunkHeaders) -> NDArray[np.uint8]:
    """Return the number of the payload of each packet, (n,)."""
    found = np.zeros(len(headers.chunk), np.uint8)
    for name, protocol in COLUMN_PAYLOADS.items():
        payloads = transport_payloads(headers, protocol)
        found[payloads.rows] = NAMES.index("data")
        if name in payload_info.TRANSPORTS and len(payloads.rows):
            found[payloads.rows] = _of_transport(headers, name, payloads)
    return found


def application_of(dissection: Dissection) -> str:
    """Return the name of the payload of a dissected packet; an empty text without a payload."""
    if dissection.payload.stop <= dissection.payload.start:
        return ""
    carrying = [layer for layer in dissection.layers if not layer.quoted]
    if carrying and carrying[-1].name in payload_info.TRANSPORTS:
        found = payload_info.describe(dissection, carrying[-1])
        if found is not None:
            return found.name.lower()
    return "data"


def _of_transport(headers: ChunkHeaders, transport: str, payloads: BytePlaces) -> NDArray[np.uint8]:
    """Return the numbers (k,) of the payloads of TCP or UDP."""
    chunk, table = headers.chunk, COLUMN_PAYLOADS[transport].tables[0]
    data = chunk.data
    at = chunk.offset[payloads.rows].astype(np.int64) + chunk.transport_offset[payloads.rows]
    ports = (table["srcport"].column(data, at), table["dstport"].column(data, at))
    readers = payload_info.recognized(
        chunk.decode_rules, transport, ports, data, payloads.starts, payloads.ends
    )
    return _NUMBERS[transport][readers]
