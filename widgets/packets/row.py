"""One row of the packet table: its text, made from a packet.

Only packets on the screen are read. The text is safe to print and does not depend on the width of
any column, so the reader keeps it until many other packets were on the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from textual.cache import LRUCache

from core.analysis.packet_facts import FieldText, PacketFacts
from core.analysis.reassembly.fragment_index import NO_FRAGMENTS, FragmentTable
from core.analysis.tcp.flow_table import NO_FLOWS, FlowTable
from core.store.captured_packet import CapturedPacket
from core.store.selected_packet import SelectedPacket
from core.store.snapshot import Snapshot
from core.wire.model.dissection import Cause, Dissection, PacketFlag, Verdict, is_timed
from core.wire.model.reassembly import Piece
from core.wire.model.text import safe
from core.wire.present.faults import Faults
from core.wire.present.summary import (
    Summary,
    datagram_verdict,
    failed_summary,
    summarize,
)

CACHED_ROWS = 1024
NO_VALUES: Mapping[str, str] = {}


class Sign(Enum):
    """The sign of a row, which tells it apart without color. The first that applies is shown."""

    BAD = "✗"  # a checksum is wrong, or a mandatory one is missing
    FAULT = "?"  # rawscope failed to describe the packet
    MALFORMED = "!"
    SENT = "↗"  # this program sent the packet
    CUT = "…"  # the capture does not have all of its headers
    OFFLOADED = "◌"  # the network card computes the checksum
    NONE = " "


@dataclass(frozen=True, slots=True)
class PacketRow:
    """The text of one row. `length` is in bytes, as on the wire.

    `failed` is True if rawscope could not describe the packet. `values` are the texts of the fields
    that have a column, by name.
    """

    number: int
    timestamp_ns: int
    timed: bool  # the capture has the time
    interface: str
    source: str
    destination: str
    protocol: str
    length: int
    info: str
    sign: Sign
    failed: bool
    values: Mapping[str, str]


def sign_of(packet: CapturedPacket, summary: Summary) -> Sign:
    """Return the one sign that the row of a packet shows."""
    verdicts = (packet.network_verdict, packet.transport_verdict)
    if Verdict.BAD in verdicts or Verdict.ILLEGAL in verdicts:
        return Sign.BAD
    if summary.failed:
        return Sign.FAULT
    if summary.cause is Cause.MALFORMED:
        return Sign.MALFORMED
    if packet.flags & PacketFlag.OURS:
        return Sign.SENT
    if summary.cause is Cause.TRUNCATED:
        return Sign.CUT
    return Sign.OFFLOADED if Verdict.OFFLOADED in verdicts else Sign.NONE


def as_sent(row: PacketRow) -> PacketRow:
    """Return the row with the sign of a packet that this program sent, unless it has an alarm."""
    louder = (Sign.BAD, Sign.FAULT, Sign.MALFORMED)
    return row if row.sign in louder else replace(row, sign=Sign.SENT)


def row_of(
    packet: CapturedPacket, summary: Summary, values: Mapping[str, str] = NO_VALUES
) -> PacketRow:
    """Return the row of a packet; its text is safe to print."""
    return PacketRow(
        number=packet.number,
        timestamp_ns=packet.timestamp_ns,
        timed=is_timed(packet.timestamp_ns, packet.flags),
        interface=safe(packet.interface.name),
        source=safe(summary.source),
        destination=safe(summary.destination),
        protocol=safe(summary.protocol),
        length=packet.original_length,
        info=safe(summary.info),
        sign=sign_of(packet, summary),
        failed=summary.failed,
        values=values,
    )


class RowReader:
    """Makes rows of packets, and keeps the last `CACHED_ROWS`. Counts failures in `faults`.

    A row that was made before the analysis reached its packet is made again afterward, and that of
    a fragment when more is known of its datagram. `fields` are the names of the fields whose texts
    are in `PacketRow.values`.
    """

    def __init__(self, faults: Faults, fields: Sequence[str] = ()) -> None:
        self._faults = faults
        self._fields = {name: _field_text(name) for name in fields}
        self._rows: LRUCache[int, tuple[PacketRow, bool, Piece | None]] = LRUCache(CACHED_ROWS)

    def forget(self) -> None:
        """Make every row again."""
        self._rows.clear()

    def row(
        self,
        snapshot: Snapshot,
        number: int,
        flows: FlowTable = NO_FLOWS,
        fragments: FragmentTable = NO_FRAGMENTS,
    ) -> PacketRow:
        """Return the row of one packet. Raise `KeyError` if the snapshot does not have it."""
        row, is_final, known = self._rows.get(number, (None, False, None))
        is_analyzed = number <= flows.through
        piece = fragments.piece(number)
        if row is None or (is_analyzed and not is_final) or piece != known:
            packet = replace(snapshot.packet(number), piece=piece)
            row = self._row_of(packet, packet.dissect, snapshot, flows)
            self._rows[number] = row, is_analyzed, piece
        return row

    def selected_row(
        self, selected: SelectedPacket, snapshot: Snapshot, flows: FlowTable
    ) -> PacketRow:
        """Return the row of the selected packet, without another dissection.

        If `snapshot` does not have the packet anymore, its sequence numbers may be raw.
        """
        packet = selected.packet
        held = snapshot if packet.number >= snapshot.first else None
        return self._row_of(packet, selected.shown_layers, held, flows)

    def _row_of(
        self,
        packet: CapturedPacket,
        dissect: Callable[[], Dissection],
        snapshot: Snapshot | None,
        flows: FlowTable,
    ) -> PacketRow:
        """Return the row of a packet, from one dissection."""
        dissection = None
        reasons: list[str] = []
        with self._faults.guard(packet.number, reasons.append):
            dissection = dissect()
            if packet.fault is not None:
                raise packet.fault
            summary = summarize(dissection, flows.base(packet.number))
            if (verdict := datagram_verdict(dissection)) is not Verdict.NONE:
                packet = replace(packet, transport_verdict=verdict)
            if snapshot is None or not self._fields:
                return row_of(packet, summary)
            facts = PacketFacts(packet, dissection, snapshot)
            values = {name: text(facts) for name, text in self._fields.items()}
            return row_of(packet, summary, values)
        return row_of(packet, failed_summary(dissection, *reasons))


def _field_text(name: str) -> FieldText:
    from core.analysis.field_texts import field_text  # only with a column for a field

    return field_text(name)
