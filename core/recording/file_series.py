"""The files of one recording, one after the other: names, rotation, and the ring of the newest.

The first file is created before the recording begins, so that a wrong name is refused at once. Each
further one is created when its first packet arrives, so only the first may be without packets. A
ring removes its oldest file before it creates another, and removes nothing that it did not create.

The duration of a file counts on the monotonic clock from its opening, as in dumpcap, so a step of
the wall clock changes nothing. Without a clock (a file is converted) it counts on the times of
packets from the file's first one. An interval divides packets by their own times.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch, CaptureInterface
from core.decode.chunk import Chunk
from core.files.private_file import TargetFolder
from core.files.writing.packing import refuse_unwritten
from core.files.writing.saving import reason
from core.recording.interface_counts import NO_STATISTICS, InterfaceTally, interface_counts
from core.recording.output_file import DescriptorTarget, OutputFile, Target
from core.recording.packer import checkpoint_packer
from core.recording.packet_format import PacketFormat, PcapFormat, PcapngFormat
from core.recording.plan import RecordingPlan
from core.wire.model.text import safe

CHECKPOINT_S = 1.0
_SECOND_NS = 1_000_000_000


class RecordingError(Exception):
    """The recording cannot continue. The text is one line: the file, and the cause."""


class FileSeries:
    """The open files of a recording. Raises `RecordingError`, after which only `close` may follow.

    Creating one raises `OSError` if the first file cannot be created. `clock` counts seconds (None:
    the times of packets). `target` gets all bytes instead of files: standard output. `name` is
    that of the newest file, `files` the number of files, and `size` the bytes of the newest.
    `statistics` are those of the capture, by the names of interfaces, and `tally` counts all its
    packets, for the end of each file.
    """

    def __init__(
        self,
        plan: RecordingPlan,
        clock: Callable[[], float] | None = time.monotonic,
        target: Target | None = None,
    ) -> None:
        self.name = plan.path.name if target is None else "standard output"
        self.statistics, self.tally = NO_STATISTICS, InterfaceTally()
        self.files = 0
        self.size = 0
        self.is_complete = False
        self._plan = plan
        self._clock = clock
        self._target = target
        self._format: PacketFormat = PcapFormat() if plan.is_classic else PcapngFormat()
        self._ring: deque[tuple[str, tuple[int, int]]] = deque()
        self._newest: tuple[str, tuple[int, int]] | None = None
        self._file: OutputFile | None = None
        self._interfaces: Sequence[CaptureInterface] = ()
        self._described: int | None = None  # interfaces in the file; None: it has no header yet
        self._repeated: list[bytes] = []  # blocks with which each file begins
        self._ended_packets = self._ended_saved = 0
        self._index = 0  # of the next file, for its name
        self._opened_s = 0.0
        self._first_ns: int | None = None  # the time of the file's first packet
        self._last_ns = 0
        self._due_s = time.monotonic() + CHECKPOINT_S
        if target is None:
            refuse_unwritten(plan.path.name)
        self._folder = None if target is not None else TargetFolder(plan.path.parent)
        try:
            self._open()
        except BaseException:
            self._close_folder()
            raise

    @property
    def is_open(self) -> bool:
        """True if the newest file takes more."""
        return self._file is not None

    @property
    def packets(self) -> int:
        """The packets that were written to all files."""
        return self._ended_packets + (self._file.packets if self._file is not None else 0)

    @property
    def saved(self) -> int:
        """The packets that can be read, whatever happens next."""
        return self._ended_saved + (self._file.whole_packets if self._file is not None else 0)

    def write(self, frames: Batch | Chunk, interfaces: Sequence[CaptureInterface]) -> None:
        """Write packets, as far as the recording is not complete."""
        packets = self._format.encoded(frames, interfaces)
        rotation, done = self._plan.rotation, 0
        while done < packets.count and not self.is_complete:
            self.end_expired()
            stop = self._last_of_file(frames.timestamp_ns, done, packets.count)
            if stop == done:
                self._end_file()
                continue
            with self._named_errors():
                file = self._file or self._open()
                self._describe(file, interfaces)
                if self._first_ns is None:
                    self._first_ns = int(frames.timestamp_ns[done])
                done += file.add(packets.part(done, stop), rotation.size_bytes)
                self._last_ns = int(frames.timestamp_ns[done - 1])
                self.size = file.size
            if _reached(file.size, rotation.size_bytes) or _reached(file.packets, rotation.packets):
                self._end_file()
        if packets.refusal and not self.is_complete:
            raise RecordingError(f"{safe(self.name)}: {packets.refusal}")

    def describe(self, interfaces: Sequence[CaptureInterface]) -> None:
        """Write the interfaces that the file does not have yet, before a packet needs them.

        Some readers refuse a file without interfaces. Classic pcap has none.
        """
        if self._file is not None and not self._format.begins_with_packet:
            with self._named_errors():
                self._describe(self._file, interfaces)
            self.size = self._file.size

    def insert(
        self, block: bytes, interfaces: Sequence[CaptureInterface], *, repeats: bool = False
    ) -> None:
        """Write a pcapng block, not one of a packet, before the next packet.

        With `repeats`, all later files begin with it, too.
        """
        with self._named_errors():
            file = self._file or self._open()
            self._describe(file, interfaces)
            file.begin(block)
            self.size = file.size
        if repeats and block not in self._repeated:
            self._repeated.append(block)

    def keep_up(self) -> None:
        """End the file if its duration has passed, and make it whole every second.

        Call this several times a second.
        """
        self.end_expired()
        if time.monotonic() >= self._due_s:
            self.checkpoint()
            self._due_s = time.monotonic() + CHECKPOINT_S

    def end_expired(self) -> None:
        """End the file if its duration has passed."""
        duration_s = self._plan.rotation.duration_s
        if duration_s is None or self._clock is None or self._file is None:
            return
        if self._clock() - self._opened_s >= duration_s:
            self._end_file()
            if self._plan.is_timed:
                self._index = 0  # as tcpdump: the number counts within a duration

    def checkpoint(self) -> None:
        """Make the file whole up to here."""
        with self._named_errors():
            if self._file is not None and self._described is not None:
                self._file.checkpoint()
                self.size = self._file.size

    def close(self) -> None:
        """End the file."""
        try:
            self._end_file()
        finally:
            self._close_folder()

    def cancel(self) -> None:
        """Close and remove the first file, which has no packets."""
        with suppress(OSError):
            if self._file is not None:
                self._file.close()
            if self._folder is not None and self._newest is not None:
                self._folder.remove_same(*self._newest)
        self._file, self.files, self.size = None, 0, 0
        self._close_folder()

    def abandon(self) -> None:
        """Close the file after an error, which has made it whole already."""
        with suppress(OSError):
            if self._file is not None:
                self._file.close()
        self._close_folder()

    def _last_of_file(self, times_ns: NDArray[np.int64], start: int, stop: int) -> int:
        """Return the row, at most `stop`, with which another file begins because of its packets."""
        rotation, file = self._plan.rotation, self._file
        if rotation.packets is not None:
            stop = min(stop, start + rotation.packets - (file.packets if file is not None else 0))
        spans = [] if rotation.interval_s is None else [(rotation.interval_s * _SECOND_NS, 0)]
        first_ns = int(times_ns[start]) if self._first_ns is None else self._first_ns
        if rotation.duration_s is not None and self._clock is None:
            spans.append((int(rotation.duration_s * _SECOND_NS), first_ns))
        for span_ns, origin_ns in spans:
            period = (times_ns[start:stop] - origin_ns) // span_ns
            others = period != (first_ns - origin_ns) // span_ns
            if others.any():
                stop = start + int(others.argmax())
        return stop

    def _open(self) -> OutputFile:
        """Create the next file."""
        target = self._target
        if self._folder is not None:
            name = self._plan.file_name(self._index, time.localtime())
            ring_files = self._plan.rotation.ring_files
            while ring_files is not None and len(self._ring) >= ring_files:
                self._folder.remove_same(*self._ring.popleft())
            self.name = name
            created = DescriptorTarget(self._folder.create(name, replace=self._plan.replace))
            self._newest = name, created.identity
            self._ring.append(self._newest)
            if ring_files is None:
                self._ring.clear()
            target = created
        assert target is not None
        self._index += 1
        self.files += 1
        self._opened_s = self._clock() if self._clock is not None else 0.0
        file = self._file = OutputFile(target, checkpoint_packer(self._plan.path.name))
        if not self._format.begins_with_packet:
            self._begin(file, ())
        return file

    def _describe(self, file: OutputFile, interfaces: Sequence[CaptureInterface]) -> None:
        """Write the header and the interfaces that the file does not have yet."""
        if self._described is None:
            self._begin(file, interfaces)
        elif self._described < len(interfaces):
            file.begin(self._format.descriptions(interfaces[self._described :]))
        self._interfaces, self._described = interfaces, len(interfaces)

    def _begin(self, file: OutputFile, interfaces: Sequence[CaptureInterface]) -> None:
        file.begin(self._format.beginning(interfaces) + b"".join(self._repeated))
        self._described = len(interfaces)
        self.size = file.size

    def _end_file(self) -> None:
        file = self._file
        if file is None:
            return
        with self._named_errors():
            if self._described is None:
                self._begin(file, ())
            file.close(self._ending() if file.packets else b"")
        self.size = file.size
        self._file, self._described, self._first_ns = None, None, None
        self._ended_packets += file.packets
        self._ended_saved += file.packets
        self.is_complete = _reached(self.files, self._plan.most_files)

    def _ending(self) -> bytes:
        interfaces = self._interfaces[: self._described]
        counts = interface_counts(interfaces, self.statistics, self._last_ns, self.tally)
        return self._format.ending(interfaces, counts)

    def _close_folder(self) -> None:
        if self._folder is not None:
            self._folder.close()

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        """Raise `RecordingError` for `OSError`."""
        try:
            yield
        except FileExistsError as error:
            raise RecordingError(f"{safe(self.name)} exists: --force replaces it") from error
        except OSError as error:
            raise RecordingError(f"{safe(self.name)}: {reason(error)}") from error


def _reached(value: float, bound: float | None) -> bool:
    return bound is not None and value >= bound
