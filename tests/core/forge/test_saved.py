"""Drafts, history and agreed destinations, kept in a folder; and the audit."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.files.reader import open_capture
from core.forge.audit import Audit
from core.forge.draft import Draft
from core.forge.saved import HISTORY_LENGTH, Shelf
from core.wire.dissection import PacketFlag
from core.wire.link import LinkType

ONE = (Draft(("ip", "udp"), {"ip.ttl": "3"}),)
TWO = (Draft(("ip",)), Draft(("eth", "arp"), {"payload": "grün"}))


def test_drafts_are_saved_recalled_and_deleted(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "state")
    assert shelf.drafts() == {}
    shelf.save("two", TWO)
    shelf.save("one", ONE)
    assert list(Shelf(tmp_path / "state").drafts().items()) == [("one", ONE), ("two", TWO)]
    shelf.save("one", TWO)
    shelf.delete("two")
    assert shelf.drafts() == {"one": TWO}
    with pytest.raises(KeyError):
        shelf.delete("two")
    assert (tmp_path / "state" / "drafts.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["drafts.json"]


def test_history_is_newest_first_without_repeats_and_bounded(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    for drafts in (ONE, TWO, ONE):
        shelf.remember(drafts)
    assert shelf.history() == [ONE, TWO]
    for number in range(HISTORY_LENGTH + 5):
        shelf.remember((Draft(("ip",), {"ip.id": str(number)}),))
    assert len(shelf.history()) == HISTORY_LENGTH


def test_agreed_destinations(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    assert shelf.known() == frozenset()
    shelf.agree({"10.0.0.9"})
    shelf.agree({"10.0.0.8", "10.0.0.9"})
    assert Shelf(tmp_path).known() == {"10.0.0.8", "10.0.0.9"}


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"a": [{"layers": 3}]}', '{"a": 1}', "\xff"])
def test_what_cannot_be_read_is_as_good_as_absent(tmp_path: Path, content: str) -> None:
    for name in ("drafts", "history", "destinations"):
        (tmp_path / f"{name}.json").write_text(content, encoding="latin-1")
    shelf = Shelf(tmp_path)
    assert (shelf.drafts(), shelf.history(), shelf.known()) == ({}, [], frozenset())
    assert shelf.complaints
    shelf.save("one", ONE)
    assert shelf.drafts() == {"one": ONE}


def test_the_audit_keeps_what_was_sent_from_run_to_run(tmp_path: Path) -> None:
    for number in (1, 2):
        audit = Audit(tmp_path / "state")
        audit.note([b"\x45" * 30], interface="lo", verbatim=False, comment=f"run {number}")
        audit.note([b"\x02" * 60], interface="veth0", verbatim=True, comment="frame")
        audit.close()
    with open_capture(audit.path) as reader:
        batches = list(reader.batches())
        assert not reader.damaged
        assert [flag for batch in batches for flag in batch.flags] == [PacketFlag.OUTBOUND] * 4
        comments = [text for one in batches for texts in one.comments.values() for text in texts]
        assert comments == ["run 1", "frame", "run 2", "frame"]
        kinds = [(one.name, one.link_type) for one in reader.interfaces]
        assert kinds == [("lo", LinkType.RAW), ("veth0", LinkType.ETHERNET)] * 2
    assert audit.path.stat().st_mode & 0o777 == 0o600
