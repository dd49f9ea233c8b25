"""The audit: a pcapng file to which rawscope appends everything that it sends.

`send` writes each packet once, before it is sent, with the direction "outbound" and a comment with
the requested count and the command. The result follows as a comment on the interface: how many left
and what went wrong. Without a result, the sender was killed. `replay` writes its frames in batches,
each before the kernel gets it, and takes back those that did not leave; so it never sends a frame
that it cannot record. Several processes may write at once: each writes sections of its own, in
whole blocks. A killed run leaves a readable file.

There are two files, because tcpdump cannot read one with two link types: one for verbatim frames,
and one for IP packets, whose link header the kernel writes. Each IP packet has a cooked header in
place of that, which marks it as outbound and gives its EtherType, whatever its IP version says.
(Link type RAW gives neither, and tcpdump stops at the second section of such a file: libpcap
compares a LINKTYPE with a DLT, and those of RAW differ.)

Both files are in the state directory that the caller names, and only their owner may read them;
`core.files.private_folder` describes which files it refuses. A run that finds a large file renames
it, with the time in its name, and begins another. Nothing is ever deleted.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.files.private_folder import PrivateFolder
from core.files.writing.pcapng_writer import PcapngWriter
from core.forge.ip_packet import is_ipv6
from core.forge.transmit.frame_assembly import joined
from core.forge.transmit.transmission import PreparedTransmission
from core.forge.values import SendMethod, SendProgress
from core.wire.link.link_types import LinkType
from core.wire.link.linux_cooked import HARDWARE_NONE, SENT_BY_US, SLL
from core.wire.model.assigned_numbers import EtherType
from core.wire.model.dissection import PacketFlag
from core.wire.network.ipv6 import IPV6

PACKETS, FRAMES = "sent.pcapng", "sent-frames.pcapng"
LARGE_BYTES = 256 << 20  # a run that finds the file so large begins another


class Audit:
    """The open audit file of one run for a send method; `folder` is made if it is missing.

    Raises `OSError`.
    """

    def __init__(self, folder: Path, method: SendMethod) -> None:
        self.path = path_of(folder, method)
        with PrivateFolder(folder, create=True) as private:
            _set_aside(private, self.path.name)
        self._writer = PcapngWriter(self.path)
        self._link_type = LinkType.ETHERNET if method is SendMethod.LINK else LinkType.LINUX_SLL
        self._interfaces: dict[str, int] = {}

    def note_sending(
        self, transmission: PreparedTransmission, count: int, commands: Sequence[str]
    ) -> None:
        """Record packets that are about to be sent `count` times, each with its command.

        Raises `OSError`; then do not send them.
        """
        for packet, command in zip(transmission.packets, commands, strict=True):
            words = f"sending {count} ({transmission.method.value}) by: {command}"
            self._writer.write(
                packet if transmission.method is SendMethod.LINK else _cooked(packet, transmission),
                timestamp_ns=time.time_ns(),
                interface=self._number(transmission.interface),
                flags=PacketFlag.OUTBOUND,
                comments=(words,),
            )
        self._writer.flush()

    def note_result(self, transmission: PreparedTransmission, progress: SendProgress) -> str:
        """Record how many packets left.

        Return why the count could not be recorded, or an empty text: the packets have left, so
        this does not raise.
        """
        words = f"sent {progress.left} of {progress.asked}"
        if progress.dropped:
            words += f", {progress.dropped} were dropped by the device's queue (ENOBUFS)"
        if progress.error is not None:
            words += f"; {progress.error}"
        try:
            self._writer.remark(self._number(transmission.interface), time.time_ns(), words)
            self._writer.flush()
        except OSError as error:
            return f"{self.path}: {error.strerror}; the count is not recorded"
        return ""

    def note_frames(
        self,
        interface: str,
        data: NDArray[np.uint8],
        offset: NDArray[np.int64],
        captured: NDArray[np.int64],
    ) -> None:
        """Record frames of a replay that are about to leave.

        `offset` and `captured` (n,) are the place and length of each frame in `data`.

        Raises `OSError`; then none of them is recorded, so send none of them.
        """
        number = self._number(interface)
        if self._link_type == LinkType.LINUX_SLL:
            data, offset, captured = _all_cooked(data, offset, captured)
        self._writer.flush()  # so that `take_back` can remove what is written next
        times = np.full(len(offset), time.time_ns(), np.int64)
        self._writer.write_many(data, offset, captured, times, PacketFlag.OUTBOUND, number)
        self._writer.flush()

    def take_back(self, interface: str, captured: NDArray[np.int64]) -> None:
        """Remove the last recorded frames, which did not leave; `captured` (n,) are their lengths.

        If another process has written since, add a comment instead. Raises `OSError`.
        """
        if self._link_type == LinkType.LINUX_SLL:
            captured = captured + SLL.size
        if not self._writer.remove_last(captured):
            words = f"the last {len(captured)} frames of the section before did not leave"
            self._writer.remark(self._number(interface), time.time_ns(), words)
            self._writer.flush()

    def close(self) -> None:
        """Flush and close the file."""
        self._writer.close()

    def _number(self, interface: str) -> int:
        if interface not in self._interfaces:
            self._interfaces[interface] = self._writer.add_interface(interface, self._link_type)
        return self._interfaces[interface]


def _cooked(packet: bytes, transmission: PreparedTransmission) -> bytes:
    """Return an IP packet with the header of a cooked capture (SLL)."""
    kind = EtherType.IPV6 if is_ipv6(packet, transmission.network) else EtherType.IPV4
    return _cooked_header(kind) + packet


def _all_cooked(
    data: NDArray[np.uint8], offset: NDArray[np.int64], captured: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Return IP packets ``data[offset : offset + captured]`` with headers of a cooked capture."""
    four, six = (
        np.frombuffer(_cooked_header(kind), np.uint8) for kind in (EtherType.IPV4, EtherType.IPV6)
    )
    version = IPV6["version"]
    is_six = version.column(data, offset) == version.field.default
    heads = np.where(is_six[:, None], six, four)
    return joined(data, offset, captured, heads, np.ones(len(offset), bool))


def _cooked_header(kind: EtherType) -> bytes:
    return SLL.emit({"pkttype": SENT_BY_US, "hatype": HARDWARE_NONE, "halen": 0, "etype": kind})


def path_of(folder: Path, method: SendMethod) -> Path:
    """Return the path of the audit file for a send method."""
    return folder / (FRAMES if method is SendMethod.LINK else PACKETS)


def _set_aside(folder: PrivateFolder, name: str) -> None:
    """Rename a large file. A process that is writing to it continues there."""
    try:
        with folder.locked():
            if folder.status(name).st_size > LARGE_BYTES:
                path = Path(name)
                folder.rename(name, path.with_stem(f"{path.stem}-{time.time_ns()}").name)
    except FileNotFoundError:
        pass  # nothing was sent before
