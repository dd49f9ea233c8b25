"""``rawscope follow``: print what the two ends of one stream sent each other.

The file is read chunk by chunk, and each piece of the stream is printed once it has its place, so a
stream of any size takes the same memory. Every form prints a mark where bytes are missing; the raw
one prints it as tshark does, and reports other marks on stderr.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from app.cli.dump.dump_file import dump_file
from app.cli.output import (
    CommandError,
    CommandOutput,
    InterruptedCommandError,
    print_message,
)
from core.analysis.follow.forms import FORMS
from core.analysis.follow.pieces import SIDES, Piece
from core.analysis.follow.stream import StreamReader
from core.analysis.reassembly.chunk_pieces import with_pieces
from core.analysis.reassembly.fragment_index import FragmentIndex
from core.analysis.tcp.flow_index import FlowIndex
from core.decode.batch import Batch, CaptureInterface
from core.decode.capture_statistics import CaptureStatistics
from core.decode.chunk import Chunk


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
        *,
        shows_times: bool = False,
    ) -> None:
        self._enough, self._signal = enough, signal
        self._protocol, self._number = protocol, number
        self._output = CommandOutput(signal)
        self._pieces: list[Piece] = []
        self._reader = StreamReader(protocol, self._pieces.append)
        self._form = FORMS[form](self._reader, number, shows_times=shows_times)
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
        for note in self._form.notes:
            print_message(f"rawscope: {note}")
        self._form.notes.clear()

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


def run_follow(
    paths: Sequence[str], protocol: str, number: int, form: str, *, shows_times: bool
) -> int:
    """Print a stream of a capture file, or of several as one; return the exit status."""
    return dump_file(
        paths,
        lambda enough, signal, _: FollowOutput(
            enough, signal, protocol, number, form, shows_times=shows_times
        ),
    )
