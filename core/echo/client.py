"""One client in the loop: its descriptor, when it is read and written, and its counters.

* A client waits for EPOLLIN and EPOLLRDHUP while it wants to read, for EPOLLOUT only while bytes
  are pending: a socket is nearly always writable, and a level-triggered EPOLLOUT would wake the
  loop forever. When reading stops (high-water mark, pause, end of stream) EPOLLRDHUP goes too,
  since level-triggered it would not fall silent either.
* A modification (EPOLL_CTL_MOD) makes epoll check again, so an edge-triggered client that stopped
  reading and starts again gets an event for the bytes that arrived meanwhile.
* An edge-triggered client is read until nothing is left. EAGAIN shows that, and after EPOLLIN alone
  so does a short read, of fewer bytes than it asked for (epoll(7)): later bytes are a new edge. A
  short read shows nothing after EPOLLPRI, where a read stops at the urgent mark, nor after
  EPOLLRDHUP, EPOLLHUP, or EPOLLERR, after which no other event may come: then only EAGAIN or the
  end counts.
* A peer that sends as fast as we read would keep the loop busy, so after `READS_PER_TURN` reads the
  client goes to the end of a queue (`core.echo.server_context`): epoll will not report the rest. It
  may report new bytes; the client still waits for its turn, or it would get two, and keeps the
  event's bits for that turn.
* An urgent byte (MSG_OOB) stays in the stream (SO_OOBINLINE) and is echoed in its place. EPOLLPRI
  announces it, and a read that begins before it stops there, however much lies behind (tcp(7)). So
  after EPOLLPRI each read first checks whether it begins at the mark, which counts the marks.
* The kernel sets EPOLLPRI when the urgent byte has arrived, even if bytes before it are missing.
  Level-triggered, it would then wake the loop for nothing until the gap is closed: after an EAGAIN
  the client does not wait for it until the next event, which the missing bytes cause.
* `tcp_recvmsg_locked` (net/ipv4/tcp.c) also returns EAGAIN at the mark when a signal is pending.
  Edge-triggered, no event would come for those bytes, so SIOCINQ decides whether to continue.
* One mark stops a read without EPOLLPRI: one that a peer announces only after the kernel has the
  byte, out of order (net/ipv4/tcp.c, `tcp_check_urg`, "misbehaving sender"). Edge-triggered, its
  bytes wait for the peer's next segment; no other client is delayed.
* EPOLLIN, EPOLLRDHUP, and EPOLLHUP may come together: the client first reads what is in the buffer.
  Only if it does not want to read does EPOLLHUP or EPOLLERR close it at once: nobody is left to
  echo to.
* In a shutdown (`drain`) it reads level-triggered; see `core.echo.orderly_end`.

Nearly every wake-up is EPOLLIN, one read, and one write that takes it all. If nothing is pending
and the client has no log, `_on_ready` does only that, with two additions to the counters: the *fast
path*. Any change of what the client waits for goes through `_update_interest`. Reading and writing
use read(2) and write(2) on the descriptor, which take a tenth less time per message, in the kernel
and in Python, than recv(2) and send(2).
"""

from __future__ import annotations

import errno
import os
import select
import socket
import time

from core.echo.connection import EchoConnection
from core.echo.log import EventLog, LogStep
from core.echo.options import READ_SIZE, Drain, Trigger
from core.echo.orderly_end import OrderlyEnd
from core.echo.read_policy import ReadPolicy, read_policy
from core.echo.server_context import ServerContext
from core.echo.snapshot import CloseReason
from core.echo.tcp_info import at_urgent_mark, unread, unsent

_READING = select.EPOLLIN | select.EPOLLPRI | select.EPOLLRDHUP
_URGENT = select.EPOLLPRI
_BROKEN = select.EPOLLHUP | select.EPOLLERR
_SHORT_MEANS_NOTHING = select.EPOLLPRI | select.EPOLLRDHUP | _BROKEN
_ONLY_READABLE = select.EPOLLIN
_ONLY_WRITABLE = select.EPOLLOUT
_CLOSED = -1  # as a descriptor: a read or write after the close fails instead of reaching another


class Client:
    """A connected peer, from accept to close. `slot` is its row in the server's client columns.

    Raise OSError if epoll cannot watch one more descriptor (epoll_ctl(2): ENOSPC, ENOMEM).
    """

    __slots__ = (
        "_budget", "_bytes_in", "_columns", "_connection", "_context", "_descriptor", "_echoes",
        "_edge", "_ending", "_interest", "_is_fast", "_log", "_paused", "_policy", "_queued",
        "_queued_events", "_read_again_from", "_urgent_gap", "connected", "identifier", "is_open",
        "slot", "trigger",
    )  # fmt: skip

    def __init__(
        self,
        context: ServerContext,
        connected: socket.socket,
        peer: tuple[str, int],
        listener: int,
        trigger: Trigger,
    ) -> None:
        self._context = context
        self._columns = context.columns
        self._bytes_in = context.columns.bytes_in
        self._echoes = context.columns.echoes
        self.connected = connected
        self._descriptor = connected.fileno()
        self._connection = EchoConnection(context.options.high_water)
        self.trigger = trigger
        self._edge = trigger is Trigger.EDGE
        self._paused = self._queued = False
        self._queued_events = 0  # of the turn that waits in the queue
        self._urgent_gap = False  # the urgent byte has arrived, bytes before it have not
        self._ending: OrderlyEnd | None = None
        self._is_fast = self.is_open = True
        self._log: EventLog | None = None
        self.apply_switches()
        self._interest = _READING
        context.loop.add(connected, self._on_ready, _READING, edge=self._edge)
        self.slot = context.columns.open(
            self._descriptor, listener, trigger, peer, time.monotonic()
        )
        self.identifier = context.columns.identifier[self.slot]

    # -- commands -------------------------------------------------------------------------

    def apply_switches(self) -> None:
        """Read as the server's switches say, from the next wake-up on."""
        switches = self._context.switches
        drain = switches.drain_of(self.trigger, logged=self._log is not None)
        self._set_policy(read_policy(switches.read_budget, drain))

    def set_log(self, log: EventLog | None) -> None:
        """Record every step in `log` from now on; None stops that."""
        self._log = log
        if self._ending is None:
            self.apply_switches()
        self._update_fast_path()

    @property
    def paused(self) -> bool:
        """True if the user stopped its reading."""
        return self._paused

    def pause(self, paused: bool) -> None:
        """Stop reading, or resume it."""
        if self.is_open and paused != self._paused:
            self._paused = paused
            self._columns.paused[self.slot] = paused
            self._log_step(LogStep.PAUSED if paused else LogStep.RESUMED)
            self._update_interest()

    def drain(self) -> None:
        """Echo all that has arrived, then end in good order."""
        self.pause(False)
        self._ending = OrderlyEnd(unread(self.connected))
        self._set_policy(read_policy(READ_SIZE, Drain.EAGAIN))  # the switches no longer count
        self._edge = False  # level-triggered, epoll reports the rest again and again
        self._interest = 0
        self._update_interest()

    @property
    def has_everything(self) -> bool:
        """True if only the peer's own FIN is missing.

        The peer's kernel has acknowledged our FIN and all bytes before it.
        """
        sent_fin = self._ending is not None and self._ending.sent_fin
        return sent_fin and not self._connection.pending and not unsent(self.connected)

    def close(self, reason: CloseReason) -> None:
        """Remove the client from the loop and close it."""
        if not self.is_open:
            return
        self.is_open = False
        if self._log is not None:
            self._log.add(time.monotonic(), LogStep.CLOSED, why=reason.words)
        self._context.loop.remove(self.connected)
        self._descriptor = _CLOSED
        self.connected.close()
        self._context.totals.closed[reason] += 1
        self._context.on_closed(self.identifier)

    def _set_policy(self, policy: ReadPolicy) -> None:
        self._policy = policy
        self._budget = policy.budget  # a copy: the fast path looks up one attribute less
        self._read_again_from = policy.read_again_from

    # -- events ---------------------------------------------------------------------------

    def _on_ready(self, events: int) -> None:
        if not self._is_fast or events != _ONLY_READABLE:
            self._on_event(events)
            return
        data, descriptor = b"", self._descriptor
        try:
            data = os.read(descriptor, self._budget)
            sent = os.write(descriptor, data) if data else 0
        except OSError as error:
            self._leave_fast_path(data, error)
            return
        if not data:
            self._leave_fast_path(data)
            return
        slot, size = self.slot, len(data)
        self._echoes[slot] += 1
        self._bytes_in[slot] += size
        if sent != size and not self._keep(data[sent:]):
            return
        if size >= self._read_again_from:
            self._read(self._policy.reads_per_turn - 1)

    def _leave_fast_path(self, data: bytes, error: OSError | None = None) -> None:
        """Handle a failed read, a failed write of `data`, or, without an error, the end."""
        self._columns.wake_ups[self.slot] += 1
        self._columns.reads[self.slot] += 1
        self._bytes_in[self.slot] += len(data)
        if error is None:
            self._end()
        elif not isinstance(error, BlockingIOError):
            self._close_failed(error, data)
        else:
            self._columns.eagains[self.slot] += 1
            if data and self._keep(data) and len(data) >= self._read_again_from:
                self._read(self._policy.reads_per_turn - 1)

    def _on_event(self, events: int) -> None:
        self._columns.wake_ups[self.slot] += 1
        self._log_step(LogStep.WAKE_UP, events)
        if events & _ONLY_WRITABLE:
            self._flush()
            if events == _ONLY_WRITABLE or not self.is_open:
                return
        had_gap, self._urgent_gap = self._urgent_gap, False
        self._on_input(events | _URGENT if had_gap else events)
        if had_gap and self.is_open:
            self._update_interest()

    def _on_input(self, events: int) -> None:
        sent_fin = self._ending is not None and self._ending.sent_fin
        if not self._interest & _ONLY_READABLE or sent_fin:
            self._on_unwanted(events, sent_fin)
        elif self._queued and self._ending is None:
            self._queued_events |= events
            self._log_step(LogStep.QUEUED)  # its turn will read these bytes, too
        else:
            self._read(self._policy.reads_per_turn, events)

    def _on_unwanted(self, events: int, sent_fin: bool) -> None:
        """Handle input or an error while the client does not want to read, or no longer echoes."""
        if sent_fin and not events & select.EPOLLERR:
            self._discard(events)
        elif events & _BROKEN:
            code = self.connected.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self._close_failed(OSError(code or errno.ECONNRESET, ""))

    # -- reading and writing --------------------------------------------------------------

    def _read(self, most: int, events: int = _ONLY_READABLE) -> None:
        """Read and echo at most `most` times. `events` are those that led to this turn."""
        columns, slot, policy = self._columns, self.slot, self._policy
        stops_when_short = policy.stops_when_short and not events & _SHORT_MEANS_NOTHING
        passed_mark = False  # the one that EPOLLPRI announced
        for _ in range(most):
            columns.reads[slot] += 1
            try:
                at_mark = events & _URGENT and at_urgent_mark(self.connected)
                data = os.read(self._descriptor, policy.budget)
            except BlockingIOError:
                self._log_step(LogStep.EAGAIN)
                self._on_nothing(events & ~_URGENT if passed_mark else events)
                return
            except OSError as error:
                self._close_failed(error)
                return
            if not data:
                self._end()
                return
            columns.bytes_in[slot] += len(data)
            if at_mark:
                passed_mark = True
                columns.urgent[slot] += 1
                self._log_step(LogStep.URGENT)
            self._log_step(LogStep.READ, len(data))
            if self._ending is not None:
                self._ending.receive(len(data))
            if not self._echo(data):
                return
            if stops_when_short and len(data) < policy.budget:
                self._log_step(LogStep.SHORT)
                return
        if self._ending is not None:
            self._update_interest()
        elif self._edge and policy.reads_per_turn > 1:
            self._queue(events)
        elif self._edge:
            self._log_step(LogStep.ONCE)

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
        """Handle EAGAIN of a read. After EPOLLPRI it does not prove that nothing is there."""
        self._columns.eagains[self.slot] += 1
        if events & _URGENT and not self._edge:
            self._urgent_gap = True
            self._update_interest()
        elif events & _URGENT and self._policy.reads_per_turn > 1 and unread(self.connected):
            self._queue(events)
        elif self._ending is not None:
            self._update_interest()

    def _end(self) -> None:
        """Handle the end of the peer's stream."""
        self._log_step(LogStep.END)
        self._connection.receive_end()
        self._update_interest()

    def _keep(self, data: bytes) -> bool:
        """Buffer the unsent rest. Return False if reading must stop."""
        if self.is_open:
            self._connection.keep(data)
            self._update_interest()
        return self.is_open and self._connection.wants_read

    def _send(self, data: bytes | memoryview) -> int:
        """Return how many bytes the kernel took. Raise OSError if the connection is broken."""
        try:
            count = os.write(self._descriptor, data)
        except BlockingIOError:
            self._columns.eagains[self.slot] += 1
            self._log_step(LogStep.WRITE_EAGAIN)
            return 0
        self._log_step(LogStep.WROTE, count)
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
        self._update_interest()

    def _discard(self, events: int) -> None:
        """Discard bytes that arrive after our FIN; close when the peer ends."""
        self._columns.reads[self.slot] += 1
        try:
            count = len(os.read(self._descriptor, self._budget))
        except BlockingIOError:
            self._on_nothing(events)
            return
        except OSError as error:
            self._close_failed(error)
            return
        self._context.totals.discarded += count
        if not count:
            self._connection.receive_end()
            self._update_interest()

    # -- turns, interest, and the end -----------------------------------------------------

    def _queue(self, events: int) -> None:
        """Wait for the next turn: epoll will not report the bytes that are left."""
        if not self._queued:
            self._queued = True
            self._queued_events = events
            self._update_fast_path()
            self._log_step(LogStep.BUDGET)
            self._context.queue(self._take_turn)

    def _take_turn(self) -> None:
        """Continue where the last turn ended."""
        self._queued = False
        self._update_fast_path()
        if self.is_open and self._interest & _ONLY_READABLE and self._ending is None:
            self._log_step(LogStep.AGAIN)
            self._read(self._policy.reads_per_turn, self._queued_events)

    def _update_interest(self) -> None:
        """Publish what has changed, modify what epoll watches, and close a finished client."""
        columns, slot, connection = self._columns, self.slot, self._connection
        pending, ending = connection.pending, self._ending
        held = not connection.wants_read and not connection.ended
        if held and not columns.held[slot]:
            self._log_step(LogStep.HIGH_WATER)
        columns.pending[slot] = pending
        columns.ended[slot] = connection.ended
        columns.held[slot] = held
        if connection.finished:
            self.close(CloseReason.FINISHED if ending is None else CloseReason.DRAINED)
            return
        reading = connection.wants_read and not self._paused
        if ending is not None and ending.has_read_all:
            if ending.wants_fin(pending) and not self._send_fin(ending):
                return
            reading = not pending
        interest = (_READING if reading else 0) | (_ONLY_WRITABLE if pending else 0)
        if self._urgent_gap:
            interest &= ~_URGENT
        if interest != self._interest:
            self._interest = interest
            self._context.loop.modify(self.connected, interest, edge=self._edge)
            self._log_step(LogStep.INTEREST, interest)
            self._update_fast_path()

    def _update_fast_path(self) -> None:
        """Take the fast path if nothing is pending, reads follow events, and nothing is logged."""
        self._is_fast = (
            self._interest == _READING
            and self._log is None
            and self._ending is None
            and not self._queued
        )

    def _send_fin(self, ending: OrderlyEnd) -> bool:
        """Send our FIN. Return False if the connection is gone."""
        ending.sent_fin = True
        try:
            self.connected.shutdown(socket.SHUT_WR)
        except OSError:
            self.close(CloseReason.RESET)
            return False
        return True

    def _close_failed(self, error: OSError, unsent: bytes = b"") -> None:
        """Close after an error. `unsent` was read and can no longer be sent back."""
        if unsent:
            self._connection.keep(unsent)
        self._columns.pending[self.slot] = self._connection.pending
        self.close(CloseReason.after(error))

    def _log_step(self, step: LogStep, number: int = 0) -> None:
        if self._log is not None:
            self._log.add(time.monotonic(), step, number)
