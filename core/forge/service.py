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
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

from core.forge import pipeline
from core.forge.background_task import BackgroundTask
from core.forge.compose.draft import Draft
from core.forge.compose.route_suggestions import RouteSuggestions
from core.forge.host import ForgeHost
from core.forge.journal.send_journal import SendJournal
from core.forge.observe.tracker import Tracker
from core.forge.orders import ForgeSnapshot, Order, OrderError, Question
from core.forge.report import Report
from core.forge.review.confirmation import Examination
from core.forge.send_errors import SendError
from core.forge.transmit.transmission import PreparedTransmission
from core.forge.values import SendProgress
from core.net.sockets import NotPermittedError
from core.store.budget import Budget
from core.store.snapshot import Snapshot
from core.wire.model.text import safe

LISTEN_S = 10.0  # so long after the last packet replies are looked for
SLICE_S = 0.02  # of comparing captured packets before others get the processor
_JOIN_S = 2.0


class ForgeService:
    """Carries out orders. The screen calls its methods, which return at once.

    `folder` holds drafts, agreed destinations and the audit; without `audit` nothing is written
    down.
    """

    def __init__(
        self,
        folder: Path,
        *,
        audit: bool = True,
        host: ForgeHost | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.journal = SendJournal(folder, audit)
        self._host = host or ForgeHost()
        self._clock = clock
        self._lock = threading.Lock()
        self._scene = ForgeSnapshot()
        self._number = 0  # of the newest order
        self._stop = threading.Event()
        self._sender: threading.Thread | None = None
        self._commands: SimpleQueue[Order | bool | None] = SimpleQueue()  # None: the end
        self._looker = BackgroundTask(self._look, self._lost_sight)
        self._wanted: tuple[tuple[Draft, ...], str] | None = None
        self._snapshot: Snapshot | None = None
        self._tracker: Tracker | None = None
        self._looked_at: Tracker | None = None  # by the background task
        self._until_s = 0.0
        self._earlier: frozenset[int] = frozenset()  # of orders before this one
        self._store_generation = 0

    # -- what the screen calls -----------------------------------------------------------

    def snapshot(self) -> ForgeSnapshot:
        """Return the latest published state."""
        return self._scene

    def suggest(self, drafts: tuple[Draft, ...], interface: str) -> None:
        """Look up in the background what routes and neighbors suggest for these drafts."""
        with self._lock:  # `_look` takes it
            self._wanted = drafts, interface
        self._looker.wake()

    def follow(self, snapshot: Snapshot, store_generation: int, unseen_reason: str) -> None:
        """Compare sent packets with a newer snapshot of the store.

        A new `store_generation` means that packet numbers start again. `blind` is why the capture
        cannot show a packet that is sent now; empty if it can.
        """
        if store_generation != self._store_generation:
            self._store_generation = store_generation
            self._tracker = None
            self._earlier = frozenset()
            self._change(sent_numbers=frozenset())
            self._report(listening=False)
        before, self._snapshot = self._snapshot, snapshot
        report = self._scene.report
        if (
            report.progress is not None
            and report.listening
            and report.unseen_reason != unseen_reason
        ):
            self._report(unseen_reason=unseen_reason)
        grown = before is None or snapshot.version != before.version
        if report.listening and (grown or self._clock() > self._until_s):
            self._looker.wake()

    def send(self, order: Order) -> bool:
        """Begin with an order; return False while another one is being carried out."""
        if self._scene.sending:
            return False
        self._number += 1
        self._stop.clear()
        self._tracker = None
        self._change(question=None, report=Report(method=order.method.value, sending=True))
        if self._sender is None:
            self._sender = threading.Thread(
                target=self._carry_out_orders, name="rawscope sender", daemon=True
            )
            self._sender.start()
        self._commands.put(order)
        return True

    def answer(self, yes: bool) -> None:
        """Answer the question of the snapshot. After a no, the next order may follow at once."""
        if self._scene.question is not None:
            if yes:
                self._report(asking=False)
                self._change(question=None)
            else:
                declined = Report(method=self._scene.report.method, declined=True)
                self._change(question=None, report=declined)
            self._commands.put(yes)

    def stop(self) -> None:
        """Send no more packets of the current order."""
        self._stop.set()

    def close(self) -> None:
        """Stop everything, and wait for it."""
        self._stop.set()
        self._commands.put(None)
        self._looker.close()
        if self._sender is not None:
            self._sender.join(_JOIN_S)

    # -- the sender's thread: `core.forge.pipeline` and its driver -------------------------

    remembers = True

    def _carry_out_orders(self) -> None:
        while (command := self._commands.get()) is not None:
            if isinstance(command, Order):  # an answer to no question is void
                self._carry_out(command)

    def _carry_out(self, order: Order) -> None:
        try:
            pipeline.run(order, self._host, self.journal, self)
        except pipeline.UnresolvedError as error:
            self._fail(f"{error}; type an address, or choose another way")
        except (OrderError, SendError, NotPermittedError, OSError) as refusal:
            self._fail(str(refusal))
        except Exception as fault:  # ours: the screen shows it, and the program goes on
            self._fail(f"sending failed ({type(fault).__name__}: {safe(str(fault))})")

    def approve(self, found: Examination) -> bool:
        """Publish the questions and wait for the user's answer."""
        self._report(asking=True)
        self._change(question=Question(self._number, found.questions, found.marks))
        answer = self._commands.get()
        if answer is None:  # the program ends
            self._commands.put(None)
        return answer is True

    def waiting(self) -> AbstractContextManager[object]:
        """No signal reaches this thread."""
        return nullcontext()

    def opened(self, built: pipeline.BuiltOrder, stack: ExitStack) -> None:
        """Follow the packets from here on."""
        self._watch(built.transmission)

    def stopped(self) -> bool:
        """True once `stop` was called for this order."""
        return self._stop.is_set()

    def progress(self, progress: SendProgress) -> None:
        """Publish the progress."""
        self._report(progress=progress)

    def sent(
        self,
        built: pipeline.BuiltOrder,
        progress: SendProgress,
        trouble: str,
        notes: tuple[str, ...],
    ) -> None:
        """Publish the result, and listen for replies a while longer."""
        all_notes = (*built.order.notes, *built.transmission.notes, trouble, *notes)
        error = str(progress.error) if progress.error is not None else ""
        self._until_s = self._clock() + LISTEN_S
        self._report(
            progress=progress,
            sending=False,
            error=error,
            notes=tuple(note for note in all_notes if note),
        )
        self._looker.wake()

    def _watch(self, transmission: PreparedTransmission) -> None:
        """Compare captured packets with these from now on."""
        snapshot = self._snapshot
        first = snapshot.count + 1 if snapshot is not None else 1
        self._earlier = self._scene.sent_numbers
        self._until_s = float("inf")
        self._tracker = Tracker(
            transmission.packets, transmission.method, first, transmission.network
        )
        self._report(
            interface=transmission.interface,
            listening=True,
            progress=SendProgress(0),
            audit=self.journal.audit_path(transmission.method),
        )

    # -- the looker's thread ---------------------------------------------------------------

    def _look(self) -> bool:
        """Suggest and compare; return False if more captured packets wait."""
        with self._lock:
            wanted, self._wanted = self._wanted, None
        if wanted is not None:
            drafts, interface = wanted
            try:
                around = tuple(self._host.suggest_from_routes(draft, interface) for draft in drafts)
                self._change(around=around, interfaces=self._host.interfaces())
            except OSError as error:  # of netlink
                self._change(around=(RouteSuggestions(trouble=f"no routes: {error.strerror}"),))
        self._looked_at = tracker = self._tracker
        snapshot = self._snapshot
        if tracker is None or snapshot is None:
            return True
        tracker.forget(snapshot.first)
        done = not tracker.extend(snapshot, Budget(SLICE_S))
        with self._lock:
            if tracker is self._tracker:
                listening = self._clock() <= self._until_s
                outcomes = tracker.outcomes()
                report = replace(
                    self._scene.report, outcomes=outcomes, listening=listening, counting=not done
                )
                sent_numbers = self._earlier | tracker.sent_numbers
                self._scene = replace(self._scene, report=report, sent_numbers=sent_numbers)
        return done

    def _lost_sight(self, fault: Exception) -> None:
        """Stop following an order after an internal error; a newer order is still followed."""
        with self._lock:
            if self._tracker is not self._looked_at:
                return
            self._tracker = None
        words = f"comparing captured packets failed ({type(fault).__name__}: {safe(str(fault))})"
        unseen_reason = f"{words}, so the sent packet and its replies cannot be shown"
        self._report(unseen_reason=unseen_reason, listening=False)

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
