"""The detail tree: every field of every layer, as rows without a screen.

A row's `key` stays the same from packet to packet (``ip.flags.df``; a second layer of one
name gets ``#2``), so that what a person has opened stays open. Spans are offsets in the frame.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import IntEnum

from core.wire.dissection import Cause, Check, Dissection, Layer, Option, Stop, Verdict
from core.wire.field import Slot, Span, Value
from core.wire.text import safe, safe_bytes


class Severity(IntEnum):
    """How much a row wants to be noticed."""

    NONE = 0
    NOTE = 1
    WARNING = 2
    ERROR = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the tree. `span` is the bytes in the frame, None where there are none."""

    key: str
    label: str
    value: str = ""
    meaning: str = ""
    span: Span | None = None
    severity: Severity = Severity.NONE
    children: tuple[Row, ...] = ()
    is_layer: bool = False


VERDICT_SIGNS = {
    Verdict.GOOD: "✓ good",
    Verdict.BAD: "✗ bad",
    Verdict.OFFLOADED: "◌ offloaded",
    Verdict.NOT_PRESENT: "– not present",
    Verdict.ILLEGAL: "✗ illegal",
    Verdict.UNVERIFIED: "– not checkable",
}
VERDICT_CAVEAT = (
    "A verdict says whether bits were damaged on the way; it does not say that nobody changed them."
)
_ALARMING = frozenset({Verdict.BAD, Verdict.ILLEGAL})


def detail_rows(dissection: Dissection) -> tuple[Row, ...]:
    """The layers' rows, then payload, trailer, and why reading stopped."""
    rows: list[Row] = []
    counts: Counter[str] = Counter()
    for layer in dissection.layers:
        counts[layer.name] += 1
        number = counts[layer.name]
        rows.append(_layer_row(layer, dissection, "" if number == 1 else f"#{number}"))
    if dissection.stop is not None:
        rows.append(_stop_row(dissection.stop, dissection))
    rows += _byte_rows(dissection)
    return tuple(rows)


def _layer_row(layer: Layer, dissection: Dissection, suffix: str) -> Row:
    data = dissection.data
    checks = {check.slot: check for check in layer.checks}
    remarks = {note.slot: note.text for note in layer.notes if note.slot}
    rows: dict[Slot, Row] = {}
    children: dict[Slot | None, list[Row]] = {}
    fields = list(layer.fields(data))
    for slot, value in reversed(fields):
        row = _field_row(layer, slot, value, suffix, remarks.get(slot, ""))
        parts = tuple(reversed(children.pop(slot, [])))
        if slot in checks:
            row = _with_check(row, checks[slot], slot)
        rows[slot] = _with_children(row, parts) if parts else row
        children.setdefault(slot.parent, []).append(rows[slot])
    inner = list(reversed(children.get(None, [])))
    inner += (_option_row(option, data, suffix) for option in layer.options)
    inner += (
        Row(f"{layer.name}.note{suffix}", "Note", note.text, severity=Severity.WARNING)
        for note in layer.notes
        if note.slot is None
    )
    severity = max((row.severity for row in inner), default=Severity.NONE)
    stop = min(layer.offset + layer.header_length, layer.captured)
    title = f"{layer.title}, quoted" if layer.quoted else layer.title
    return Row(
        f"{layer.name}{suffix}",
        title,
        _headline(layer, data),
        span=Span(layer.offset, stop),
        severity=severity,
        children=tuple(inner),
        is_layer=True,
    )


def _headline(layer: Layer, data: bytes) -> str:
    """``10.0.0.5 → 10.0.0.9`` beside the layer's title."""
    for source, destination in (("src", "dst"), ("srcport", "dstport")):
        table = layer.tables[0]
        if source in table:
            values = (layer.value(data, source), layer.value(data, destination))
            texts = [
                "?" if value is None else table[key].text(value)
                for key, value in zip((source, destination), values, strict=True)
            ]
            return " → ".join(texts)
    return ""


def _field_row(layer: Layer, slot: Slot, value: Value, suffix: str, remark: str) -> Row:
    return Row(
        f"{slot.name}{suffix}",
        slot.field.label,
        slot.text(value),
        remark or slot.meaning(value),
        slot.span.shifted(layer.offset),
        Severity.WARNING if remark else Severity.NONE,
    )


def _with_children(row: Row, children: tuple[Row, ...]) -> Row:
    return Row(row.key, row.label, row.value, row.meaning, row.span, row.severity, children)


def _with_check(row: Row, check: Check, slot: Slot) -> Row:
    verdict = check.verdict
    meaning = VERDICT_SIGNS.get(verdict, "")
    if verdict in (Verdict.BAD, Verdict.OFFLOADED) and check.expected is not None:
        meaning += f", expected {slot.text(check.expected)}"
    if check.reason:
        meaning += f": {check.reason}"
    caveat = Row(f"{row.key}.caveat", "Verdict", VERDICT_CAVEAT, span=row.span)
    severity = Severity.ERROR if verdict in _ALARMING else row.severity
    return Row(row.key, row.label, row.value, meaning, row.span, severity, (caveat,))


def _option_row(option: Option, data: bytes, suffix: str) -> Row:
    children = tuple(
        Row(f"{name}{suffix}", label, _option_text(value), span=span)
        for name, label, value, span in option.values
    )
    value = ", ".join(child.value for child in children[:2])
    if not children:
        value = data[option.span.start + 2 : option.span.stop].hex()
    severity = Severity.WARNING if option.problem else Severity.NONE
    return Row(
        f"{option.name}{suffix}",
        option.label,
        value,
        option.problem,
        option.span,
        severity,
        children,
    )


def _option_text(value: Value | str) -> str:
    return value.hex() if isinstance(value, bytes) else safe(str(value))


def _stop_row(stop: Stop, dissection: Dissection) -> Row:
    if stop.cause is Cause.TRUNCATED:
        what, severity = "Cut short by the snap length", Severity.WARNING
    else:
        what, severity = "Malformed", Severity.ERROR
    meaning = f"{stop.layer}: {stop.reason}"
    if stop.limited_by:
        meaning += f" (limited by {stop.limited_by})"
    span = Span(min(stop.offset, len(dissection.data)), len(dissection.data))
    return Row("frame.stop", what, f"at byte {stop.offset}", meaning, span, severity)


def _byte_rows(dissection: Dissection) -> list[Row]:
    rows = []
    for key, label, span in (
        ("data", "Payload", dissection.payload),
        ("trailer", "Trailer", dissection.trailer),
    ):
        length = span.stop - span.start
        if length > 0:
            text = safe_bytes(dissection.data[span.start : span.start + 64])
            rows.append(Row(key, label, f"{length} bytes", text, span, is_layer=True))
    return rows
