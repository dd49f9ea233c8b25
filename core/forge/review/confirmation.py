"""Decide which questions the user must answer before packets leave for other hosts.

Packets to this host from one of its own addresses are sent without a question. Everything else
needs one approval for each destination and each unusual thing about it: a new destination; a
broadcast or a group, which many hosts receive; a source that this host does not own (IP or link),
whose owner gets the answers; a wrong announcement of ARP or neighbor discovery; a source route
inside the packet; the destination of a packet that it carries; a link address that is not the next
hop's; frames that leave verbatim, past the IP stack and its firewall.

An approval of an address that exists on each link counts for one link. If no address can be read,
or if there are many packets or many a second, rawscope asks every time. The question about an
amount names the time that sending takes.

The questions are made from the bytes that will leave, not from the typed text. Addresses are read
at their place in the header, whatever its version field says, because the kernel does the same.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from core.forge.review.packet_review import PacketReview, Target
from core.net.host_addresses import HostAddresses

LONG_SEND = 10_000  # packets: rawscope asks from this number on
MOST_PER_SECOND = 1_000  # packets, and packets a second: rawscope asks if both are exceeded
REMEMBERED = "rawscope remembers a yes, but always asks about large amounts."
_NO_LIMIT = 1e8  # packets a second: no host sends faster
_WHOLE = 10  # packets a second from which no decimals are shown
_LONGEST_S = 1e12  # longer times are shown as this one
_UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


@dataclass(frozen=True, slots=True)
class SendVolume:
    """The number of packets, and how many a second (None: as fast as possible).

    `duration_s` is the time from the first packet to the last, for packets that leave at times of
    their own; `rate` is then the highest rate among them.
    """

    packets: int = 1
    rate: float | None = None
    duration_s: float | None = None

    @property
    def is_unlimited(self) -> bool:
        """True if only the speed of this host limits the rate."""
        return self.rate is None or not self.rate <= _NO_LIMIT  # also true for NaN

    @property
    def is_large(self) -> bool:
        """True if rawscope asks about the amount."""
        if self.packets >= LONG_SEND:
            return True
        is_fast = self.is_unlimited or (self.rate or 0) > MOST_PER_SECOND
        return is_fast and self.packets > MOST_PER_SECOND


@dataclass(frozen=True, slots=True)
class Examination:
    """The result of a review.

    `questions` are whole sentences; without any, send. `marks` are stored when the user approves.
    """

    destination: str
    target: Target
    questions: tuple[str, ...]
    marks: frozenset[str]

    def without(self, agreed: Collection[str]) -> Examination:
        """Return the examination without the questions that the user has just approved."""
        return replace(self, questions=tuple(one for one in self.questions if one not in agreed))


def examine(
    packet: bytes,
    *,
    verbatim: bool,
    interface: str = "",
    is_loopback: bool = False,
    network: str = "",
    system: bool = False,
    is_bare: bool = False,
    load: SendVolume = SendVolume(),
    known: Collection[str] = frozenset(),
    host: HostAddresses | None = None,
) -> Examination:
    """Review one packet that is to leave; for the arguments see `PacketReview`.

    `known` are the marks that the user approved before.
    """
    host = host or HostAddresses()
    review = PacketReview(packet, verbatim, interface, is_loopback, network, host, system, is_bare)
    new = [concern for concern in review.concerns() if concern.mark not in known]
    questions = [concern.sentence for concern in new] + volume(load)
    marks = frozenset(concern.mark for concern in new if concern.mark)
    return Examination(review.destination, review.target, tuple(questions), marks)


def volume(load: SendVolume) -> list[str]:
    """Return the question about the amount, which rawscope asks every time."""
    if not load.is_large:
        return []
    duration_s, rate = load.duration_s, load.rate
    if duration_s is None and load.is_unlimited:
        return [f"{load.packets:,} packets leave as fast as this host can send."]
    if duration_s is None:
        assert rate is not None
        pace, duration_s = f"at {_rate_text(rate)}", (load.packets - 1) / rate
    elif load.is_unlimited:
        pace = "some of them as fast as this host can send,"
    else:
        pace = f"at up to {_rate_text(rate)}" if rate else "at their own times"
    return [f"{load.packets:,} packets {pace} take {about(duration_s)} to send."]


def _rate_text(rate: float) -> str:
    if rate < 1:
        return f"one every {1 / rate:,.4g} seconds"
    return f"{rate:,.0f} a second" if rate >= _WHOLE else f"{rate:.3g} a second"


def about(seconds: float) -> str:
    """Return a duration as a sentence has it: ``about 3 min 20 s``, ``less than a second``."""
    return "less than a second" if seconds < 1 else f"about {duration_text(seconds)}"


def duration_text(seconds: float) -> str:
    """Return a time in its two largest units: ``3 min 20 s``."""
    rest, words = round(min(seconds, _LONGEST_S)), []
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            words.append(f"{count:,} {unit}")
        elif words:
            break
    return " ".join(words[:2]) or "0 s"
