"""Output of ``rawscope send``: the bytes of a dry run, the result, and the replies.

With ``--json`` each line is one object: for a dry run, the one that ``dump --json --raw`` would
print for the packet; else an object with an ``event`` (``sent``, ``copy``, ``reply``, ``end``,
``note``).
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from app.cli.dump.hex_lines import HexLines
from app.cli.dump.json_lines import JsonLines, frame_record
from app.cli.dump.printer import Printer
from app.cli.output import CommandOutput, print_message
from core.decode.batch import Batch, CaptureInterface
from core.forge.observe.outcome import Outcome
from core.forge.observe.packet_outcome import Reply
from core.forge.observe.tracker import Track
from core.forge.transmit.transmission import PreparedTransmission
from core.forge.values import SendProgress
from core.store.captured_packet import CapturedPacket
from core.wire.link.link_types import LinkType
from core.wire.model.text import safe

_MS = 1e6  # nanoseconds


def write_dry_run(
    packets: Sequence[bytes], linked: Sequence[bool], link: str, as_json: bool
) -> None:
    """Print packets that are not sent.

    `linked` is true for those that begin with a link header; `link` names the interface that they
    would leave on, empty if the route decides.
    """
    lengths = np.array([len(packet) for packet in packets], dtype=np.uint32)
    batch = Batch(
        np.frombuffer(b"".join(packets), dtype=np.uint8),
        np.cumsum(lengths, dtype=np.int64) - lengths,
        lengths,
        lengths,
        np.full(len(packets), time.time_ns(), dtype=np.int64),
        np.array(linked, dtype=np.uint16),
        np.zeros(len(packets), dtype=np.uint16),
    )
    interfaces = [CaptureInterface(link, kind) for kind in (LinkType.RAW, LinkType.ETHERNET)]
    printer = Printer(JsonLines(raw=True) if as_json else HexLines(), limit=None)
    printer.take(batch, interfaces)
    printer.finish()


class SendReport:
    """Reports each event when it happens."""

    def __init__(
        self, transmission: PreparedTransmission, as_json: bool, bypass: bool = False
    ) -> None:
        self._transmission = transmission
        self._bypass = bypass
        self._json = as_json
        self._output = CommandOutput()
        self._reports = 0

    def progress(self, progress: SendProgress) -> None:
        """Print the progress of a long run on stderr; `sent` reports the end."""
        if progress.sent < progress.asked and progress.error is None and not progress.stopped:
            self._reports += 1
            if self._reports % 10 == 0:  # about once a second
                print_message(
                    f"rawscope: {progress.left:,} of {progress.asked:,} sent, "
                    f"{progress.rate_text} per second"
                )

    def sent(self, progress: SendProgress) -> None:
        """Report how many packets left."""
        where = self._transmission
        if self._json:
            self._line(
                {
                    "event": "sent",
                    "asked": progress.asked,
                    "sent": progress.sent,
                    "dropped": progress.dropped,
                    "stopped": progress.stopped,
                    "seconds": round(progress.elapsed_s, 6),
                    "interface": where.interface,
                    "method": where.method.value,
                    "error": str(progress.error) if progress.error is not None else None,
                }
            )
            return
        words = (
            f"{'stopped: ' if progress.stopped else ''}"
            f"sent {progress.left:,} of {progress.asked:,} through "
            f"{safe(where.interface)} ({where.method.value})"
        )
        if progress.dropped:
            words += f", {progress.dropped:,} were dropped by the device's queue (ENOBUFS)"
        if progress.asked > 1:
            words += f", {progress.rate_text} packets per second"
        self._text(words)

    def heard(self, track: Track, seen: CapturedPacket) -> None:
        """Report that a sent packet or a reply was captured."""
        if track.outcome.copy is seen:
            self._copy(track.outcome)
        elif track.newest is not None:
            self._reply(track.newest)

    def end(self, tracks: Sequence[Track], *, waited: bool) -> None:
        """Report what was missing at the end; `waited` is True if there was time for replies."""
        for track in tracks:
            outcome = track.outcome
            if self._json:
                self._line(
                    {
                        "event": "end",
                        "copy": outcome.copy is not None,
                        "replies": track.reply_count,
                        "notes": list(outcome.notes),
                    }
                )
                continue
            if outcome.copy is None:
                why = ": --bypass goes past every capture" if self._bypass else ""
                print_message(f"rawscope: the sent packet was not captured{why}")
            if waited and not track.reply_count:
                print_message("rawscope: no reply")
            for note in outcome.notes:
                print_message(f"rawscope: {safe(note)}")

    def notes(self, notes: Sequence[str]) -> None:
        """Report notes about the sent packets; in JSON each has a line of its own."""
        for note in notes:
            if self._json:
                self._line({"event": "note", "text": note})
            else:
                print_message(f"rawscope: {safe(note)}")

    def _copy(self, outcome: Outcome) -> None:
        if self._json:
            changes = [
                {"name": one.name, "asked": one.asked, "seen": one.seen, "why": one.why}
                for one in outcome.changes
            ]
            self._line({"event": "copy", "changes": changes})
            return
        if not outcome.changes:
            self._text("sent as requested")
        for one in outcome.changes:
            self._text(f"changed {one.name}: requested {one.asked}, sent as {one.seen}. {one.why}")

    def _reply(self, reply: Reply) -> None:
        seen = reply.seen
        if self._json:
            interface = CaptureInterface(self._transmission.interface, seen.link_type)
            packet = CapturedPacket(
                1, seen.data, len(seen.data), seen.timestamp_ns, interface, seen.flags
            )
            delay = None if reply.delay_ns is None else reply.delay_ns / 1e9
            record: dict[str, Any] = {"event": "reply", "delay": delay}
            self._line(record | frame_record(packet, packet.dissect(), raw=True))
            return
        after = "" if reply.delay_ns is None else f" after {reply.delay_ns / _MS:.3f} ms"
        self._text(f"reply{after} from {safe(reply.sender)}: {reply.protocol} {safe(reply.info)}")

    def _line(self, record: dict[str, Any]) -> None:
        self._text(json.dumps(record, separators=(",", ":")))

    def _text(self, line: str) -> None:
        self._output.line(line)
        self._output.flush()
