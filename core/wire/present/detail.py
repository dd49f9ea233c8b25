"""The detail tree: every field of every layer, as rows without a screen.

A row's `key` stays the same from packet to packet (``ip.flags.df``; a second layer of one
name gets ``#2``), so that what the user has opened stays open. Spans are offsets in the frame.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from core.wire.application import payload_info
from core.wire.model.dissection import Cause, Check, Dissection, Layer, Note, Stop, Verdict
from core.wire.model.field import PlacedField, Span, Value
from core.wire.model.kind import Kind
from core.wire.model.text import ascii_text
from core.wire.present.detail_row import Row, Severity
from core.wire.present.fragment_rows import fragment_rows, with_datagram_spans
from core.wire.present.option_rows import options_row
from core.wire.registry import PROTOCOLS

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
_DERIVED = {protocol.name: protocol.derived for protocol in PROTOCOLS if protocol.derived}
_HEADLINES = {protocol.name: protocol.headline for protocol in PROTOCOLS if protocol.headline}
_MEANINGS = {  # by the full name of the field
    f"{protocol.name}.{key}": meaning
    for protocol in PROTOCOLS
    for key, meaning in protocol.meanings.items()
}
_PREVIEW_BYTES = 64
_ALARMING = frozenset({Verdict.BAD, Verdict.ILLEGAL})


def each_row(dissection: Dissection) -> Iterator[Row]:
    """Yield the layers' rows, then the reason why dissection ended, payload, and trailer.

    If one row fails, those before it are not lost. The spans of a packet that completes a datagram
    are those of `with_datagram_spans`.
    """
    piece = dissection.piece
    is_whole = piece is not None and piece.datagram is not None
    for row in _rows_of_layers(dissection):
        yield with_datagram_spans(row, piece) if is_whole and piece is not None else row


def _rows_of_layers(dissection: Dissection) -> Iterator[Row]:
    counts: Counter[str] = Counter()
    for layer in dissection.layers:
        counts[layer.name] += 1
        number = counts[layer.name]
        yield _layer_row(layer, dissection, "" if number == 1 else f"#{number}")
    if dissection.stop is not None:
        yield _stop_row(dissection.stop, dissection)
    yield from _byte_rows(dissection)


def fault_row(words: str) -> Row:
    """Return the row in the place of rows that could not be made (`core.wire.present.faults`)."""
    return Row("frame.fault", words, severity=Severity.ERROR, is_layer=True)


def _layer_row(layer: Layer, dissection: Dissection, suffix: str) -> Row:
    inner = _field_rows(layer, dissection, suffix)
    for derived in _DERIVED.get(layer.name, ()):
        value = derived.value(layer, dissection)
        if value is not None:
            text = f"{value} {derived.suffix}"
            key = f"{derived.name}{suffix}"
            inner.append(Row(key, derived.label, text, field=derived.name, raw=value))
    if layer.options:
        inner.append(options_row(layer, dissection.data, suffix))
    if dissection.piece is not None and not suffix and layer.name == dissection.piece.owner:
        inner += fragment_rows(dissection.piece)
    inner += (
        Row(
            f"{layer.name}.note{suffix}",
            "Note",
            note.text,
            severity=_severity(note),
            field=layer.name,
        )
        for note in layer.notes
        if note.slot is None
    )
    return Row(
        f"{layer.name}{suffix}",
        f"{layer.title}, quoted" if layer.quoted else layer.title,
        headline(layer, dissection.data),
        span=Span(layer.offset, min(layer.offset + layer.header_length, layer.captured)),
        severity=max((row.severity for row in inner), default=Severity.NONE),
        children=tuple(inner),
        is_layer=True,
        field=layer.name,
    )


def headline(layer: Layer, data: bytes) -> str:
    """Return ``10.0.0.5 → 10.0.0.9`` or ``ID 100``, which stands beside the layer's title."""
    if layer.name in _HEADLINES:
        return ", ".join(_headline_words(layer, data))
    table = layer.tables[0]
    for keys in (("src", "dst"), ("srcport", "dstport")):
        if keys[0] in table:
            values = [layer.value(data, key) for key in keys]
            texts = (
                table[key].text(value)
                for key, value in zip(keys, values, strict=True)
                if value is not None
            )
            return " → ".join(texts)
    return ""


def titled(layer: Layer, data: bytes) -> str:
    """Return the title of a layer with its headline: ``User Datagram Protocol, 53 → 40000``."""
    words = headline(layer, data)
    return f"{layer.title}, {words}" if words else layer.title


def _headline_words(layer: Layer, data: bytes) -> Iterator[str]:
    """Yield ``ID 100``, ``priority 5``; of a flag, the word alone."""
    for index, (key, word) in enumerate(_HEADLINES[layer.name].items()):
        value = layer.value(data, key)
        if value is None or (index > 0 and not value):
            continue
        slot = next(table[key] for table in layer.tables if key in table)
        yield word if slot.field.kind is Kind.FLAG else f"{word} {slot.text(value)}"


def _field_rows(layer: Layer, dissection: Dissection, suffix: str) -> list[Row]:
    """Return a row for every field, parts below their parent."""
    checks = {check.slot: check for check in layer.checks}
    remarks = {note.slot: note for note in layer.notes if note.slot}
    if layer.last is not None and dissection.stop is not None:
        remarks[layer.last] = Note(dissection.stop.reason, layer.last)
    children: dict[PlacedField | None, list[Row]] = {}
    for slot, value in reversed(
        list(layer.fields(dissection.data))
    ):  # parts come before their parent
        parts = tuple(reversed(children.pop(slot, [])))
        row = _field_row(layer, slot, value, suffix, remarks.get(slot), parts)
        if slot in checks:
            row = _with_check(row, checks[slot], slot)
        children.setdefault(slot.parent, []).append(row)
    return list(reversed(children.get(None, [])))


def _field_row(
    layer: Layer,
    slot: PlacedField,
    value: Value,
    suffix: str,
    remark: Note | None,
    parts: tuple[Row, ...],
) -> Row:
    text = slot.text(value)
    if slot.parent is not None and isinstance(value, int):
        text = f"{_bits(slot, value)}  {text}"
    meaning = slot.meaning(value)
    if slot.name in _MEANINGS and isinstance(value, int):
        meaning = _MEANINGS[slot.name](value)
    return Row(
        f"{slot.name}{suffix}",
        slot.field.label,
        text,
        remark.text if remark else meaning,
        slot.span.shifted(layer.offset),
        _severity(remark) if remark else Severity.NONE,
        parts,
        field=slot.name,
        raw=value,
    )


def _severity(remark: Note) -> Severity:
    return Severity.WARNING if remark.is_fault else Severity.NOTE


def _bits(slot: PlacedField, value: int) -> str:
    """Return where a part's bits are in its parent: ``.... ..1.``."""
    parent = slot.parent
    if parent is None:
        return ""
    before = slot.first_bit - parent.first_bit
    after = parent.field.bits - before - slot.field.bits
    wire = value // slot.field.unit
    picture = "." * before + f"{wire:0{slot.field.bits}b}" + "." * after
    return " ".join(picture[at : at + 4] for at in range(0, len(picture), 4))


def _with_check(row: Row, check: Check, slot: PlacedField) -> Row:
    """Return the row of a checksum with its verdict, and the meaning of a verdict."""
    verdict = check.verdict
    sign = VERDICT_SIGNS.get(verdict, "")
    meaning = f"{sign}: {check.reason}" if check.reason else sign
    key = f"{slot.name}.status"
    status = Row(
        key, "Verdict", verdict.word, VERDICT_CAVEAT, row.span, field=key, raw=verdict.word
    )
    inner = [status]
    if check.reason:  # again, with the whole width of the line
        reason = replace(
            status,
            key=f"{slot.name}.reason",
            label=check.reason,
            value="",
            meaning="",
            is_layer=True,
        )
        inner.append(reason)
    if verdict in (Verdict.BAD, Verdict.OFFLOADED) and check.expected is not None:
        expected = slot.text(check.expected)
        meaning += f" [expected {expected}]"
        key = f"{slot.name}_calculated"
        inner.append(replace(status, key=key, label="Expected", value=expected, meaning=""))
    severity = Severity.ERROR if verdict in _ALARMING else row.severity
    return replace(row, meaning=meaning, severity=severity, children=tuple(inner))


def _stop_row(stop: Stop, dissection: Dissection) -> Row:
    if stop.cause is Cause.TRUNCATED:
        what, severity = "Cut short by the snap length", Severity.WARNING
    else:
        what, severity = "Malformed", Severity.ERROR
    row = Row(
        "frame.stop",
        what,
        f"at byte {stop.offset}",
        "",
        Span(min(stop.offset, len(dissection.data)), len(dissection.data)),
        severity,
        is_layer=True,
        field="frame.stop.cause",
        raw=stop.cause.name.lower(),
    )
    sentences = {"reason": f"{stop.layer}: {stop.reason}"}
    if stop.limited_by:
        sentences["limit"] = f"limited by {stop.limited_by}"
    children = tuple(
        replace(row, key=f"frame.stop.{key}", label=text, value="")
        for key, text in sentences.items()
    )
    return replace(row, children=children)


def _byte_rows(dissection: Dissection) -> list[Row]:
    """Return the rows of the payload, described if a reader knows it, and of the trailer."""
    application, field = None, "data.data" if dissection.layers else "frame"
    if dissection.layers and not dissection.layers[-1].quoted:
        layer = dissection.layers[-1]
        application = payload_info.describe(dissection, layer)
        if layer.name in ("tcp", "udp"):
            field = f"{layer.name}.payload"
    label = f"Payload, {application.name}" if application else "Payload"
    rows = []
    for key, title, span, name in (
        ("data", label, dissection.payload, field),
        ("trailer", "Trailer", dissection.trailer, ""),
    ):
        length = span.stop - span.start
        if length > 0:
            raw = dissection.data[span.start : span.stop]
            text = ascii_text(raw[:_PREVIEW_BYTES])
            meaning = application.text if application and key == "data" else text
            row = Row(key, title, f"{length} bytes", meaning, span, is_layer=True)
            rows.append(replace(row, field=name, raw=raw) if name else row)
    return rows
