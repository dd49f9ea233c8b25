"""The commands in the queue of the sender's thread, from the screen and from background tasks.

Every command is an immutable value. `serial` counts the commands of the screen that change what it
shows; the sender publishes the last one that it handled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.forge.compose.payload_file import FileContents
from core.forge.compose.route_suggestions import RouteSuggestions
from core.forge.orders import Order, Question, ShownDrafts
from core.forge.values import SendMethod


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
class Suggested:
    """The route suggestions for the drafts on the screen; None for `interfaces` keeps them."""

    shown: ShownDrafts
    suggestions: tuple[RouteSuggestions, ...]
    interfaces: Mapping[str, SendMethod | None] | None


@dataclass(frozen=True, slots=True)
class FilesRead:
    """The contents of the files that the drafts on the screen name."""

    files: FileContents


@dataclass(frozen=True, slots=True)
class Close:
    """End the thread."""


Command = Send | Answer | StopSending | Suggested | FilesRead | Close
