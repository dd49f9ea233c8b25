"""Five tasks of a new user take at most as many keys as in Wireshark.

Wireshark's keys are those of version 4.x with its default settings, by the shortest way without a
mouse: a key, a chord, and a character count as one each. `ctrl+/` puts the cursor into the filter
bar. `ctrl+f` opens the search bar, which takes a display filter at first; to search for a string,
one key at least goes to the choice of the kind, one chooses, and one goes back. A menu, a submenu,
and an entry take one key each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from tests.helpers.idle import eventually
from tests.helpers.scripted import BAD_CHECKSUM, scripted_store
from tests.helpers.scripted_monitor import filled, main, scripted_monitor

DNS = [3, 4, 27]
CONVERSATION = [*range(5, 14)]
"""The packets of the connection with the first HTTP request, which is packet 8."""


class Task(NamedTuple):
    """The keys here and in Wireshark, and a check of the result on the main screen."""

    here: list[str]
    in_wireshark: list[str]
    is_done: Callable[..., bool]


def _shows(*numbers: int) -> Callable[..., bool]:
    return lambda screen: list(screen.table.rows.numbers) == [*numbers]


def _selects(number: int) -> Callable[..., bool]:
    return lambda screen: screen.table.selected == number


TASKS = {
    "DNS only": Task(
        ["slash", *"dns", "enter"],
        ["ctrl+/", *"dns", "enter"],
        _shows(*DNS),
    ),
    "one conversation": Task(  # of the selected packet
        ["C"],
        ["alt+a", "c", "t"],  # Analyze, Conversation Filter, TCP
        _shows(*CONVERSATION),
    ),
    "the next bad checksum": Task(  # Wireshark verifies sums of TCP only after a change of settings
        ["right_parenthesis"],
        ["ctrl+f", *"tcp.checksum.status==0", "enter"],
        _selects(BAD_CHECKSUM),
    ),
    "all bad checksums": Task(
        ["slash", *"tcp.checksum.status==0", "enter"],
        ["ctrl+/", *"tcp.checksum.status==0", "enter"],
        _shows(BAD_CHECKSUM),
    ),
    "packets with a string": Task(
        ["ctrl+f", *"status", "enter"],
        ["ctrl+f", "tab", "s", "tab", *"status", "enter"],
        _selects(8),
    ),
    "a time": Task(  # Wireshark goes to numbers only: a search for a time is the shortest
        ["colon", *"0.0219", "enter"],
        ["ctrl+f", *"frame.time_relative>=0.0219", "enter"],
        _selects(8),
    ),
}


@pytest.mark.parametrize("size", [(160, 45), (80, 24)], ids=["wide", "narrow"])
async def test_tasks_take_no_more_keys_than_in_wireshark(size: tuple[int, int]) -> None:
    async with scripted_monitor(scripted_store()).run_test(size=size) as pilot:
        await filled(pilot)
        screen = main(pilot)
        for name, task in TASKS.items():
            await pilot.press("g", "down", "down", "down", "down", "down", "down")
            await pilot.press(*map(_key, task.here))
            await eventually(lambda task=task: task.is_done(screen), name)
            await pilot.press("escape", "escape")
            assert not screen.filter.text


@pytest.mark.parametrize("name", TASKS)
def test_the_number_of_keys(name: str) -> None:
    assert len(TASKS[name].here) <= len(TASKS[name].in_wireshark)


def _key(key: str) -> str:
    """Return a character as Textual names its key."""
    return {".": "full_stop", "=": "equals_sign"}.get(key, key)
