"""The outcome of a send as lines of text, for `widgets.forge.outcome` to draw. No drawing.

::

    ✓ sent 1 of 1 (IP_HDRINCL) on veth0
    ↗ packet 12 sent with one field changed
      Total length  0 → 44
        Linux always writes the total length of what a raw socket sends.
    ← packet 13  0.045 ms  10.0.0.9  TCP  80 → 40000 [RST, ACK] …
    · The local kernel knows no connection on port 40000: …
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from core.forge.observe.packet_outcome import PacketOutcome, Reply
from core.forge.report import Report
from core.wire.model.text import safe

_NS_PER_MS = 1_000_000
_ONE_LINE = 10_000  # characters: no sentence is longer


class ReportStyle(Enum):
    """The color of a line."""

    GOOD = "good"
    BAD = "bad"
    BUSY = "busy"
    COPY = "copy"
    CHANGE = "change"
    WHY = "why"
    REPLY = "reply"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One line; `number` is the packet that it is about, 0 for none."""

    text: str
    style: ReportStyle
    number: int = 0


def report_lines(report: Report, width: int) -> tuple[ReportLine, ...]:
    """Return the report in lines of at most `width` cells; changed values may be longer."""
    return tuple(_lines(report, max(20, width)))


def result_text(report: Report) -> str:
    """Return how sending ended, without what was captured."""
    return "\n".join(line.text for line in _sent(report, _ONE_LINE))


def _lines(report: Report, width: int) -> Iterator[ReportLine]:
    if report.subject:
        words = f"{report.subject}; the form is not sent"
        yield from _wrapped(words, ReportStyle.COPY, width, "", "  ")
    yield from _sent(report, width)
    many = len(report.outcomes) > 1
    for index, outcome in enumerate(report.outcomes):
        yield from _outcome(report, outcome, f"{index + 1}. " if many else "", width)
    for note in report.notes:
        yield from _wrapped(note, ReportStyle.NOTE, width, "· ", "  ")
    if report.unseen_reason:
        yield from _wrapped(report.unseen_reason, ReportStyle.NOTE, width, "· ", "  ")
    if report.audit and report.progress is not None and not report.sending:
        yield from _wrapped(f"recorded in {report.audit}", ReportStyle.WHY, width, "  ", "  ")


def _sent(report: Report, width: int) -> Iterator[ReportLine]:
    progress = report.progress
    where = f" on {safe(report.interface)}" if report.interface else ""
    if progress is not None:
        words = f"{progress.left:,} of {progress.asked:,} ({report.method}){where}"
        if progress.elapsed_s > 0 and progress.asked > 1:
            words += f", {progress.rate_text}/s"
        if progress.dropped:
            words += f"; {progress.dropped:,} dropped by the full queue (ENOBUFS)"
        if report.sending:
            yield from _wrapped(f"sending {words}; esc stops", ReportStyle.BUSY, width, "● ", "  ")
        elif report.error:
            yield from _wrapped(f"sent {words}", ReportStyle.BAD, width, "✗ ", "  ")
        elif progress.stopped:
            yield from _wrapped(f"stopped: sent {words}", ReportStyle.BAD, width, "■ ", "  ")
        elif progress.dropped:
            yield from _wrapped(f"sent {words}", ReportStyle.BAD, width, "✗ ", "  ")
        else:
            yield from _wrapped(f"sent {words}", ReportStyle.GOOD, width, "✓ ", "  ")
    elif report.declined:
        yield ReportLine("■ not sent: you declined", ReportStyle.BUSY)
    elif report.asking:
        yield ReportLine("? waiting for your answer", ReportStyle.BUSY)
    elif report.sending:
        yield ReportLine("● looking up the route", ReportStyle.BUSY)
    if report.error:
        yield from _wrapped(report.error, ReportStyle.BAD, width, "✗ ", "  ")


def _outcome(
    report: Report, outcome: PacketOutcome, place: str, width: int
) -> Iterator[ReportLine]:
    if outcome.number:
        until_now = ", still counting" if report.counting else ""
        more = f", {outcome.copies:,} copies seen{until_now}" if outcome.copies > 1 else ""
        same = "" if outcome.changes else " as requested, byte for byte"
        changed = f" with {len(outcome.changes)} fields changed" if len(outcome.changes) > 1 else ""
        changed = " with one field changed" if len(outcome.changes) == 1 else changed
        text = f"{place}packet {outcome.number:,} sent{same}{changed}{more}"
        yield from _wrapped(text, ReportStyle.COPY, width, "↗ ", "  ", outcome.number)
    elif report.progress is not None and report.progress.sent and not report.unseen_reason:
        words = "not captured yet" if report.listening else "not captured"
        yield ReportLine(f"? {place}{words}", ReportStyle.NOTE)
    for change in outcome.changes:
        text = f"{change.label}  {safe(change.asked)} → {safe(change.seen)}"
        yield ReportLine(f"  {text}", ReportStyle.CHANGE, outcome.number)
        yield from _wrapped(change.why, ReportStyle.WHY, width, "    ", "    ")
    for reply in outcome.replies:
        yield from _wrapped(
            _reply_words(reply), ReportStyle.REPLY, width, "← ", "  ", reply.seen.number
        )
    if outcome.reply_count > len(outcome.replies):
        others = outcome.reply_count - len(outcome.replies)
        until_now = ", still counting" if report.counting else ""
        yield ReportLine(f"  and {others:,} more replies{until_now}", ReportStyle.WHY)
    if outcome.number and not outcome.replies:
        yield ReportLine("  no reply yet" if report.listening else "  no reply", ReportStyle.WHY)
    for note in outcome.notes if report.progress is not None and report.progress.sent else ():
        yield from _wrapped(note, ReportStyle.NOTE, width, "· ", "  ")


def _reply_words(reply: Reply) -> str:
    parts = [delay_text(reply.delay_ns), reply.sender, reply.protocol, reply.info]
    if reply.seen.number:
        parts.insert(0, f"packet {reply.seen.number:,}")
    return "  ".join(safe(part) for part in parts if part)


def delay_text(delay_ns: int | None) -> str:
    """Return ``0.045 ms``; empty if the delay is not known."""
    if delay_ns is None:
        return ""
    milliseconds = delay_ns / _NS_PER_MS
    return f"{milliseconds:,.0f} ms" if milliseconds >= 100 else f"{milliseconds:.3f} ms"


def _wrapped(
    text: str, style: ReportStyle, width: int, first: str, later: str, number: int = 0
) -> Iterator[ReportLine]:
    for line in textwrap.wrap(safe(text), width, initial_indent=first, subsequent_indent=later):
        yield ReportLine(line, style, number)
