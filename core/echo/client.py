"""One client in the loop: the descriptor, when it is read and written, and the books.

* EPOLLIN and EPOLLRDHUP are asked for while we want to read, EPOLLOUT only while bytes are
  pending: a socket is nearly always writable, and a level-triggered EPOLLOUT would wake us for
  ever. When reading stops (high-water mark, pause, end of stream) EPOLLRDHUP goes too, since
  level triggered it would not fall silent either.
* A modification (EPOLL_CTL_MOD) makes epoll look again, so an edge-triggered client that stopped
  reading and begins again gets an event for what came meanwhile.
* Edge triggered, a client is read until nothing is left. EAGAIN says so, and after EPOLLIN alone so
  does a short read, of fewer bytes than it asked for (epoll(7)): what comes later is a new edge. It
  does not after EPOLLPRI, where a read stops at the urgent mark, nor after EPOLLRDHUP, EPOLLHUP or
  EPOLLERR, after which no other event may come: then only EAGAIN or the end will do.
* A peer that sends as fast as we read would keep us for ever, so after `READS_PER_TURN` reads the
  client goes to the end of a queue of our own (`core.echo.server_context`): no event will come for
  what is left. One may come for what is new; it waits for its turn all the same, or it would get
  two, and its bits are kept for that turn.
* An urgent byte (MSG_OOB) stays in the stream (SO_OOBINLINE) and is echoed in its place. EPOLLPRI
  announces it, and a read that begins before it stops there, however much lies behind (tcp(7)). So
  after EPOLLPRI each read asks first whether it begins at the mark, which counts the marks.
* The kernel sets EPOLLPRI when the urgent byte has come, even if bytes before it are still missing.
  Level triggered, it would then wake us for nothing until the gap is closed: after an EAGAIN we
  stop asking for it until the next event, which the missing bytes cause.
* `tcp_recvmsg_locked` (net/ipv4/tcp.c) also answers EAGAIN at the mark when a signal is pending.
  Edge triggered, no event would come for those bytes, so SIOCINQ decides whether to go on.
* One mark stops a read without EPOLLPRI: one that a peer announces only after the kernel has the
  byte, out of order (net/ipv4/tcp.c, `tcp_check_urg`, "misbehaving sender"). Its bytes wait for the
  peer's next segment, edge triggered; nobody else is held up.
* EPOLLIN, EPOLLRDHUP and EPOLLHUP may come together: what is in the buffer is read first. Only
  when we do not want to read does EPOLLHUP or EPOLLERR close the client at once: nobody is
  left to echo to.
* Ending in good order (`drain`): what lies unread in the kernel at that moment (SIOCINQ) was
  acknowledged, so the peer may count on it. It is *owed*: reading goes on, level triggered, as fast
  as the high-water mark allows, until so many bytes are in and that turn is over; when all of them
  went back our FIN is sent. What comes after is thrown away, counted, until the peer ends too.
  Closing with bytes unread would send a reset, and a reset may overtake the echo.

Nearly every wake-up of a *calm* client (nothing pending, nobody looking) is EPOLLIN, one read and
one write that takes it all. That is `_on_ready` and nothing else, with two additions in the
books; whatever changes what is waited for goes through `_settle`. Bytes go by read(2) and write(2)
on the descriptor, which take the way through the kernel, and through Python, that is a tenth
shorter a message than recv(2) and send(2).
"""

from __future__ import annotations

import errno
import os
import select
import socket
import time

from core.echo.connection import EchoConnection
from core.echo.log import EventLog, LogStep
from core.echo.options import READ_SIZE, READS_PER_TURN, Drain, Trigger
from core.echo.server_context import ServerContext
from core.echo.snapshot import CloseReason
from core.echo.tcp_info import at_urgent_mark, unread, unsent

_READING = select.EPOLLIN | select.EPOLLPRI | select.EPOLLRDHUP
_URGENT = select.EPOLLPRI
_BROKEN = select.EPOLLHUP | select.EPOLLERR
_TO_THE_END = select.EPOLLPRI | select.EPOLLRDHUP | _BROKEN  # a short read says nothing after these
_ONLY_READABLE = select.EPOLLIN
_ONLY_WRITABLE = select.EPOLLOUT
_GONE = -1  # no descriptor: a read or write after the close fails instead of being another's


class Client:
    """A connected peer, from accept to close. ``slot`` is its place in the books.

    Making one raises OSError if epoll cannot watch one more (epoll_ctl(2): ENOSPC, ENOMEM).
    """

    __slots__ = (
        "_accounts", "_budget", "_bytes_in", "_calm", "_connection", "_descriptor", "_draining",
        "_echoes", "_edge", "_goes_on_from", "_interest", "_log", "_mark_ahead", "_most", "_news",
        "_owed", "_paused", "_queued", "_sent_end", "_shared", "_stops_short", "connected",
        "identifier", "is_open", "slot", "trigger",
    )  # fmt: skip

    def __init__(
        self,
        shared: ServerContext,
        connected: socket.socket,
        peer: tuple[str, int],
        listener: int,
        trigger: Trigger,
    ) -> None:
        self._shared = shared
        self._accounts = shared.accounts
        self._bytes_in = shared.accounts.bytes_in
        self._echoes = shared.accounts.echoes
        self.connected = connected
        self._descriptor = connected.fileno()
        self._connection = EchoConnection(shared.options.high_water)
        self.trigger = trigger
        self._edge = trigger is Trigger.EDGE
        self._paused = self._draining = self._queued = self._sent_end = False
        self._mark_ahead = False  # the urgent byte is here, bytes before it are not
        self._news = 0  # events of the turn that waits in the queue
        self._owed = 0  # bytes still to be read and echoed while we drain
        self._calm = self.is_open = True
        self._log: EventLog | None = None
        self.obey_switches()
        self._interest = _READING
        shared.loop.add(connected, self._on_ready, _READING, edge=self._edge)
        self.slot = shared.accounts.open(
            self._descriptor, listener, trigger, peer, time.monotonic()
        )
        self.identifier = shared.accounts.identifier[self.slot]

    def obey_switches(self) -> None:
        """Read as the shared switches say, from the next wake-up on."""
        switches = self._shared.switches
        drain = switches.drain_of(self.trigger, logged=self._log is not None)
        self._set_reading(switches.read_budget, drain)

    def _set_reading(self, budget: int, drain: Drain) -> None:
        self._budget = budget
        self._most = 1 if drain is Drain.ONCE else READS_PER_TURN
        self._stops_short = drain is Drain.SHORT
        # the smallest read after which a calm client reads once more
        sizes = {Drain.EAGAIN: 1, Drain.SHORT: budget, Drain.ONCE: READ_SIZE + 1}
        self._goes_on_from = sizes[drain]

    def note_into(self, log: EventLog | None) -> None:
        """Note each step into this log from now on; None: no longer."""
        self._log = log
        if not self._draining:
            self.obey_switches()
        self._judge()

    @property
    def paused(self) -> bool:
        """True if somebody stopped its reading."""
        return self._paused

    def pause(self, paused: bool) -> None:
        """Stop reading, or go on."""
        if self.is_open and paused != self._paused:
            self._paused = paused
            self._accounts.paused[self.slot] = paused
            self._note(LogStep.PAUSED if paused else LogStep.RESUMED)
            self._settle()

    def drain(self) -> None:
        """Echo all that has come in so far, then end in good order."""
        self.pause(False)
        self._draining = True
        self._owed = unread(self.connected)
        self._set_reading(READ_SIZE, Drain.EAGAIN)  # no longer a lesson
        self._edge = False  # epoll reports what is left, again and again
        self._interest = 0
        self._settle()

    @property
    def has_all_back(self) -> bool:
        """Draining: the peer's kernel has acknowledged all it was owed, and our FIN behind it; only
        its own is missing."""
        return self._sent_end and not self._connection.pending and not unsent(self.connected)

    def close(self, reason: CloseReason) -> None:
        """Take it out of the loop and close it."""
        if not self.is_open:
            return
        self.is_open = False
        if self._log is not None:
            self._log.add(time.monotonic(), LogStep.CLOSED, why=reason.words)
        self._shared.loop.remove(self.connected)
        self._descriptor = _GONE
        self.connected.close()
        self._shared.totals.closed[reason] += 1
        self._shared.on_closed(self.identifier)

    def _on_ready(self, events: int) -> None:
        if not self._calm or events != _ONLY_READABLE:
            self._on_event(events)
            return
        data, descriptor = b"", self._descriptor
        try:
            data = os.read(descriptor, self._budget)
            sent = os.write(descriptor, data) if data else 0
        except OSError as error:
            self._stumble(data, error)
            return
        if not data:
            self._stumble(data)
            return
        slot, size = self.slot, len(data)
        self._echoes[slot] += 1
        self._bytes_in[slot] += size
        if sent != size and not self._keep(data[sent:]):
            return
        if size >= self._goes_on_from:
            self._read(self._most - 1)

    def _stumble(self, data: bytes, error: OSError | None = None) -> None:
        """A calm client's read, or the write of `data`, failed; without an error: the end."""
        self._accounts.wake_ups[self.slot] += 1
        self._accounts.reads[self.slot] += 1
        self._bytes_in[self.slot] += len(data)
        if error is None:
            self._end()
        elif not isinstance(error, BlockingIOError):
            self._close_failed(error, data)
        else:
            self._accounts.eagains[self.slot] += 1
            if data and self._keep(data) and len(data) >= self._goes_on_from:
                self._read(self._most - 1)

    def _on_event(self, events: int) -> None:
        self._accounts.wake_ups[self.slot] += 1
        self._note(LogStep.WAKE_UP, events)
        if events & _ONLY_WRITABLE:
            self._flush()
            if events == _ONLY_WRITABLE or not self.is_open:
                return
        ahead, self._mark_ahead = self._mark_ahead, False
        self._on_input(events | _URGENT if ahead else events)
        if ahead and self.is_open:
            self._settle()

    def _on_input(self, events: int) -> None:
        if not self._interest & _ONLY_READABLE or self._sent_end:
            self._on_unwanted(events)
        elif self._queued and not self._draining:
            self._news |= events
            self._note(LogStep.QUEUED)  # its turn comes, and reads what is there now, too
        else:
            self._read(self._most, events)

    def _on_unwanted(self, events: int) -> None:
        """Readable or broken while we do not want to read, or no longer echo."""
        if self._sent_end and not events & select.EPOLLERR:
            self._discard(events)
        elif events & _BROKEN:
            code = self.connected.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self._close_failed(OSError(code or errno.ECONNRESET, ""))

    def _read(self, most: int, events: int = _ONLY_READABLE) -> None:
        """Read and echo at most `most` times. `events` are those that led to this turn."""
        accounts, slot = self._accounts, self.slot
        stops_short = self._stops_short and not events & _TO_THE_END
        passed = False  # the mark that EPOLLPRI announced
        for _ in range(most):
            accounts.reads[slot] += 1
            try:
                marked = events & _URGENT and at_urgent_mark(self.connected)
                data = os.read(self._descriptor, self._budget)
            except BlockingIOError:
                self._note(LogStep.EAGAIN)
                self._on_nothing(events & ~_URGENT if passed else events)
                return
            except OSError as error:
                self._close_failed(error)
                return
            if not data:
                self._end()
                return
            accounts.bytes_in[slot] += len(data)
            if marked:
                passed = True
                accounts.urgent[slot] += 1
                self._note(LogStep.URGENT)
            self._note(LogStep.READ, len(data))
            self._owed = max(0, self._owed - len(data))
            if not self._echo(data):
                return
            if stops_short and len(data) < self._budget:
                self._note(LogStep.SHORT)
                return
        if self._draining:
            self._settle()
        elif self._edge and self._most > 1:
            self._take_up_later(events)
        elif self._edge:
            self._note(LogStep.ONCE)

    def _echo(self, data: bytes) -> bool:
        """Write the data back, or keep it behind what is pending. Return False to stop reading."""
        sent = 0
        if not self._connection.pending:
            try:
                sent = self._send(data)
            except OSError as error:
                self._close_failed(error, data)
                return False
        return sent == len(data) or self._keep(data[sent:])

    def _on_nothing(self, events: int) -> None:
        """A read got EAGAIN; after EPOLLPRI that may not be the whole truth."""
        self._accounts.eagains[self.slot] += 1
        if events & _URGENT and not self._edge:
            self._mark_ahead = True
            self._settle()
        elif events & _URGENT and self._most > 1 and unread(self.connected):
            self._take_up_later(events)
        elif self._draining:
            self._settle()

    def _end(self) -> None:
        self._note(LogStep.END)
        self._connection.receive_end()
        self._settle()

    def _keep(self, data: bytes) -> bool:
        """Buffer the unsent rest. Return False if reading must stop."""
        if self.is_open:
            self._connection.keep(data)
            self._settle()
        return self.is_open and self._connection.wants_read

    def _send(self, data: bytes | memoryview) -> int:
        """How many bytes the kernel took. Raises OSError when the connection is broken."""
        try:
            count = os.write(self._descriptor, data)
        except BlockingIOError:
            self._accounts.eagains[self.slot] += 1
            self._note(LogStep.WRITE_EAGAIN)
            return 0
        self._note(LogStep.WROTE, count)
        return count

    def _flush(self) -> None:
        """Write what is pending until it is gone or the kernel's buffer is full."""
        connection = self._connection
        while connection.pending:
            try:
                count = self._send(connection.output())
            except OSError as error:
                self._close_failed(error)
                return
            if not count:
                break
            connection.sent(count)
        self._settle()

    def _take_up_later(self, events: int) -> None:
        if not self._queued:
            self._queued = True
            self._news = events
            self._judge()
            self._note(LogStep.BUDGET)
            self._shared.take_up_later(self._take_up)

    def _take_up(self) -> None:
        """Go on where the budget of a turn ended."""
        self._queued = False
        self._judge()
        if self.is_open and self._interest & _ONLY_READABLE and not self._draining:
            self._note(LogStep.AGAIN)
            self._read(self._most, self._news)

    def _discard(self, events: int) -> None:
        """Throw away what comes after the end was announced; close when the peer ends."""
        self._accounts.reads[self.slot] += 1
        try:
            count = len(os.read(self._descriptor, self._budget))
        except BlockingIOError:
            self._on_nothing(events)
            return
        except OSError as error:
            self._close_failed(error)
            return
        self._shared.totals.discarded += count
        if not count:
            self._connection.receive_end()
            self._settle()

    def _settle(self) -> None:
        """Show what has changed, tell epoll what we wait for now, and end what is finished."""
        accounts, slot, connection = self._accounts, self.slot, self._connection
        pending = connection.pending
        held = not connection.wants_read and not connection.ended
        if held and not accounts.held[slot]:
            self._note(LogStep.HIGH_WATER)
        accounts.pending[slot] = pending
        accounts.ended[slot] = connection.ended
        accounts.held[slot] = held
        if connection.finished:
            self.close(CloseReason.DRAINED if self._draining else CloseReason.FINISHED)
            return
        reading = connection.wants_read and not self._paused
        if self._draining and not self._owed:
            if not pending and not self._sent_end and not self._end_sending():
                return
            reading = not pending
        interest = (_READING if reading else 0) | (_ONLY_WRITABLE if pending else 0)
        if self._mark_ahead:
            interest &= ~_URGENT
        if interest != self._interest:
            self._interest = interest
            self._shared.loop.modify(self.connected, interest, edge=self._edge)
            self._note(LogStep.INTEREST, interest)
            self._judge()

    def _judge(self) -> None:
        """A calm client has nothing pending, is read from at events, and nobody looks."""
        self._calm = (
            self._interest == _READING
            and self._log is None
            and not (self._draining or self._queued)
        )

    def _end_sending(self) -> bool:
        """Send our FIN. False if the connection is gone."""
        self._sent_end = True
        try:
            self.connected.shutdown(socket.SHUT_WR)
        except OSError:
            self.close(CloseReason.RESET)
            return False
        return True

    def _close_failed(self, error: OSError, unsent: bytes = b"") -> None:
        """Close after an error; `unsent` was read, and could not be sent any more."""
        if unsent:
            self._connection.keep(unsent)
        self._accounts.pending[self.slot] = self._connection.pending
        self.close(CloseReason.after(error))

    def _note(self, step: LogStep, number: int = 0) -> None:
        if self._log is not None:
            self._log.add(time.monotonic(), step, number)
