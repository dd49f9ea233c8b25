"""How a draft is to be sent, as typed in the form: the way out, how often, how fast.

Rate and interval say the same thing; the one that was typed last holds, the other shows what it
comes to. Both empty means as fast as the kernel takes the packets.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.forge.values import LONGEST_INTERVAL_S, SLOWEST, SendMethod, SendPlan
from core.wire.encode.value_text import shortened, whole_number

COUNT, RATE, INTERVAL = "send.count", "send.rate", "send.interval"
MOST_PACKETS = 1_000_000_000
FASTEST = 10_000_000  # packets a second


@dataclass(frozen=True, slots=True)
class SendSettings:
    """`interface` is empty where the route decides; `count`, `rate` and `interval` are texts."""

    way: SendMethod = SendMethod.IP
    interface: str = ""
    count: str = ""
    rate: str = ""
    interval: str = ""

    def text(self, key: str) -> str:
        """What was typed for `COUNT`, `RATE` or `INTERVAL`."""
        return {COUNT: self.count, RATE: self.rate, INTERVAL: self.interval}[key]

    def with_text(self, key: str, text: str) -> SendSettings:
        """The same with another text for one of the three."""
        match key:
            case "send.count":
                return replace(self, count=text)
            case "send.rate":
                return replace(self, rate=text, interval="" if text else self.interval)
        return replace(self, interval=text, rate="" if text else self.rate)

    def shown(self, key: str) -> str:
        """What holds where nothing was typed."""
        if key == COUNT:
            return "1"
        rate = None if self.errors() else self.plan.rate
        if rate is None:
            return "as fast as it goes" if key == RATE else "0"
        return f"{rate:g}" if key == RATE else f"{1 / rate:g}"

    def errors(self) -> dict[str, str]:
        """One sentence for each text that cannot be."""
        found = {}
        count = whole_number(self.count) if self.count else 1
        if count is None or not 1 <= count <= MOST_PACKETS:
            found[COUNT] = f"count is 1–{MOST_PACKETS:,} packets, e.g. 100"
        if self.rate and not SLOWEST <= (_number(self.rate) or 0) <= FASTEST:
            found[RATE] = f"rate is one packet a day to {FASTEST:,} a second, e.g. 50"
        interval = _number(self.interval)
        fits = interval == 0 or 1 / FASTEST <= (interval or 0) <= LONGEST_INTERVAL_S
        if self.interval and not fits:
            found[INTERVAL] = f"interval is 0–{LONGEST_INTERVAL_S:,} seconds, e.g. 0.5"
        return {key: f"{shortened(self.text(key))}: {words}" for key, words in found.items()}

    @property
    def plan(self) -> SendPlan:
        """How often and how fast; only where there are no `errors`."""
        count = (whole_number(self.count) or 1) if self.count else 1
        if self.rate:
            return SendPlan(count, _number(self.rate))
        interval = _number(self.interval)
        return SendPlan(count, 1 / interval if interval else None)


def _number(text: str) -> float | None:
    """A finite number, or None."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if number - number == 0 else None
