"""Wait for a condition, never for a fixed time.

A test that samples a state once, or allows something 5 seconds, is right only on an idle host.
`PATIENCE_S` bounds every wait of the tests. It is so long that only an event that never happens
takes that long, also on a host with twelve busy processes for two processors. A test that succeeds
never waits for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_S = 120.0
TICK_S = 0.005

_Result = TypeVar("_Result")


def until(
    condition: Callable[[], _Result],
    what: str = "the condition",
    seen: Callable[[], object] | None = None,
) -> _Result:
    """Call `condition` until its result is true, and return the result.

    Fail after `PATIENCE_S` seconds; the message contains the result of `seen`.
    """
    ends_s = time.monotonic() + PATIENCE_S
    pause = threading.Event()
    while not (result := condition()):
        if time.monotonic() > ends_s:
            there = f"; instead: {seen()}" if seen else ""
            raise AssertionError(f"{what} did not come true in {PATIENCE_S:.0f} s{there}")
        pause.wait(TICK_S)
    return result
