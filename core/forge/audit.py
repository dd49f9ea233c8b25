"""The audit: everything that was sent, appended to a pcapng file that any tool reads.

One packet stands once, with the direction "outbound" and a comment that says how often it was sent
of how often it was asked for, how, and what went wrong. A replay writes down every frame at the
time it was given to the kernel. Each run appends a section of its own and hands over whole blocks,
so a killed run leaves a readable file. IP packets are on an interface of link type RAW: the link
header is the kernel's.

The file is in the state directory that the caller gives, and is its owner's only.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.files.pcapng_writer import PcapngWriter
from core.wire.dissection import PacketFlag
from core.wire.link import LinkType

FILE_NAME = "sent.pcapng"


class Audit:
    """The open audit file of one run. `folder` is made if need be. Raises OSError."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = folder / FILE_NAME
        self._writer = PcapngWriter(self.path)
        self._interfaces: dict[tuple[str, int], int] = {}

    def note(
        self,
        packets: Sequence[bytes],
        *,
        interface: str,
        verbatim: bool,
        comment: str,
        timestamp_ns: int | None = None,
    ) -> None:
        """Write down what was sent; `timestamp_ns` is when it began, now by default."""
        number = self._number(interface, LinkType.ETHERNET if verbatim else LinkType.RAW)
        when = time.time_ns() if timestamp_ns is None else timestamp_ns
        for packet in packets:
            self._writer.write(
                packet,
                timestamp_ns=when,
                interface=number,
                flags=PacketFlag.OUTBOUND,
                comments=(comment,),
            )
        self._writer.flush()

    def note_frames(
        self,
        interface: str,
        data: NDArray[np.uint8],
        offset: NDArray[np.int64],
        captured: NDArray[np.int64],
    ) -> None:
        """Write down frames of a replay that are given to the kernel now; (n,) arrays."""
        number = self._number(interface, LinkType.ETHERNET)
        times = np.full(len(offset), time.time_ns(), np.int64)
        self._writer.write_many(data, offset, captured, times, PacketFlag.OUTBOUND, number)

    def close(self) -> None:
        """Flush and close."""
        self._writer.close()

    def _number(self, interface: str, link_type: int) -> int:
        key = (interface, link_type)
        if key not in self._interfaces:
            self._interfaces[key] = self._writer.add_interface(interface, link_type)
        return self._interfaces[key]
