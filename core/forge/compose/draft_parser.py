"""Parse the texts of a draft: values by the name inside the table, errors by key.

A text that cannot be parsed adds one sentence to `errors`, and its field stays open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.forge.compose.draft import Draft
from core.forge.compose.payload_file import FileContents
from core.forge.compose.payload_text import parse_payload
from core.wire.encode.options_text import hex_bytes, parse_options
from core.wire.encode.value_text import TextError, parse_value
from core.wire.model.field import Value
from core.wire.model.packet_parts import Header
from core.wire.protocol import LayerKind

NOTHING: Mapping[str, Value] = {}


@dataclass(slots=True)
class ParsedLayer:
    """One layer: the values typed for it, and the header that they make with suggested values."""

    kind: LayerKind
    suffix: str
    values: dict[str, Value]
    body: bytes
    header: Header

    @property
    def body_key(self) -> str:
        """The key of the input for the bytes after the tables."""
        return f"{self.kind.prefix}.options{self.suffix}"


def given_values(draft: Draft) -> dict[str, Value]:
    """Return the valid values that the user typed, by key."""
    found: dict[str, Value] = {}
    for kind, suffix in draft.kinds():
        reading = read_layer(draft, kind, suffix, NOTHING, {})
        found |= {
            f"{reading.kind.prefix}.{key}{suffix}": value for key, value in reading.values.items()
        }
    return found


def outer_values(draft: Draft) -> dict[str, Value]:
    """Return the values that layers ask of fields around them, by key.

    A value is for the nearest layer outside that has the field; the innermost layer that asks wins.
    """
    found: dict[str, Value] = {}
    nearest: dict[str, str] = {}  # by the name of the field: its key in the nearest layer outside
    for kind, suffix in draft.kinds():
        found |= {
            nearest[name]: value for name, value in kind.outer_values.items() if name in nearest
        }
        nearest |= {slot.name: slot.name + suffix for table in kind.tables for slot in table.slots}
    return found


def read_layer(
    draft: Draft,
    kind: LayerKind,
    suffix: str,
    suggested: Mapping[str, Value],
    errors: dict[str, str],
) -> ParsedLayer:
    """Parse the values of one layer; describe in `errors` what cannot be parsed.

    `suggested` values fill fields without a valid text.
    """
    values: dict[str, Value] = {}
    tables = kind.tables
    for _ in range(2):  # the first tables decide which ones follow
        for table in tables:
            for slot in table.slots:
                key = slot.name + suffix
                text = draft.text(key)
                if not text:
                    continue
                try:
                    values[slot.key] = parse_value(slot, text)
                except TextError as error:
                    errors[key] = str(error)
        tables = kind.tables_for(values)
    body = b""
    if kind.body:
        key = f"{kind.prefix}.options{suffix}"
        try:
            body = _body(kind, draft.text(key))
        except TextError as error:
            errors[key] = str(error)
    filled = dict(values)
    for table in tables:
        for slot in table.slots:
            key = slot.name + suffix
            if key in suggested and slot.key not in values:
                filled[slot.key] = suggested[key]
    return ParsedLayer(kind, suffix, values, body, Header(tables, filled, body))


def _body(kind: LayerKind, text: str) -> bytes:
    if not text:
        return b""
    if kind.options is None:
        return hex_bytes(text)
    return parse_options(kind.options, text)


def read_bytes(draft: Draft, key: str, files: FileContents, errors: dict[str, str]) -> bytes | None:
    """Return payload or trailer, or None while its file is being read.

    Describe in `errors` what is wrong with the text or the file.
    """
    try:
        return parse_payload(draft.text(key), files)
    except TextError as error:
        errors[key] = str(error)
        return b""
