"""One row of the packet table: the moment a packet becomes words.

Only rows on the screen get here. What comes out is text that is safe to print, and does not
depend on the width of anything, so it is kept until the packet leaves the screen for long.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from textual.cache import LRUCache

from core.analysis.sequences import NO_SEQUENCES, SequenceReader, Sequences
from core.store.captured_packet import CapturedPacket
from core.store.snapshot import Snapshot
from core.wire.model.dissection import PacketFlag, Verdict, is_timed
from core.wire.model.text import safe
from core.wire.present.faults import Faults
from core.wire.present.summary import Summary, failed_summary, summarize
from core.wire.protocol import Tone

CACHED_ROWS = 1024


class Sign(Enum):
    """What a row says without color, in the order in which one hides another."""

    BAD = "✗"  # a checksum is wrong, or one is missing where it must not be
    FAULT = "?"  # it could not be described, by a fault of ours
    MALFORMED = "!"
    OURS = "↗"  # this program sent it
    CUT = "…"  # the capture did not keep enough of it to read its headers
    OFFLOADED = "◌"  # the checksum was left to the network card
    NONE = " "


@dataclass(frozen=True, slots=True)
class PacketRow:
    """The words of one row; `length` in bytes as on the wire."""

    number: int
    timestamp_ns: int
    timed: bool  # the source told the time
    interface: str
    source: str
    destination: str
    protocol: str
    length: int
    info: str
    tone: Tone
    sign: Sign


def sign_of(packet: CapturedPacket, tone: Tone) -> Sign:
    """The one sign a row shows."""
    verdicts = (packet.network_verdict, packet.transport_verdict)
    if Verdict.BAD in verdicts or Verdict.ILLEGAL in verdicts:
        return Sign.BAD
    if tone is Tone.FAULT:
        return Sign.FAULT
    if tone is Tone.MALFORMED:
        return Sign.MALFORMED
    if packet.flags & PacketFlag.OURS:
        return Sign.OURS
    if tone is Tone.TRUNCATED:
        return Sign.CUT
    return Sign.OFFLOADED if Verdict.OFFLOADED in verdicts else Sign.NONE


def as_ours(row: PacketRow) -> PacketRow:
    """The row of a packet that was found to be sent by this program."""
    louder = (Sign.BAD, Sign.FAULT, Sign.MALFORMED)
    return row if row.sign in louder else replace(row, sign=Sign.OURS)


def row_of(packet: CapturedPacket, summary: Summary) -> PacketRow:
    """Return a packet in words, safe to print."""
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
        tone=summary.tone,
        sign=sign_of(packet, summary.tone),
    )


class RowReader:
    """Makes rows of packets, and keeps the last `CACHED_ROWS`. Counts what fails in `faults`.

    A row that was made before the analysis reached its packet is made again afterward.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._rows: LRUCache[int, tuple[PacketRow, bool]] = LRUCache(CACHED_ROWS)  # and if final
        self._bases = SequenceReader()

    def row(
        self, snapshot: Snapshot, number: int, sequences: Sequences = NO_SEQUENCES
    ) -> PacketRow:
        """Return the row of one packet. Raise `KeyError` if the snapshot does not have it."""
        row, is_final = self._rows.get(number, (None, False))
        is_analyzed = number <= sequences.through
        if row is None or (is_analyzed and not is_final):
            packet = snapshot.packet(number)
            row = row_of(packet, self._summary(packet, snapshot, sequences))
            self._rows[number] = row, is_analyzed
        return row

    def evicted_row(self, packet: CapturedPacket) -> PacketRow:
        """Return the row of a packet that no snapshot has; its sequence numbers are raw."""
        return row_of(packet, self._summary(packet, None, NO_SEQUENCES))

    def _summary(
        self, packet: CapturedPacket, snapshot: Snapshot | None, sequences: Sequences
    ) -> Summary:
        dissection = None
        said: list[str] = []
        with self._faults.guard(packet.number, said.append):
            dissection = packet.dissect()
            if packet.fault is not None:
                raise packet.fault
            base = None
            if snapshot is not None and dissection.layer("tcp") is not None:
                base = self._bases.base(sequences, snapshot, packet.number)
            return summarize(dissection, base)
        return failed_summary(dissection, *said)
