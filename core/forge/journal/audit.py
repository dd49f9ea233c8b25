"""The audit: everything that was sent, appended to a pcapng file that any tool reads.

A packet stands once, before it is sent, with the direction "outbound" and a comment that says how
often it is to be sent, and how. The result follows as a remark on the interface: how often it was
sent, and what went wrong; where that is missing, the sender was killed. A replay writes down its
frames some at a time, before the kernel is given them, and takes back those that did not leave: so
it never sends a frame that cannot be written down. Several processes may write at once, each in
sections of its own and in whole blocks, so a killed run leaves a readable file.

There are two files, since tcpdump reads none with two link types: frames that left verbatim, and IP
packets, whose link header is the kernel's. Those have a cooked one in its place, which says that we
sent them and what they are, whatever their version. (The link type RAW says neither, and tcpdump
stops at its second section: libpcap compares a LINKTYPE with a DLT, and RAW's differ.)

They are in the state directory that the caller gives, and their owner's only; see
`core.files.private_folder` for what is refused. A file that has grown
large is kept under a name with the time, and another is begun; nothing is ever deleted.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.files.pcapng_writer import PcapngWriter
from core.files.private_folder import PrivateFolder
from core.forge.ip_packet import is_ipv6
from core.forge.transmit.transmission import PreparedTransmission
from core.forge.values import SendMethod, SendProgress
from core.wire.link.link_types import LinkType
from core.wire.link.linux_cooked import HARDWARE_NONE, SENT_BY_US, SLL
from core.wire.model.assigned_numbers import EtherType
from core.wire.model.dissection import PacketFlag

PACKETS, FRAMES = "sent.pcapng", "sent-frames.pcapng"
LARGE_BYTES = 256 << 20  # a run that finds the file so large begins another


class Audit:
    """The open audit file of one run, for what leaves on `way`. `folder` is made if need be.

    Raises OSError.
    """

    def __init__(self, folder: Path, way: SendMethod) -> None:
        self.path = path_of(folder, way)
        with PrivateFolder(folder, create=True) as private:
            _set_aside(private, self.path.name)
        self._writer = PcapngWriter(self.path)
        self._link_type = LinkType.ETHERNET if way is SendMethod.LINK else LinkType.LINUX_SLL
        self._interfaces: dict[str, int] = {}

    def note_sending(
        self, departure: PreparedTransmission, count: int, commands: Sequence[str]
    ) -> None:
        """Write down what is about to be sent `count` times; each packet has its command.

        Raises OSError: then it is not to be sent.
        """
        for packet, command in zip(departure.packets, commands, strict=True):
            words = f"sending {count} ({departure.way.value}) by: {command}"
            self._writer.write(
                packet if departure.way is SendMethod.LINK else _cooked(packet, departure),
                timestamp_ns=time.time_ns(),
                interface=self._number(departure.interface),
                flags=PacketFlag.OUTBOUND,
                comments=(words,),
            )
        self._writer.flush()

    def note_result(self, departure: PreparedTransmission, progress: SendProgress) -> str:
        """Write down how much left. It has left whether or not that can be written: what is wrong
        is returned as a sentence, empty if nothing is."""
        words = f"sent {progress.left} of {progress.asked}"
        if progress.dropped:
            words += f", {progress.dropped} were dropped by the device's queue (ENOBUFS)"
        if progress.error is not None:
            words += f"; {progress.error}"
        try:
            self._writer.remark(self._number(departure.interface), time.time_ns(), words)
            self._writer.flush()
        except OSError as error:
            return f"{self.path}: {error.strerror}; the count is not written down"
        return ""

    def note_frames(
        self,
        interface: str,
        data: NDArray[np.uint8],
        offset: NDArray[np.int64],
        captured: NDArray[np.int64],
    ) -> None:
        """Write down frames of a replay that are about to leave; (n,) arrays.

        Raises `OSError`: then none of them is written down, and none is to be sent.
        """
        number = self._number(interface)
        self._writer.flush()  # so that what is written next can be taken back
        times = np.full(len(offset), time.time_ns(), np.int64)
        self._writer.write_many(data, offset, captured, times, PacketFlag.OUTBOUND, number)
        self._writer.flush()

    def take_back(self, interface: str, captured: NDArray[np.int64]) -> None:
        """Take back the last of the frames just noted, which did not leave; (n,) their lengths.

        Where another process has written since, a remark says it. Raises `OSError`.
        """
        if not self._writer.take_back(captured):
            words = f"the last {len(captured)} frames of the section before did not leave"
            self._writer.remark(self._number(interface), time.time_ns(), words)
            self._writer.flush()

    def close(self) -> None:
        """Flush and close."""
        self._writer.close()

    def _number(self, interface: str) -> int:
        if interface not in self._interfaces:
            self._interfaces[interface] = self._writer.add_interface(interface, self._link_type)
        return self._interfaces[interface]


def _cooked(packet: bytes, departure: PreparedTransmission) -> bytes:
    """The packet behind the header of a cooked capture."""
    kind = EtherType.IPV6 if is_ipv6(packet, departure.network) else EtherType.IPV4
    return (
        SLL.emit({"pkttype": SENT_BY_US, "hatype": HARDWARE_NONE, "halen": 0, "etype": kind})
        + packet
    )


def path_of(folder: Path, way: SendMethod) -> Path:
    """The file for what leaves on `way`."""
    return folder / (FRAMES if way is SendMethod.LINK else PACKETS)


def _set_aside(folder: PrivateFolder, name: str) -> None:
    """Rename a large file. A process that is writing to it goes on there."""
    try:
        with folder.locked():
            if folder.status(name).st_size > LARGE_BYTES:
                path = Path(name)
                folder.rename(name, path.with_stem(f"{path.stem}-{time.time_ns()}").name)
    except FileNotFoundError:
        pass  # there is none yet
