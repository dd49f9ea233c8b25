"""Decide which questions the user must answer before packets leave for other hosts.

Packets to this host from one of its own addresses are sent without a question. Everything else
needs one approval for each destination and each unusual thing about it: a new destination; a
broadcast or a group, which many hosts receive; a source that this host does not own (IP or link),
whose owner gets the answers; a wrong announcement of ARP or neighbor discovery; a source route
inside the packet; a link address that is not the next hop's; frames that leave verbatim, past the
IP stack and its firewall.

An approval of an address that exists on each link counts for one link. If no address can be read,
or if there are many packets or many a second, rawscope asks every time.

The questions are made from the bytes that will leave, not from the typed text. Addresses are read
at their place in the header, whatever its version field says, because the kernel does the same.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from core.forge.review.packet_review import PacketReview, Target
from core.net.host_addresses import HostAddresses

MOST_PACKETS = 10_000
MOST_PER_SECOND = 1_000
REMEMBERED = "A yes is remembered; amounts are always asked about."
_NO_LIMIT = 1e8  # packets a second: no host sends faster


@dataclass(frozen=True, slots=True)
class SendVolume:
    """The number of packets, and how many a second (None: as fast as possible)."""

    packets: int = 1
    rate: float | None = None


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
    load: SendVolume = SendVolume(),
    known: Collection[str] = frozenset(),
    host: HostAddresses | None = None,
) -> Examination:
    """Review one packet that is to leave; for the arguments see `PacketReview`.

    `known` are the marks that the user approved before.
    """
    host = host or HostAddresses()
    review = PacketReview(packet, verbatim, interface, is_loopback, network, host, system)
    new = [concern for concern in review.concerns() if concern.mark not in known]
    questions = [concern.sentence for concern in new] + volume(load)
    marks = frozenset(concern.mark for concern in new if concern.mark)
    return Examination(review.destination, review.target, tuple(questions), marks)


def volume(load: SendVolume) -> list[str]:
    """Return the questions about the amount, which rawscope asks every time."""
    questions: list[str] = []
    if load.packets > MOST_PACKETS:
        questions.append(f"{load.packets:,} packets are more than {MOST_PACKETS:,}.")
    if load.packets <= MOST_PER_SECOND:
        return questions
    if load.rate is None or load.rate > _NO_LIMIT:
        questions.append(f"{load.packets:,} packets leave as fast as this host can send.")
    elif not load.rate <= MOST_PER_SECOND:  # also true for NaN
        questions.append(f"{load.rate:,.0f} packets a second are more than {MOST_PER_SECOND:,}.")
    return questions
