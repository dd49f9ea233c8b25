"""One packet somebody looks at: the moment columns become Python values."""

from __future__ import annotations

from dataclasses import dataclass

from core.decode.batch import CaptureInterface
from core.wire.model.dissection import Verdict


@dataclass(frozen=True, slots=True)
class Packet:
    """A frame with its number and metadata. `data` is a copy: it outlives eviction."""

    number: int  # from 1
    data: bytes
    original_length: int
    timestamp_ns: int
    interface: CaptureInterface
    flags: int  # PacketFlag bits
    network_verdict: Verdict  # of the outermost network header's checksum
    transport_verdict: Verdict
    fault: Exception | None = (
        None  # of ours, why the verdicts are UNVERIFIED; see core.wire.present.faults
    )

    @property
    def captured_length(self) -> int:
        """Bytes kept of the frame."""
        return len(self.data)

    @property
    def link_type(self) -> int:
        """What the first byte is; see `core.wire.link.link_types`."""
        return self.interface.link_type
