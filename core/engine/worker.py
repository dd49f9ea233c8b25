"""The worker thread: one epoll loop with everything that waits for the network.

The capture sources, the link watcher, the echo server (`core.engine.echo_service`), and the wake-up
of the command queue are sources of the loop. A file is read by a thread of its own
(`core.engine.file_import`), whose end comes back to the worker as a command. Captured batches go to
a `PacketFanOut`: to the store, and to the recorder.

Whatever fails becomes a state and one line of text: a missing interface, a deleted link, a file
that is not a capture. An internal error ends the worker, but not the program; one in the echo
server ends only that server. Captured packets stay usable in every case.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from core.capture.capture_filter import CaptureFilter
from core.capture.options import CaptureOptions
from core.capture.packet_sink import PacketFanOut
from core.capture.renaming import Renaming
from core.capture.session import CaptureSession, Feed
from core.capture.source import CaptureError
from core.decode.capture_statistics import CaptureStatistics, since
from core.engine.capture_end import NO_END, CaptureEnd, EndingSink
from core.engine.echo_service import EchoService
from core.engine.file_import import FileReading
from core.engine.recording_control import RecordingControl
from core.engine.snapshot import EngineSnapshot, EngineState, NoticeSeverity
from core.net.event_loop import EpollLoop
from core.net.netlink import LinkMessage
from core.net.sockets import SocketProvider
from core.store.packet_store import PacketStore
from core.store.right_of_way import RightOfWay
from core.wire.model.text import safe

if TYPE_CHECKING:
    from core.recording.recorder import Recorder  # imported by the first recording

LAST_WRITES_S = 10.0  # for packets that wait for the disk at the end
PUBLISH_S = 0.25  # at least this often, so that the drop counter is current
READS_PER_WAKEUP = 8  # batches of one source before the loop serves the others


class Published(NamedTuple):
    """The latest state, without packets, and the store that it describes."""

    state: EngineSnapshot
    store: PacketStore


class Worker:
    """The work of the worker thread. Other threads read only `published`, `reading`, `failure`.

    `command` hands a function to the loop from the thread that reads a file. `sockets` makes
    the sockets of captures.
    """

    def __init__(
        self,
        store: PacketStore,
        loop: EpollLoop,
        command: Callable[[Callable[[], None]], None],
        echo: EchoService,
        sockets: SocketProvider,
        right_of_way: RightOfWay,
    ) -> None:
        self.published = Published(EngineSnapshot(), store)
        self.reading: FileReading | None = None
        self.failure: BaseException | None = None
        self._store = store
        self._store_generation = 0
        self._sockets = sockets
        self._right_of_way = right_of_way
        self._sink = PacketFanOut((store,))
        self.recording = RecordingControl(self._sink, store, self.stop, self._all_statistics)
        self._intake = EndingSink(self._sink, NO_END, loop, self.stop)
        self._loop = loop
        self._command = command
        self._echo = echo
        self._ending = False
        self._session: CaptureSession | None = None
        self._state = EngineState.IDLE
        self._message = ""
        self._severity = NoticeSeverity.NONE
        self._interfaces: tuple[str, ...] = ()
        self._capture_filter: CaptureFilter | None = None  # of this capture, or of the last one
        self._notes: tuple[str, ...] = ()
        self._links: dict[str, LinkMessage] = {}  # of all sessions, by name
        self._renamed: tuple[Renaming, ...] = ()
        self._renamed_earlier: tuple[Renaming, ...] = ()  # in sessions that have ended
        self._captured_earlier = 0
        self._ended: dict[str, CaptureStatistics] = {}  # of all sessions, by interface
        self._counted = self._ended  # the latest totals
        self._before_store = self._ended

    def run(self) -> None:
        """Run the loop until `end`. The body of the thread."""
        self._loop.call_every(PUBLISH_S, self.recording.update)
        self._loop.call_every(PUBLISH_S, self._publish)
        try:
            while not self._run_loop():
                pass
        except Exception as failure:
            self._give_up(failure)

    def _run_loop(self) -> bool:
        """Run until the loop stops or the echo server fails. Return True at the end."""
        try:
            self._loop.run()
        except Exception as failure:
            self.failure = failure  # before the echo server's state names it
            if not self._echo.contain_fault(failure):
                raise
            self._loop.call(self._publish)  # after the commands that waited
            return self._ending
        return True

    def _give_up(self, failure: Exception) -> None:
        """End the worker after an internal error.

        Publish the failure first, with the counts of the last state: what follows may fail too, and
        the session may be the broken part.
        """
        self.failure = failure
        session, self._session = self._session, None
        if session is not None:
            self._captured_earlier += self._intake.taken
            self._ended = self._counted
        self._fail(f"the capture thread failed ({_describe(failure)}); start rawscope again")
        if self.reading is not None:
            self.reading.cancel()
        self._echo.close()
        self.recording.stop()
        if session is not None:
            with suppress(Exception):
                session.close()
        self.recording.join(LAST_WRITES_S)
        with suppress(Exception):  # nothing else publishes the end of the recording
            self._publish()

    def begin_capture(self, options: CaptureOptions, end: CaptureEnd) -> None:
        """Open the sources and add them to the loop, up to an end."""
        self.end_work()
        if self.reading is not None:
            self._renew_store()
        self.reading = None
        self._interfaces, self._capture_filter = options.interfaces, options.capture_filter
        try:
            session = CaptureSession(options, self._sink.add_interface, self._sockets, self._links)
        except CaptureError as error:
            self._fail(str(error))
            return
        except OSError as error:
            self._fail(f"cannot capture: {error.strerror}")
            return
        self._session = session
        self._intake = EndingSink(self._sink, end, self._loop, self.stop)
        self.recording.capture_begins()
        self._take_names(session)
        self._loop.add(session.watcher, partial(self._on_links, session))
        for feed in session.feeds:
            self._loop.add(feed.source, partial(self._on_frames, session, feed))
        self._enter_live(session)

    def record(self, recorder: Recorder) -> None:
        """Hand captured packets to a recorder from now on."""
        self.recording.begin(recorder)
        if self._session is not None:
            self.recording.capture_begins()

    def end_recording(self) -> None:
        """End the recording after the packets that have arrived, also those still in the kernel."""
        session = self._session
        if session is None:
            self.recording.stop()
        else:
            self.recording.stop_after(partial(session.has_delivered, session.arrived()))

    def change_filter(self, capture_filter: CaptureFilter | None) -> None:
        """Replace the filter of the running capture. Say so if it stays as it was."""
        session = self._session
        if session is None:
            return
        try:
            session.change_filter(capture_filter)
        except CaptureError as error:
            self._enter(
                EngineState.LIVE, f"{error}; the filter is not changed", NoticeSeverity.WARNING
            )
        else:
            self._capture_filter = capture_filter
            self._enter_live(session)

    def begin_reading(self, sources: Sequence[str | int], *, follows: bool) -> None:
        """Start the thread that reads files."""
        self.end_work()
        if self._state is not EngineState.IDLE:
            self._renew_store()
        self.reading = FileReading(self._store, sources, self._on_reading_ended, follows=follows)
        self._enter(EngineState.READING)
        self.reading.start()

    def _renew_store(self) -> None:
        """Replace the store by an empty one, and start counting again."""
        self._store = PacketStore(self._store.limit_bytes, self._store.decode_rules)
        self._sink = PacketFanOut((self._store,))
        self.recording.move_to(self._sink, self._store)
        self._intake = EndingSink(self._sink, NO_END, self._loop, self.stop)
        self._store_generation += 1
        self._before_store = self._ended
        self._captured_earlier = 0
        self._notes = ()

    def stop(self) -> None:
        """End the capture or the reading of a file, if there is one."""
        if self._state in (EngineState.LIVE, EngineState.READING):
            self.end_work()
            self._enter(EngineState.STOPPED)

    def end(self) -> None:
        """End all work; the worker takes no more."""
        self._ending = True
        self.end_work()
        self.recording.stop()
        self._echo.close()

    def end_work(self) -> None:
        """Take the packets that are still in the kernel, then close the sources."""
        if self.reading is not None:
            self.reading.cancel()
        self._intake.close()
        session = self._session
        if session is not None:
            self._loop.remove(session.watcher)
            for feed in tuple(session.feeds):
                self._end_feed(session, feed)
            self._captured_earlier += self._intake.taken
            self._ended = self._all_statistics()
            session.close()
            self._session = None
            self._renamed_earlier = self._renamed
            self.recording.settle()

    def _end_feed(self, session: CaptureSession, feed: Feed) -> None:
        self._loop.remove(feed.source)
        session.end(feed, self._intake.append)

    def _on_frames(self, session: CaptureSession, feed: Feed, events: int) -> None:
        if events & select.EPOLLERR:
            feed.source.clear_error()  # the link watcher reports the cause
        self._right_of_way.yield_to_key()
        self._right_of_way.claim(feed)
        batches = 0
        while batches < READS_PER_WAKEUP and (batch := session.read(feed)) is not None:
            batches += 1
            self._intake.append(batch)
            if self._intake.is_full:
                break
        self.recording.settle()
        if batches <= 1:  # else frames waited: keep the claim until the source is empty
            self._right_of_way.release(feed)
        if self._intake.is_full:
            self.stop()
        else:
            self._publish()

    def _all_statistics(self) -> dict[str, CaptureStatistics]:
        """Return the totals of all captures, by the names of interfaces."""
        totals = dict(self._ended)
        if self._session is not None:
            for name, counted in self._session.statistics_by_interface().items():
                totals[name] = totals.get(name, CaptureStatistics()) + counted
        self._counted = totals
        return totals

    def _on_links(self, session: CaptureSession, _events: int) -> None:
        for feed in tuple(session.feeds):
            self._on_frames(session, feed, 0)  # they arrived before the rename
            if session is not self._session:
                return  # the capture is at its end
        gone = session.update_links()
        self._take_names(session)
        for feed in gone:
            self._end_feed(session, feed)
        if session.feeds:
            self._enter_live(session)
        else:
            trouble = session.trouble
            self.end_work()
            self._fail(
                f"{trouble}; the captured packets are kept; "
                "restart the capture when the interface is back"
            )

    def _take_names(self, session: CaptureSession) -> None:
        """Publish the names of the session's interfaces from now on."""
        self._interfaces = session.interfaces
        self._notes = session.notes
        self._links |= session.links
        self._renamed = (*self._renamed_earlier, *session.renamed)

    def _on_reading_ended(self, reading: FileReading) -> None:
        self._command(partial(self._finish_reading, reading))

    def _finish_reading(self, reading: FileReading) -> None:
        if reading is not self.reading or self._state is not EngineState.READING:
            return  # canceled meanwhile
        if reading.error:
            self.failure = reading.failure
            self._fail(reading.error)
        elif reading.damaged and reading.notes:
            self._enter(EngineState.DONE, reading.notes[-1], NoticeSeverity.WARNING)
        else:
            self._enter(EngineState.DONE)

    def _enter_live(self, session: CaptureSession) -> None:
        """Enter the live state, with a warning about links and sources that need one."""
        self._enter(
            EngineState.LIVE, session.trouble or "; ".join(session.notes), NoticeSeverity.WARNING
        )

    def _fail(self, message: str) -> None:
        self._enter(EngineState.FAILED, message, NoticeSeverity.ERROR)

    def _enter(
        self, state: EngineState, message: str = "", severity: NoticeSeverity = NoticeSeverity.NONE
    ) -> None:
        self._state = state
        self._message = message
        self._severity = severity if message else NoticeSeverity.NONE
        self._publish()

    def _publish(self) -> None:
        captured = self._captured_earlier
        session, reading = self._session, self.reading
        if session is not None:
            captured += self._intake.taken
        statistics = since(self._all_statistics(), self._before_store)
        total = sum(statistics.values(), CaptureStatistics())
        state = EngineSnapshot(
            state=self._state,
            message=self._message,
            severity=self._severity,
            interfaces=self._interfaces,
            capture_filter=self._capture_filter,
            file=reading.label if reading is not None else "",
            piped=reading is not None and reading.piped,
            followed=reading is not None and reading.followed,
            captured=captured,
            received=total.received,
            dropped=total.dropped,
            statistics=statistics,
            progress=reading.progress if reading is not None else None,
            damaged=reading is not None and reading.damaged,
            notes=self._notes if reading is None else reading.notes,
            store_generation=self._store_generation,
            renamed=self._renamed,
            loop=self._loop.counters,
            recording=self.recording.state,
            recorded=self.recording.recorded,
        )
        self.published = Published(state, self._store)


def _describe(failure: BaseException) -> str:
    return f"{type(failure).__name__}: {safe(str(failure))}"
