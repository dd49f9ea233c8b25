"""The state database: damage, other programs' files, limits, and processes that write at once."""

from __future__ import annotations

import builtins
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from core.files import private_folder
from core.files.private_folder import PrivateFolder
from core.forge.compose.draft import Draft
from core.forge.journal import database
from core.forge.journal.approvals import Approvals
from core.forge.journal.database import FILE, Complaints, StateDatabase
from core.forge.journal.drafts import DraftStore
from core.forge.journal.history import SendHistory
from tests.core.files.test_private_folder import NOBODY
from tests.helpers.support import ROOT, require_root
from tests.helpers.waiting import PATIENCE_S

ONE = (Draft(("ip", "udp"), {"ip.ttl": "3"}),)
TWO = (Draft(("ip",)), Draft(("eth", "arp"), {"payload": "grün"}))


@pytest.fixture
def state(tmp_path: Path) -> StateDatabase:
    return StateDatabase(tmp_path)


def fill(state: StateDatabase) -> None:
    DraftStore(state).save("one", ONE)
    SendHistory(state).add(TWO)
    Approvals(state).add({"10.0.0.1"})


def content(state: StateDatabase) -> tuple[object, object, object]:
    return DraftStore(state).drafts(), SendHistory(state).entries(), Approvals(state).marks()


FULL = ({"one": ONE}, [TWO], frozenset({"10.0.0.1"}))
EMPTY = ({}, [], frozenset())


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_one_file_that_only_its_owner_may_read_holds_everything(state: StateDatabase) -> None:
    fill(state)
    assert content(state) == FULL
    assert names(state.folder) == [FILE]
    assert (state.folder / FILE).stat().st_mode & 0o777 == 0o600
    assert state.complaints.all() == []


def test_a_missing_folder_is_made_by_a_change_and_not_by_reading(tmp_path: Path) -> None:
    state = StateDatabase(tmp_path / "a" / "state")
    assert content(state) == EMPTY
    assert not state.folder.parent.exists()
    fill(state)
    assert state.folder.stat().st_mode & 0o777 == 0o700
    assert state.complaints.all() == []


def test_a_change_that_raises_changes_nothing(state: StateDatabase) -> None:
    fill(state)
    before = (state.folder / FILE).read_bytes()
    with pytest.raises(ZeroDivisionError), state.change() as connection:
        connection.execute(f"DELETE FROM drafts WHERE name = {1 // 0}")
    with pytest.raises(OSError, match="no such table"), state.change() as connection:
        connection.execute("DELETE FROM elsewhere")
    assert (state.folder / FILE).read_bytes() == before
    assert names(state.folder) == [FILE]


def test_the_file_shrinks(state: StateDatabase) -> None:
    drafts = DraftStore(state)
    drafts.save("small", ONE)
    before = (state.folder / FILE).stat().st_size
    drafts.save("large", (Draft(("ip",), {"payload": "x" * 100_000}),))
    assert (state.folder / FILE).stat().st_size > before + 90_000
    drafts.delete("large")
    assert (state.folder / FILE).stat().st_size <= before + 4096


def test_a_database_that_would_be_too_large_to_read_is_not_written(
    state: StateDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LARGEST_BYTES", 64 << 10)
    fill(state)
    with pytest.raises(OSError, match=r"forge\.sqlite3 would be larger than"):
        DraftStore(state).save("two", (Draft(("ip",), {"payload": "x" * 100_000}),))
    assert content(state) == FULL
    assert state.complaints.all() == []


# -- damage ----------------------------------------------------------------------------------

DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "text": lambda _: b"somebody else's file\n" * 90,
    "a few bytes": lambda whole: whole[:10],
    "zeros": lambda whole: bytes(len(whole)),
    "the end is missing": lambda whole: whole[:5000],
    "a page is overwritten": lambda whole: whole[:4096] + b"\xff" * 4096 + whole[8192:],
    "too large": lambda whole: whole + bytes(1 << 20),
    "nested brackets": lambda _: b"[" * 100_000,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_database_reads_as_empty_and_is_set_aside_by_a_change(
    state: StateDatabase, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    monkeypatch.setattr(database, "LARGEST_BYTES", 1 << 20)
    fill(state)
    path = state.folder / FILE
    damaged = DAMAGE[damage](path.read_bytes())
    path.write_bytes(damaged)
    if damage != "too large":
        assert content(state) == EMPTY
        (complaint,) = state.complaints.all()  # once, although it was read three times
        assert complaint.startswith(f"{path}: ")
        assert "\n" not in complaint
    DraftStore(state).save("two", TWO)
    assert content(state) == ({"two": TWO}, [], frozenset())
    (aside,) = (other for other in state.folder.iterdir() if other != path)
    assert aside.name.startswith(f"{FILE}.unreadable-")
    assert aside.read_bytes() == damaged
    assert aside.name in state.complaints.all()[-1]


def test_another_program_s_database_is_set_aside(state: StateDatabase) -> None:
    path = state.folder / FILE
    with closing(sqlite3.connect(path)) as foreign:
        foreign.execute("CREATE TABLE drafts (name, content)")
    before = path.read_bytes()
    assert content(state) == EMPTY
    assert state.complaints.all() == [f"{path}: another program wrote it"]
    fill(state)
    assert content(state) == FULL
    assert before in {other.read_bytes() for other in state.folder.iterdir()}


@pytest.mark.parametrize(
    "statement",
    ["DROP TABLE history", "ALTER TABLE drafts RENAME COLUMN name TO title"],
)
def test_a_database_without_our_tables_is_damaged(state: StateDatabase, statement: str) -> None:
    fill(state)
    with closing(sqlite3.connect(state.folder / FILE)) as connection:
        connection.execute(statement)
    assert content(state) == EMPTY
    assert state.complaints.all() == [f"{state.folder / FILE}: it is damaged"]


@pytest.mark.parametrize("column", ["drafts.name", "drafts.content", "approvals.mark"])
def test_a_value_of_another_type_is_damage(state: StateDatabase, column: str) -> None:
    fill(state)
    table, _, name = column.partition(".")
    other = "x'07'" if name == "content" else "'text'"
    with closing(sqlite3.connect(state.folder / FILE)) as connection:
        connection.execute(f"UPDATE {table} SET {name} = {other}")
        connection.commit()
    assert content(state) == EMPTY
    assert state.complaints.all() == [f"{state.folder / FILE}: it is damaged"]


def test_a_later_version_s_database_is_neither_read_nor_changed(state: StateDatabase) -> None:
    fill(state)
    with closing(sqlite3.connect(state.folder / FILE)) as connection:
        connection.execute("PRAGMA user_version = 2")
    before = (state.folder / FILE).read_bytes()
    assert content(state) == EMPTY
    assert state.complaints.all() == [
        f"{state.folder}: {FILE} was written by a later version of rawscope"
    ]
    with pytest.raises(OSError, match="later version"):
        DraftStore(state).save("two", TWO)
    assert (state.folder / FILE).read_bytes() == before


def test_any_damaged_byte_stops_nothing(state: StateDatabase) -> None:
    fill(state)
    path = state.folder / FILE
    whole = path.read_bytes()
    chosen = random.Random(1)
    used = [at for at, byte in enumerate(whole) if byte]
    for at in chosen.sample(used, 100):
        damaged = bytearray(whole)
        damaged[at] ^= chosen.randrange(1, 256)
        path.write_bytes(damaged)
        content(state)
        later = any("later version" in complaint for complaint in state.complaints.all())
        state.complaints = Complaints()
        if not later:
            DraftStore(state).keep("one", TWO)
            SendHistory(state).add(ONE)
            assert DraftStore(state).drafts()["one"] == TWO
            assert all("\n" not in complaint for complaint in state.complaints.all())


def test_an_empty_file_counts_as_none(state: StateDatabase) -> None:
    (state.folder / FILE).touch()
    assert content(state) == EMPTY
    fill(state)
    assert content(state) == FULL
    assert names(state.folder) == [FILE]
    assert state.complaints.all() == []


def test_a_name_that_is_not_unicode_is_kept(state: StateDatabase) -> None:
    """As the command line gives it (surrogateescape), or as JSON may."""
    drafts = DraftStore(state)
    for name in ("\udcff", "\ud800", "a\0b", "grün"):
        drafts.save(name, ONE)
        assert drafts.keep(name, TWO) == f"{name}, before"
        drafts.delete(f"{name}, before")
    assert drafts.drafts() == dict.fromkeys(["a\0b", "grün", "\ud800", "\udcff"], TWO)
    Approvals(state).add({"\udcff"})
    assert Approvals(state).marks() == {"\udcff"}


@pytest.mark.parametrize("name", ["a b", "a?b#c%41", "grün", os.fsdecode(b"\xff")])
def test_any_folder_name_works(tmp_path: Path, name: str) -> None:
    state = StateDatabase(tmp_path / name)
    fill(state)
    assert content(state) == FULL


def test_a_python_without_sqlite_reads_nothing_and_says_so(
    state: StateDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(state)
    real = builtins.__import__

    def missing(name: str, *arguments: object, **named: object) -> object:
        if name == "sqlite3":
            raise ModuleNotFoundError(name)
        return real(name, *arguments, **named)

    monkeypatch.delitem(sys.modules, "sqlite3")
    monkeypatch.setattr(builtins, "__import__", missing)
    assert content(state) == EMPTY
    assert "sqlite3 module, which is not installed" in state.complaints.all()[0]
    with pytest.raises(OSError, match="sqlite3 module"):
        DraftStore(state).save("two", TWO)


def test_a_read_only_folder_is_read() -> None:
    """As an ordinary user, since root may write anywhere."""
    require_root()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        state = StateDatabase(folder)
        fill(state)
        for path, mode in ((folder / FILE, 0o400), (folder, 0o500)):
            os.chown(path, NOBODY, NOBODY)
            path.chmod(mode)
        os.seteuid(NOBODY)
        try:
            assert content(state) == FULL
            with pytest.raises(OSError, match="Permission denied"):
                DraftStore(state).save("two", TWO)
        finally:
            os.seteuid(0)
        assert names(folder) == [FILE]
        assert state.complaints.all() == []


# -- files that SQLite would open beside a database ------------------------------------------


@pytest.mark.parametrize("suffix", ["-journal", "-wal", "-shm"])
def test_no_file_beside_the_database_is_opened(state: StateDatabase, suffix: str) -> None:
    fill(state)
    victim = state.folder / "victim"
    victim.write_bytes(b"somebody else's")
    beside = state.folder / f"{FILE}{suffix}"
    for put in (
        lambda: beside.symlink_to(victim),
        lambda: os.mkfifo(beside),
        lambda: beside.write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(4096)),
        lambda: beside.mkdir(),
    ):
        put()
        before = beside.lstat()
        assert content(state) == FULL
        DraftStore(state).save("one", ONE)
        assert (beside.lstat().st_ino, beside.lstat().st_size) == (before.st_ino, before.st_size)
        beside.rmdir() if beside.is_dir() else beside.unlink()
    assert victim.read_bytes() == b"somebody else's"
    assert state.complaints.all() == []


def test_sqlite_opens_the_database_and_the_new_file_only(tmp_path: Path) -> None:
    """Recorded by the interpreter's audit hook for sqlite3, and by listing the folder."""
    code = (
        "import sys; from pathlib import Path\n"
        "opened = []\n"
        "sys.addaudithook(lambda event, arguments: opened.append(arguments[0])\n"
        "    if event == 'sqlite3.connect' else None)\n"
        "from tests.core.forge.journal.test_database import *\n"
        "state = StateDatabase(Path(sys.argv[1])); fill(state); assert content(state) == FULL\n"
        "print(*opened, sep='\\n')"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    opened = set(done.stdout.split())
    own = f"{(tmp_path / FILE).as_uri()}?mode=ro&immutable=1"
    assert own in opened
    new = {one for one in opened if one not in (own, ":memory:")}
    assert all(one.startswith(f"{tmp_path.as_uri()}/.{FILE}-") for one in new)
    assert len(new) == 3  # one for each change
    assert names(tmp_path) == [FILE]


# -- several processes -----------------------------------------------------------------------

_WRITE = """
import sys
from pathlib import Path
from core.files import private_folder
from core.forge.compose.draft import Draft
from core.forge.journal.approvals import Approvals
from core.forge.journal.database import StateDatabase
from core.forge.journal.drafts import DraftStore
from core.forge.journal.history import SendHistory

private_folder._LOCK_PATIENCE_S = 120.0  # on a host whose disk is busy
folder, own, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
state = StateDatabase(folder)
print("ready", flush=True)
sys.stdin.readline()
for number in range(count):
    draft = Draft(("ip",), {"ip.id": str(number), "payload": own})
    DraftStore(state).save(f"{own} {number}", (draft,))
    SendHistory(state).add((draft,))
    Approvals(state).add({f"{own} {number}"})
assert not state.complaints.all(), state.complaints.all()
"""


def run_at_once(folder: Path, owners: list[str], count: int) -> None:
    """Start a process for each owner; let all of them write at the same moment."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITE, str(folder), owner, str(count)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for owner in owners
    ]  # fmt: skip
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0


def test_two_processes_that_write_by_the_hundred_lose_nothing(state: StateDatabase) -> None:
    """While a third, this one, reads: always all of a change or nothing of it."""
    count = 100
    writing = threading.Thread(target=run_at_once, args=(state.folder, ["a", "b"], count))
    writing.start()
    seen = 0
    while writing.is_alive():
        drafts = DraftStore(state).drafts()
        assert len(drafts) >= seen
        seen = len(drafts)
    writing.join()
    drafts, history, marks = content(state)
    expected = {f"{owner} {number}" for owner in "ab" for number in range(count)}
    assert set(drafts) == expected
    assert marks == expected
    sent = [f"{one.texts['payload']} {one.texts['ip.id']}" for (one,) in history]
    assert set(sent) == expected
    for owner in "ab":  # each one's own order is kept
        own = [one for one in sent if one.startswith(owner)]
        assert own == [f"{owner} {number}" for number in reversed(range(count))]
    assert names(state.folder) == [FILE]
    assert state.complaints.all() == []


def test_a_process_that_was_killed_in_a_change_stops_nobody(state: StateDatabase) -> None:
    fill(state)
    code = (
        "import sys; from pathlib import Path\n"
        "from core.forge.journal.database import StateDatabase\n"
        "with StateDatabase(Path(sys.argv[1])).change() as connection:\n"
        "    connection.execute('DELETE FROM drafts'); connection.commit()\n"
        "    print('changed', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(state.folder)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout is not None
        assert other.stdout.readline() == "changed\n"
        assert content(state) == FULL
        other.kill()
    assert content(state) == FULL
    DraftStore(state).save("two", TWO)
    assert DraftStore(state).drafts() == {"one": ONE, "two": TWO}


def test_a_change_waits_for_the_other_process(
    state: StateDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_folder, "_LOCK_PATIENCE_S", PATIENCE_S)
    with PrivateFolder(state.folder) as other, other.locked():
        writing = threading.Thread(target=fill, args=(state,))
        writing.start()
        assert content(state) == EMPTY
    writing.join()
    assert content(state) == FULL


def test_a_complaint_is_taken_once() -> None:
    complaints = Complaints()
    complaints.add("one")
    complaints.add("two")
    assert complaints.take() == ("one", "two")
    complaints.add("one")
    complaints.add("three")
    assert complaints.take() == ("three",)
    assert complaints.all() == ["one", "two", "three"]
