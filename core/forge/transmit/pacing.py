"""Send many packets: count, rate, progress, and stopping.

The rate is kept against the clock: after a given time, a given number of packets is due. After a
short delay, all packets that are due are sent at once; after a longer one (a stopped process, a
host that slept), the schedule is shifted, so the rate is also an upper bound. Without a rate,
packets leave as fast as the kernel takes them. ENOBUFS (the device's queue dropped the packet) is
counted and sending continues; any other refusal ends it.
"""

from __future__ import annotations

import errno
import math
import time
from collections.abc import Callable, Sequence

from core.forge.send_errors import SendError
from core.forge.transmit.injector import Injector
from core.forge.transmit.repeat_sendmmsg import BURST
from core.forge.values import SendPlan, SendProgress

_NAP_S = 0.02  # the longest sleep, so that a stop takes effect soon
_REPORT_S = 0.1
CATCH_UP_S = 0.1  # the longest delay that is made up for by sending at once


def send_packets(
    injector: Injector,
    packets: Sequence[bytes],
    plan: SendPlan,
    stopped: Callable[[], bool] = lambda: False,
    report: Callable[[SendProgress], None] = lambda progress: None,
) -> SendProgress:
    """Send until all packets are sent, `stopped` returns True, or the kernel refuses one.

    Does not raise for a refusal: it is in the progress.
    """
    run = _PacedSend(injector, packets, plan)
    while run.sent < run.asked and run.error is None and not stopped():
        due = run.due()
        if due:
            run.send(due)
        else:
            time.sleep(min(_NAP_S, run.wait_s()))
        if run.is_time_to_report():
            report(run.progress())
    finished = run.progress(stopped=run.sent < run.asked and run.error is None)
    report(finished)
    return finished


class _PacedSend:
    """The counts and the clock of one call of `send_packets`."""

    def __init__(self, injector: Injector, packets: Sequence[bytes], plan: SendPlan) -> None:
        self.asked = plan.count * len(packets)
        self.sent = 0
        self.error: SendError | None = None
        self._dropped = 0
        self._injector = injector
        self._packets = packets
        self._rate = plan.rate
        self._began_s = time.monotonic()
        self._due_since_s = self._began_s  # when the first packet was due, shifted by delays
        self._reported_s = self._began_s

    def due(self) -> int:
        """Return how many packets may leave now."""
        left = self.asked - self.sent
        if self._rate is None:
            return min(left, BURST)
        late_s = time.monotonic() - self._due_since_s - self.sent / self._rate
        if late_s > CATCH_UP_S:
            self._due_since_s += late_s - CATCH_UP_S
            late_s = CATCH_UP_S
        return max(0, min(left, math.floor(late_s * self._rate) + 1))

    def wait_s(self) -> float:
        """Return the time until the next packet is due."""
        assert self._rate is not None
        return max(0.0, self._due_since_s + self.sent / self._rate - time.monotonic())

    def send(self, due: int) -> None:
        """Send at most `due` packets."""
        try:
            if len(self._packets) == 1 and due > 1:
                self.sent += self._injector.send_burst(self._packets[0], due)
            else:
                self._injector.send(self._packets[self.sent % len(self._packets)])
                self.sent += 1
        except SendError as error:
            if error.number != errno.ENOBUFS or self.asked == 1:
                self.error = error
            else:
                self.sent += 1
                self._dropped += 1

    def is_time_to_report(self) -> bool:
        now_s = time.monotonic()
        if now_s - self._reported_s < _REPORT_S:
            return False
        self._reported_s = now_s
        return True

    def progress(self, stopped: bool = False) -> SendProgress:
        elapsed_s = time.monotonic() - self._began_s
        return SendProgress(self.asked, self.sent, self._dropped, elapsed_s, self.error, stopped)
