"""The commands in the queue of the sender's thread, from the screen and from background tasks.

Every command is an immutable value. `serial` counts the commands of the screen that change what it
shows; the sender publishes the last one that it handled.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.forge.compose.payload_file import FileContents
from core.forge.compose.route_suggestions import RouteSuggestions
from core.forge.observe.packet_outcome import PacketOutcome
from core.forge.orders import Order, Question, ShownDrafts
from core.forge.values import SendMethod
from core.store.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class FollowedStore:
    """The newest snapshot of the store that the screen handed over.

    `generation` counts the stores. `unseen_reason` is why the capture cannot show a packet that is
    sent now, or empty.
    """

    snapshot: Snapshot | None = None
    generation: int = 0
    unseen_reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class WatchedOrder:
    """The packets to find in the store of `generation`, from packet number `first` on.

    `network` is ``ip`` or ``ipv6`` if a draft chose how to read the packets. `earlier` are the
    numbers of packets that earlier orders sent.
    """

    packets: tuple[bytes, ...]
    method: SendMethod
    network: str
    first: int
    generation: int
    earlier: frozenset[int]


@dataclass(frozen=True, slots=True)
class Send:
    """Carry out an order."""

    serial: int
    order: Order


@dataclass(frozen=True, slots=True)
class Answer:
    """The user's answer to a question."""

    serial: int
    question: Question
    yes: bool


@dataclass(frozen=True, slots=True)
class StopSending:
    """Send no more packets of the order with the serial number `order`."""

    order: int


@dataclass(frozen=True, slots=True)
class StoreReplaced:
    """The screen follows another store: packet numbers of earlier ones are void."""

    generation: int


@dataclass(frozen=True, slots=True)
class CaptureChanged:
    """The capture began or ceased to see the packets that are sent."""

    unseen_reason: str


@dataclass(frozen=True, slots=True)
class Suggested:
    """The route suggestions for the drafts on the screen; None for `interfaces` keeps them."""

    shown: ShownDrafts
    suggestions: tuple[RouteSuggestions, ...]
    interfaces: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class FilesRead:
    """The contents of the files that the drafts on the screen name."""

    files: FileContents


@dataclass(frozen=True, slots=True)
class Tracked:
    """The packets of an order found in the store. `counting` is true if more are to be compared."""

    watched: WatchedOrder
    outcomes: tuple[PacketOutcome, ...]
    sent_numbers: frozenset[int]
    counting: bool


@dataclass(frozen=True, slots=True)
class TrackingFailed:
    """An internal error ended the search for the packets of an order."""

    watched: WatchedOrder
    unseen_reason: str


@dataclass(frozen=True, slots=True)
class Close:
    """End the thread."""


Command = (
    Send
    | Answer
    | StopSending
    | StoreReplaced
    | CaptureChanged
    | Suggested
    | FilesRead
    | Tracked
    | TrackingFailed
    | Close
)
