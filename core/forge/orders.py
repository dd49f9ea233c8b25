"""Orders to the send service, its questions, and its published state: values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import Evaluation
from core.forge.compose.form_field import Origin
from core.forge.compose.payload_file import FileContents
from core.forge.compose.route_suggestions import RouteSuggestions
from core.forge.report import Report
from core.forge.values import SendMethod, SendPlan

LINK_DESTINATION = "eth.dst"  # the field that `order_job.resolve` patches


class OrderError(Exception):
    """An order cannot be carried out. The text is one sentence."""


@dataclass(frozen=True, slots=True)
class ShownDrafts:
    """The drafts on the screen and the interface that frames leave on, or empty."""

    drafts: tuple[Draft, ...] = ()
    interface: str = ""


@dataclass(frozen=True, slots=True)
class ShownPacket:
    """A draft as the user saw it: its evaluation, and the route suggestions in that."""

    evaluation: Evaluation
    suggestions: RouteSuggestions = RouteSuggestions()  # noqa: RUF009 - a frozen value

    def is_outdated(self, suggestions: RouteSuggestions) -> bool:
        """Return True if these suggestions give other bytes, or lead to another interface.

        The link address of the next hop is not compared: it is resolved when the packet is sent.
        """
        before, now = self.suggestions.values, suggestions.values
        return self.suggestions.interface != suggestions.interface or any(
            before.get(field.key) != now.get(field.key)
            for field in self.evaluation.fields
            if field.origin is not Origin.GIVEN and field.key != LINK_DESTINATION
        )


@dataclass(frozen=True, slots=True)
class Order:
    """Packets to send: `drafts`, or `packets` as they were captured.

    `interface` is for verbatim frames; empty means that the route decides. `bypass` is
    PACKET_QDISC_BYPASS (packet(7)). `description` names the order in the audit and the report; the
    report shows `notes`. `shown` has one entry per draft if the user saw the bytes, which are then
    sent as they are; else the drafts are evaluated when the order is carried out. `files` are the
    contents that the user saw of files that the drafts name.
    """

    drafts: tuple[Draft, ...] = ()
    packets: tuple[bytes, ...] = ()
    method: SendMethod = SendMethod.IP
    interface: str = ""
    plan: SendPlan = SendPlan()  # noqa: RUF009 - a frozen value
    bypass: bool = False
    description: str = ""
    notes: tuple[str, ...] = ()
    shown: tuple[ShownPacket, ...] = ()
    files: FileContents = field(default_factory=dict)

    @property
    def network(self) -> str:
        """``ip`` or ``ipv6`` if a draft chooses how to read the first packet, else empty."""
        return self.drafts[0].network if self.drafts and not self.packets else ""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """The sentences to ask the user before an order leaves.

    `marks` are stored when the user agrees.
    """

    sentences: tuple[str, ...]
    marks: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class WatchedOrder:
    """The packets to find in the store of `generation`, from packet number `first` on.

    Each packet leaves `count` times. `network` is ``ip`` or ``ipv6`` if a draft chose how to read
    the packets.
    """

    packets: tuple[bytes, ...]
    count: int
    method: SendMethod
    network: str
    first: int
    generation: int


@dataclass(frozen=True, slots=True)
class ForgeSnapshot:
    """The published state of the service.

    `suggestions` has one entry per draft of `looked_up`; `interfaces` are those that are up, with
    the method that sends verbatim there; `files` has the contents of the files that drafts name.
    `watched` is the order whose packets are to be found. `sent_numbers` are the packets in the
    store that the service sent. `listen_until_s` is when the service stops looking for replies, by
    its clock. `handled` counts the commands of the screen that this state includes.
    """

    looked_up: ShownDrafts = ShownDrafts()
    suggestions: tuple[RouteSuggestions, ...] = ()
    interfaces: Mapping[str, SendMethod | None] = field(default_factory=dict)
    files: FileContents = field(default_factory=dict)
    question: Question | None = None
    report: Report = field(default_factory=Report)
    watched: WatchedOrder | None = None
    sent_numbers: frozenset[int] = frozenset()
    listen_until_s: float = 0.0
    handled: int = 0

    @property
    def sending(self) -> bool:
        """True while the service carries out an order."""
        return self.report.sending
