"""The numbers behind each rule when a wake-up stops reading."""

from __future__ import annotations

import pytest

from core.echo.options import READS_PER_TURN, Drain
from core.echo.read_policy import ReadPolicy, read_policy


@pytest.mark.parametrize(
    ("drain", "reads", "stops_when_short"),
    [
        (Drain.EAGAIN, READS_PER_TURN, False),
        (Drain.SHORT, READS_PER_TURN, True),
        (Drain.ONCE, 1, False),
    ],
)
def test_each_rule(drain, reads, stops_when_short):
    policy = read_policy(16, drain)
    assert policy == ReadPolicy(16, reads, stops_when_short, policy.read_again_from)


@pytest.mark.parametrize("size", [1, 15, 16])
def test_a_first_read_is_followed_by_another_if_the_rule_wants_one(size):
    def again(drain):
        return size >= read_policy(16, drain).read_again_from

    assert again(Drain.EAGAIN)
    assert again(Drain.SHORT) == (size == 16)
    assert not again(Drain.ONCE)
