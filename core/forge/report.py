"""The state of the order that is being sent or was sent last, as one immutable value."""

from __future__ import annotations

from dataclasses import dataclass

from core.forge.observe.packet_outcome import PacketOutcome
from core.forge.values import SendProgress


@dataclass(frozen=True, slots=True)
class Report:
    """The state of one order.

    `subject` names a captured packet that is sent again; it is empty for the form's drafts.
    `progress` stays None until the first packet; `error` is why the order cannot be sent, or
    why sending ended. `unseen_reason` is why the capture cannot show the packet, or empty.
    `listening` is true while replies may arrive, `counting` while captured packets are still to be
    compared; `declined` is true if the user answered no.
    """

    method: str = ""
    interface: str = ""
    progress: SendProgress | None = None
    sending: bool = False
    asking: bool = False
    declined: bool = False
    error: str = ""
    unseen_reason: str = ""
    listening: bool = False
    counting: bool = False
    outcomes: tuple[PacketOutcome, ...] = ()
    audit: str = ""
    notes: tuple[str, ...] = ()
    subject: str = ""
