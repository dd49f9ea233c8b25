"""The lines of ``dump --fields``: chosen fields, separated by tabs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from app.cli.dump.json_lines import failed_record, frame_record
from app.cli.dump.line_format import ChunkPart
from app.cli.field_names import is_for_filters, known_names, members, suggestions
from core.store.captured_packet import CapturedPacket
from core.wire.model.dissection import Dissection
from core.wire.model.text import safe
from core.wire.present.record import LISTED
from core.wire.protocol import SequenceBase


class UnknownFieldError(Exception):
    """An unknown field name; the text offers the nearest known ones."""


class FieldLines:
    """The values of some fields, separated by tabs, as JSON writes them but without quotes.

    Commas separate the items of a list. A field that the packet does not have is empty.
    """

    shows_relative = False

    def __init__(self, names: Sequence[str]) -> None:
        known = known_names()
        for name in names:
            if name not in known and is_for_filters(name):
                raise UnknownFieldError(f"'{name}' is for filters only (-Y){members(name)}")
            if name not in known:
                raise UnknownFieldError(f"no field is named '{name}'{suggestions(name)}")
        self._names = tuple(names)
        self._raw = "frame.raw" in names

    def __call__(self, packet: CapturedPacket, base: SequenceBase | None = None) -> str:
        dissection = packet.dissect()
        values = frame_record(packet, dissection, self._raw)
        _add_unlisted(values, dissection)
        return self._line(values)

    def begin(self, timestamp_ns: int | None) -> None:
        """Ignore it: the times are absolute."""

    def failed(self, packet: CapturedPacket, words: str) -> str:
        """Return the fields of the frame itself; those of the packet stay empty."""
        return self._line(failed_record(packet, words, self._raw))

    def _line(self, values: dict[str, Any]) -> str:
        return "\t".join(_field_text(values.get(name)) for name in self._names)

    def lines(self, part: ChunkPart) -> Iterator[list[str | None]]:
        """Leave all packets to the packet path."""
        return part.by_packet()


def _add_unlisted(values: dict[str, Any], dissection: Dissection) -> None:
    """Add the fields of the layers that JSON leaves to the detail tree (GRE, LLC, …)."""
    for layer in dissection.layers:
        if not layer.quoted and layer.name not in LISTED:
            for slot, value in layer.fields(dissection.data):
                values.setdefault(slot.name, slot.json(value))


def _field_text(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return safe(value)
        case list():
            return ",".join(map(_field_text, value))
    return json.dumps(value, separators=(",", ":"))
