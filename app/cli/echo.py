"""``rawscope echo``: the echo server without the screen.

One thread runs one epoll loop. The output is one line per listener, one line of totals per second,
and a last line of totals. If nobody reads the output (a full pipe, or a terminal stopped by ^s), a
line of totals is skipped: a blocking write would delay every client, and the next line has all
counts anyway.

SIGTERM or ctrl+c ends the server in good order: it stops listening, echoes the bytes that were
acknowledged by then, discards and counts later ones, and closes clients that do not end themselves
after a grace time. A second signal ends it at once, also with a last line.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial

from app.cli.interrupts import Interrupts
from app.cli.output import CommandError, CommandOutput, print_message
from core.echo.descriptors import raise_descriptor_limit
from core.echo.listener import EchoError
from core.echo.options import EchoOptions, Trigger
from core.echo.server import EchoServer
from core.echo.snapshot import CloseReason, EchoSnapshot, ListenerInfo
from core.net.event_loop import EpollLoop

DEFAULT_PORT = 7007
DEFAULT_ADDRESS = "127.0.0.1"
TOTALS_S = 1.0
_EVENTS_PER_WAIT = 256


def run_echo(
    ports: Sequence[int],
    addresses: Sequence[str],
    trigger: str,
    as_json: bool,
    options: EchoOptions | None = None,
) -> int:
    """Serve until a signal; return the exit status. Raise `CommandError`."""
    raise_descriptor_limit()
    loop = EpollLoop(_EVENTS_PER_WAIT)
    output = CommandOutput()
    with ExitStack() as stack:
        stack.callback(loop.close)
        server = EchoServer(loop, options, watched=False)
        stack.callback(server.close)

        def drain() -> None:
            open_now = len(server.take_snapshot().clients)
            noun = "client" if open_now == 1 else "clients"
            print_message(f"rawscope: draining {open_now} {noun}; a second signal ends at once")
            server.drain(loop.stop)

        def print_totals(ended: bool) -> None:
            output.line(_totals(server.take_snapshot(), started_s, as_json, ended=ended))
            output.flush()

        def print_if_room(ended: bool = False) -> None:
            """Print totals unless the output is full.

            A second signal calls this between any two instructions: a line is one write.
            """
            if output.has_room:
                print_totals(ended)

        started_s = time.monotonic()
        end, at_once = partial(loop.call, drain), partial(print_if_room, True)
        stack.enter_context(Interrupts(on_stop=end, on_second=at_once))
        for info in _listen(server, ports, addresses, Trigger(trigger)):
            output.line(_listening(info, as_json))
        output.flush()
        if not as_json:
            print_message(
                "rawscope: ctrl+c ends the server; --json prints the totals for a program"
            )
        loop.call_every(TOTALS_S, print_if_room)
        loop.run()
        print_totals(ended=True)
    return 0


def _listen(
    server: EchoServer, ports: Sequence[int], addresses: Sequence[str], trigger: Trigger
) -> Iterator[ListenerInfo]:
    """Listen on each port of each address. Raise `CommandError`."""
    for address in addresses or (DEFAULT_ADDRESS,):
        for port in ports or (DEFAULT_PORT,):
            try:
                yield server.listen(address, port, trigger)
            except EchoError as error:
                raise CommandError(str(error)) from error


def _listening(info: ListenerInfo, as_json: bool) -> str:
    if as_json:
        return json.dumps({"listening": [info.address, info.port], "trigger": info.trigger.value})
    return f"listening on {info.name}, {info.trigger.value} triggered"


def _totals(snapshot: EchoSnapshot, started_s: float, as_json: bool, *, ended: bool = False) -> str:
    totals, loop = snapshot.totals, snapshot.loop
    if as_json:
        return json.dumps(
            {
                "ended": ended,
                "seconds": round(snapshot.taken_s - started_s, 3),
                "clients": len(snapshot.clients),
                "accepted": totals.accepted,
                "turned_away": totals.turned_away,
                "aborted": totals.aborted,
                "closed": {reason.value: totals.closed[reason] for reason in CloseReason},
                "bytes_in": totals.bytes_in,
                "bytes_out": totals.bytes_out,
                "pending": totals.pending,
                "unsent": totals.unsent,
                "discarded": totals.discarded,
                "reads": totals.reads,
                "eagains": totals.eagains,
                "urgent": totals.urgent,
                "client_wake_ups": totals.wake_ups,
                "waits": loop.waits,
                "wake_ups": loop.wake_ups,
                "events": loop.events,
                "stale": loop.stale,
                "kernel_s": round(loop.kernel_s, 3),
                "handlers_s": round(loop.handlers_s, 3),
            }
        )
    gone = ", ".join(
        f"{number:,} {reason.value}" for reason, number in totals.closed.items() if number
    )
    return (
        f"{'ended' if ended else 'running'}: "
        f"{len(snapshot.clients):,} of {totals.accepted:,} clients open, "
        f"in {totals.bytes_in:,} bytes, out {totals.bytes_out:,}, {totals.reads:,} reads, "
        f"{totals.eagains:,} EAGAIN, {totals.urgent:,} urgent, {totals.turned_away:,} turned away, "
        f"{totals.pending:,} bytes pending, {totals.unsent:,} lost, {totals.discarded:,} discarded"
        + (f"; gone: {gone}" if gone else "")
    )
