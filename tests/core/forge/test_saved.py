"""Drafts, history and agreed destinations, kept in a folder; and the audit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.files.reader import open_capture
from core.forge import saved
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


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[1]"])
def test_saving_sets_an_unreadable_file_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "drafts.json"
    path.write_bytes(content)
    shelf = Shelf(tmp_path)
    shelf.save("one", ONE)
    (aside,) = (other for other in tmp_path.iterdir() if other != path)
    assert aside.read_bytes() == content
    assert aside.name in shelf.complaints[-1]
    assert shelf.drafts() == {"one": ONE}


def test_saving_keeps_the_entries_that_it_cannot_read(tmp_path: Path) -> None:
    drafts, history = tmp_path / "drafts.json", tmp_path / "history.json"
    drafts.write_text('{"later": [{"layers": 3}]}')
    history.write_text('[[{"layers": 3}]]')
    shelf = Shelf(tmp_path)
    shelf.save("one", ONE)
    shelf.remember(ONE)
    shelf.save("two", TWO)
    shelf.delete("one")
    assert json.loads(drafts.read_text())["later"] == [{"layers": 3}]
    assert json.loads(history.read_text())[1] == [{"layers": 3}]
    assert (shelf.drafts(), shelf.history()) == ({"two": TWO}, [ONE])


def test_what_would_be_too_large_to_read_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved, "LARGEST_BYTES", 4096)
    shelf = Shelf(tmp_path)
    shelf.save("one", ONE)
    with pytest.raises(OSError, match="larger"):
        shelf.save("two", (Draft(("ip",), {"payload": "x" * 4096}),))
    assert shelf.drafts() == {"one": ONE}
    for number in range(100):
        shelf.remember((Draft(("ip",), {"ip.id": str(number), "payload": "x" * 500}),))
    (newest, *_) = shelf.history()
    assert newest[0].texts["ip.id"] == "99"
    assert (tmp_path / "history.json").stat().st_size <= 4096
    assert not shelf.complaints


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
