"""Saved drafts."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.forge.compose.draft import Draft
from core.forge.journal.database import StateDatabase
from core.forge.journal.drafts import DraftStore

ONE = (Draft(("ip", "udp"), {"ip.ttl": "3"}),)
TWO = (Draft(("ip",)), Draft(("eth", "arp"), {"payload": "grün"}))


def test_drafts_are_saved_read_and_deleted(tmp_path: Path) -> None:
    store = DraftStore(StateDatabase(tmp_path))
    assert store.drafts() == {}
    store.save("two", TWO)
    store.save("one", ONE)
    again = DraftStore(StateDatabase(tmp_path))
    assert list(again.drafts().items()) == [("one", ONE), ("two", TWO)]
    store.save("one", TWO)
    store.delete("two")
    assert store.drafts() == {"one": TWO}
    with pytest.raises(KeyError):
        store.delete("two")


def test_drafts_that_others_replace_are_kept(tmp_path: Path) -> None:
    store = DraftStore(StateDatabase(tmp_path))
    assert store.keep("one", ONE) == ""
    assert store.keep("one", ONE) == "", "they are equal"
    assert store.keep("one", TWO) == "one, before"
    assert store.drafts() == {"one": TWO, "one, before": ONE}


def test_drafts_are_equal_in_any_order_of_their_texts(tmp_path: Path) -> None:
    store = DraftStore(StateDatabase(tmp_path))
    store.keep("one", (Draft(("ip",), {"ip.ttl": "3", "ip.id": "4"}),))
    assert store.keep("one", (Draft(("ip",), {"ip.id": "4", "ip.ttl": "3"}),)) == ""


def test_text_of_removed_layers_is_not_saved(tmp_path: Path) -> None:
    store = DraftStore(StateDatabase(tmp_path))
    store.save("one", (Draft(("ip",), {"ip.ttl": "3", "tcp.dstport": "80"}),))
    assert store.drafts() == {"one": (Draft(("ip",), {"ip.ttl": "3"}),)}


@pytest.mark.parametrize("content", ["", "{", "{}", "7", '[{"layers": 3}]', "[" * 100_000, "[]"])
def test_an_entry_that_cannot_be_parsed_is_left_alone(tmp_path: Path, content: str) -> None:
    """A later version may have written it."""
    state = StateDatabase(tmp_path)
    store = DraftStore(state)
    store.save("one", ONE)
    with state.change() as connection:
        connection.execute("INSERT INTO drafts VALUES (?, ?)", (b"later", content))
    for _ in range(2):
        assert store.drafts() == {"one": ONE}
    assert len(state.complaints.all()) == (content != "[]")
    store.save("two", TWO)
    store.delete("one")
    assert state.rows("SELECT content FROM drafts WHERE name = x'6c61746572'") == [(content,)]
    assert store.keep("later", ONE) == "later, before"
