"""The lines of ``dump --hex``: the line of a packet, then its bytes."""

from __future__ import annotations

from collections.abc import Iterator

from app.cli.dump.line_format import ChunkPart
from app.cli.dump.text_lines import TextLines
from core.store.captured_packet import CapturedPacket
from core.wire.protocol import SequenceBase

_HEX_COLUMNS = 16  # bytes a line
_PRINTABLE = bytes(byte if 0x20 <= byte < 0x7F else ord(".") for byte in range(256))


class HexLines:
    """The line of `TextLines`, then the captured bytes: offset, hex, ASCII."""

    needs_flows = True
    needs_programs = False

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

    def lines(self, part: ChunkPart) -> Iterator[list[str | None]]:
        """Write the packets whose lines columns give."""
        start = 0
        for lines in self._line.lines(part):
            for index, row in enumerate(part.rows[start : start + len(lines)].tolist()):
                line = lines[index]
                if line is not None:
                    lines[index] = "\n".join((line, *_hex_lines(part.chunk.frame(row)), ""))
            start += len(lines)
            yield lines


def _hex_lines(data: bytes) -> Iterator[str]:
    width = 3 * _HEX_COLUMNS
    for start in range(0, len(data), _HEX_COLUMNS):
        piece = data[start : start + _HEX_COLUMNS]
        text = piece.translate(_PRINTABLE).decode("ascii")
        yield f"\t{start:04x}  {piece.hex(' '):<{width}} {text}"
