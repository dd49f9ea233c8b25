"""Run commands that send in a thread, where Python cannot handle signals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from app.cli.send.replay import ReplayRequest, run_replay
from core.forge.host import ForgeHost
from core.net.sockets import LOCAL_SOCKETS


@contextmanager
def without_signals() -> Iterator[None]:
    """Keep commands from handling signals."""
    with patch("app.cli.send.terminal_prompter.Interrupts") as interrupts:
        interrupts.return_value.__enter__.return_value.stopped = False
        yield


def quietly(request: ReplayRequest) -> int:
    """Return the exit status of `run_replay`."""
    with without_signals():
        return run_replay(request, ForgeHost(LOCAL_SOCKETS))
