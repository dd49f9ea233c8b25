"""The options of a capture, as the user gave them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.capture.capture_filter import CaptureFilter
from core.decode.capture_statistics import ALL_INTERFACES

Method = Literal["ring", "datagram", "inet"]

ANY = ALL_INTERFACES  # the name that means every interface
DEFAULT_SNAP_LENGTH = 262_144  # as tcpdump and dumpcap
DEFAULT_RING_BYTES = 32 << 20  # over half a second of small frames at 300,000 a second


@dataclass(frozen=True, slots=True)
class CaptureOptions:
    """`interfaces` by name, or ``any``. `ring_bytes` is the kernel memory for each of them.

    `method` is how frames leave the kernel: ``ring`` (TPACKET_V3; falls back to ``datagram`` if the
    kernel gives no ring), ``datagram`` (recvmsg), or ``inet`` (a classic raw IPv4 socket). Without
    a `capture_filter` every frame is captured.
    """

    interfaces: tuple[str, ...]
    snap_length: int = DEFAULT_SNAP_LENGTH
    promiscuous: bool = True
    ring_bytes: int = DEFAULT_RING_BYTES
    method: Method = "ring"
    capture_filter: CaptureFilter | None = None
