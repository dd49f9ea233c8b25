"""One client in the loop: the descriptor, when it is read and written, and the books.

* EPOLLIN and EPOLLRDHUP are asked for while we want to read, EPOLLOUT only while bytes are
  pending: a socket is nearly always writable, and a level-triggered EPOLLOUT would wake us for
  ever. When reading stops (high-water mark, pause, end of stream) EPOLLRDHUP goes too, since
  level triggered it would not fall silent either.
* A modification (EPOLL_CTL_MOD) makes epoll look again, so an edge-triggered client that stopped
  reading and begins again gets an event for what came meanwhile.
* Edge triggered, a client is read until EAGAIN. A peer that sends as fast as we read would
  keep us for ever, so after `READS_PER_TURN` reads the client goes to the end of a queue
  of our own: no event will come for what is left.
* EPOLLIN, EPOLLRDHUP and EPOLLHUP may come together: what is in the buffer is read first. Only
  when we do not want to read does EPOLLHUP or EPOLLERR close the client at once: nobody is
  left to echo to.
* Ending in good order (`drain`): what had come in is read and echoed, then our FIN is sent, and
  what comes after is thrown away, counted, until the peer ends too. Closing with bytes
  unread would send a reset, and a reset may overtake the echo.
"""

from __future__ import annotations

import errno
import select
import socket
import time

from core.echo.connection import Bytes, EchoConnection
from core.echo.log import EventLog, Step
from core.echo.options import Trigger
from core.echo.shared import Shared
from core.echo.snapshot import CloseReason

READS_PER_TURN = 16  # of an edge-triggered client; then the others get their turn

_READING = select.EPOLLIN | select.EPOLLRDHUP
_BROKEN = select.EPOLLHUP | select.EPOLLERR
_READABLE = _READING | _BROKEN


class Client:
    """A connected peer, from accept to close. ``slot`` is its place in the books.

    Making one raises OSError if epoll cannot watch one more (epoll_ctl(2): ENOSPC, ENOMEM).
    """

    __slots__ = (
        "_connection", "_draining", "_edge", "_interest", "_paused", "_queued", "_sent_end",
        "_shared", "connected", "identifier", "is_open", "log", "slot", "trigger",
    )  # fmt: skip

    def __init__(
        self,
        shared: Shared,
        connected: socket.socket,
        peer: tuple[str, int],
        listener: int,
        trigger: Trigger,
    ) -> None:
        self._shared = shared
        self.connected = connected
        self._connection = EchoConnection(shared.options.high_water)
        self.trigger = trigger
        self._edge = trigger is Trigger.EDGE
        self._paused = self._draining = self._queued = self._sent_end = False
        self.is_open = True
        self.log: EventLog | None = None
        self._interest = _READING
        shared.loop.add(connected, self._on_ready, _READING, edge=self._edge)
        self.slot = shared.accounts.open(
            connected.fileno(), listener, trigger, peer, time.monotonic()
        )
        self.identifier = shared.accounts.identifier[self.slot]

    def pause(self, paused: bool) -> None:
        """Stop reading, or go on."""
        if self.is_open and paused != self._paused:
            self._paused = paused
            self._shared.accounts.paused[self.slot] = paused
            self._note(Step.PAUSED if paused else Step.RESUMED)
            self._settle()

    def drain(self) -> None:
        """Echo what has come in so far, then end in good order."""
        if self._paused:
            self.pause(False)
        if self._connection.wants_read:
            self._read_until_eagain(READS_PER_TURN)
        if self.is_open:
            self._draining = True
            self._edge = False  # from here on one read a wake-up will do
            self._interest = 0
            self._settle()

    def close(self, reason: CloseReason) -> None:
        """Take it out of the loop and close it."""
        if not self.is_open:
            return
        self.is_open = False
        self._note(Step.CLOSED)
        self._shared.loop.remove(self.connected)
        self.connected.close()
        self._shared.totals.closed[reason] += 1
        self._shared.on_closed(self.identifier)

    def _take_up(self) -> None:
        """Go on where the budget of a turn ended."""
        self._queued = False
        if self.is_open:
            self._note(Step.AGAIN)
            self._on_readable(0)
            if self.is_open:
                self._settle()

    def _on_ready(self, events: int) -> None:
        self._shared.accounts.wake_ups[self.slot] += 1
        if self.log is not None:
            self._note(Step.WAKE_UP, events)
        if events & select.EPOLLOUT:
            self._flush()
        if events & _READABLE and self.is_open:
            self._on_readable(events)
        if self.is_open:
            self._settle()

    def _on_readable(self, events: int) -> None:
        if self._draining:
            self._discard()
        elif not self._connection.wants_read or self._paused:
            if events & _BROKEN:
                self._close_broken()
        elif self._shared.switches.drains(self.trigger):
            if self._read_until_eagain(READS_PER_TURN) and not self._queued:
                self._queued = True
                self._note(Step.BUDGET)
                self._shared.take_up_later(self._take_up)
        else:
            self._read_once(self._shared.switches.read_budget)

    def _read_until_eagain(self, most: int) -> bool:
        """Whether `most` reads were not enough."""
        budget = self._shared.switches.read_budget
        return all(self._read_once(budget) for _ in range(most))

    def _read_once(self, budget: int) -> bool:
        """Read and echo. False at EAGAIN, the end, an error, or the high-water mark."""
        shared, slot, connection = self._shared, self.slot, self._connection
        accounts = shared.accounts
        accounts.reads[slot] += 1
        try:
            count = self.connected.recv_into(shared.buffer, budget)
        except BlockingIOError:
            accounts.eagains[slot] += 1
            if self.log is not None:
                self._note(Step.EAGAIN)
            return False
        except OSError as error:
            self._close_failed(error)
            return False
        if not count:
            self._note(Step.END)
            connection.receive_end()
            return False
        accounts.bytes_in[slot] += count
        accounts.active_s[slot] = time.monotonic()
        if self.log is not None:
            self._note(Step.READ, count)
        offered = connection.receive(shared.buffer[:count])
        if offered is not None:
            self._write(offered)
        return self.is_open and connection.wants_read

    def _write(self, offered: Bytes) -> bool:
        """Whether the kernel took all of it."""
        accounts, slot = self._shared.accounts, self.slot
        accounts.writes[slot] += 1
        try:
            count = self.connected.send(offered)
        except BlockingIOError:
            accounts.eagains[slot] += 1
            self._note(Step.WRITE_EAGAIN)
            count = 0
        except OSError as error:
            self._close_failed(error)
            return False
        accounts.bytes_out[slot] += count
        if self.log is not None and count:
            self._note(Step.WROTE, count)
        taken = count == len(offered)
        self._connection.sent(count)
        return taken

    def _flush(self) -> None:
        """Write what is pending until it is gone or the kernel's buffer is full."""
        before = self._connection.pending
        while self._connection.pending and self.is_open:
            if not self._write(self._connection.output()):
                break
        if self.is_open and self._connection.pending < before:
            self._shared.accounts.active_s[self.slot] = time.monotonic()

    def _discard(self) -> None:
        """Throw away what comes after the end was announced; close when the peer ends."""
        try:
            count = self.connected.recv_into(self._shared.buffer)
        except BlockingIOError:
            return
        except OSError as error:
            self._close_failed(error)
            return
        if count:
            self._shared.totals.discarded += count
        elif not self._connection.ended:
            self._connection.receive_end()

    def _settle(self) -> None:
        """Tell epoll what we wait for now; end what is finished."""
        connection = self._connection
        pending = connection.pending
        if (
            self._interest == _READING
            and connection.wants_read
            and not (pending or self._paused or self._draining)
        ):
            return  # nearly always
        self._show(pending)
        if connection.finished:
            self.close(CloseReason.DRAINED if self._draining else CloseReason.FINISHED)
            return
        reading = connection.wants_read and not self._paused
        if self._draining:
            if not pending and not self._sent_end and not self._end_sending():
                return
            reading = not pending
        self._wait_for((_READING if reading else 0) | (select.EPOLLOUT if pending else 0))

    def _show(self, pending: int) -> None:
        accounts, slot, connection = self._shared.accounts, self.slot, self._connection
        held = not connection.wants_read and not connection.ended
        if held and not accounts.held[slot]:
            self._note(Step.HIGH_WATER)
        accounts.pending[slot] = pending
        accounts.ended[slot] = connection.ended
        accounts.held[slot] = held

    def _wait_for(self, interest: int) -> None:
        if interest != self._interest:
            self._interest = interest
            self._shared.loop.modify(self.connected, interest, edge=self._edge)
            self._note(Step.INTEREST, interest)

    def _end_sending(self) -> bool:
        """Send our FIN. False if the connection is gone."""
        self._sent_end = True
        try:
            self.connected.shutdown(socket.SHUT_WR)
        except OSError:
            self.close(CloseReason.RESET)
            return False
        return True

    def _close_broken(self) -> None:
        code = self.connected.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self._close_failed(OSError(code or errno.ECONNRESET, ""))

    def _close_failed(self, error: OSError) -> None:
        if error.errno in (errno.ECONNRESET, errno.EPIPE):
            self.close(CloseReason.RESET)
        else:
            vanished = error.errno in (errno.ETIMEDOUT, errno.EHOSTUNREACH)
            self.close(CloseReason.VANISHED if vanished else CloseReason.FAILED)

    def _note(self, step: Step, number: int = 0) -> None:
        if self.log is not None:
            self.log.add(time.monotonic(), step, number)
