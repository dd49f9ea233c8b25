"""The values of sending: how packets leave, how many at what rate, and how far a run is.

This module opens no socket, so widgets and forms may import it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from core.forge.send_errors import SendError

_WHOLE = 10  # packets a second: slower rates are shown with one decimal
LONGEST_INTERVAL_S = 86_400
SLOWEST = 1 / LONGEST_INTERVAL_S  # packets a second: slower ones overflow the clock, in the end


class SendMethod(Enum):
    """The send methods; `core.forge.transmit.injector` says what the kernel does with each.

    The user chooses among the first three. `PACKET` is `LINK` on an interface without link headers
    (tun, WireGuard).
    """

    IP = "IP_HDRINCL"
    SYSTEM = "system header"
    LINK = "verbatim"
    PACKET = "verbatim, without a link header"

    @property
    def is_verbatim(self) -> bool:
        """True if the kernel changes nothing in the packet."""
        return self in (SendMethod.LINK, SendMethod.PACKET)


@dataclass(frozen=True, slots=True)
class Egress:
    """The place where an IP packet leaves.

    `interface` and its `index`, which link-local IPv6 needs; `mtu` in bytes, 0 if unknown;
    `network` is ``ip`` or ``ipv6`` if the user chose how to read the packet.
    """

    interface: str = ""
    index: int = 0
    mtu: int = 0
    network: str = ""


@dataclass(frozen=True, slots=True)
class SendPlan:
    """Send the packets of a draft `count` times, at `rate` packets a second.

    `rate` is `SLOWEST` or more; None means without a pause.
    """

    count: int = 1
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class SendProgress:
    """The progress of a run. Times are in seconds.

    At least `dropped` of the `sent` packets were lost in the device's queue (ENOBUFS). `error` is
    what ended the run early, or None.
    """

    asked: int
    sent: int = 0
    dropped: int = 0
    elapsed_s: float = 0.0
    error: SendError | None = None
    stopped: bool = False

    @property
    def rate(self) -> float:
        """Packets a second: n packets have n − 1 intervals between them."""
        return max(0, self.sent - 1) / self.elapsed_s if self.elapsed_s else 0.0

    @property
    def left(self) -> int:
        """The number of packets that left this host, as far as the kernel reported drops."""
        return self.sent - self.dropped

    @property
    def rate_text(self) -> str:
        """The rate as text: ``204,800``, ``0.5``."""
        return f"{self.rate:,.0f}" if self.rate >= _WHOLE else f"{self.rate:.1f}"
