"""The screen never waits for another process that uses the state directory.

In each of these tests, another rawscope holds the lock of the state directory and never releases
it. A change by a key is refused at once, with a sentence; the same key works once the lock is free.
"""

from __future__ import annotations

import ast
import errno
import inspect
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from textual.widgets import Static

from app.config.theme import read_theme
from app.screens.dialogs import save_text
from app.screens.dialogs.drafts import Drafts
from core.files import private_folder
from core.files.private_folder import PrivateFolder
from core.forge.compose.draft import Draft
from core.forge.journal.approvals import Approvals
from core.forge.journal.database import StateDatabase
from core.forge.journal.drafts import DraftStore
from core.forge.journal.history import SendHistory
from core.forge.journal.send_journal import SendJournal
from tests.app.screens.test_forge import Stage, forging
from tests.helpers.idle import eventually
from tests.helpers.scripted import SERVER, batch, conversations
from tests.helpers.support import ROOT
from tests.helpers.waiting import PATIENCE_S
from widgets.forge.changes import FormState

BUSY = "another rawscope is writing there now: try again"
ON_SCREEN = [ROOT / "app" / "monitor.py", *sorted((ROOT / "app" / "screens").rglob("*.py"))]
WRITERS = (DraftStore, SendHistory, Approvals)
STORES = {"StateDatabase", *(writer.__name__ for writer in WRITERS)}
CHANGING = {"save", "keep", "delete", "add"}  # methods of the writers
DRAFT = Draft(("ip", "udp"))


async def change_theme(stage: Stage) -> None:
    """Choose a theme other than the current one."""
    app = stage.pilot.app
    app.theme = "nord" if app.theme != "nord" else "dracula"


async def keep(stage: Stage) -> None:
    stage.forge.focus()
    await stage.pilot.press("ctrl+t", "m", "i", "n", "e", "enter")


async def delete(stage: Stage) -> None:
    await stage.pilot.press("d")


async def undo(stage: Stage) -> None:
    await stage.pilot.press("u")


def hint(stage: Stage) -> str:
    return str(stage.pilot.app.screen.query_one(".dialog-hint", Static).content)


def notices(stage: Stage) -> str:
    return "\n".join(one.message for one in stage.pilot.app._notifications)


def explanation(stage: Stage) -> str:
    return stage.forge.query_one("#explanation").message


def names(stage: Stage) -> list[str]:
    return list(stage.service.journal.drafts.drafts())


Act = Callable[[Stage], Awaitable[None]]
# by method: keys before the lock is taken, the refused change, where its sentence is, the result
CHANGES: dict[str, tuple[list[Act], Act, Callable[[Stage], str], Callable[[Stage], bool]]] = {
    "remember_theme": ([], change_theme, notices,
                       lambda stage: read_theme(stage.paths.state) == stage.pilot.app.theme),
    "keep": ([], keep, explanation, lambda stage: names(stage) == ["mine"]),
    "delete": ([keep], delete, hint, lambda stage: names(stage) == []),
    "save": ([keep, delete], undo, hint, lambda stage: names(stage) == ["mine"]),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
async def test_no_change_waits_in_the_thread_of_the_screen(tmp_path, monkeypatch, change) -> None:
    monkeypatch.delenv("TEXTUAL_THEME", raising=False)
    napped: list[threading.Thread] = []
    before, act, words, holds = CHANGES[change]
    async with forging(tmp_path) as stage:
        await stage.pilot.press("f2")
        for step in before:
            await step(stage)
            await stage.pilot.pause()
            if step is keep:
                await stage.pilot.press("ctrl+o")
        monkeypatch.setattr(
            private_folder.time, "sleep", lambda s: napped.append(threading.current_thread())
        )
        stage.paths.state.parent.mkdir(mode=0o700, exist_ok=True)
        with PrivateFolder(stage.paths.state.parent) as other, other.locked():
            await act(stage)
            await eventually(lambda: BUSY in words(stage), "the sentence")
            assert not holds(stage)
        assert threading.current_thread() not in napped
        await act(stage)
        await eventually(lambda: holds(stage), "the change")


async def test_no_change_of_the_database_runs_on_the_thread_of_the_screen(
    tmp_path, monkeypatch
) -> None:
    """A change synchronizes the file with the disk (fsync(2)), which may take seconds."""
    threads: dict[str, set[int]] = {"change": set(), "fsync": set()}
    change, fsync = StateDatabase.change, private_folder.os.fsync

    def recorded_change(database: StateDatabase) -> object:
        threads["change"].add(threading.get_ident())
        return change(database)

    def recorded_fsync(descriptor: int) -> None:
        threads["fsync"].add(threading.get_ident())
        fsync(descriptor)

    async with forging(tmp_path) as stage:
        await stage.pilot.press("f2")
        monkeypatch.setattr(StateDatabase, "change", recorded_change)
        monkeypatch.setattr(private_folder.os, "fsync", recorded_fsync)
        await keep(stage)
        await stage.until(lambda: explanation(stage).startswith("saved as mine"))
        await stage.pilot.press("ctrl+o", "d", "u")
        await eventually(lambda: hint(stage) == "mine is restored", "the restored draft")
        await stage.pilot.press("escape")
        await stage.type("ip.dst", SERVER)
        await stage.pilot.press("ctrl+s")
        await stage.asked()
        await stage.pilot.press("y")
        await stage.until(lambda: stage.host.sent and not stage.service.snapshot().sending)
        journal = stage.service.journal
        await eventually(lambda: journal.history.entries() and journal.approved_marks())
    assert len(threads["change"]) == 2  # the journal's and the sender's
    assert threads["fsync"] >= threads["change"]
    assert threading.get_ident() not in threads["change"] | threads["fsync"]


async def test_the_screen_continues_while_a_change_waits(tmp_path, monkeypatch) -> None:
    """The list of drafts, opened meanwhile, waits for the change; packets are shown."""
    may_end = threading.Event()
    fsync = private_folder.os.fsync

    def slow(descriptor: int) -> None:
        assert may_end.wait(PATIENCE_S)
        fsync(descriptor)

    async with forging(tmp_path) as stage:
        try:
            await stage.pilot.press("f2")
            with monkeypatch.context() as patch:
                patch.setattr(private_folder.os, "fsync", slow)
                await keep(stage)
                assert explanation(stage) == "saving as mine …"
                shown = stage.screen.shown.count
                stage.store.append(batch(list(conversations())))
                await stage.until(lambda: stage.screen.shown.count > shown)
                wait_for = Drafts._wait_for

                async def waiting(dialog: Drafts, work: Callable[[], None]) -> None:
                    assert names(stage) == []
                    may_end.set()
                    await wait_for(dialog, work)

                patch.setattr(Drafts, "_wait_for", waiting)
                await stage.pilot.press("ctrl+o")
                entries = stage.pilot.app.screen._entries
                assert [name for group, name, _ in entries if group == "Saved"] == ["mine"]
        finally:
            may_end.set()


async def test_the_screen_continues_while_copied_text_is_saved(tmp_path, monkeypatch) -> None:
    """Also the dialog: a second enter starts no second save, and `esc` closes it."""
    may_end, saves = threading.Event(), []

    def slow(path: Path, content: bytes, *, replace: bool) -> None:
        saves.append((path, content, replace, threading.get_ident()))
        assert may_end.wait(PATIENCE_S)

    monkeypatch.setattr(save_text, "save_private", slow)
    async with forging(tmp_path) as stage:
        try:
            stage.screen.table.select(5)
            await stage.pilot.press("y", "s", "enter", "enter")
            await eventually(lambda: saves, "the save")
            assert hint(stage) == "creating the file …"
            await stage.pilot.press("enter")
            shown = stage.screen.shown.count
            stage.store.append(batch(list(conversations())))
            await stage.until(lambda: stage.screen.shown.count > shown)
        finally:
            may_end.set()
        await eventually(lambda: "Saved to" in notices(stage), "the notice")
        assert stage.pilot.app.screen is stage.screen
    ((path, content, replace, thread),) = saves
    assert (path.name, replace) == ("packet-5-row.txt", False)
    assert content.startswith(b"5  ")
    assert thread != threading.get_ident()


@pytest.mark.parametrize("outcome", ["saved", "failed"])
async def test_leaving_waits_for_a_change(tmp_path, monkeypatch, outcome) -> None:
    """Also for one that waits behind it, and although nobody sees the result."""
    is_leaving = threading.Event()
    close, fsync = SendJournal.close, private_folder.os.fsync

    def closing(journal: SendJournal) -> None:
        is_leaving.set()
        close(journal)

    def slow(descriptor: int) -> None:
        assert is_leaving.wait(PATIENCE_S)
        if outcome == "failed":
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    async with forging(tmp_path) as stage:
        await stage.pilot.press("f2")
        monkeypatch.setattr(SendJournal, "close", closing)
        monkeypatch.setattr(private_folder.os, "fsync", slow)
        journal = stage.service.journal
        await keep(stage)
        await stage.pilot.press("ctrl+t", "o", "t", "h", "e", "r", "enter")
        assert journal.drafts.drafts() == {}
    assert is_leaving.is_set()
    expected = ["mine", "other"] if outcome == "saved" else []
    assert list(journal.drafts.drafts()) == expected
    with pytest.raises(RuntimeError):
        journal.change(lambda: None)


async def test_a_change_that_fails_is_reported_and_the_next_one_is_made(
    tmp_path, monkeypatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async with forging(tmp_path) as stage:
        await stage.pilot.press("f2")
        with monkeypatch.context() as patch:
            patch.setattr(private_folder.os, "fsync", fail)
            await keep(stage)
            await eventually(lambda: explanation(stage).startswith("not saved: "), "the failure")
        assert explanation(stage).endswith("No space left on device")
        await keep(stage)
        await eventually(lambda: explanation(stage).startswith("saved as mine"), "the draft")


async def test_the_sender_writes_in_its_own_thread(tmp_path, monkeypatch) -> None:
    napped: list[threading.Thread] = []
    real = private_folder.time.sleep

    def nap(seconds: float) -> None:
        napped.append(threading.current_thread())
        real(seconds)

    async with forging(tmp_path) as stage:
        await stage.pilot.press("f2")
        stage.screen.sides["forge"].drafts.fill(FormState())
        journal = stage.service.journal
        monkeypatch.setattr(private_folder.time, "sleep", nap)
        stage.paths.state.parent.mkdir(mode=0o700, exist_ok=True)
        with PrivateFolder(stage.paths.state.parent) as other, other.locked():
            worker = threading.Thread(target=lambda: journal.remember((), frozenset({"10.0.0.1"})))
            worker.start()
            await eventually(lambda: napped, "the other thread's nap")
        worker.join()
        assert set(napped) == {worker}
        assert journal.approved_marks() == {"10.0.0.1"}


@pytest.mark.parametrize("change", sorted(CHANGING))
def test_no_change_by_the_screen_waits(tmp_path, monkeypatch, change) -> None:
    def nap(seconds: float) -> None:
        raise AssertionError("it waits")

    monkeypatch.setattr(private_folder.time, "sleep", nap)
    journal = SendJournal(tmp_path, audits=True)
    arguments: dict[str, tuple[object, tuple[object, ...]]] = {
        "save": (journal.drafts, ("a", ())),
        "keep": (journal.drafts, ("a", ())),
        "delete": (journal.drafts, ("a",)),
        "add": (journal.history, ((),)),
    }
    store, given = arguments[change]
    with (
        PrivateFolder(tmp_path) as other,
        other.locked(),
        pytest.raises(OSError, match="is writing there now"),
    ):
        getattr(store, change)(*given)
    journal.drafts.save("a", ())
    getattr(store, change)(*given)


def test_reading_waits_for_nobody(tmp_path, monkeypatch) -> None:
    """Not even for a process that was stopped in the middle of a change."""

    def nap(seconds: float) -> None:
        raise AssertionError("it waits")

    monkeypatch.setattr(private_folder.time, "sleep", nap)
    journal = SendJournal(tmp_path, audits=True)
    journal.remember((DRAFT,), frozenset({"10.0.0.1"}))
    journal.drafts.save("mine", (DRAFT,))
    with StateDatabase(tmp_path).change() as connection:
        connection.execute("DELETE FROM drafts")
        assert journal.drafts.drafts() == {"mine": (DRAFT,)}
        assert journal.history.entries() == [(DRAFT,)]
        assert journal.approved_marks() == {"10.0.0.1"}
    assert journal.drafts.drafts() == {}
    assert journal.complaints.all() == []


def test_every_method_that_changes_the_database_is_known() -> None:
    """A new one needs a place in these tests."""
    changing = {
        method
        for writer in WRITERS
        for method, code in vars(writer).items()
        if inspect.isfunction(code) and "_database.change()" in inspect.getsource(code)
    }
    assert changing == CHANGING


def _run_on_screen(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree without `NewFileDialog.create`, which runs in a thread."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.FunctionDef) and node.name == "create"):
            yield node
            yield from _run_on_screen(node)


def test_the_screen_changes_state_files_by_these_calls_only() -> None:
    """Other functions that write state files may wait, so no module of the screen names them."""
    written, waiting = set(), []
    for path in ON_SCREEN:
        for node in _run_on_screen(ast.parse(path.read_text())):
            name = getattr(node, "attr", None) or getattr(node, "id", None)
            owner = ast.unparse(node.value) if isinstance(node, ast.Attribute) else ""
            if name == "remember_theme" or (
                name in CHANGING and owner.endswith((".drafts", "_store"))
            ):
                written.add(name)
            if name in (
                "PrivateFolder",
                "lock",
                "locked",
                "Audit",
                "PcapngWriter",
                "open_audit",
                "record_order",
            ) or (name == "remember" and owner.endswith("journal")):
                waiting.append(f"{path.name}:{node.lineno}: {name}")
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {*STORES, "save_private"}:
                waiting.append(f"{path.name}:{node.lineno}: {ast.unparse(node.func)}()")
    assert waiting == []
    assert written == set(CHANGES)
