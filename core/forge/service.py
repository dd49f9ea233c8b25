"""Send packets in the background: one order at a time, its questions, and what became of it.

The screen never sends and never waits. It hands over an `Order`, polls a `ForgeSnapshot` as it
polls the capture, and answers the question in it. Two threads do the work, each only while there
is some:

* the *background task* asks the routing and neighbor tables what they suggest for the draft on the
  screen, and follows sent packets through the store (`core.forge.observe.tracker`);
* a *sender* lives as long as one order: it reviews the packets, and sends them after the answer.

The snapshot is absolute and replaced by one assignment under a lock. The service takes the next
order when the one before has ended, and drops what the background task finds about an older one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from core.forge.background_task import BackgroundTask
from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import Evaluation, aim_wanted, evaluate
from core.forge.compose.route_suggestions import RouteSuggestions
from core.forge.host import ForgeHost
from core.forge.journal.send_journal import OrderError, SendJournal
from core.forge.observe.tracker import Tracker
from core.forge.orders import ForgeSnapshot, Order, Question
from core.forge.report import Report
from core.forge.review.confirmation import Examination, SendVolume
from core.forge.send_errors import SendError
from core.forge.transmit.pacing import send_packets
from core.forge.transmit.transmission import PreparedTransmission
from core.forge.values import SendMethod, SendProgress
from core.net.sockets import NotPermittedError
from core.store.snapshot import Snapshot
from core.wire.model.text import safe

LISTEN_S = 10.0  # so long after the last packet replies are looked for
_JOIN_S = 2.0


class ForgeService:
    """Carries out orders. Its methods are the screen's and return at once.

    `folder` is where drafts, agreed destinations and the audit are; `audit` says whether what is
    sent is written down.
    """

    def __init__(
        self,
        folder: Path,
        *,
        audit: bool = True,
        machine: ForgeHost | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.keeping = SendJournal(folder, audit)
        self._machine = machine or ForgeHost()
        self._clock = clock
        self._lock = threading.Lock()
        self._scene = ForgeSnapshot()
        self._number = 0  # of the newest order
        self._stop = threading.Event()
        self._sender: threading.Thread | None = None
        self._order: Order | None = None
        self._looker = BackgroundTask(self._look, self._lost_sight)
        self._wanted: tuple[tuple[Draft, ...], str] | None = None
        self._snapshot: Snapshot | None = None
        self._tracker: Tracker | None = None
        self._until_s = 0.0
        self._earlier: frozenset[int] = frozenset()  # of orders before this one
        self._turn = 0

    # -- what the screen calls -----------------------------------------------------------

    def scene(self) -> ForgeSnapshot:
        """What is so now."""
        return self._scene

    def consider(self, drafts: tuple[Draft, ...], interface: str) -> None:
        """Look up what the machine suggests for these drafts."""
        self._wanted = drafts, interface
        self._looker.wake()

    def follow(self, snapshot: Snapshot, turn: int, blind: str) -> None:
        """The packets captured so far; `turn` counts the stores. `blind` says why what is sent now
        is not seen, empty if it is."""
        if turn != self._turn:
            self._turn = turn
            self._tracker = None
            self._earlier = frozenset()
            self._change(ours=frozenset())
            self._report(listening=False)
        before, self._snapshot = self._snapshot, snapshot
        report = self._scene.report
        if report.progress is not None and report.listening and report.blind != blind:
            self._report(blind=blind)
        grown = before is None or snapshot.version != before.version
        if report.listening and (grown or self._clock() > self._until_s):
            self._looker.wake()

    def send(self, order: Order) -> bool:
        """Begin with an order; False while another one is on its way."""
        if self._scene.sending:
            return False
        self._number += 1
        self._order = order
        self._stop.clear()
        self._tracker = None
        self._change(question=None, report=Report(way=order.way.value, sending=True))
        self._begin(partial(self._prepare, order, self._number))
        return True

    def answer(self, yes: bool) -> None:
        """Answer the question of the scene."""
        question, order = self._scene.question, self._order
        if question is None or order is None:
            return
        if yes:
            self._report(asking=False)
            self._change(question=None)
            self._begin(partial(self._carry_out, order, question))
        else:
            self._change(question=None, report=Report(way=order.way.value, declined=True))

    def stop(self) -> None:
        """Send no more of the order that is on its way."""
        self._stop.set()

    def close(self) -> None:
        """Stop everything, and wait for it."""
        self._stop.set()
        self._looker.close()
        if self._sender is not None:
            self._sender.join(_JOIN_S)

    # -- the sender's thread -------------------------------------------------------------

    def _begin(self, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except Exception as fault:  # ours: it is shown, and the program goes on
                self._fail(f"sending failed ({type(fault).__name__}: {safe(str(fault))})")

        self._sender = threading.Thread(target=run, name="rawscope sender", daemon=True)
        self._sender.start()

    def _prepare(self, order: Order, number: int) -> None:
        """Find out what there is to ask; without a question, go on."""
        try:
            departure, _ = self._depart(order, resolve=False)
            found = self._examine(order, departure)
        except (OrderError, SendError, OSError) as error:
            self._fail(str(error))
            return
        question = Question(number, found.questions, found.marks)
        if found.questions:
            self._ask(question)
        else:
            self._carry_out(order, question)

    def _examine(self, order: Order, departure: PreparedTransmission) -> Examination:
        load = SendVolume(order.plan.count * len(departure.packets), order.plan.rate)
        return departure.examine(load, self.keeping.shelf.known())

    def _ask(self, question: Question) -> None:
        self._report(asking=True)
        self._change(question=question)

    def _carry_out(self, order: Order, question: Question) -> None:
        """Send, and write down what was sent; `question` was agreed to. The packets are built once
        more, since an address may have been found: if that is unusual, it is asked again."""
        agreed = (*question.agreed, *question.sentences)
        with ExitStack() as stack:
            try:
                departure, evaluations = self._depart(order, resolve=True)
                found = self._examine(order, departure).without(agreed)
                marks = question.marks | found.marks
                if found.questions:
                    self._ask(Question(question.number, found.questions, marks, agreed))
                    return
                audit = self.keeping.open_audit(order.way, stack)
                injector = stack.enter_context(self._machine.open(departure))
                if audit is not None:
                    self.keeping.write_down(order, departure, evaluations, audit)
            except (OrderError, SendError, NotPermittedError, OSError) as refusal:
                self._fail(str(refusal))
                return
            self._watch(departure)
            progress = send_packets(
                injector,
                departure.given_to_kernel,
                order.plan,
                self._stop.is_set,
                lambda progress: self._report(progress=progress),
            )
            trouble = audit.note_result(departure, progress) if audit is not None else ""
        notes = (*order.notes, *departure.notes, *((trouble,) if trouble else ()))
        notes += self.keeping.remember(order.drafts if progress.sent else (), marks)
        error = str(progress.error) if progress.error is not None else ""
        self._until_s = self._clock() + LISTEN_S
        self._report(progress=progress, sending=False, error=error, notes=notes)
        self._looker.wake()

    def _depart(
        self, order: Order, *, resolve: bool
    ) -> tuple[PreparedTransmission, list[Evaluation]]:
        """The packets with their way out; with `resolve` the link may be asked for addresses."""
        evaluations, packets, interface = [], order.packets, order.interface
        for draft in order.drafts:
            around = self._machine.suggest_from_routes(draft, order.interface, resolve=resolve)
            evaluation = evaluate(draft, around.values)
            for one in evaluation.errors:
                raise OrderError(f"{one.key}: {one.error}")
            if (aim := evaluation.unaimed) is not None:
                raise OrderError(f"{aim.key}: {aim_wanted(aim)}")
            if order.way is SendMethod.LINK:
                interface = interface or (around.link.name if around.link is not None else "")
                if resolve and around.trouble:
                    raise OrderError(f"{around.trouble}; type an address, or choose another way")
            evaluations.append(evaluation)
            packets = (*packets, evaluation.data)
        if order.way is SendMethod.LINK and not interface:
            raise OrderError("choose the interface that the frame is to leave on")
        return self._machine.prepare(packets, order.way, interface, order.network), evaluations

    def _watch(self, departure: PreparedTransmission) -> None:
        """From here on, captured packets may be ours."""
        snapshot = self._snapshot
        first = snapshot.count + 1 if snapshot is not None else 1
        self._earlier = self._scene.ours
        self._until_s = float("inf")
        self._tracker = Tracker(departure.packets, departure.way, first, departure.network)
        self._report(
            interface=departure.interface,
            listening=True,
            progress=SendProgress(0),
            audit=self.keeping.audit_path(departure.way),
        )

    # -- the looker's thread ---------------------------------------------------------------

    def _look(self) -> bool:
        """Do what there is to do; False if there is more."""
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            drafts, interface = wanted
            try:
                around = tuple(
                    self._machine.suggest_from_routes(draft, interface) for draft in drafts
                )
                self._change(around=around, interfaces=self._machine.interfaces())
            except OSError as error:  # of netlink
                self._change(around=(RouteSuggestions(trouble=f"no routes: {error.strerror}"),))
        tracker, snapshot = self._tracker, self._snapshot
        if tracker is None or snapshot is None:
            return True
        done = tracker.look(snapshot)
        with self._lock:
            if tracker is self._tracker:
                listening = self._clock() <= self._until_s
                fates = tracker.fates()
                report = replace(
                    self._scene.report, fates=fates, listening=listening, counting=not done
                )
                ours = self._earlier | tracker.ours
                self._scene = replace(self._scene, report=report, ours=ours)
        return done

    def _lost_sight(self, fault: Exception) -> None:
        """A fault of ours in looking: what was sent is not followed any more."""
        self._tracker = None
        words = f"looking failed ({type(fault).__name__}: {safe(str(fault))})"
        self._report(blind=f"{words}, so what left and what came back is not seen", listening=False)

    # -- state -----------------------------------------------------------------------------

    def _fail(self, sentence: str) -> None:
        self._report(sending=False, error=sentence)

    def _report(self, **changes: object) -> None:
        with self._lock:
            report = replace(self._scene.report, **changes)  # type: ignore[arg-type]
            self._scene = replace(self._scene, report=report)

    def _change(self, **changes: object) -> None:
        with self._lock:
            self._scene = replace(self._scene, **changes)  # type: ignore[arg-type]
