"""An order on its way through the steps of `core.forge.pipeline`, and the steps before those.

1. Suggest: ask the routing and neighbor tables once for each draft.
2. Take the bytes that the user saw, or read the files that payloads name and evaluate each draft.
   The bytes are frozen from here on. If the user saw them, refuse if the route has changed since.
3. Find how the bytes leave.

`evaluate_order` has steps 1 and 2, `build` has step 3. `run` makes the job of an evaluated order
and hands it to the pipeline. There, `resolve` asks for the link address of the next hop, and
patches it, and nothing else, into the frozen bytes of frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Protocol

from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import Evaluation, describe_missing, evaluate
from core.forge.compose.payload_file import FileContents, file_names, is_current, read_file
from core.forge.compose.route_suggestions import RouteSuggestions
from core.forge.host import ForgeHost
from core.forge.journal.audit import Audit
from core.forge.journal.send_journal import SendJournal
from core.forge.orders import LINK_DESTINATION, Order, OrderError, ShownPacket
from core.forge.pipeline import Driver, carry_out
from core.forge.review.confirmation import Examination, SendVolume
from core.forge.transmit.injector import Injector
from core.forge.transmit.pacing import send_packets
from core.forge.transmit.transmission import PreparedTransmission
from core.forge.values import SendMethod, SendProgress


class FieldError(OrderError):
    """A field cannot be sent as it is. `key` is the field, `reason` the sentence about it."""

    def __init__(self, key: str, reason: str, *, missing: bool = False) -> None:
        super().__init__(f"{key}: {reason}")
        self.key = key
        self.reason = reason
        self.missing = missing


class UnresolvedError(OrderError):
    """No neighbor answers for the next hop; the text names it."""


class RouteChangedError(OrderError):
    """The route suggests other values than those in the bytes that the user saw."""

    def __init__(self, suggestions: tuple[RouteSuggestions, ...]) -> None:
        super().__init__("the route changed; check the new bytes, and send again")
        self.suggestions = suggestions


@dataclass(frozen=True, slots=True)
class EvaluatedOrder:
    """An order with an evaluation of each draft, and what the routes suggest for each."""

    order: Order
    evaluations: tuple[Evaluation, ...]
    suggestions: tuple[RouteSuggestions, ...]


@dataclass(frozen=True, slots=True)
class BuiltOrder:
    """The frozen bytes of an order (in `transmission`) and the evaluations that they came from."""

    order: Order
    evaluations: tuple[Evaluation, ...]
    transmission: PreparedTransmission
    audit_path: str = ""
    """The path of the audit file; empty without an audit."""

    def review(self, known: frozenset[str]) -> Examination:
        """Review the bytes; `known` are marks that the user approved before."""
        packets = self.order.plan.count * len(self.transmission.packets)
        return self.transmission.examine(SendVolume(packets, self.order.plan.rate), known)


class OrderDriver(Driver, Protocol):
    """The form or the command, as an order uses it."""

    def opened(self, built: BuiltOrder, stack: ExitStack) -> None:
        """Prepare for sending: the socket is open, and nothing has left.

        `stack` closes what the driver opens now.
        """
        ...

    def progress(self, progress: SendProgress) -> None:
        """Show the progress; called a few times a second."""
        ...

    def sent(self, built: BuiltOrder, progress: SendProgress, trouble: str) -> None:
        """Report the end of sending; `trouble` is the error in recording the result, or empty."""
        ...


def evaluate_order(order: Order, host: ForgeHost, *, complete: bool = True) -> EvaluatedOrder:
    """Return an order with an evaluation of each draft: the one that the user saw, or a new one.

    Raises `FieldError` for the first field in error; if `complete`, also for a missing destination
    and for frames without the interface that they leave on. Raises `RouteChangedError`, or
    `OrderError` for a file, if the evaluation would differ from the one that the user saw.
    """
    has_frames = any(draft.has_link for draft in order.drafts)
    if complete and has_frames and not order.method.is_verbatim:
        reason = "frames with a link header need the interface that they leave on"
        raise FieldError("link", reason, missing=True)
    files = _files(order)
    suggestions = tuple(host.suggest_from_routes(draft, order.interface) for draft in order.drafts)
    _check_routes(order, suggestions)
    if order.shown:
        evaluations = tuple(packet.evaluation for packet in order.shown)
    else:
        evaluations = tuple(
            evaluate(draft, suggested.values, files)
            for draft, suggested in zip(order.drafts, suggestions, strict=True)
        )
    for evaluation, suggested in zip(evaluations, suggestions, strict=True):
        if complete and order.interface and suggested.link is None:
            raise OrderError(suggested.trouble)
        for field in evaluation.errors:
            raise FieldError(field.key, field.error)
        if evaluation.built is None:
            raise OrderError("the packet does not fit its length fields")
        if complete and (aim := evaluation.missing_destination) is not None:
            raise FieldError(aim.key, describe_missing(aim), missing=True)
    return EvaluatedOrder(order, evaluations, suggestions)


def _check_routes(order: Order, suggestions: tuple[RouteSuggestions, ...]) -> None:
    """Raise `RouteChangedError` if what the user saw is out of date."""
    if order.shown and any(map(ShownPacket.is_outdated, order.shown, suggestions)):
        raise RouteChangedError(suggestions)


def _files(order: Order) -> FileContents:
    """Return the contents of the files that the drafts name; read those that the form did not."""
    files = {}
    for name in file_names(order.drafts):
        seen = order.files.get(name)
        if seen is not None and not seen.error and not is_current(name, seen):
            raise OrderError(f"@{name} has changed; check the new bytes, and send again")
        files[name] = seen if seen is not None else read_file(name)
    return files


def build(evaluated: EvaluatedOrder, host: ForgeHost) -> BuiltOrder:
    """Return an evaluated order with the transmission of its bytes.

    Raises `OrderError` and `SendError`.
    """
    order, interface = evaluated.order, evaluated.order.interface
    if order.method.is_verbatim:
        links = (suggested.interface for suggested in evaluated.suggestions)
        interface = interface or next((name for name in links if name), "")
        if not interface:
            raise OrderError("choose the interface that the frame is to leave on")
    packets = (*order.packets, *(one.data for one in evaluated.evaluations))
    transmission = host.prepare(packets, order.method, interface, order.network)
    return BuiltOrder(order, evaluated.evaluations, transmission)


def resolve(built: BuiltOrder, host: ForgeHost) -> BuiltOrder:
    """Return the order with the link addresses of its next hops, for open ``eth.dst``.

    Asks the link, so call it after the user approved. Raises `UnresolvedError`, and
    `RouteChangedError` if the route changed while the user answered.
    """
    order, transmission = built.order, built.transmission
    if order.method is not SendMethod.LINK or not order.drafts:
        return built
    suggestions = tuple(
        host.suggest_from_routes(draft, order.interface, resolve=True) for draft in order.drafts
    )
    for suggested in suggestions:
        if suggested.trouble:
            raise UnresolvedError(suggested.trouble)
    _check_routes(order, suggestions)
    packets = list(transmission.packets[: len(order.packets)])
    for draft, evaluation, suggested in zip(
        order.drafts, built.evaluations, suggestions, strict=True
    ):
        packets.append(_with_link_destination(draft, evaluation, suggested.values))
    return replace(built, transmission=replace(transmission, packets=tuple(packets)))


def _with_link_destination(
    draft: Draft, evaluation: Evaluation, values: Mapping[str, object]
) -> bytes:
    data, found = evaluation.data, values.get(LINK_DESTINATION)
    if not isinstance(found, int) or draft.texts.get(LINK_DESTINATION) or not draft.has_link:
        return data
    span = evaluation.field(LINK_DESTINATION).span
    assert span is not None
    return data[: span.start] + found.to_bytes(span.stop - span.start, "big") + data[span.stop :]


class _OrderJob:
    """An order on its way through the steps."""

    def __init__(
        self, built: BuiltOrder, host: ForgeHost, journal: SendJournal, driver: OrderDriver
    ) -> None:
        self.method = built.transmission.method
        self.drafts = built.order.drafts
        self.progress: SendProgress | None = None
        self._built = built
        self._host = host
        self._journal = journal
        self._driver = driver
        self._injector: Injector | None = None
        self._trouble = ""

    @property
    def sent(self) -> int:
        return self.progress.sent if self.progress is not None else 0

    def review(self, known: frozenset[str]) -> Examination:
        return self._built.review(known)

    def resolve(self) -> None:
        self._built = resolve(self._built, self._host)

    def open(self, stack: ExitStack) -> None:
        opened = self._host.open(self._built.transmission, bypass=self._built.order.bypass)
        self._injector = stack.enter_context(opened)

    def send(self, audit: Audit | None, stack: ExitStack) -> None:
        assert self._injector is not None
        driver, order = self._driver, self._built.order
        self._built = built = replace(self._built, audit_path=self._journal.audit_path(self.method))
        driver.opened(built, stack)
        if audit is not None:
            with driver.waiting():
                self._journal.record_order(order, built.transmission, built.evaluations, audit)
        self.progress = send_packets(
            self._injector,
            built.transmission.given_to_kernel,
            order.plan,
            driver.stopped,
            driver.progress,
        )
        if audit is not None:
            self._trouble = audit.note_result(built.transmission, self.progress)

    def report(self) -> None:
        """Hand the result to the driver."""
        assert self.progress is not None
        self._driver.sent(self._built, self.progress, self._trouble)


def run(
    evaluated: EvaluatedOrder, host: ForgeHost, journal: SendJournal, driver: OrderDriver
) -> SendProgress | None:
    """Send an evaluated order; return its progress, or None if the user did not approve it.

    Raises `OrderError`, `SendError` and `NotPermittedError` if nothing was sent.
    """
    job = _OrderJob(build(evaluated, host), host, journal, driver)
    return job.progress if carry_out(job, journal, driver) else None
