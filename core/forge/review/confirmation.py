"""What the user is asked before anything leaves for a stranger.

What goes to this host from one of its own addresses is sent at once. Everything else is asked
once for each destination and each thing that is unusual about it: nobody said yes to it before; a
broadcast or a group, which many hear; a source that is not ours (of IP, of the link), whose owner
gets the answers; a claim of ARP or neighbor discovery that is not about us; a route inside it that
sends it on; a link address that is not the next hop's; frames that leave verbatim, past the IP
stack and its firewall.

What is an address on one link only is agreed to for that link. Where no address can be read, and
where there are many packets or many a second, it is asked every time.

The question is made of the bytes that will leave, not of what was typed. Addresses are read from
where the header has them, whatever its version says: so does the kernel that is given it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from core.forge.review.packet_review import PacketReview, Target
from core.net.host_addresses import HostAddresses

MOST_PACKETS = 10_000
MOST_PER_SECOND = 1_000
REMEMBERED = "A yes is remembered; amounts are always asked about."
_NO_LIMIT = 1e8  # packets a second: more than leaves any machine


@dataclass(frozen=True, slots=True)
class SendVolume:
    """How much: packets in all, and how many a second (None: as fast as it goes)."""

    packets: int = 1
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Examination:
    """What there is to ask. `questions` are whole sentences; none means: send. `marks` are what is
    remembered when the answer was yes."""

    destination: str
    target: Target
    questions: tuple[str, ...]
    marks: frozenset[str]

    def without(self, agreed: Collection[str]) -> Examination:
        """The same without the questions that were just answered with yes."""
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
    """Look at one packet that is to leave; for the arguments see `PacketReview`. `known` are the
    marks that were agreed to before."""
    host = host or HostAddresses()
    review = PacketReview(packet, verbatim, interface, is_loopback, network, host, system)
    new = [concern for concern in review.concerns() if concern.mark not in known]
    questions = [concern.sentence for concern in new] + volume(load)
    marks = frozenset(concern.mark for concern in new if concern.mark)
    return Examination(review.destination, review.target, tuple(questions), marks)


def volume(load: SendVolume) -> list[str]:
    """What is to be asked about how much it is: never remembered."""
    asked: list[str] = []
    if load.packets > MOST_PACKETS:
        asked.append(f"{load.packets:,} packets are more than {MOST_PACKETS:,}.")
    if load.packets <= MOST_PER_SECOND:
        return asked
    if load.rate is None or load.rate > _NO_LIMIT:
        asked.append(f"{load.packets:,} packets go out as fast as the machine can send.")
    elif not load.rate <= MOST_PER_SECOND:  # one that is no number is asked about, too
        asked.append(f"{load.rate:,.0f} packets a second are more than {MOST_PER_SECOND:,}.")
    return asked
