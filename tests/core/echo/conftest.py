"""The fixture that the tests of the echo server share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.core.echo.serving import Served


@pytest.fixture
def served() -> Iterator[Served]:
    """Yield a server that runs in a thread of its own."""
    with Served() as running:
        yield running
