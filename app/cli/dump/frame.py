"""One frame on its way through `dump`, and the frames of a batch.

`dump` prints and forgets: nothing is put into a store, so its memory does not grow with the
capture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from core.decode.batch import Batch, CaptureInterface
from core.wire.dissect import dissect
from core.wire.model.dissection import Dissection


class Frame(NamedTuple):
    """A frame's bytes and what was told about them. `number` counts from 1."""

    number: int
    data: bytes
    original_length: int
    timestamp_ns: int
    interface: CaptureInterface
    flags: int  # core.wire.model.dissection.PacketFlag bits

    def dissect(self) -> Dissection:
        """What the bytes mean."""
        return dissect(self.data, self.interface.link_type, self.original_length, self.flags)


def frames(
    batch: Batch, interfaces: Sequence[CaptureInterface], first_number: int
) -> Iterator[Frame]:
    """The frames of a batch, numbered from `first_number`; their bytes are copies."""
    data = batch.data
    columns = (
        batch.offset, batch.captured, batch.original,
        batch.timestamp_ns, batch.interface, batch.flags,
    )  # fmt: skip
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for number, (offset, captured, original, timestamp_ns, interface, flags) in enumerate(
        rows, first_number
    ):
        yield Frame(
            number,
            data[offset : offset + captured].tobytes(),
            original,
            timestamp_ns,
            interfaces[interface],
            flags,
        )
