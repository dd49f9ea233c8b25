"""Run ``rawscope replay`` in a thread, where signals cannot be handled."""

from __future__ import annotations

from unittest.mock import patch

from app.cli.send.replay import ReplayRequest, run_replay
from core.forge.host import ForgeHost
from core.net.sockets import LOCAL_SOCKETS


def quietly(request: ReplayRequest) -> int:
    """Return the exit status of `run_replay`."""
    with patch("app.cli.send.terminal_prompter.Interrupts") as interrupts:
        interrupts.return_value.__enter__.return_value.stopped = False
        return run_replay(request, ForgeHost(LOCAL_SOCKETS))
