"""Send packets in the background: one order at a time, its questions, and its report.

The screen never sends and never waits. It hands over an `Order`, polls a `ForgeSnapshot` as it
polls the capture, and answers the question in it. Four threads do the work:

* the *sender* (`core.forge.sender_thread`) carries out the orders. It takes commands from one
  queue, and publishes the state of the order by one assignment of an immutable value;
* the *lookup* (`core.forge.lookup`) asks the routing and neighbor tables about the drafts on the
  screen, and puts its results into the sender's queue;
* the *payload reader* (`core.forge.payload_reader`) reads the files that the drafts name;
* the *analysis thread* (`core.analysis.analysis_thread`), which other analyses share, finds sent
  packets in the store (`core.forge.packet_search`).

No attribute is written by two threads, so there is no lock: those of `ForgeService` and
`PacketSearch` belong to the screen's thread, those of `Sender`, `Lookup`, `PayloadReader`, and
`Tracker` to their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from core.analysis.analysis_thread import AnalysisThread
from core.forge.commands import Answer, Close, Send, StopSending
from core.forge.compose.payload_file import file_names
from core.forge.host import ForgeHost
from core.forge.journal.send_journal import SendJournal
from core.forge.lookup import Lookup
from core.forge.orders import ForgeSnapshot, Order, ShownDrafts
from core.forge.packet_search import FollowedStore, PacketSearch
from core.forge.payload_reader import PayloadReader
from core.forge.report import Report
from core.forge.sender_thread import Sender, answered
from core.forge.values import SendMethod
from core.store.snapshot import Snapshot


class ForgeService:
    """Carries out orders. One thread, the screen's, calls its methods, which return at once.

    `folder` holds drafts, approved destinations, and the audit. `analysis` finds sent packets.
    Without `audit` the service does not record what it sends.
    """

    def __init__(
        self,
        folder: Path,
        host: ForgeHost,
        analysis: AnalysisThread,
        *,
        audit: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host = host
        self.journal = SendJournal(folder, audit)
        self._clock = clock
        self._serial = 0  # of the newest order or answer
        self._order = 0  # serial number of the newest order
        self._expected = Report()  # shown until the sender has handled `_serial`
        self._shown: ShownDrafts | None = None
        self._search = PacketSearch(analysis, clock)
        self._sender = Sender(host, self.journal, clock, lambda: self._search.followed)
        self._lookup = Lookup(host, lambda: self._shown, self._sender.put)
        self._reader = PayloadReader(lambda: self._shown, self._sender.put)

    def snapshot(self) -> ForgeSnapshot:
        """Return the latest published state, with the effect of orders and answers given since."""
        state = self._search.add_to(self._sender.published)
        if state.handled < self._serial:
            return replace(state, question=None, report=self._expected)
        return state

    def interfaces(self) -> dict[str, SendMethod | None]:
        """Return the interfaces that are up: by name, the method that sends verbatim there.

        Asks the kernel, so call it in a thread of its own. Raises `OSError`.
        """
        return self._host.interfaces()

    def suggest(self, shown: ShownDrafts) -> None:
        """Look up in the background what routes and neighbors suggest for these drafts."""
        self._shown = shown
        self._start()
        self._lookup.task.wake()
        if file_names(shown.drafts):
            self._reader.task.start()
        self._reader.task.wake()

    def update_store(self, snapshot: Snapshot, generation: int, unseen_reason: str) -> None:
        """Compare sent packets with a newer snapshot of the store; `generation` counts the stores.

        `unseen_reason` is why the capture cannot show a packet that is sent now, or empty.
        """
        followed = FollowedStore(snapshot, generation, unseen_reason)
        self._search.follow(followed, self._sender.published)

    def send(self, order: Order) -> bool:
        """Begin with an order; return False while another one is being carried out."""
        if self.snapshot().sending:
            return False
        self._serial += 1
        self._order = self._serial
        method, subject = order.method.value, order.description
        self._expected = Report(method=method, subject=subject, sending=True)
        self._start()
        self._sender.put(Send(self._serial, order))
        self._reader.task.wake()  # show the new content of a file that changed
        return True

    def answer(self, yes: bool) -> None:
        """Answer the question of the snapshot. After a no, the next order may follow at once."""
        snapshot = self.snapshot()
        if snapshot.question is not None:
            self._serial += 1
            self._expected = answered(snapshot.report, yes)
            self._sender.put(Answer(self._serial, snapshot.question, yes))

    def stop(self) -> None:
        """Send no more packets of the current order."""
        self._sender.put(StopSending(self._order))

    def close(self) -> None:
        """Stop everything, and wait for it; changes of saved drafts are completed."""
        self._sender.put(Close())
        self._search.close()
        self._lookup.task.close()
        self._reader.task.close()
        self._sender.join()
        self.journal.close()

    def _start(self) -> None:
        self._sender.start()
        self._lookup.task.start()
