"""What the screen hands to the forge, and what it gets to see of it: values only."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.forge.compose.draft import Draft
from core.forge.compose.route_suggestions import RouteSuggestions
from core.forge.report import Report
from core.forge.values import SendMethod, SendPlan


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be sent: `drafts`, or `packets` as they were captured. `interface` is for verbatim
    frames, empty where the route decides. `said` is how the audit names it; `notes` stand in the
    report."""

    drafts: tuple[Draft, ...] = ()
    packets: tuple[bytes, ...] = ()
    way: SendMethod = SendMethod.IP
    interface: str = ""
    plan: SendPlan = SendPlan()  # noqa: RUF009 - a frozen value
    said: str = ""
    notes: tuple[str, ...] = ()

    @property
    def network(self) -> str:
        """What the first packet's first header is meant to be, where a draft says it."""
        return self.drafts[0].network if self.drafts and not self.packets else ""


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked before order `number` leaves. `agreed` are sentences of earlier
    questions about it."""

    number: int
    sentences: tuple[str, ...]
    marks: frozenset[str]
    agreed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ForgeSnapshot:
    """All that the screen needs to know. `ours` are numbers of packets that we sent."""

    around: tuple[RouteSuggestions, ...] = ()
    interfaces: tuple[str, ...] = ()
    question: Question | None = None
    report: Report = field(default_factory=Report)
    ours: frozenset[int] = frozenset()

    @property
    def sending(self) -> bool:
        """Whether an order is on its way."""
        return self.report.sending
