"""The fixture that the tests of writing to a terminal share."""

from __future__ import annotations

import os
import pty
from collections.abc import Iterator

import pytest


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    """Yield the reading end of a terminal, non-blocking, and the terminal."""
    reading, terminal = pty.openpty()
    os.set_blocking(reading, False)
    yield reading, terminal
    os.close(reading)
    os.close(terminal)
