"""The rows of a header's options in the detail tree."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from core.wire.model.dissection import Layer, Option
from core.wire.model.field import Span
from core.wire.present.detail_row import Row, Severity
from core.wire.registry import PROTOCOLS

_OPTIONS_LABELS = {protocol.name: protocol.options_label for protocol in PROTOCOLS}
_OPTION_FIELDS = {
    protocol.name: protocol.options_field for protocol in PROTOCOLS if protocol.has_options_field
}


def options_row(layer: Layer, data: bytes, suffix: str) -> Row:
    """Return the row of all options of a header that has some; `suffix` ends the keys."""
    counts: Counter[str] = Counter()
    names = [name for table in layer.tables for name in table.names]
    span = layer.options_span or Span(layer.options[0].span.start, layer.options[-1].span.stop)
    field, raw = layer.name, None
    if layer.name in _OPTION_FIELDS:
        field, raw = _OPTION_FIELDS[layer.name], data[span.start : span.stop]
    rows = []
    for option in layer.options:
        counts[option.name] += 1
        number = counts[option.name]
        key_suffix = suffix if number == 1 else f"{suffix}#{number}"
        row = _option_row(option, data, key_suffix, names)
        if option.is_unknown or not option.has_end(data):  # no filter finds it
            row = replace(row, field=field, raw=raw)
        rows.append(row)
    return Row(
        f"{layer.name}.options{suffix}",
        _OPTIONS_LABELS[layer.name],
        f"{span.stop - span.start} bytes",
        ", ".join(row.label for row in rows),
        span,
        max(row.severity for row in rows),
        tuple(rows),
        field=field,
        raw=raw,
    )


def _option_row(option: Option, data: bytes, suffix: str, names: list[str]) -> Row:
    """Return the row of an option of a header whose tables have fields of these names."""
    counts: Counter[str] = Counter(names)
    rows = []
    for inside in option.values:
        slot, text = inside.slot, inside.slot.text(inside.value)
        counts[slot.name] += 1
        block = "" if counts[slot.name] == 1 else f".{counts[slot.name]}"  # a SACK has several
        key = f"{slot.name}{block}{suffix}"
        meaning = slot.meaning(inside.value)
        label = slot.field.label
        row = Row(key, label, text, meaning, inside.span, field=slot.name, raw=inside.value)
        rows.append(row)
    children = tuple(rows)
    value = ", ".join(child.value for child in children[:2])
    if not children:
        value = data[option.span.start + 2 : option.span.stop].hex()
    severity = Severity.WARNING if option.problem else Severity.NONE
    return Row(
        f"{option.name}{suffix}",
        option.label,
        value,
        option.problem or ", ".join(child.meaning for child in children if child.meaning),
        option.span,
        severity,
        children,
        field=option.name,
    )
