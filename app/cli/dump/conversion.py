"""Convert a capture file to another one: ``dump -r A -Y FILTER -w B``.

The copy has everything that the packets had: sections, interfaces, names, comments, options, and
unknown blocks; decryption secrets only if the user wants them. The new file gets its name when it
is whole, so a failure leaves nothing. Standard output gets the bytes as they come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from app.cli.dump.decoded_packets import USUAL, Decoding, PacketDecoder, PacketPrograms
from app.cli.dump.packet_writer import StandardOutput
from app.cli.dump.remarked_packets import flow_remarks, with_remarks
from app.cli.dump.selection import Selection
from app.cli.output import CommandError, InterruptedCommandError, print_message
from app.cli.recording_options import STDOUT, STDOUT_NAME, refusals
from core.analysis.analyzer import slow_note
from core.decode.batch import Batch, CaptureInterface
from core.decode.capture_statistics import CaptureStatistics
from core.decode.chunk import Chunk
from core.files.byte_order import SECRETS
from core.files.packet_reader import PacketReader
from core.files.reader import CaptureReader
from core.files.writing.encoder import CannotWriteError, ChunkRows, Encoder
from core.files.writing.packing import is_classic
from core.files.writing.pcap_encoder import PcapEncoder
from core.files.writing.pcapng_encoder import PcapngEncoder
from core.files.writing.saving import NewCapture, reason
from core.wire.model.text import safe


class ConversionTarget(Protocol):
    """The file that a conversion writes. Raises `OSError`."""

    def write(self, content: bytes | memoryview) -> None:
        """Write all of `content`."""
        ...

    def commit(self) -> None:
        """Complete the file."""
        ...

    def close(self) -> None:
        """Close it; an incomplete one is removed."""
        ...


class _StandardTarget:
    def __init__(self, signal: Callable[[], int | None]) -> None:
        self._output = StandardOutput(signal)

    def write(self, content: bytes | memoryview) -> None:
        left = memoryview(content)
        while left:
            left = left[self._output.write(left) :]

    def commit(self) -> None:
        """Do nothing: its reader has all bytes."""

    def close(self) -> None:
        """Leave it open."""


class Conversion:
    """A `PacketOutput` that writes at most `limit` packets of `reader` (None: no limit) to a file.

    With a `selection`, it writes only the packets that pass. `enough` and `signal` are as for
    `Printer`.
    """

    work = "written"

    def __init__(
        self,
        path: Path,
        limit: int | None,
        enough: Callable[[], bool],
        signal: Callable[[], int | None],
        reader: PacketReader,
        *,
        selection: Selection | None = None,
        programs: PacketPrograms | None = None,
        replace: bool = False,
        keeps_secrets: bool = False,
        decoding: Decoding = USUAL,
    ) -> None:
        self._signal = signal
        self._limit, self._enough, self._selection = limit, enough, selection
        self._reader, self._keeps_secrets = reader, keeps_secrets
        self.selects = selection is not None
        self._decoder = PacketDecoder(
            needs_flows=selection is not None and selection.needs_flows,
            programs=programs,
            decoding=decoding,
        )
        self._is_classic = is_classic(path.name)
        self._remarks = None if self._is_classic else flow_remarks(programs)
        self.written = self.passed_over = 0
        self._is_stdout = str(path) == STDOUT
        self._name = STDOUT_NAME if self._is_stdout else str(path)
        with refusals(self._name):
            self._target: ConversionTarget = (
                _StandardTarget(signal) if self._is_stdout else NewCapture(path, replace=replace)
            )
        is_whole = limit is None and selection is None
        self._encoder: Encoder = (
            PcapEncoder(reader.interfaces, is_final=_is_final(reader))
            if self._is_classic
            else PcapngEncoder(
                reader.interfaces,
                reader.blocks,
                keeps_secrets=keeps_secrets,
                is_whole=is_whole,
            )
        )

    @property
    def done(self) -> bool:
        """True once no more packets are to be written."""
        return self.written == self._limit or self._enough()

    def take(self, frames: Batch | Chunk, interfaces: Sequence[CaptureInterface]) -> None:
        """Write the packets. Raise `CommandError`; then the file is removed."""
        for decoded in self._decoder.decoded(frames, interfaces):
            chunk, rows = decoded.chunk, np.arange(len(decoded.chunk))
            if self._selection is not None:
                rows = self._selection.rows(decoded.values, self._enough)
            if self._limit is not None:
                rows = rows[: self._limit - self.written]
            chunk = with_remarks(decoded, rows, self._remarks)
            self._write(ChunkRows(chunk, rows, chunk.comments, chunk.options))
            self.written += len(rows)
            self.passed_over += len(chunk) - len(rows)

    def _write(self, part: ChunkRows | None) -> None:
        """Write packets, or the end of the file."""
        try:
            for piece in self._encoder.finish() if part is None else self._encoder.encode(part):
                self._target.write(piece)
            if part is None:
                self._target.commit()
        except FileExistsError as error:
            raise CommandError(f"{safe(self._name)} exists: --force replaces it") from error
        except OSError as error:
            raise CommandError(f"{safe(self._name)} was not written: {reason(error)}") from error
        except CannotWriteError as error:
            raise CommandError(f"{safe(self._name)} was not written: {error}") from error

    def describe(
        self,
        interfaces: Sequence[CaptureInterface],
        statistics: Mapping[str, CaptureStatistics],
    ) -> None:
        """Do nothing: the file that is read describes them."""

    def idle(self) -> None:
        """Do nothing: the file is whole at its end only."""

    def end(self, *, is_cut: bool = False) -> None:
        """Complete the file. Raise `CommandError`; if `is_cut`, there is no file."""
        if is_cut and not self._is_stdout:
            words = f"{safe(self._name)} was not written: you interrupted it"
            raise InterruptedCommandError(words, self._signal())
        self._write(None)
        if is_cut:
            words = "standard output has a part of the packets: you interrupted it"
            raise InterruptedCommandError(words, self._signal())

    def finish(self) -> None:
        """Report secrets that were left out, and packets that took too long for the filter."""
        has_secrets = any(block.kind == SECRETS for block in self._reader.blocks)
        if has_secrets and not self._keeps_secrets and not self._is_classic:
            print_message("rawscope: decryption secrets were left out; --secrets keeps them")
        if self._selection is not None and self._selection.slow_packets:
            print_message(f"rawscope: -Y: {slow_note(self._selection.slow_packets)}")

    def close(self) -> None:
        """Close the file."""
        self._target.close()


def _is_final(reader: PacketReader) -> bool:
    """Return True if no interface can be described later: classic pcap has one, in its header."""
    return isinstance(reader, CaptureReader) and reader.format == "pcap"
