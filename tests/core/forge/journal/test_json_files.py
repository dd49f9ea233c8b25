"""The migration from the JSON files of the version before."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from core.files.private_folder import PrivateFolder
from core.forge.compose.draft import Draft
from core.forge.journal import database
from core.forge.journal.approvals import Approvals
from core.forge.journal.database import FILE, StateDatabase
from core.forge.journal.drafts import DraftStore
from core.forge.journal.history import SendHistory
from core.forge.journal.json_files import APPROVALS, DRAFTS, HISTORY, IMPORTED
from tests.core.files.test_private_folder import OBSTACLES, VICTIM, contents
from tests.core.forge.journal.test_database import content, names, run_at_once

ONE = (Draft(("ip", "udp"), {"ip.ttl": "3"}),)
TWO = (Draft(("ip",)), Draft(("eth", "arp"), {"payload": "grün"}))
FILES = (DRAFTS, HISTORY, APPROVALS)
BEFORE = ({"one": ONE, "two": TWO}, [TWO, ONE], frozenset({"10.0.0.1", "b on eth0"}))


def objects(drafts: tuple[Draft, ...]) -> list[object]:
    return [{"layers": list(one.layers), "texts": dict(one.texts)} for one in drafts]


def write_json(folder: Path) -> dict[str, bytes]:
    """Write what the version before wrote (`json.dumps(…, indent=1)`)."""
    entries = {
        DRAFTS: {"two": objects(TWO), "one": objects(ONE), "later": [{"layers": 3}]},
        HISTORY: [objects(TWO), objects(ONE), [{"layers": 3}]],
        APPROVALS: ["b on eth0", "10.0.0.1"],
    }
    for name, entry in entries.items():
        (folder / name).write_bytes(json.dumps(entry, indent=1).encode())
    return {name: (folder / name).read_bytes() for name in FILES}


@pytest.fixture
def state(tmp_path: Path) -> StateDatabase:
    (tmp_path / "state").mkdir(mode=0o700)
    return StateDatabase(tmp_path / "state")


def test_reading_imports_nothing_yet(state: StateDatabase) -> None:
    write_json(state.folder)
    before = contents(state.folder)
    assert content(state) == BEFORE
    assert contents(state.folder) == before


def test_the_first_change_imports_and_renames_the_files(state: StateDatabase) -> None:
    written = write_json(state.folder)
    Approvals(state).add({"c"})
    drafts, history, marks = BEFORE
    assert content(state) == (drafts, history, marks | {"c"})
    assert names(state.folder) == sorted([FILE, *(name + IMPORTED for name in FILES)])
    assert {name: (state.folder / f"{name}{IMPORTED}").read_bytes() for name in FILES} == written
    assert state.rows("SELECT content FROM drafts WHERE name = x'6c61746572'") == [
        ('[{"layers":3}]',)
    ]
    assert all("'layers' (a list)" in complaint for complaint in state.complaints.all())


def test_the_oldest_imported_mark_is_deleted_first(
    state: StateDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.forge.journal.approvals.MOST_APPROVALS", 2)
    write_json(state.folder)
    Approvals(state).add({"c"})
    assert Approvals(state).marks() == {"b on eth0", "c"}


def test_files_that_reappear_are_not_imported_again(state: StateDatabase) -> None:
    """As an earlier version that still runs writes them."""
    write_json(state.folder)
    DraftStore(state).delete("one")
    write_json(state.folder)
    SendHistory(state).add(ONE)
    assert list(DraftStore(state).drafts()) == ["two"]
    assert set(FILES) <= set(names(state.folder))


def test_two_processes_that_start_at_once_import_once(state: StateDatabase) -> None:
    write_json(state.folder)
    run_at_once(state.folder, ["a", "b"], 20)
    drafts, history, marks = content(state)
    written = {f"{owner} {number}" for owner in "ab" for number in range(20)}
    assert set(drafts) == {"one", "two"} | written
    assert marks == {"10.0.0.1", "b on eth0"} | written
    assert history[-2:] == [TWO, ONE]
    assert len(history) == 2 + len(written)
    assert names(state.folder) == sorted([FILE, *(name + IMPORTED for name in FILES)])


def test_a_reader_that_finds_neither_reads_again(
    state: StateDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process imports the files after the reader found no database."""
    write_json(state.folder)
    other = StateDatabase(state.folder)
    real = database.create_tables

    def create(connection: object) -> None:
        monkeypatch.setattr(database, "create_tables", real)
        Approvals(other).add({"c"})
        real(connection)  # type: ignore[arg-type]

    monkeypatch.setattr(database, "create_tables", create)
    assert DraftStore(state).drafts() == BEFORE[0]


@pytest.mark.parametrize(
    "damaged", [b"{", b"\xff", b"7", b"null", b"[" * 100_000, b"1" * 5000, b"x" * 2000], ids=repr
)
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_read_is_set_aside(
    state: StateDatabase, monkeypatch: pytest.MonkeyPatch, name: str, damaged: bytes
) -> None:
    monkeypatch.setattr("core.forge.journal.json_files.LARGEST_BYTES", 150_000)
    write_json(state.folder)
    (state.folder / name).write_bytes(damaged)
    expected = [*BEFORE]
    expected[FILES.index(name)] = ({}, [], frozenset())[FILES.index(name)]
    assert [*content(state)] == expected
    assert any(str(state.folder / name) in complaint for complaint in state.complaints.all())
    SendHistory(state).add(ONE)
    (aside,) = state.folder.glob(f"{name}.unreadable-*")
    assert aside.read_bytes() == damaged
    assert any(aside.name in complaint for complaint in state.complaints.all())
    assert not (state.folder / f"{name}{IMPORTED}").exists()


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_too_large_is_set_aside(
    state: StateDatabase, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("core.forge.journal.json_files.LARGEST_BYTES", 20)
    (state.folder / name).write_bytes(b"[" + b" " * 30 + b"]")
    Approvals(state).add({"a"})
    (aside,) = state.folder.glob(f"{name}.unreadable-*")
    assert len(aside.read_bytes()) == 32


@pytest.mark.parametrize("name", FILES)
def test_an_empty_file_counts_as_none(state: StateDatabase, name: str) -> None:
    (state.folder / name).touch()
    assert content(state) == ({}, [], frozenset())
    Approvals(state).add({"a"})
    assert state.complaints.all() == []


@pytest.mark.parametrize("obstacle", OBSTACLES)
@pytest.mark.parametrize("name", FILES)
def test_an_obstacle_is_refused_and_the_rest_is_read(
    tmp_path: Path, state: StateDatabase, name: str, obstacle: str
) -> None:
    """Nothing is imported until the user has moved it away, so no entry is left behind."""
    put, reason = OBSTACLES[obstacle]
    write_json(state.folder)
    (state.folder / name).unlink()
    put(state.folder / name, tmp_path / "victim")
    before = contents(state.folder)
    expected = [*BEFORE]
    expected[FILES.index(name)] = ({}, [], frozenset())[FILES.index(name)]
    assert [*content(state)] == expected
    assert any(name in complaint for complaint in state.complaints.all())
    with pytest.raises(OSError, match=reason) as refusal:
        Approvals(state).add({"c"})
    assert name in str(refusal.value)
    assert contents(state.folder) == before
    victim = tmp_path / "victim"
    assert not victim.exists() or victim.read_bytes() == VICTIM


def test_a_full_disk_leaves_the_files(
    state: StateDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_json(state.folder)
    before = contents(state.folder)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            Approvals(state).add({"c"})
    assert contents(state.folder) == before
    assert content(state) == BEFORE


def test_a_file_that_cannot_be_renamed_is_not_imported_twice(
    state: StateDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_json(state.folder)
    real = PrivateFolder.rename

    def rename(folder: PrivateFolder, name: str, new: str) -> None:
        if new.endswith(IMPORTED):
            raise OSError(5, "Input/output error")
        real(folder, name, new)

    monkeypatch.setattr(PrivateFolder, "rename", rename)
    Approvals(state).add({"c"})
    DraftStore(state).delete("one")
    assert list(DraftStore(state).drafts()) == ["two"]
