"""A TCP socket and an epoll set without a kernel, to run one `Client` through every interleaving.

The acts of the peer (`Act`) are a list. Between two waits, and before each system call of the
client, as many happen as the schedule says, so an act may fall between the wait and the read, or
between two reads. The rules:

* Each act is a new edge. An edge-triggered event is reported once, with all bits that hold at the
  wait (epoll(7)); a level-triggered one stays in the ready list while a bit holds. Adding and
  modifying check again.
* A read that begins before the urgent mark stops there; the kernel keeps one mark, the newest; it
  is gone when the byte has been read (tcp(7); net/ipv4/tcp.c, `tcp_recvmsg_locked`). EPOLLPRI
  holds from the arrival of the urgent byte on, though bytes before it may be missing (`tcp_urg`).
  A signal makes a read at the mark fail with EAGAIN.
* After a reset, the bytes in the buffer can still be read, then comes ECONNRESET; writes fail.
"""

from __future__ import annotations

import errno
import select
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from types import SimpleNamespace
from unittest import mock

from core.echo.client import Client
from core.echo.log import EventLog
from core.echo.options import EchoOptions, Switches, Trigger
from core.echo.server_context import ServerContext

_ALWAYS = select.EPOLLHUP | select.EPOLLERR
_IDLE_WAKE_UPS = 3  # in a row that move nothing: more of them are a busy loop


class Kind(Enum):
    SEND = auto()  # `size` bytes
    URGENT = auto()  # `size` bytes, the last one urgent
    LOSE = auto()  # all that follows arrives behind a gap
    FILL = auto()  # the gap is closed
    TAKE = auto()  # the peer reads: `size` bytes of room
    SIGNAL = auto()  # one is pending when the client reads at the mark
    PAUSE = auto()
    RESUME = auto()
    LOG = auto()
    UNLOG = auto()
    DRAIN = auto()  # the server ends in good order
    END = auto()  # FIN
    RESET = auto()


BY_USER = (
    Kind.PAUSE,
    Kind.RESUME,
    Kind.LOG,
    Kind.UNLOG,
    Kind.DRAIN,
)  # in the loop's thread: between events


@dataclass(frozen=True)
class Act:
    kind: Kind
    size: int = 0


class Kernel:
    """One socket, its peer, the epoll set, and the loop that waits for it."""

    def __init__(self, acts: Iterable[Act], schedule: Iterable[int], room: int) -> None:
        self.acts = deque(acts)
        self.schedule = deque(schedule)  # acts before each system call, then none but at waits
        self.buffer = bytearray()
        self.held = bytearray()  # behind the gap
        self.has_gap = self.end_held = False
        self.mark: int | None = None  # place in the stream
        self.read_total = 0
        self.sent = bytearray()  # by the peer
        self.echoed = bytearray()
        self.room = room
        self.signal = self.ended = self.was_reset = self.shut = self.closed = False
        self.marks_reached = 0  # by reads
        self.marks_shown: set[int] = set()  # by SIOCATMARK; may move before the read
        self.reads = 0
        self.interest = self.modifications = 0
        self.edge = self.ready = False
        self.handler: Callable[[int], None] | None = None
        self.calls: deque[Callable[[], None]] = deque()
        self.client: Client | None = None

    # -- what the client calls: os, the socket, the loop

    def read(self, _descriptor: int, size: int) -> bytes:
        self._happen()
        self.reads += 1
        if not self.buffer:
            if self.was_reset:
                raise ConnectionResetError(errno.ECONNRESET, "reset")
            if self.ended:
                return b""
            raise BlockingIOError(errno.EAGAIN, "nothing")
        if self.mark == self.read_total:
            if self.signal:
                self.signal = False
                raise BlockingIOError(errno.EAGAIN, "a signal at the mark")
            self.marks_reached += 1
        elif self.mark is not None and self.mark > self.read_total:
            size = min(size, self.mark - self.read_total)
        data = bytes(self.buffer[:size])
        del self.buffer[:size]
        self.read_total += len(data)
        if self.mark is not None and self.read_total > self.mark:
            self.mark = None
        return data

    def write(self, _descriptor: int, data: bytes | memoryview) -> int:
        self._happen()
        if self.was_reset:
            raise ConnectionResetError(errno.ECONNRESET, "reset")
        if not self.room:
            raise BlockingIOError(errno.EAGAIN, "full")
        count = min(self.room, len(data))
        self.room -= count
        self.echoed += data[:count]
        return count

    def at_urgent_mark(self, _connected: object) -> bool:
        if self.mark != self.read_total:
            return False
        self.marks_shown.add(self.mark)
        return True

    def unread(self, _connected: object) -> int:
        return len(self.buffer)

    def fileno(self) -> int:
        return 3

    def shutdown(self, _how: int) -> None:
        self.shut = True

    def getsockopt(self, _level: int, _name: int) -> int:
        return errno.ECONNRESET if self.was_reset else 0

    def close(self) -> None:
        self.closed = True

    def add(self, _source, handler, events, *, edge):
        self.handler = handler
        self.interest, self.edge, self.ready = events, edge, True

    def modify(self, _source, events, *, edge):
        self.modifications += 1
        self.interest, self.edge, self.ready = events, edge, True

    def remove(self, _source):
        self.handler = None

    def call(self, function):
        self.calls.append(function)

    # -- the peer and the user

    def _happen(self) -> None:
        for _ in range(self.schedule.popleft() if self.schedule else 0):
            if self.acts and self.acts[0].kind not in BY_USER:
                self._act(self.acts.popleft())

    def _act(self, act: Act) -> None:
        client = self.client
        match act.kind:
            case Kind.SEND | Kind.URGENT:
                self._arrive(act.size, act.kind is Kind.URGENT)
            case Kind.LOSE:
                self.has_gap = True
            case Kind.FILL:
                self._fill()
            case Kind.TAKE:
                self.room += act.size
            case Kind.SIGNAL:
                self.signal = True
            case Kind.PAUSE | Kind.RESUME:
                client.pause(act.kind is Kind.PAUSE)
            case Kind.LOG:
                client.set_log(EventLog(client.identifier))
            case Kind.UNLOG:
                client.set_log(None)
            case Kind.DRAIN:
                client.drain()
            case Kind.END:
                self.end_held, self.ended = self.has_gap, not self.has_gap
            case Kind.RESET:
                self.was_reset = True
        if act.kind not in (Kind.LOSE, Kind.SIGNAL, *BY_USER):
            self.ready = True

    def _arrive(self, size: int, urgent: bool) -> None:
        data = bytes((len(self.sent) + at) % 251 for at in range(size))
        self.sent += data
        (self.held if self.has_gap else self.buffer).extend(data)
        if urgent:
            self.mark = len(self.sent) - 1

    def _fill(self) -> None:
        self.has_gap = False
        self.buffer += self.held
        self.held.clear()
        self.ended = self.ended or self.end_held

    # -- epoll and the loop

    def bits(self) -> int:
        """The bits that hold now, asked for or not."""
        gone = self.was_reset
        found = select.EPOLLIN if self.buffer or self.ended or gone else 0
        found |= select.EPOLLPRI if self.mark is not None else 0
        found |= select.EPOLLRDHUP if self.ended or gone else 0
        found |= select.EPOLLOUT if self.room or gone else 0
        found |= select.EPOLLHUP if gone or (self.ended and self.shut) else 0
        return found | (select.EPOLLERR if gone else 0)

    def wait(self) -> int:
        """epoll_wait(2) that only looks."""
        if not self.ready or self.handler is None:
            return 0
        events = self.bits() & (self.interest | _ALWAYS)
        self.ready = bool(events) and not self.edge
        return events

    def run(self) -> None:
        """Turn the loop until all acts have happened and nobody is woken any more."""
        idle = 0
        while True:
            self._happen()
            before = self.read_total, len(self.echoed), len(self.acts), self.client.is_open
            called, self.calls = self.calls, deque()
            if events := self.wait():
                self.handler(events)
            for function in called:
                function()
            if not events and not called:
                if not self.acts:
                    return
                self._act(self.acts.popleft())
            after = self.read_total, len(self.echoed), len(self.acts), self.client.is_open
            idle = idle + 1 if after == before else 0
            assert idle <= _IDLE_WAKE_UPS, f"a busy loop: {events:#x} wakes it for nothing"


@dataclass
class Ran:
    """A client after its acts. `figure` reads one of its counters."""

    kernel: Kernel
    context: ServerContext
    slot: int

    def figure(self, name: str) -> int:
        return self.context.columns.figure(name, self.slot)


def run(
    acts: Iterable[Act],
    trigger: Trigger,
    switches: Switches,
    *,
    schedule: Iterable[int] = (),
    room: int = 1 << 30,
    options: EchoOptions | None = None,
    reads_per_turn: int = 16,
) -> Ran:
    """Play the acts to a client until nothing moves."""
    kernel = Kernel(acts, schedule, room)
    context = ServerContext(kernel, options or EchoOptions(), lambda _identifier: None)
    context.switches = switches
    with (
        mock.patch("core.echo.read_policy.READS_PER_TURN", reads_per_turn),
        mock.patch.multiple(
            "core.echo.client",
            os=SimpleNamespace(read=kernel.read, write=kernel.write),
            at_urgent_mark=kernel.at_urgent_mark,
            unread=kernel.unread,
        ),
    ):
        kernel.client = Client(context, kernel, ("127.0.0.1", 40_000), 1, trigger)
        kernel.run()
    return Ran(kernel, context, kernel.client.slot)
