"""``rawscope echo``: the echo server without the screen.

One thread, one epoll loop. Data is a line for each listener, a line of totals a second, and a last
one. Totals are left out while nobody reads them: a full pipe, or a terminal that was stopped (^s),
would hold up every client, and the next line says it all anyway.

SIGTERM (or ctrl+c) ends it in good order: it stops listening, what was acknowledged by then goes
back, what comes later is discarded and counted, and clients that do not end by themselves are
closed after a grace time; a second signal ends it at once, with a last line all the same.
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
BEAT_S = 1.0
_EVENTS_PER_WAIT = 256


def run_echo(
    ports: Sequence[int],
    addresses: Sequence[str],
    trigger: str,
    as_json: bool,
    options: EchoOptions | None = None,
) -> int:
    """Serve until told to stop; returns the exit status. Raises `CommandError`."""
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

        def tell(ended: bool) -> None:
            output.line(_totals(server.take_snapshot(), started_s, as_json, ended=ended))
            output.flush()

        def tell_if_heard(ended: bool = False) -> None:
            """Also between two instructions, for a second signal: a line is one write."""
            if output.has_room:
                tell(ended)

        started_s = time.monotonic()
        end, last_word = partial(loop.call, drain), partial(tell_if_heard, True)
        stack.enter_context(Interrupts(on_stop=end, on_second=last_word))
        for info in _listen(server, ports, addresses, Trigger(trigger)):
            output.line(_listening(info, as_json))
        output.flush()
        if not as_json:
            print_message("rawscope: ctrl+c ends it; --json prints the totals for a program")
        loop.call_every(BEAT_S, tell_if_heard)
        loop.run()
        tell(ended=True)
    return 0


def _listen(
    server: EchoServer, ports: Sequence[int], addresses: Sequence[str], trigger: Trigger
) -> Iterator[ListenerInfo]:
    """Listen on each port of each address. Raises `CommandError`."""
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
        f"{number} {reason.value}" for reason, number in totals.closed.items() if number
    )
    return (
        f"{'ended' if ended else 'so far'}: "
        f"{len(snapshot.clients)} of {totals.accepted} clients open, "
        f"in {totals.bytes_in} bytes, out {totals.bytes_out}, {totals.reads} reads, "
        f"{totals.eagains} EAGAIN, {totals.urgent} urgent, {totals.turned_away} turned away, "
        f"{totals.pending} bytes pending, {totals.unsent} lost, {totals.discarded} discarded"
        + (f"; gone: {gone}" if gone else "")
    )
