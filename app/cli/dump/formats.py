"""The output formats of `dump`: a line for the user, an object for a program, chosen fields.

A *line format* turns a `CapturedPacket` into text. All of them read the same `core.wire` values as
the screen, so the two cannot disagree. If that fails because of an internal error,
`LineFormat.failed` makes a line that reports it, of what is known without these values.

Lines give the time in seconds since the first packet, cut to microseconds; JSON gives the whole
timestamp with nanoseconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Protocol

from app.cli.field_names import is_for_filters, known_names, members, suggestions
from core.store.captured_packet import CapturedPacket
from core.store.frame_detail import seconds_text
from core.wire.model.dissection import Dissection, is_timed
from core.wire.model.text import safe
from core.wire.present.record import LISTED, record
from core.wire.present.summary import Summary, failed_summary, summarize, wrong_checksums
from core.wire.protocol import SequenceBase, Tone

_HEX_COLUMNS = 16  # bytes a line
_PRINTABLE = bytes(byte if 0x20 <= byte < 0x7F else ord(".") for byte in range(256))


class LineFormat(Protocol):
    """Writes a packet. `shows_relative` is true if it shows relative sequence numbers."""

    shows_relative: bool

    def __call__(self, packet: CapturedPacket, base: SequenceBase | None = None) -> str:
        """Return the line or lines of a packet; sequence numbers are relative to `base`."""
        ...

    def failed(self, packet: CapturedPacket, words: str) -> str:
        """Return the line of a packet that could not be described; `words` report the failure."""
        ...

    def begin(self, timestamp_ns: int | None) -> None:
        """Show times relative to this one, if the format does; None if no packet has a time."""
        ...


class UnknownFieldError(Exception):
    """An unknown field name; the text offers the nearest known ones."""


def choose_format(*, as_json: bool, raw: bool, as_hex: bool, fields: str | None) -> LineFormat:
    """Return the line format that the options name. Raise `UnknownFieldError`."""
    if as_json:
        return JsonLines(raw)
    if fields is not None:
        return FieldLines([name.strip() for name in fields.split(",")])
    return HexLines() if as_hex else TextLines()


class JsonLines:
    """One JSON object per packet, in ASCII, so that nothing in it controls a terminal."""

    shows_relative = False

    def __init__(self, raw: bool) -> None:
        self._raw = raw
        self._encode = json.JSONEncoder(separators=(",", ":")).encode

    def __call__(self, packet: CapturedPacket, base: SequenceBase | None = None) -> str:
        return self._encode(frame_record(packet, packet.dissect(), self._raw))

    def begin(self, timestamp_ns: int | None) -> None:
        """Ignore it: the times are absolute."""

    def failed(self, packet: CapturedPacket, words: str) -> str:
        """Return what is known of the frame itself, and ``frame.fault``."""
        return self._encode(_failed_record(packet, words, self._raw))


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
        return self._line(_failed_record(packet, words, self._raw))

    def _line(self, values: dict[str, Any]) -> str:
        return "\t".join(_field_text(values.get(name)) for name in self._names)


class TextLines:
    """One line per packet: number, time, source, destination, protocol, length, Info."""

    shows_relative = True

    def __init__(self) -> None:
        self._first_ns: int | None = None

    def __call__(self, packet: CapturedPacket, base: SequenceBase | None = None) -> str:
        dissection = packet.dissect()
        summary = summarize(dissection, base)
        wrong = wrong_checksums(dissection) if summary.tone is Tone.BAD_CHECKSUM else ()
        return self._line(packet, summary, wrong)

    def begin(self, timestamp_ns: int | None) -> None:
        """Show times relative to this one, unless a line was written already."""
        if self._first_ns is None:
            self._first_ns = timestamp_ns

    def failed(self, packet: CapturedPacket, words: str) -> str:
        """Return the same columns, with `words` as Info."""
        dissection = None
        with suppress(Exception):  # it may be the part that failed
            dissection = packet.dissect()
        return self._line(packet, failed_summary(dissection, words), ())

    def _line(self, packet: CapturedPacket, summary: Summary, wrong: Sequence[str]) -> str:
        timed = is_timed(packet.timestamp_ns, packet.flags)
        if timed and self._first_ns is None:
            self._first_ns = packet.timestamp_ns
        since_ns = packet.timestamp_ns - (self._first_ns or 0)
        time = seconds_text(since_ns, 6) if timed else "–"
        ends = f"{summary.source} → {summary.destination}"
        return safe(
            f"{packet.number:>5} {time:>11} {ends} {summary.protocol} "
            f"{packet.original_length} {summary.info}{''.join(f' [{words}]' for words in wrong)}"
        )


class HexLines:
    """The line of `TextLines`, then the captured bytes: offset, hex, ASCII."""

    shows_relative = True

    def __init__(self) -> None:
        self._line = TextLines()

    def __call__(self, packet: CapturedPacket, base: SequenceBase | None = None) -> str:
        return "\n".join((self._line(packet, base), *_hex_lines(packet.data), ""))

    def begin(self, timestamp_ns: int | None) -> None:
        """Show times relative to this one."""
        self._line.begin(timestamp_ns)

    def failed(self, packet: CapturedPacket, words: str) -> str:
        """Return a line that reports the failure, and all bytes."""
        return "\n".join((self._line.failed(packet, words), *_hex_lines(packet.data), ""))


def frame_record(packet: CapturedPacket, dissection: Dissection, raw: bool) -> dict[str, Any]:
    """Return the JSON record of one packet, its keys in the documented order."""
    values = _frame_facts(packet)
    record(dissection, values)
    if raw:
        values["frame.raw"] = packet.data.hex()
    return values


def _failed_record(packet: CapturedPacket, words: str, raw: bool) -> dict[str, Any]:
    """Return the keys of a packet that could not be described.

    Its bytes are data, and ``frame.fault`` gives the reason.
    """
    values = _frame_facts(packet) | {"frame.protocols": "data", "frame.fault": words}
    if raw:
        values["frame.raw"] = packet.data.hex()
    return values


def _frame_facts(packet: CapturedPacket) -> dict[str, Any]:
    """Return what is known of a frame without reading its bytes."""
    values: dict[str, Any] = {"frame.number": packet.number}
    if is_timed(packet.timestamp_ns, packet.flags):
        values["frame.time_epoch"] = seconds_text(packet.timestamp_ns, 9)
    values["frame.len"] = packet.original_length
    values["frame.cap_len"] = len(packet.data)
    if packet.interface.name:
        values["frame.interface_name"] = packet.interface.name
    return values


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


def _hex_lines(data: bytes) -> Iterator[str]:
    width = 3 * _HEX_COLUMNS
    for start in range(0, len(data), _HEX_COLUMNS):
        piece = data[start : start + _HEX_COLUMNS]
        text = piece.translate(_PRINTABLE).decode("ascii")
        yield f"\t{start:04x}  {piece.hex(' '):<{width}} {text}"
