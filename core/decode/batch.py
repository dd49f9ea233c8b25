"""A batch of frames as it leaves the kernel or a file: bytes, and the place of each frame.

`capture` and `files` hand nothing else to the store. A batch contains no decoded knowledge. Arrays
are parallel, one element a packet, in the order of arrival.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

MICROSECONDS, NANOSECONDS = 6, 9  # as a `resolution`: 10^-6 s, 10^-9 s


@dataclass(frozen=True, slots=True)
class CaptureInterface:
    """The interface that packets came from. `name` is empty if the file has none.

    `resolution` is the unit of its times in a file, a byte as in pcapng's ``if_tsresol``, and
    `offset_s` the seconds that were added to them. `options` are further pcapng options, (code,
    value) in the byte order of this host.
    """

    name: str
    link_type: int
    snap_length: int = 0  # 0 if the limit is unknown
    description: str = ""
    resolution: int = NANOSECONDS
    offset_s: int = 0
    options: tuple[tuple[int, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class FileBlock:
    """A block of a pcapng file that describes neither a packet nor an interface.

    It is kept to be written again: names, statistics, secrets, custom and unknown blocks, and the
    header of a section, of which `body` is only the options. `body` is in the byte order of this
    host. `packets` and `interfaces` are how many of them precede it in the file.
    """

    kind: int
    body: bytes
    packets: int = 0
    interfaces: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Frames in one byte array.

    ``data``          uint8 (any length)  the bytes, with anything between frames
    ``offset``        int64  (n,)  first byte of each frame in `data`
    ``captured``      uint32 (n,)  captured bytes
    ``original``      uint32 (n,)  bytes on the wire
    ``timestamp_ns``  int64  (n,)  since the epoch, as given by the source
    ``interface``     uint16 (n,)  index into the store's interfaces
    ``flags``         uint16 (n,)  `core.wire.model.dissection.PacketFlag` bits

    `stable` is True if nobody changes or unmaps `data` while the batch is referenced (a mapped
    file, bytes of its own): the store may then keep it without copying. Kernel ring blocks are not
    stable.

    `comments` are packet comments, by row, as the file has them: not yet safe to print. `options`
    are the other options of packets in pcapng, by row, packed in the byte order of this host.
    """

    data: NDArray[np.uint8]
    offset: NDArray[np.int64]
    captured: NDArray[np.uint32]
    original: NDArray[np.uint32]
    timestamp_ns: NDArray[np.int64]
    interface: NDArray[np.uint16]
    flags: NDArray[np.uint16]
    stable: bool = False
    comments: Mapping[int, Sequence[str]] = field(default_factory=dict)
    options: Mapping[int, bytes] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.offset)

    def first(self, count: int) -> Batch:
        """Return at most the first `count` frames, over the same bytes."""
        return self if count >= len(self) else self.part(0, count)

    def part(self, start: int, stop: int) -> Batch:
        """Return the frames of rows `start` … ``stop - 1``, over the same bytes."""
        if start == 0 and stop == len(self):
            return self
        columns = ("offset", "captured", "original", "timestamp_ns", "interface", "flags")
        comments = {row - start: self.comments[row] for row in self.comments if start <= row < stop}
        options = {row - start: self.options[row] for row in self.options if start <= row < stop}
        parts = {name: getattr(self, name)[start:stop] for name in columns}
        return replace(self, comments=comments, options=options, **parts)
