"""The history of sent drafts."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.forge.compose.draft import Draft
from core.forge.journal import history as history_module
from core.forge.journal.database import StateDatabase
from core.forge.journal.history import HISTORY_LENGTH, SendHistory

ONE = (Draft(("ip", "udp"), {"ip.ttl": "3"}),)
TWO = (Draft(("ip",)), Draft(("eth", "arp"), {"payload": "grün"}))


@pytest.fixture
def history(tmp_path: Path) -> SendHistory:
    return SendHistory(StateDatabase(tmp_path))


def test_the_history_is_newest_first_without_repeats_and_bounded(history: SendHistory) -> None:
    for drafts in (ONE, TWO, ONE):
        history.add(drafts)
    assert history.entries() == [ONE, TWO]
    sent = [(Draft(("ip",), {"ip.id": str(number)}),) for number in range(HISTORY_LENGTH + 5)]
    for drafts in sent:
        history.add(drafts)
    assert history.entries() == sent[: -HISTORY_LENGTH - 1 : -1]


def test_entries_are_equal_in_any_order_of_their_texts(history: SendHistory) -> None:
    history.add((Draft(("ip",), {"ip.ttl": "3", "ip.id": "4"}),))
    history.add(ONE)
    history.add((Draft(("ip",), {"ip.id": "4", "ip.ttl": "3"}),))
    assert [list(drafts[0].texts) for drafts in history.entries()] == [
        ["ip.id", "ip.ttl"],
        ["ip.ttl"],
    ]


def test_large_entries_leave_room_for_fewer(
    history: SendHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_module, "LARGEST_BYTES", 4096)
    for number in range(20):
        history.add((Draft(("ip",), {"ip.id": str(number), "payload": "x" * 500}),))
    kept = [drafts[0].texts["ip.id"] for drafts in history.entries()]
    assert kept == ["19", "18", "17", "16", "15", "14", "13"]
    history.add((Draft(("ip",), {"payload": "x" * 5000}),))
    assert len(history.entries()) == 1, "the newest is always kept"


def test_an_entry_that_cannot_be_parsed_is_left_alone(tmp_path: Path) -> None:
    state = StateDatabase(tmp_path)
    history = SendHistory(state)
    history.add(ONE)
    with state.change() as connection:
        connection.execute("INSERT INTO history (content) VALUES ('[{\"layers\": 3}]')")
    history.add(TWO)
    assert history.entries() == [TWO, ONE]
    assert len(state.complaints.all()) == 1
    assert state.rows("SELECT count(*) FROM history") == [(3,)]
