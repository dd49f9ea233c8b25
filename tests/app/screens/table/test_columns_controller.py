"""The columns that the user chooses are shown, saved, and shown again at the next start."""

from __future__ import annotations

import tomllib
from pathlib import Path

from app.config.config_file import load
from app.config.paths import Paths
from app.config.schema import TableSettings
from app.screens.dialogs.columns import Columns
from app.screens.table.columns_controller import changes_of, choice_of
from tests.helpers.idle import eventually
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import filled, scripted_monitor
from tests.widgets.stage import screen_text
from widgets.packets.column_choice import DEFAULT_CHOICE, ColumnChoice, ColumnName

CHOICE = ColumnChoice((ColumnName.NUMBER, "ip.ttl", ColumnName.INFO), ("tcp.port",), {"ip.ttl": 7})


def test_settings_give_the_columns_that_they_were_made_from() -> None:
    for choice in (CHOICE, DEFAULT_CHOICE, DEFAULT_CHOICE.resized(ColumnName.TIME, 9)):
        settings = {name: value for name, value in changes_of(choice).items() if value is not None}
        assert choice_of(TableSettings(**settings)) == choice


def test_the_default_needs_no_setting() -> None:
    assert set(changes_of(DEFAULT_CHOICE).values()) == {None}


def test_a_field_is_not_both_shown_and_spare() -> None:
    both = TableSettings(columns=("ip.ttl",), spare=("ip.ttl", "Time"))
    assert choice_of(both) == ColumnChoice(("ip.ttl",))


async def test_columns_are_remembered(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "config" / "config.toml", tmp_path / "state" / "state.json")
    paths.config.parent.mkdir(mode=0o700)
    paths.config.write_text('# mine\n[table]\ncolumns = ["No.", "ip.ttl", "Info"]\n')
    monitor = scripted_monitor(scripted_store(), paths=paths)
    async with monitor.run_test(size=(100, 30)) as pilot:
        screen = await filled(pilot)
        header = screen_text(screen.table)[0]
        assert header.split() == ["No.", "ip.ttl", "Info", "filter", "menu"]
        await pilot.press("f3", "j", "K")  # from the list
        assert screen_text(screen.table)[0].split()[:3] == ["ip.ttl", "No.", "Info"]
        await pilot.press("escape")
        border = screen_text(screen.table)[0].index("No.") - 1
        await pilot.mouse_down(screen.table, offset=(border, 0))  # with the mouse
        await pilot.hover(screen.table, offset=(border + 4, 0))
        await pilot.mouse_up(screen.table, offset=(border + 4, 0))
        await eventually(lambda: "widths" in paths.config.read_text(), "the change in the file")
    text = paths.config.read_text()
    assert text.startswith("# mine\n")
    columns, width = ["ip.ttl", "No.", "Info"], len("ip.ttl") + 4
    assert tomllib.loads(text) == {"table": {"columns": columns, "widths": {"ip.ttl": width}}}
    assert load(paths.config).complaints == ()


async def test_the_right_button_on_the_headings_opens_the_list() -> None:
    async with scripted_monitor(scripted_store()).run_test(size=(100, 30)) as pilot:
        screen = await filled(pilot)
        await pilot.click(screen.table, offset=(8, 0), button=3)
        assert isinstance(pilot.app.screen, Columns)


async def test_columns_that_cannot_be_saved_are_shown_and_reported(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "config.toml", tmp_path / "state.json")
    tmp_path.chmod(0o700)
    paths.config.write_text("[table")
    monitor = scripted_monitor(scripted_store(), paths=paths)
    async with monitor.run_test(size=(100, 30)) as pilot:
        screen = await filled(pilot)
        await pilot.press("f3", "space")
        assert "No." not in screen_text(screen.table)[0]
        reports = monitor._notifications
        await eventually(
            lambda: any("[table] is not saved" in one.message for one in reports), "the report"
        )
    assert paths.config.read_text() == "[table"
