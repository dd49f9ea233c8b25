"""The selected packet: read from the store and dissected once, for every part that shows it.

The detail tree, the hex view, the forge and the copy dialog all receive the same `SelectedPacket`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.store.captured_packet import CapturedPacket
from core.store.frame_detail import frame_row
from core.store.snapshot import Snapshot
from core.wire.model.dissection import Dissection
from core.wire.model.reassembly import Piece
from core.wire.present.detail import each_row, fault_row
from core.wire.present.detail_row import Row
from core.wire.present.faults import Faults


@dataclass(frozen=True, slots=True)
class SelectedPacket:
    """A packet, its layers, and the rows of its detail tree.

    `dissection` is that of the frame alone; it is None if rawscope failed to dissect the packet,
    and the last row then says so. The rows, and `shown`, know the datagram of a fragment (`piece`).
    """

    packet: CapturedPacket
    dissection: Dissection | None
    rows: tuple[Row, ...]
    comments: tuple[str, ...] = ()
    shown: Dissection | None = None
    piece: Piece | None = None

    def layers(self) -> Dissection:
        """Return the dissection. If it failed, try again, to raise what ended it."""
        return self.dissection or self.packet.dissect()

    def shown_layers(self) -> Dissection:
        """Return the dissection that the rows show, as `layers` does."""
        return self.shown or self.packet.dissect()


def select_packet(
    snapshot: Snapshot, number: int, faults: Faults, piece: Piece | None = None
) -> SelectedPacket | None:
    """Return packet `number` of `snapshot`, dissected, or None if the store evicted it.

    `piece` tells what is known of the datagram of a fragment.
    If dissection or a row fails, count the packet in `faults`, keep the rows made before the
    failure, and append a row that reports it.
    """
    try:
        packet = snapshot.packet(number)
    except KeyError:
        return None
    dissection = shown = None
    rows: list[Row] = []
    comments = snapshot.comments.get(number, ())
    with faults.guard(number, lambda words: rows.append(fault_row(words))):
        before = snapshot.time_ns(number - 1)
        rows.append(frame_row(packet, snapshot.first_timestamp_ns, before, comments))
        dissection = shown = packet.dissect()
        if piece is not None:
            shown = replace(packet, piece=piece).dissect()
        rows.extend(each_row(shown))  # keeps the rows before one that fails
        if packet.fault is not None:
            raise packet.fault
    return SelectedPacket(packet, dissection, tuple(rows), comments, shown, piece)
