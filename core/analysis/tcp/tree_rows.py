"""The rows of the detail tree that an analysis of flows adds, in brackets as in Wireshark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.analysis.tcp.fields import FLOW_FIELDS, FlowField, FlowKind
from core.analysis.tcp.flags import WORDS, Finding
from core.analysis.tcp.flow_table import Columns, FlowTable
from core.analysis.tcp.state import SCALE_UNKNOWN, SCALE_UNUSED, Part
from core.wire.present.detail_row import Row, Severity

_BESIDE = {  # the fields that an analysis makes of one of the header
    "tcp.seq_raw": ("tcp.seq",),
    "tcp.ack_raw": ("tcp.ack",),
    "tcp.window_size_value": ("tcp.window_size", "tcp.window_size_scalefactor"),
}

_TITLES = {  # where that of the field is too long for the tree
    "tcp.completeness": "Seen of the connection before",
    "tcp.window_size_scalefactor": "Window scale factor",
    "tcp.time_relative": "Time since the stream began",
    "udp.time_relative": "Time since the stream began",
    "tcp.time_delta": "Time since its previous packet",
    "udp.time_delta": "Time since its previous packet",
    "tcp.analysis.flags": "Needs attention",
    "tcp.analysis.fills_hole": "Fills a hole",
}


def with_flow_rows(rows: Sequence[Row], flows: FlowTable, number: int) -> tuple[Row, ...]:
    """Return the rows of a packet's tree with what is known of its TCP and UDP flows."""
    return tuple(
        _with_children(row, flows.values(number, row.key)) if row.key in ("tcp", "udp") else row
        for row in rows
    )


def _with_children(layer: Row, columns: Columns) -> Row:
    found = {
        field.name: _row(field, columns)
        for field in FLOW_FIELDS.values()
        if field.protocol == layer.key and field.text(columns)
    }
    children: list[Row] = []
    for child in layer.children:
        children.append(child)
        beside = (found.pop(name, None) for name in _BESIDE.get(child.field, ()))
        children += filter(None, beside)
    children += found.values()
    severity = max((row.severity for row in children), default=layer.severity)
    return replace(layer, children=tuple(children), severity=max(layer.severity, severity))


def _row(field: FlowField, columns: Columns) -> Row:
    if field.kind is FlowKind.MARK:
        severity = Severity.NOTE if field.name == "tcp.analysis.flags" else Severity.WARNING
        title = _TITLES.get(field.name) or WORDS[Finding(field.findings)].info
        label, meaning = f"[{title}]", field.label
        return Row(field.name, label, "", meaning, severity=severity, field=field.name)
    unit = "s" if field.kind is FlowKind.DURATION else field.unit
    text = f"{field.text(columns)} {unit}".rstrip()
    value = int(columns[field.column][0])
    label = f"[{_TITLES.get(field.name, field.label)}]"
    packet = value if field.kind is FlowKind.PACKET else 0
    meaning = _meaning(field.name, value)
    return Row(field.name, label, text, meaning, field=field.name, raw=value, packet=packet)


def _meaning(name: str, value: int) -> str:
    """Return the words for a value that a number alone does not tell."""
    if name == "tcp.completeness":
        parts = (part.words for part in Part if value & part)
        return ", ".join(parts) or "nothing"
    if name == "tcp.window_size_scalefactor":
        return {SCALE_UNKNOWN: "unknown", SCALE_UNUSED: "no scaling"}.get(value, "")
    return ""
