"""The pieces of a stream as lines of text: for a terminal, a file, or a program."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from core.analysis.follow.payloads import End
from core.analysis.follow.pieces import (
    CLIENT,
    SIDES,
    SIGNS,
    Piece,
    PieceKind,
    TurnClock,
    mark_text,
)
from core.analysis.follow.texts import line_text
from core.store.frame_detail import seconds_text
from core.wire.model.address_texts import end_text
from core.wire.model.text import ascii_text

_LONGEST_LINE = 1 << 16  # bytes of text without a line end
_HEX_COLUMNS = 16
_RULE = "=" * 67

Lines = Iterator[str]


class FormedStream(Protocol):
    """The stream whose pieces become lines: its protocol, and the client's and server's ends."""

    @property
    def protocol(self) -> str: ...

    @property
    def ends(self) -> tuple[End, End]: ...


class StreamForm:
    """Writes the pieces of a stream as lines; the base of every form.

    `notes` are messages for the user that the form has no place for. A form that `shows_times`
    says of each turn how long it was waited for (`TurnClock`), and when it began. Before the first
    turn are packets without data, such as a handshake, so its two times are one.
    """

    def __init__(self, stream: FormedStream, number: int, *, shows_times: bool = False) -> None:
        self.stream, self.number = stream, number
        self.notes: list[str] = []
        self._clock = TurnClock() if shows_times else None
        self._has_turn = False  # the times of a turn are written

    def wait_before(self, piece: Piece) -> int | None:
        """Return how long a turn was waited for, if the piece begins one and times are shown."""
        return None if self._clock is None else self._clock.wait_before(piece)

    def times(self, piece: Piece) -> Lines:
        """Yield a line with the times of a turn, if the piece begins one."""
        wait_ns = self.wait_before(piece)
        if wait_ns is not None:
            wait, elapsed = seconds_text(wait_ns, 6), seconds_text(piece.elapsed_ns, 6)
            before = f"{wait} s later, " if self._has_turn else ""
            self._has_turn = True
            yield f"{SIGNS[piece.side]} [{before}{elapsed} s after the first packet]"

    def begin(self) -> Lines:
        """Yield the lines before the first piece, when the ends are known."""
        client, server = (end_text(*end) for end in self.stream.ends)
        yield f"{self.stream.protocol.upper()} stream {self.number}: {client} → {server}"

    def piece(self, piece: Piece) -> Lines:
        """Yield the lines of a piece, as far as they are complete."""
        raise NotImplementedError

    def end(self) -> Lines:
        """Yield the last lines."""
        yield from ()


class TextForm(StreamForm):
    """Lines of text, each behind the sign of its side."""

    def __init__(self, stream: FormedStream, number: int, *, shows_times: bool = False) -> None:
        super().__init__(stream, number, shows_times=shows_times)
        self._side, self._rest = CLIENT, b""

    def piece(self, piece: Piece) -> Lines:
        """Yield complete lines; those of TCP continue in the next piece of the same side."""
        if piece.kind is not PieceKind.DATA or piece.side != self._side:
            yield from self.end()
        yield from self.times(piece)
        self._side = piece.side
        if piece.kind is not PieceKind.DATA:
            yield f"{SIGNS[piece.side]} {mark_text(piece.kind, piece.amount)}"
            return
        *lines, self._rest = (self._rest + piece.data).split(b"\n")
        yield from (self._line(line + b"\n") for line in lines)
        if self.stream.protocol == "udp" or len(self._rest) > _LONGEST_LINE:
            yield from self.end()

    def end(self) -> Lines:
        """Yield the line that has no end yet."""
        if self._rest:
            yield self._line(self._rest)
        self._rest = b""

    def _line(self, data: bytes) -> str:
        return f"{SIGNS[self._side]} {line_text(data)}".rstrip()


class HexForm(StreamForm):
    """Rows of 16 bytes: the sign of their side, their offset in it, hex, and ASCII."""

    def __init__(self, stream: FormedStream, number: int, *, shows_times: bool = False) -> None:
        super().__init__(stream, number, shows_times=shows_times)
        self._positions = [0, 0]

    def piece(self, piece: Piece) -> Lines:
        """Yield the rows of a piece."""
        yield from self.times(piece)
        sign = SIGNS[piece.side]
        if piece.kind is not PieceKind.DATA:
            yield f"{sign} {mark_text(piece.kind, piece.amount)}"
        for start in range(0, len(piece.data), _HEX_COLUMNS):
            row = piece.data[start : start + _HEX_COLUMNS]
            offset = self._positions[piece.side] + start
            digits = f"{row.hex(' '):<{3 * _HEX_COLUMNS}}"
            yield f"{sign} {offset:08x}  {digits} {ascii_text(row).replace('·', '.')}"
        self._positions[piece.side] += len(piece.data)


class RawForm(StreamForm):
    """The output of ``tshark -q -z follow,tcp,raw,N``: a line of hex digits for each piece."""

    def begin(self) -> Lines:
        """Yield the heading."""
        protocol = self.stream.protocol
        yield from ("", _RULE, f"Follow: {protocol},raw")
        yield f"Filter: {protocol}.stream eq {self.number}"
        for node, end in enumerate(self.stream.ends):
            yield f"Node {node}: {end_text(*end)}"

    def piece(self, piece: Piece) -> Lines:
        """Yield the line of a piece. tshark has the text of a mark in it, and a NUL."""
        data = piece.data
        if piece.kind is PieceKind.MISSING:
            data = mark_text(piece.kind, piece.amount).encode() + b"\0"
        elif piece.kind is not PieceKind.DATA:
            mark = mark_text(piece.kind, piece.amount).strip("[]")
            self.notes.append(f"packet {piece.packet:,}: {mark}")
            return
        yield ("" if piece.side == CLIENT else "\t") + data.hex()

    def end(self) -> Lines:
        """Yield the line below."""
        yield _RULE


class JsonForm(StreamForm):
    """One JSON object for each piece."""

    def begin(self) -> Lines:
        """Yield nothing: each object says whose bytes it has."""
        yield from ()

    def piece(self, piece: Piece) -> Lines:
        """Yield the object of a piece. A mark has no bytes, but says how many it is about."""
        ends = [end_text(*end) for end in self.stream.ends]
        found: dict[str, Any] = {
            f"{self.stream.protocol}.stream": self.number,
            "frame.number": piece.packet,
            "side": SIDES[piece.side],
            "source": ends[piece.side],
            "destination": ends[1 - piece.side],
        }
        if self._clock is not None:
            found[f"{self.stream.protocol}.time_relative"] = seconds_text(piece.elapsed_ns)
            wait_ns = self.wait_before(piece)
            if wait_ns is not None:
                found["turn_delta"] = seconds_text(wait_ns)
        if piece.kind is PieceKind.DATA:
            found |= {"length": len(piece.data), "data": piece.data.hex()}
        else:
            found |= {"mark": piece.kind.name.lower(), "length": piece.amount}
        yield json.dumps(found, separators=(",", ":"))


FORMS: Mapping[str, type[StreamForm]] = {
    "text": TextForm,
    "hex": HexForm,
    "raw": RawForm,
    "json": JsonForm,
}
