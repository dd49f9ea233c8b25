"""An echo server at one moment, the same on every run: no socket, no clock.

Clients on a level and an edge triggered listener, among them one of every condition. The figures
fit together as those of a real server do: all received bytes that are not pending were sent back.
"""

from __future__ import annotations

import select
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from core.decode.batch import CaptureInterface
from core.echo.client_columns import ClientColumns, ClientTable
from core.echo.log import Entry, LogStep
from core.echo.options import Drain, Switches, Trigger
from core.echo.snapshot import BuiltinClientInfo, EchoSnapshot, EchoTotals, ListenerInfo
from core.engine.echo_service import NO_SERVER
from core.net.loop_counters import LoopCounters
from core.store.packet_store import PacketStore
from core.wire.link.link_types import LinkType
from tests.helpers.scripted import ACK, MSS_SACK_WSCALE, PSH, SYN, Frame, batch, tcp

NOW_S = 1000.0
HOST, LEVEL_PORT, EDGE_PORT = "127.0.0.1", 7007, 7008
LEVEL = ListenerInfo(1, HOST, LEVEL_PORT, Trigger.LEVEL, accepted=4)
EDGE = ListenerInfo(2, HOST, EDGE_PORT, Trigger.EDGE, accepted=3)
BUILTIN = BuiltinClientInfo(2, HOST, 40_006, sent=64, received=16, intact=True)
ESTABLISHED, CLOSE_WAIT = 1, 8
STALLED, BACKED_UP, PAUSED, ENDED = 6, 3, 4, 2  # identifiers of the clients that show it

# identifier → what differs from a client that is served and quiet
CLIENTS: tuple[dict[str, Any], ...] = (
    {"bytes_in": 12_864, "wake_ups": 201, "reads": 201, "rtt_us": 34},
    {"bytes_in": 5_000_000, "pending": 180_000, "unsent": 2_500_000, "ended": 1,
     "tcp_state": CLOSE_WAIT, "wake_ups": 96, "reads": 97, "eagains": 3, "rtt_us": 1_240},
    {"bytes_in": 3_407_872, "pending": 262_144, "unsent": 2_554_000, "unread": 1_048_576,
     "held": 1, "wake_ups": 61, "reads": 60, "eagains": 2, "rtt_us": 88},
    {"bytes_in": 640, "unread": 192, "paused": 1, "wake_ups": 10, "reads": 10, "rtt_us": 41},
    {"bytes_in": 64_000, "wake_ups": 1000, "reads": 2000, "eagains": 1000, "rtt_us": 29},
    {"bytes_in": 16, "unread": 48, "wake_ups": 1, "reads": 1, "rtt_us": 38},
    {"bytes_in": 256, "wake_ups": 4, "reads": 8, "eagains": 4, "rtt_us": 30,
     "peer": ("2001:db8:17::5", 51_234)},
)  # fmt: skip
EDGE_FROM = 5  # clients from this identifier on came through the edge triggered listener


def client_table(taken_s: float = NOW_S) -> ClientTable:
    """Return the seven clients of `CLIENTS`."""
    columns = ClientColumns()
    for number, figures in enumerate(CLIENTS, 1):
        listener = EDGE if number >= EDGE_FROM else LEVEL
        peer = figures.get("peer", (HOST, 40_000 + number))
        opened_s = NOW_S - 100 + number
        slot = columns.open(6 + number, listener.identifier, listener.trigger, peer, opened_s)
        columns.tcp_state[slot] = ESTABLISHED
        columns.active_s[slot] = NOW_S - 2.5 * number
        columns.sampled_s[slot] = NOW_S
        for name, value in figures.items():
            if name != "peer":
                getattr(columns, name)[slot] = value
    return columns.table(taken_s)


def many_clients(count: int, taken_s: float = NOW_S) -> ClientTable:
    """Return `count` clients that differ only in their ports and the bytes that they sent."""
    columns = ClientColumns()
    for number in range(count):
        peer = (f"10.0.{number >> 8 & 255}.{number & 255}", 40_000 + number % 20_000)
        slot = columns.open(10 + number, 1, Trigger.LEVEL, peer, NOW_S - 60)
        columns.bytes_in[slot] = number * 7919 % 10_007
    return columns.table(taken_s)


def log() -> tuple[Entry, ...]:
    """Return the log of the stalled client: one wake-up, one read of 16 of its 64 bytes."""
    steps = (
        (0.0, LogStep.WAKE_UP, select.EPOLLIN),
        (0.00002, LogStep.READ, 16),
        (0.00005, LogStep.WROTE, 16),
    )
    return tuple(Entry(NOW_S - 15 + after_s, step, number) for after_s, step, number in steps)


def echo_snapshot(**changed: object) -> EchoSnapshot:
    """Return the server with its clients; `changed` replaces fields."""
    said = EchoSnapshot(
        taken_s=NOW_S,
        listeners=(LEVEL, EDGE),
        clients=client_table(),
        builtin_clients=(BUILTIN,),
        totals=EchoTotals(accepted=7, bytes_in=8_485_648, pending=442_144, wake_ups=1373,
                          reads=3377, eagains=1009),
        loop=LoopCounters(waits=2411, timeouts=509, events=2236, stale=0,
                          kernel_s=98.31, handlers_s=1.69),
        switches=Switches(16, drain=Drain.ONCE),
        selected=STALLED,
        log=log(),
        message="",
    )  # fmt: skip
    return replace(said, **changed)  # type: ignore[arg-type]


EMPTY = NO_SERVER


def echo_frames() -> Iterator[Frame]:
    """Yield handshake and 64 bytes of every IPv4 client; the stalled one gets 16 back."""
    for number in range(1, EDGE_FROM + 2):
        port = EDGE_PORT if number >= EDGE_FROM else LEVEL_PORT
        yield from _echo(40_000 + number, port, 16 if number == STALLED else 64)


def echo_store() -> PacketStore:
    """Return a loopback capture of `echo_frames`."""
    store = PacketStore()
    store.add_interface(CaptureInterface("lo", LinkType.ETHERNET))
    store.append(batch(list(echo_frames())))
    return store


PACKETS_EACH = 7  # of one client in `echo_frames`


def _echo(port: int, listening: int, answered: int) -> Iterator[Frame]:
    ports, back, sent = (port, listening), (listening, port), bytes(range(64))
    there, here = port * 7919, port * 104_729
    yield Frame(tcp(HOST, HOST, ports, SYN, (there, 0), options=MSS_SACK_WSCALE), 900)
    yield Frame(tcp(HOST, HOST, back, SYN | ACK, (here, there + 1), options=MSS_SACK_WSCALE), 9)
    yield Frame(tcp(HOST, HOST, ports, ACK, (there + 1, here + 1)), 7)
    yield Frame(tcp(HOST, HOST, ports, PSH | ACK, (there + 1, here + 1), sent), 300)
    yield Frame(tcp(HOST, HOST, back, ACK, (here + 1, there + 65)), 6)
    yield Frame(tcp(HOST, HOST, back, PSH | ACK, (here + 1, there + 65), sent[:answered]), 40)
    yield Frame(tcp(HOST, HOST, ports, ACK, (there + 65, here + 1 + answered)), 5)
