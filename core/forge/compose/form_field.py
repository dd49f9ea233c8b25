"""One input of the forge form: its text, what is wrong with it, and the value in the bytes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from core.wire.model.field import PlacedField, Span, Value


class Origin(Enum):
    """The origin of a field's value."""

    GIVEN = "given"
    SUGGESTED = "from the route"
    INNER = "for the layer inside"
    COMPUTED = "computed"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class FormField:
    """One input of the form. Options, payload, and trailer have no `slot`.

    `text` is what the user typed, `error` one sentence about it, or empty. `shown` is the value in
    the bytes as the field takes it (grayed in an empty input), `meaning` what that number stands
    for. A field without bytes has no `span`. `is_pending` is true while the field's file is
    being read. `layer` is the index of its layer in `Draft.layers`, -1 for payload and trailer;
    `level` is 1 for a part of a field.
    """

    key: str
    label: str
    layer: int
    text: str
    error: str
    slot: PlacedField | None = None
    level: int = 0
    shown: str = ""
    meaning: str = ""
    hint: str = ""
    origin: Origin = Origin.DEFAULT
    value: Value | None = None
    span: Span | None = None
    is_pending: bool = False
