"""Pictures must not depend on the environment of the test run, nor on the speed of the host."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from app.screens.main import MainScreen
from core.analysis.names import services
from tests.helpers.idle import settled


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the two variables that change Textual's colors, and this host's names of ports."""
    monkeypatch.setattr(services, "SERVICES", Path(os.devnull))
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("TEXTUAL_THEME", raising=False)


async def draw_last(pilot: Pilot[Any]) -> None:
    """Wait until nothing changes the picture; show the newest scene meanwhile, as a timer does."""
    screen = pilot.app.screen_stack[0]
    await settled(screen.poll if isinstance(screen, MainScreen) else lambda: None)


@pytest.fixture
def snap_compare(snap_compare: Callable[..., bool]) -> Callable[..., bool]:
    """Return Textual's comparison, which draws as soon as `run_before` ends; wait before that."""

    def compare(
        app: App[Any],
        press: tuple[str, ...] | list[str] = (),
        terminal_size: tuple[int, int] = (80, 24),
        run_before: Callable[[Pilot[Any]], Any] | None = None,
    ) -> bool:
        async def act(pilot: Pilot[Any]) -> None:
            done = run_before(pilot) if run_before is not None else None
            if inspect.isawaitable(done):
                await done
            await pilot.press(*press)
            await draw_last(pilot)

        return snap_compare(app, terminal_size=terminal_size, run_before=act)

    return compare
