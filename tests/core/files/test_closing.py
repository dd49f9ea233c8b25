"""Files and folders are closed at the end of their block."""

from __future__ import annotations

import pytest

from core.files.closing import Closing


class Counted(Closing):
    closed = 0

    def close(self) -> None:
        self.closed += 1


def test_the_end_of_the_block_closes() -> None:
    with Counted() as counted:
        assert counted.closed == 0
    assert counted.closed == 1


def test_an_error_in_the_block_closes_and_is_raised() -> None:
    counted = Counted()
    with pytest.raises(ValueError, match="inside"), counted:
        raise ValueError("inside")
    assert counted.closed == 1
