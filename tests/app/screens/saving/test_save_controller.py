"""Saving and commenting on the screen, with a scripted capture."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from textual.widgets import Input, RadioSet

from app.screens.dialogs.choices import Switched
from app.screens.dialogs.comments import EditComments
from app.screens.dialogs.dialog import Confirm, Hint
from app.screens.dialogs.save_capture import SaveCapture
from core.analysis.programs.owners import Grade, Owner, Process
from core.analysis.programs.program_table import Ownership, ProgramTable, programs_of
from core.analysis.tcp.flow_index import index_of
from core.engine.snapshot import EngineSnapshot, EngineState
from core.files.reader import open_capture
from core.store.budget import Budget
from tests.core.files.writing.test_round_trip import content_of
from tests.helpers.idle import eventually
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import LIVE, ScriptedEngine, filled, main, scripted_monitor

FILE = EngineSnapshot(EngineState.DONE, file="/tmp/day.pcap.gz", progress=1.0)


@asynccontextmanager
async def running(said=FILE):
    store = scripted_store()
    monitor = scripted_monitor(store, ScriptedEngine(said))
    async with monitor.run_test(size=(120, 36)) as pilot:
        await filled(pilot)
        yield pilot, store.snapshot()


async def name(pilot, path: Path) -> None:
    """Type the name of a file into the dialog, and save."""
    pilot.app.screen.query_one("#path", Input).value = str(path)
    await pilot.press("enter")


async def test_marked_packets_are_saved(tmp_path):
    async with running() as (pilot, snapshot):
        main(pilot).table.select(2)
        await pilot.press("m", "j", "j", "m", "w")
        dialog = pilot.app.screen
        assert dialog.query_one("#path", Input).value == "day-copy.pcapng"
        await pilot.press("tab", "down")
        await name(pilot, tmp_path / "a.pcapng")
        await eventually(lambda: pilot.app.screen is main(pilot), "the main screen")
    chunk = snapshot.chunks[0]
    assert content_of(tmp_path / "a.pcapng").frames == [chunk.frame(1), chunk.frame(3)]


async def test_tab_leads_from_the_name_to_all_choices_and_back():
    async with running() as (pilot, _):
        main(pilot).table.select(2)
        await pilot.press("m", "w")
        dialog, found = pilot.app.screen, []
        for _ in range(6):
            found.append(dialog.focused.id)
            await pilot.press("tab")
        assert found == ["path", "which", "numbers", "format", "save", "path"]
        assert "tab, arrows: packets, format" in str(dialog.query_one(Hint).content)
        await pilot.click(list(dialog.query("#which OneOf"))[2])
        assert dialog.query_one("#which", RadioSet).pressed_index == 2


@pytest.mark.parametrize("is_on", [True, False])
async def test_the_programs_of_flows_are_comments_unless_switched_off(tmp_path, is_on):
    async with running() as (pilot, snapshot):
        index_of(snapshot).extend(snapshot, Budget())
        tcp = Ownership(np.array([0]), np.array([1]), np.array([0]))
        curl = Owner("192.0.2.17:1", Grade.EXACT, (Process(20, "curl", 0),))
        programs_of(snapshot).published = ProgramTable([(curl,)], {"tcp": tcp})
        await pilot.press("w")
        pilot.app.screen.query_one("#programs", Switched).value = is_on
        await name(pilot, tmp_path / "a.pcapng")
        await eventually(lambda: pilot.app.screen is main(pilot), "the main screen")
    with open_capture(tmp_path / "a.pcapng") as reader:
        comments = [text for batch in reader.batches() for text in batch.comments.values()]
    assert comments == ([["process: curl (20) of 192.0.2.17:1"]] if is_on else [])


@pytest.mark.parametrize("key", ["w", "W"])
async def test_a_compression_that_is_not_written_is_refused(tmp_path, key):
    async with running(LIVE) as (pilot, _):
        await pilot.press(key)
        pilot.app.screen.focused.value = str(tmp_path / "a.pcap.xz")
        await pilot.press("enter")
        hint = pilot.app.screen.query_one(Hint)
        await eventually(lambda: "no .xz files: end the name in .gz" in str(hint.content), "it")
    assert not list(tmp_path.iterdir())


async def test_typed_numbers_are_saved_and_mistakes_are_shown(tmp_path):
    async with running() as (pilot, _):
        await pilot.press("w")
        dialog = pilot.app.screen
        numbers, hint = dialog.query_one("#numbers", Input), dialog.query_one(Hint)
        numbers.value = "x"
        await eventually(lambda: "not a range" in str(hint.content), "the reason")
        numbers.value = "2-3,9"
        await name(pilot, tmp_path / "a.pcap")
        await eventually(lambda: pilot.app.screen is main(pilot), "the main screen")
    assert len(content_of(tmp_path / "a.pcap").frames) == 3
    assert (tmp_path / "a.pcap").read_bytes()[:4] in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d")


async def test_an_existing_file_is_kept_without_a_yes(tmp_path):
    path = tmp_path / "a.pcapng"
    path.write_bytes(b"old")
    async with running() as (pilot, _):
        await pilot.press("w")
        await name(pilot, path)
        await eventually(lambda: isinstance(pilot.app.screen, Confirm), "the question")
        await pilot.press("n")
        assert path.read_bytes() == b"old"
        await pilot.press("enter")
        await eventually(lambda: isinstance(pilot.app.screen, Confirm), "the question")
        await pilot.press("y")
        await eventually(lambda: pilot.app.screen is main(pilot), "the main screen")
    assert len(content_of(path).frames) == 28


async def test_a_failure_stays_in_the_dialog_with_its_reason(tmp_path):
    async with running() as (pilot, _):
        await pilot.press("w")
        await name(pilot, tmp_path / "none" / "a.pcapng")
        hint = pilot.app.screen.query_one(Hint)
        await eventually(lambda: "no such folder" in str(hint.content), "the reason")
        await pilot.press("escape")
        assert pilot.app.screen is main(pilot)


async def test_leaving_saves_first(tmp_path):
    """The capture is stopped, so the file has all packets, and the program ends."""
    async with running(LIVE) as (pilot, _):
        await pilot.press("q")
        assert isinstance(pilot.app.screen, Confirm)
        await pilot.press("s")
        await eventually(lambda: isinstance(pilot.app.screen, SaveCapture), "the dialog")
        await name(pilot, tmp_path / "a.pcapng")
        await eventually(lambda: pilot.app._exit, "the exit")
    assert len(content_of(tmp_path / "a.pcapng").frames) == 28


async def test_leaving_asks_again_while_packets_are_unsaved(tmp_path):
    async with running(LIVE) as (pilot, _):
        await pilot.press("q", "s")
        await eventually(lambda: isinstance(pilot.app.screen, SaveCapture), "the dialog")
        pilot.app.screen.query_one("#numbers", Input).value = "1-3"
        await pilot.pause()
        await name(pilot, tmp_path / "a.pcapng")
        await eventually(lambda: isinstance(pilot.app.screen, Confirm), "the question")
        await pilot.press("n")
        assert pilot.app.screen is main(pilot)


async def test_a_comment_is_shown_and_unsaved(tmp_path):
    async with running() as (pilot, _):
        main(pilot).table.select(3)
        await pilot.press("semicolon", *"odd", "enter")
        await eventually(
            lambda: "'odd'" in repr(main(pilot).panels.selected.rows[0]),
            "the comment in the tree",
        )
        await pilot.press("q")
        assert isinstance(pilot.app.screen, Confirm)
        await pilot.press("s")
        await eventually(lambda: isinstance(pilot.app.screen, SaveCapture), "the dialog")
        await name(pilot, tmp_path / "a.pcapng")
        await eventually(lambda: pilot.app._exit, "the exit")
    assert content_of(tmp_path / "a.pcapng").comments == {3: ["odd"]}


@pytest.mark.parametrize("keys", [["backspace"] * 4, ["escape"]])
async def test_comments_are_removed_or_kept(keys):
    async with running() as (pilot, _):
        screen = main(pilot)
        pilot.app.bridge.set_comments(3, ["old\x1b", "more"])
        screen.table.select(3)
        await pilot.press("semicolon")
        assert isinstance(pilot.app.screen, EditComments)
        hint = pilot.app.screen.query_one(Hint)
        assert str(hint.content).endswith("after closing, w saves")
        await pilot.press("end", *["backspace"] * 6, *keys)
        if keys != ["escape"]:
            await pilot.press("enter")
        expected = ("old\x1b", "more") if keys == ["escape"] else ("more",)
        assert pilot.app.bridge.savable().packets.comments[3] == expected
