"""Orders to the send service, its questions, and its state: values only."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.forge.compose.draft import Draft
from core.forge.compose.route_suggestions import RouteSuggestions
from core.forge.report import Report
from core.forge.values import SendMethod, SendPlan


class OrderError(Exception):
    """An order cannot be carried out. The text is one sentence."""


@dataclass(frozen=True, slots=True)
class Order:
    """Packets to send: `drafts`, or `packets` as they were captured.

    `interface` is for verbatim frames; empty means that the route decides. `bypass` is
    PACKET_QDISC_BYPASS (packet(7)). `said` names the order in the audit; the report shows `notes`.
    """

    drafts: tuple[Draft, ...] = ()
    packets: tuple[bytes, ...] = ()
    method: SendMethod = SendMethod.IP
    interface: str = ""
    plan: SendPlan = SendPlan()  # noqa: RUF009 - a frozen value
    bypass: bool = False
    said: str = ""
    notes: tuple[str, ...] = ()

    @property
    def network(self) -> str:
        """``ip`` or ``ipv6`` if a draft chooses how to read the first packet, else empty."""
        return self.drafts[0].network if self.drafts and not self.packets else ""


@dataclass(frozen=True, slots=True)
class Question:
    """The sentences that the user is asked about before order `number` leaves.

    `marks` are what a yes is remembered by.
    """

    number: int
    sentences: tuple[str, ...]
    marks: frozenset[str]


@dataclass(frozen=True, slots=True)
class ForgeSnapshot:
    """The state of the service for the screen. `ours` are the numbers of packets that it sent."""

    around: tuple[RouteSuggestions, ...] = ()
    interfaces: tuple[str, ...] = ()
    question: Question | None = None
    report: Report = field(default_factory=Report)
    sent_numbers: frozenset[int] = frozenset()

    @property
    def sending(self) -> bool:
        """True while an order is being carried out."""
        return self.report.sending
