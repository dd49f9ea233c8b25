"""How to send a draft, as typed in the form: the send method, the count, the rate.

Rate and interval are two forms of one value; the one typed last counts, the other shows what
follows from it. If both are empty, packets are sent as fast as the kernel takes them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.forge.values import LONGEST_INTERVAL_S, SLOWEST, SendMethod, SendPlan
from core.wire.encode.value_text import shortened, whole_number

COUNT, RATE, INTERVAL = "send.count", "send.rate", "send.interval"
OF_WHOLE_NUMBERS = "0123456789abcdefABCDEFxXoO_"  # decimal, and with 0x, 0o, or 0b
OF_NUMBERS = "0123456789.eE+-_"
MOST_PACKETS = 1_000_000_000
FASTEST = 10_000_000  # packets a second


@dataclass(frozen=True, slots=True)
class SendSettings:
    """The settings as typed.

    `interface` is empty if the route decides; `count`, `rate`, and `interval` are texts.
    """

    method: SendMethod = SendMethod.IP
    interface: str = ""
    count: str = ""
    rate: str = ""
    interval: str = ""

    def text(self, key: str) -> str:
        """Return the text typed for `COUNT`, `RATE`, or `INTERVAL`."""
        return {COUNT: self.count, RATE: self.rate, INTERVAL: self.interval}[key]

    def with_text(self, key: str, text: str) -> SendSettings:
        """Return settings with another text for one of the three."""
        match key:
            case "send.count":
                return replace(self, count=text)
            case "send.rate":
                return replace(self, rate=text, interval="" if text else self.interval)
        return replace(self, interval=text, rate="" if text else self.rate)

    def shown(self, key: str) -> str:
        """Return the value that counts where nothing was typed."""
        if key == COUNT:
            return "1"
        rate = None if self.errors() else self.plan.rate
        if rate is None:
            return "as fast as possible" if key == RATE else "0"
        return f"{rate:g}" if key == RATE else f"{1 / rate:g}"

    def errors(self) -> dict[str, str]:
        """Return one sentence by key for each text that is not a valid value."""
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
        """The count and the rate; valid only without `errors`."""
        count = (whole_number(self.count) or 1) if self.count else 1
        if self.rate:
            return SendPlan(count, _number(self.rate))
        interval = _number(self.interval)
        return SendPlan(count, 1 / interval if interval else None)


def _number(text: str) -> float | None:
    """Return a finite number, or None."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if number - number == 0 else None
