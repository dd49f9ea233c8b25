"""The texts of ``frame.*``, of ``_ws.col.*``, and of ``rawscope.sent`` for one packet."""

from __future__ import annotations

from collections.abc import Mapping

from core.analysis.filter.fields.packet_fields import CAUSES, COLUMNS, DIRECTIONS
from core.analysis.filter.language.times import NANOSECONDS
from core.analysis.packet_facts import FieldText, PacketFacts
from core.store.frame_detail import date_text, frame_headline, seconds_text
from core.wire.model.dissection import PacketFlag, is_timed
from core.wire.model.text import safe
from core.wire.present.record import protocols
from core.wire.present.summary import summarize


def _column(part: str) -> FieldText:
    """Return the function that reads a column of the packet table."""

    def text(facts: PacketFacts) -> str:
        found: str = getattr(summarize(facts.dissection), part)
        return found

    return text


def _is_timed(facts: PacketFacts) -> bool:
    return is_timed(facts.packet.timestamp_ns, facts.packet.flags)


def _date(*, utc: bool) -> FieldText:
    def text(facts: PacketFacts) -> str:
        second, fraction_ns = divmod(facts.packet.timestamp_ns, NANOSECONDS)
        return date_text(second, utc=utc, fraction_ns=fraction_ns) if _is_timed(facts) else ""

    return text


def _epoch(facts: PacketFacts) -> str:
    return seconds_text(facts.packet.timestamp_ns) if _is_timed(facts) else ""


def _delta(facts: PacketFacts) -> str:
    before_ns = facts.snapshot.time_ns(facts.packet.number - 1)
    if before_ns is None or not _is_timed(facts):
        return ""
    return seconds_text(facts.packet.timestamp_ns - before_ns)


def _relative(facts: PacketFacts) -> str:
    first_ns = facts.snapshot.first_timestamp_ns
    if first_ns is None or not _is_timed(facts):
        return ""
    return seconds_text(facts.packet.timestamp_ns - first_ns)


def _interface_id(facts: PacketFacts) -> str:
    interfaces = facts.snapshot.interfaces
    number = next((n for n, each in enumerate(interfaces) if each is facts.packet.interface), None)
    return "" if number is None else str(number)


def _direction(facts: PacketFacts) -> str:
    flags = facts.packet.flags
    if flags & PacketFlag.OURS:
        return DIRECTIONS[PacketFlag.OUTBOUND]
    return DIRECTIONS.get(flags & PacketFlag.DIRECTION_MASK, "")


def _cause(facts: PacketFacts) -> str:
    stop = facts.dissection.stop
    return "" if stop is None else CAUSES.get(stop.cause, "")


FRAME_TEXTS: Mapping[str, FieldText] = {
    "frame": lambda facts: frame_headline(facts.packet.number, facts.packet.original_length),
    "frame.number": lambda facts: str(facts.packet.number),
    "frame.time": _date(utc=False),
    "frame.time_utc": _date(utc=True),
    "frame.time_epoch": _epoch,
    "frame.time_delta": _delta,
    "frame.time_delta_displayed": _delta,
    "frame.time_relative": _relative,
    "frame.len": lambda facts: str(facts.packet.original_length),
    "frame.cap_len": lambda facts: str(facts.packet.captured_length),
    "frame.interface_id": _interface_id,
    "frame.interface_name": lambda facts: safe(facts.packet.interface.name),
    "frame.protocols": lambda facts: protocols(facts.dissection),
    "frame.comment": lambda facts: safe(
        ",".join(facts.snapshot.comments.get(facts.packet.number, ()))
    ),
    "frame.direction": _direction,
    "frame.stop.cause": _cause,
    "frame.ignored": lambda facts: "false",
    **{name: _column(part) for name, part in COLUMNS.items()},
    "rawscope.sent": lambda facts: str(bool(facts.packet.flags & PacketFlag.OURS)).lower(),
}
