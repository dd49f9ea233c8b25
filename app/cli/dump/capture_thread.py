"""The thread behind ``rawscope dump -i``: it empties the kernel's ring, and does nothing else.

It runs an epoll loop of its own over a capture session, and puts each batch into the backlog. After
`stop`, or at the end of its time, it admits no new frames, takes those still in the kernel, and
ends the backlog; the printing thread then ends by itself. So everything captured before the end is
printed, however long that takes.

captured = printed + refused by the backlog + not printed, and captured + dropped by the kernel is
the number of all frames until the end.
"""

from __future__ import annotations

import select
import threading
from collections.abc import Mapping
from functools import partial

from app.cli.output import CommandError, print_message, print_unread
from core.capture.options import CaptureOptions
from core.capture.session import CaptureSession, Feed, LinkState
from core.capture.source import CaptureError
from core.decode.batch import Batch, CaptureInterface
from core.decode.capture_statistics import CaptureStatistics
from core.net.event_loop import EpollLoop
from core.net.sockets import SocketProvider
from core.recording.backlog import Backlog
from core.store.interface_numbers import InterfaceNumbers
from core.wire.model.text import safe

BACKLOG_BYTES = 256 << 20
_COUNT_S = 1.0
MANY = 20_000  # packets; printing more takes a time that the user notices


class CaptureThread(threading.Thread):
    """A capture into `backlog`, from `start` until `stop`, `seconds`, or `count` packets.

    `sockets` makes the sockets. Raises `CommandError` if capturing is impossible.
    """

    def __init__(
        self,
        options: CaptureOptions,
        sockets: SocketProvider,
        count: int | None,
        seconds: float | None,
    ) -> None:
        super().__init__(name="rawscope capture", daemon=True)
        self.backlog = Backlog(BACKLOG_BYTES, count)
        self._numbers = InterfaceNumbers()
        self.interfaces = self._numbers.interfaces
        self.statistics: Mapping[str, CaptureStatistics] = {}  # by interface
        self.lost = ""  # one line about the first interface that was deleted
        self.failure: Exception | None = None
        self._trouble = ""
        self._awaited: list[Feed] = []  # their links are down
        self._reported: set[int] = set()
        self._is_closing = False
        self._loop = EpollLoop()
        try:
            self._session = CaptureSession(options, self._add, sockets)
        except CaptureError as error:
            self._loop.close()
            raise CommandError(str(error)) from error
        self.names = self._session.interfaces  # their own names, however the user named them
        for note in self._session.notes:
            print_message(f"rawscope: {note}")
        self._report_trouble()
        self._loop.add(self._session.watcher, self._on_links)
        for feed in self._session.feeds:
            self._loop.add(feed.source, partial(self._on_frames, feed))
        self._loop.call_every(_COUNT_S, self._count)
        if seconds is not None:
            self._loop.call_every(seconds, self._loop.stop)

    @property
    def captured(self) -> int:
        """Packets taken from the kernel."""
        return self.backlog.packets_in + self.backlog.refused

    @property
    def received(self) -> int:
        """Packets that the kernel received and the filter passed. Exact at the end."""
        return sum(each.received for each in self.statistics.values())

    @property
    def dropped(self) -> int:
        """Packets that the kernel dropped. Exact at the end."""
        return sum(each.dropped for each in self.statistics.values())

    def stop(self) -> None:
        """End the capture. For any thread."""
        self._loop.stop()

    def close(self) -> None:
        """Wait for the end of the thread, and close everything."""
        self._is_closing = True
        if self.ident is not None:
            self.join()
        self._session.close()
        self._loop.close()

    def run(self) -> None:
        """Capture to the end. The body of the thread."""
        try:
            self._loop.run()
            if not self.backlog.complete:
                for feed in tuple(self._session.feeds):
                    self._loop.remove(feed.source)
                    self._session.end(feed, self.backlog.put)
            self._count()
        except Exception as failure:  # the printing thread raises it again
            self.failure = failure
        waiting = self.backlog.packets_in - self.backlog.packets_out
        if waiting > MANY and not self._is_closing:
            print_message(
                f"rawscope: up to {waiting} packets are still in memory; ctrl+c skips them"
            )
        self.backlog.end()

    def _count(self) -> None:
        self.statistics = self._session.statistics_by_interface()

    def _add(self, interface: CaptureInterface) -> int:
        print_unread(self._reported, (interface.link_type,))
        return self._numbers.add(interface)

    def _put(self, batch: Batch) -> None:
        self.backlog.put(batch)
        if self.backlog.complete:
            self._loop.stop()

    def _on_frames(self, feed: Feed, events: int) -> None:
        if events & select.EPOLLERR:
            feed.source.clear_error()  # the link watcher reports the cause
        batch = self._session.read(feed)
        if batch is not None:
            self._put(batch)

    def _on_links(self, _events: int) -> None:
        for feed in self._session.feeds:
            self._on_frames(feed, 0)  # they arrived before the rename
        named = len(self._session.renamed)
        gone = self._session.update_links()
        for old, new in self._session.renamed[named:]:
            print_message(f"rawscope: {safe(old)} is now named {safe(new)}")
        self._report_trouble()
        for feed in gone:
            self.lost = self.lost or f"{safe(feed.source.name)} {feed.link.value}"
            self._loop.remove(feed.source)
            self._session.end(feed, self._put)
        if not self._session.feeds:
            self._loop.stop()

    def _report_trouble(self) -> None:
        trouble = self._session.trouble
        if trouble and trouble != self._trouble:
            print_message(f"rawscope: {trouble}")
        self._trouble = trouble
        for feed in self._awaited:
            if feed.link is LinkState.UP:
                print_message(f"rawscope: {safe(feed.source.name)} is up; capturing")
        self._awaited = [feed for feed in self._session.feeds if feed.link is not LinkState.UP]
