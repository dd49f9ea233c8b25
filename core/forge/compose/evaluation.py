"""Evaluate a draft: a value or one error for every field, and the bytes.

The form draws this and nothing else. Each `FormField` has the typed text, one sentence about what
is wrong with it, the value to be written (typed, suggested, for the layer inside, computed, or
default), and its bytes in the packet. A field in error counts as open, so the preview stays.

*Suggested* values come from outside (`core.forge.compose.route_suggestions`): the source address
that the route would use, the MAC address of the next hop. Their keys are those of the draft.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.forge.compose.draft import PAYLOAD, TRAILER, Draft
from core.forge.compose.draft_parser import (
    NOTHING,
    ParsedLayer,
    outer_values,
    read_bytes,
    read_layer,
)
from core.forge.compose.form_field import FormField, Origin
from core.forge.compose.layer_kinds import network_layer
from core.forge.compose.payload_file import NO_FILES, FileContents
from core.wire.encode.build import Built, BuiltField, DoesNotFitError, build
from core.wire.encode.computed_fields import longest_header
from core.wire.encode.options_text import options_text
from core.wire.encode.value_text import allowed, example, typed
from core.wire.model.field import PlacedField, Value
from core.wire.model.packet_parts import Parts

READING = "reading …"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A draft with its fields and bytes. If the bytes do not fit, `built` is absent (None)."""

    draft: Draft
    fields: tuple[FormField, ...]
    built: Built | None

    @property
    def errors(self) -> tuple[FormField, ...]:
        """The fields that cannot be sent as they are."""
        return tuple(one for one in self.fields if one.error)

    @property
    def pending(self) -> FormField | None:
        """The first field whose file is still being read, or None."""
        return next((one for one in self.fields if one.is_pending), None)

    @property
    def missing_destination(self) -> FormField | None:
        """The outermost destination if it is missing, else None.

        A packet is not sent without one. The destination of an ARP request is the address that it
        asks for.
        """
        network = network_layer(self.draft.layers)
        if network is None or network.addresses is None:
            return None
        if network.destination_when is not None:
            key, values = network.destination_when
            if self.field(f"{network.name}.{key}").value not in values:
                return None
        aim = self.field(f"{network.name}.{network.addresses[1]}")
        return aim if aim.origin is Origin.DEFAULT and not aim.error else None

    @property
    def data(self) -> bytes:
        """The bytes; empty if they do not fit."""
        return self.built.data if self.built is not None else b""

    def field(self, key: str) -> FormField:
        """Return a field by its key. Raises `KeyError` if the draft has no such field now."""
        for one in self.fields:
            if one.key == key:
                return one
        raise KeyError(key)

    def at(self, offset: int) -> FormField | None:
        """Return the field that a byte belongs to, the narrowest if parts share it, or None."""
        found = [one for one in self.fields if one.span is not None and offset in one.span]
        return min(found, key=_width, default=None)


def describe_missing(aim: FormField) -> str:
    """Return the sentence about a missing destination (`Evaluation.missing_destination`)."""
    assert aim.slot is not None
    return f"no destination: type {aim.hint}, e.g. {example(aim.slot)}"


def evaluate(
    draft: Draft, suggested: Mapping[str, Value] = NOTHING, files: FileContents = NO_FILES
) -> Evaluation:
    """Work out every field and the bytes of a draft. Never raises for what was typed.

    `files` has the contents of the files that payload and trailer name; one that it does not have
    is pending, and its bytes are missing.
    """
    errors: dict[str, str] = {}
    inner = outer_values(draft)
    filled = {**suggested, **inner}
    layers = [read_layer(draft, kind, suffix, filled, errors) for kind, suffix in draft.kinds()]
    origins = dict.fromkeys(suggested, Origin.SUGGESTED) | dict.fromkeys(inner, Origin.INNER)
    payload = read_bytes(draft, PAYLOAD, files, errors)
    trailer = read_bytes(draft, TRAILER, files, errors)
    pending = {key for key, data in ((PAYLOAD, payload), (TRAILER, trailer)) if data is None}
    headers = tuple(layer.header for layer in layers)
    parts = Parts(headers, payload or b"", trailer or b"")
    built: Built | None = None
    try:
        built = build(parts)
    except DoesNotFitError as error:
        errors.setdefault(*_too_long(layers, parts.payload, error))
    fields: list[FormField] = []
    for index, layer in enumerate(layers):
        place = built.places[index] if built is not None else None
        fields += _fields(draft, index, layer, place, errors, origins)
    for key, label in ((PAYLOAD, "Payload"), (TRAILER, "Trailer")):
        fields.append(_byte_field(draft, key, label, built, errors, key in pending))
    return Evaluation(draft, tuple(fields), built)


def _too_long(layers: list[ParsedLayer], payload: bytes, error: DoesNotFitError) -> tuple[str, str]:
    """Return the key of the input that is too long, and the sentence about it."""
    layer, slot = layers[error.index], error.slot
    longest = longest_header(slot)
    if longest is not None:
        kind = layer.kind
        most = longest - layer.header.tables[-1].stop
        what = "bytes of options" if kind.options is not None else "bytes"
        return layer.body_key, f"{len(layer.body)} {what}: {kind.title} has room for {most}"
    sizes = {one.body_key: len(one.body) for one in layers[error.index :] if one.kind.body}
    sizes[PAYLOAD] = len(payload)
    over = error.value - slot.maximum
    words = f"{over} bytes too many: {slot.name} is at most {slot.maximum}"
    return max(sizes, key=lambda key: sizes[key]), words


def _fields(
    draft: Draft,
    index: int,
    layer: ParsedLayer,
    place: BuiltField | None,
    errors: Mapping[str, str],
    origins: Mapping[str, Origin],
) -> list[FormField]:
    """Return the inputs of one layer in wire order, parts after their parent."""
    fields = [
        _field(draft, index, layer, slot, place, errors, origins)
        for table in layer.header.tables
        for slot in table.slots
    ]
    if layer.kind.body:
        fields.append(_body_field(draft, index, layer, place, errors))
    return fields


def _field(
    draft: Draft,
    index: int,
    layer: ParsedLayer,
    slot: PlacedField,
    place: BuiltField | None,
    errors: Mapping[str, str],
    origins: Mapping[str, Origin],
) -> FormField:
    key = slot.name + layer.suffix
    found = FormField(
        key,
        slot.field.label,
        index,
        draft.text(key),
        errors.get(key, ""),
        slot,
        slot.level,
        hint=allowed(slot),
    )
    if place is None:
        return found
    value = place.values[slot.key]
    return replace(
        found,
        shown=typed(slot, value),
        meaning=slot.meaning(value),
        origin=_origin(key, slot, layer, place, origins),
        value=value,
        span=slot.span.shifted(place.offset),
    )


def _origin(
    key: str,
    slot: PlacedField,
    layer: ParsedLayer,
    place: BuiltField,
    origins: Mapping[str, Origin],
) -> Origin:
    if slot.key in layer.values:
        return Origin.GIVEN
    if key in origins:
        return origins[key]
    if slot.key in place.computed:
        return Origin.COMPUTED
    related = slot.parent.key if slot.parent else f"{slot.key}."
    decided = any(
        given == related if slot.parent else given.startswith(related) for given in layer.values
    )
    return Origin.COMPUTED if decided else Origin.DEFAULT


def _body_field(
    draft: Draft,
    index: int,
    layer: ParsedLayer,
    place: BuiltField | None,
    errors: Mapping[str, str],
) -> FormField:
    kind = layer.kind
    key = layer.body_key
    text = draft.text(key)
    span = place.body if place is not None and place.body.stop > place.body.start else None
    shown = options_text(kind.options, layer.body) if kind.options else layer.body.hex()
    return FormField(
        key,
        kind.body,
        index,
        text,
        errors.get(key, ""),
        shown=shown if layer.body else "",
        hint=kind.body_hint,
        origin=Origin.GIVEN if text else Origin.DEFAULT,
        value=layer.body,
        span=span,
    )


def _byte_field(
    draft: Draft,
    key: str,
    label: str,
    built: Built | None,
    errors: Mapping[str, str],
    is_pending: bool,
) -> FormField:
    span = None
    if built is not None:
        span = built.payload if key == PAYLOAD else built.trailer
        span = span if span.stop > span.start else None
    text = draft.text(key)
    return FormField(
        key,
        label,
        -1,
        text,
        errors.get(key, ""),
        shown=READING if is_pending else "",
        hint="text, hex:…, or @FILE",
        origin=Origin.GIVEN if text else Origin.DEFAULT,
        value=built.data[span.start : span.stop] if built is not None and span else b"",
        span=span,
        is_pending=is_pending,
    )


def _width(one: FormField) -> tuple[int, int]:
    assert one.span is not None
    return one.span.stop - one.span.start, one.slot.field.bits if one.slot else 0
