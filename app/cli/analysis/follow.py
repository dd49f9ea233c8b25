"""``rawscope follow``: print what the two ends of one stream sent each other.

The file is read chunk by chunk, and each piece of the stream is printed once it has its place, so a
stream of any size takes the same memory. Every form prints a mark where bytes are missing; the raw
one prints it as tshark does, and reports other marks on stderr.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from app.cli.dump.dump_file import dump_file
from app.cli.output import (
    CommandError,
    CommandOutput,
    InterruptedCommandError,
    print_message,
)
from core.analysis.follow.payloads import end_text
from core.analysis.follow.pieces import CLIENT, Piece, PieceKind, mark_text
from core.analysis.follow.stream import StreamReader
from core.analysis.follow.texts import line_text
from core.analysis.reassembly.chunk_pieces import with_pieces
from core.analysis.reassembly.fragment_index import FragmentIndex
from core.analysis.tcp.flow_index import FlowIndex
from core.decode.batch import Batch, CaptureInterface
from core.decode.capture_statistics import CaptureStatistics
from core.decode.chunk import Chunk
from core.wire.model.text import ascii_text

SIGNS = ("→", "←")  # of the client's and the server's bytes
SIDES = ("client", "server")
_LONGEST_LINE = 1 << 16  # bytes of text without a line end
_HEX_COLUMNS = 16
_RULE = "=" * 67

Lines = Iterator[str]


class StreamForm:
    """Writes the pieces of a stream as lines; the base of every form."""

    def __init__(self, reader: StreamReader, number: int) -> None:
        self.reader, self.number = reader, number

    def begin(self) -> Lines:
        """Yield the lines before the first piece, when the ends are known."""
        client, server = map(end_text, self.reader.ends)
        yield f"{self.reader.protocol.upper()} stream {self.number}: {client} → {server}"

    def piece(self, piece: Piece) -> Lines:
        """Yield the lines of a piece, as far as they are complete."""
        raise NotImplementedError

    def end(self) -> Lines:
        """Yield the last lines."""
        yield from ()


class TextForm(StreamForm):
    """Lines of text, each behind the sign of its side."""

    def __init__(self, reader: StreamReader, number: int) -> None:
        super().__init__(reader, number)
        self._side, self._rest = CLIENT, b""

    def piece(self, piece: Piece) -> Lines:
        """Yield complete lines; those of TCP continue in the next piece of the same side."""
        if piece.kind is not PieceKind.DATA or piece.side != self._side:
            yield from self.end()
        self._side = piece.side
        if piece.kind is not PieceKind.DATA:
            yield f"{SIGNS[piece.side]} {mark_text(piece.kind, piece.amount)}"
            return
        *lines, self._rest = (self._rest + piece.data).split(b"\n")
        yield from (self._line(line + b"\n") for line in lines)
        if self.reader.protocol == "udp" or len(self._rest) > _LONGEST_LINE:
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

    def __init__(self, reader: StreamReader, number: int) -> None:
        super().__init__(reader, number)
        self._positions = [0, 0]

    def piece(self, piece: Piece) -> Lines:
        """Yield the rows of a piece."""
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
        protocol = self.reader.protocol
        yield from ("", _RULE, f"Follow: {protocol},raw")
        yield f"Filter: {protocol}.stream eq {self.number}"
        for node, end in enumerate(self.reader.ends):
            yield f"Node {node}: {end_text(end)}"

    def piece(self, piece: Piece) -> Lines:
        """Yield the line of a piece. tshark has the text of a mark in it, and a NUL."""
        data = piece.data
        if piece.kind is PieceKind.MISSING:
            data = mark_text(piece.kind, piece.amount).encode() + b"\0"
        elif piece.kind is not PieceKind.DATA:
            mark = mark_text(piece.kind, piece.amount).strip("[]")
            print_message(f"rawscope: packet {piece.packet:,}: {mark}")
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
        ends = [end_text(end) for end in self.reader.ends]
        found: dict[str, Any] = {
            f"{self.reader.protocol}.stream": self.number,
            "frame.number": piece.packet,
            "side": SIDES[piece.side],
            "source": ends[piece.side],
            "destination": ends[1 - piece.side],
        }
        if piece.kind is PieceKind.DATA:
            found |= {"length": len(piece.data), "data": piece.data.hex()}
        else:
            found |= {"mark": piece.kind.name.lower(), "length": piece.amount}
        yield json.dumps(found, separators=(",", ":"))


FORMS: Mapping[str, Callable[[StreamReader, int], StreamForm]] = {
    "text": TextForm,
    "hex": HexForm,
    "raw": RawForm,
    "json": JsonForm,
}


class FollowOutput:
    """Prints one stream of a capture; a `PacketOutput`. `form` is one of `FORMS`."""

    work = "followed"
    selects = True
    written = passed_over = 0

    def __init__(
        self,
        enough: Callable[[], bool],
        signal: Callable[[], int | None],
        protocol: str,
        number: int,
        form: str,
    ) -> None:
        self._enough, self._signal = enough, signal
        self._protocol, self._number = protocol, number
        self._output = CommandOutput(signal)
        self._pieces: list[Piece] = []
        self._reader = StreamReader(protocol, self._pieces.append)
        self._form = FORMS[form](self._reader, number)
        self._flows = FlowIndex()
        self._fragments = FragmentIndex()
        self._highest = -1  # stream of the file
        self._next = 1  # packet

    @property
    def done(self) -> bool:
        """True after a signal."""
        return self._enough()

    def take(self, frames: Batch | Chunk, interfaces: Sequence[CaptureInterface]) -> None:
        """Print what the next packets add to the stream."""
        assert isinstance(frames, Chunk)  # of a file
        frames = with_pieces(frames, self._fragments.append(frames))
        table = self._flows.append(frames)
        for block in table.blocks:
            streams = getattr(block, self._protocol)["stream"]
            self._highest = max(self._highest, int(streams.max(initial=0)) if len(streams) else -1)
        numbers = table.packets_of(self._protocol, self._number)
        if not len(numbers):
            return
        is_first = not self._reader.packets
        self._reader.read(frames, numbers - frames.first)
        if is_first:
            self._output.lines(list(self._form.begin()))
        for piece in self._pieces:
            self._output.lines(list(self._form.piece(piece)))
        self._pieces.clear()

    def describe(
        self,
        interfaces: Sequence[CaptureInterface],
        statistics: Mapping[str, CaptureStatistics],
    ) -> None:
        """Ignore the interfaces of a capture."""

    def idle(self) -> None:
        """Write what is printed up to now, while a pipe has nothing more."""
        self._output.flush()

    def end(self, *, is_cut: bool = False) -> None:
        """Print the last lines. Raise `InterruptedCommandError` if the user interrupted it."""
        if self._reader.packets:
            self._output.lines(list(self._form.end()))
        self._output.flush()
        if is_cut:
            words = "only a part of the stream is printed: you interrupted it"
            raise InterruptedCommandError(words, self._signal())

    def finish(self) -> None:
        """Report bytes that stay hidden. Raise `CommandError` if there is no such stream."""
        if not self._reader.packets:
            known = "it has none"
            if self._highest >= 0:
                known = f"it has 0 to {self._highest}" if self._highest else "it has only 0"
            name = f"{self._protocol.upper()} stream {self._number}"
            raise CommandError(f"no {name} in the capture: {known}")
        for side, count in zip(SIDES, self._reader.waiting, strict=True):
            if count:
                print_message(
                    f"rawscope: {count:,} bytes of the {side} after a gap are not shown: "
                    "no packet acknowledges them"
                )

    def close(self) -> None:
        """Do nothing: nothing is open."""


def run_follow(paths: Sequence[str], protocol: str, number: int, form: str) -> int:
    """Print a stream of a capture file, or of several as one; return the exit status."""
    return dump_file(
        paths, lambda enough, signal, _: FollowOutput(enough, signal, protocol, number, form)
    )
