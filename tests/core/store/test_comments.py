"""Comments and options go with their packets, at the cost of the shorter list."""

from __future__ import annotations

import pytest

from core.store.comments import Comments

MANY = range(1, 1 << 40)  # too many to go over


def made(numbers: range) -> Comments:
    comments = Comments()
    for number in numbers:
        comments.add(number, [f"on {number}"])
        comments.add_options(number, bytes(number % 7))
    return comments


@pytest.mark.parametrize(
    ("having", "discarded", "left"),
    [
        (range(5, 8), MANY, []),
        (range(5, 8), range(6, 1 << 40), [5]),
        (range(1, 900), range(1, 899), [899]),
        (range(1, 900), range(900, 902), [*range(1, 900)]),
        (range(0), MANY, []),
    ],
)
def test_only_what_belongs_to_discarded_packets_goes(having, discarded, left) -> None:
    comments = made(having)
    before = comments.memory
    freed = comments.forget(discarded)
    assert [*comments.by_number] == [*comments.options] == left
    assert comments.memory == before - freed == made(left).memory
