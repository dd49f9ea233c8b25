"""The echo server as a part of the engine: commands from any thread, and contained faults.

The server shares the engine's loop with the capture. It is created by its first command, so that a
capture alone does not pay for it. A command that fails becomes one line in the snapshot. A command
that depends on the current state ("more", "the other way") reads the state of the server itself,
because a snapshot may be a tenth of a second old, and two quick keys would see the same one.

An internal error inside the server must not end the capture. It leaves the loop as an exception;
the worker calls `contain_fault`, and if the traceback passes through the server, the server is
closed, the snapshot reports the failure, and the loop continues.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING

from core.echo.client_columns import ClientColumns
from core.echo.descriptors import raise_descriptor_limit
from core.echo.listener import EchoError
from core.echo.options import EchoOptions, Switches, Trigger
from core.echo.snapshot import EchoSnapshot, EchoTotals
from core.net.event_loop import EpollLoop
from core.net.loop_counters import LoopCounters
from core.wire.model.text import safe

if TYPE_CHECKING:
    from core.echo.server import EchoServer

DEFAULT_ADDRESS = "127.0.0.1"
FIRST_BYTES_AFTER_S = 0.4  # from the connection on, so that a log can begin before them
LOGS = 8  # clients that get a log at once: all of a lesson, not all of a load
FIRST_TRIGGERS = (Trigger.LEVEL, Trigger.EDGE)  # of the listeners that `demonstrate` makes

SERVER_MODULES = ("core.echo.", __name__)  # a fault that passes through them is the server's

NO_SERVER = EchoSnapshot(
    taken_s=0.0,
    listeners=(),
    clients=ClientColumns().table(0.0),
    builtin_clients=(),
    totals=EchoTotals(),
    loop=LoopCounters(),
    switches=Switches(),
    selected=None,
    log=(),
    message="",
)


class EchoService:
    """The server, its commands, and their results. Each command returns at once."""

    def __init__(
        self,
        loop: EpollLoop,
        command: Callable[[Callable[[], None]], None],
        options: EchoOptions | None = None,
    ) -> None:
        self._loop = loop
        self._command = command  # hands a function to the worker thread
        self._options = options
        self._server: EchoServer | None = None
        self._message = ""

    def snapshot(self) -> EchoSnapshot:
        """Return the state of the server, at most a tenth of a second old. For any thread."""
        server, message = self._server, self._message
        shown = NO_SERVER if server is None else server.snapshot()
        return replace(shown, message=message) if message else shown

    # -- commands: any thread

    def listen(self, address: str, port: int, trigger: Trigger) -> None:
        """Listen on one more address and port; port 0 means any free port."""
        self._submit(lambda server: server.listen(address, port, trigger))

    def stop_listening(self, listener: int) -> None:
        """Close a listener; its clients stay."""
        self._submit(lambda server: server.stop_listening(listener))

    def close_client(self, client: int) -> None:
        """Close a client now."""
        self._submit(lambda server: server.close_client(client))

    def toggle_pause(self, client: int) -> None:
        """Stop reading from a client, or continue."""
        self._submit(lambda server: server.toggle_pause(client))

    def select(self, client: int | None) -> None:
        """Show the log of this client."""
        self._submit(lambda server: server.select(client))

    def set_switches(self, switches: Switches) -> None:
        """Set how much the server reads at a wake-up."""
        self._submit(lambda server: server.set_switches(switches))

    def step_budget(self, steps: int) -> None:
        """Let a read ask for more bytes, or for fewer with negative steps."""
        self._submit(lambda server: server.set_switches(server.switches.stepped(steps)))

    def next_drain(self) -> None:
        """Read until the next of: as the trigger needs, EAGAIN, a short read, one read."""
        self._submit(lambda server: server.set_switches(server.switches.next_drain()))

    def talk(self, listener: int, size: int) -> None:
        """Let the listener's built-in client send `size` bytes; connect one first if needed."""
        self._submit(partial(self._talk, listener, size))

    def demonstrate(self, size: int) -> None:
        """Open a listener of each trigger, each with a built-in client that sends `size` bytes."""
        self._submit(partial(self._demonstrate, size))

    # -- the worker thread

    def contain_fault(self, fault: BaseException) -> bool:
        """Close the server if the fault is its own; return False if it is not."""
        if not _passes_through(fault.__traceback__, SERVER_MODULES):
            return False
        self._message = (
            f"the echo server failed ({type(fault).__name__}: {safe(str(fault))}); "
            "the capture continues; a new listener starts it again"
        )
        self.close()
        return True

    def close(self) -> None:
        """Close the server and all its connections at once."""
        server, self._server = self._server, None
        if server is not None:
            with suppress(Exception):  # after a fault it may raise, but closes everything
                server.close()

    def _talk(self, listener: int, size: int, server: EchoServer) -> None:
        if server.has_builtin_client(listener):
            server.select_builtin_client(listener)  # first: the log shows what the bytes do
            server.talk(listener, size)
        else:
            self._introduce([listener], size, server)

    def _demonstrate(self, size: int, server: EchoServer) -> None:
        infos = [server.listen(DEFAULT_ADDRESS, 0, trigger) for trigger in FIRST_TRIGGERS]
        self._introduce([info.identifier for info in infos], size, server)

    def _introduce(self, listeners: list[int], size: int, server: EchoServer) -> None:
        """Connect new built-in clients, and let them send after `FIRST_BYTES_AFTER_S`."""
        for listener in listeners:
            server.talk(listener, 0)

        def send() -> None:
            timer.canceled = True
            if self._server is server:
                server.select_builtin_client(listeners[0])
                for listener in listeners:
                    server.talk(listener, size)

        timer = self._loop.call_every(FIRST_BYTES_AFTER_S, send)

    def _submit(self, order: Callable[[EchoServer], object]) -> None:
        self._command(partial(self._execute, order))

    def _execute(self, order: Callable[[EchoServer], object]) -> None:
        if self._server is None:
            from core.echo.server import EchoServer  # a capture alone does not import it

            raise_descriptor_limit()
            self._server = EchoServer(self._loop, self._options, logs=LOGS)
        try:
            order(self._server)
            self._message = ""
        except EchoError as error:
            self._message = str(error)


def _passes_through(trace: TracebackType | None, modules: tuple[str, ...]) -> bool:
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__", "").startswith(modules):
            return True
        trace = trace.tb_next
    return False
