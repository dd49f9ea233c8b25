"""Going to a packet by its number, by rows, or by a time, on the main screen."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
from textual.widgets import Input

from app.screens.dialogs.dialog import Hint
from app.screens.search_run import SearchRun
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import filled, main, scripted_monitor
from widgets.packets.time_format import TimeFormat, clock_text

SNAPSHOT = scripted_store().snapshot()


@asynccontextmanager
async def running():
    async with scripted_monitor(scripted_store()).run_test(size=(120, 40)) as pilot:
        await filled(pilot)
        await pilot.press("g")
        yield pilot


async def go_to(pilot, text: str) -> int | None:
    """Go to what `text` names; return the selected packet."""
    await pilot.press("colon")
    pilot.app.screen.query_one(Input).value = text
    await pilot.press("enter")
    assert pilot.app.screen is main(pilot)
    return main(pilot).table.selected


async def test_numbers_and_rows():
    async with running() as pilot:
        assert await go_to(pilot, "7") == 7
        assert await go_to(pilot, "+3") == 10
        assert await go_to(pilot, "-2") == 8
        assert await go_to(pilot, "-1,000") == 1
        assert await go_to(pilot, "+1000") == SNAPSHOT.count


def since_first(number: int) -> str:
    duration_ns = SNAPSHOT.timestamp_ns(number) - SNAPSHOT.timestamp_ns(1)
    return f"{duration_ns // 1000 / 1e6:.6f}"  # as the Time column has it


@pytest.mark.parametrize("number", [2, 9, SNAPSHOT.count])
async def test_times_as_the_column_shows_them(number):
    async with running() as pilot:
        assert await go_to(pilot, since_first(number)) == number
        clock = clock_text(SNAPSHOT.timestamp_ns(number), 6, with_date=False)
        assert await go_to(pilot, clock) == number
        dated = clock_text(SNAPSHOT.timestamp_ns(number), 6, with_date=True)
        assert await go_to(pilot, dated) == number


async def test_seconds_count_from_the_time_reference():
    async with running() as pilot:
        await go_to(pilot, "9")
        await pilot.press("T")
        assert await go_to(pilot, "0.0") == 9
        assert await go_to(pilot, "-100.0") == 1
        await pilot.press("colon")
        words = str(pilot.app.screen.query(".dialog-hint").first().content)
        assert "5.09: seconds since packet 9" in words


async def test_seconds_count_from_the_selected_packet_while_deltas_are_shown():
    async with running() as pilot:
        await go_to(pilot, "9")
        main(pilot).table.time_format = TimeFormat.DELTA
        assert await go_to(pilot, "0.0") == 9
        assert await go_to(pilot, "0.000001") == 10


async def test_a_time_behind_the_last_packet():
    async with running() as pilot:
        assert await go_to(pilot, "9999.0") == 1
        (notice,) = pilot.app._notifications
        assert notice.message == "no packet at 9999.0 or later"


async def test_a_packet_that_the_filter_hides():
    async with running() as pilot:
        screen = main(pilot)
        screen.filter.apply("frame.number % 5 == 0")
        assert await go_to(pilot, "7") == 10
        (notice,) = pilot.app._notifications
        assert notice.message == "packet 7 does not pass the filter"
        assert await go_to(pilot, since_first(11)) == 15
        assert await go_to(pilot, "-1") == 10


async def test_the_dialog_says_what_is_wrong_while_the_user_types():
    async with running() as pilot:
        await pilot.press("colon")
        field, hint = pilot.app.screen.query_one(Input), pilot.app.screen.query_one(Hint)
        for text, wrong in (
            ("99", "no packet 99"),
            ("22:", ""),
            ("22:61", "a time of day is"),
            ("5.0", ""),
            ("5.0x", "not a packet number or a time"),
            ("", ""),
        ):
            field.value = text
            await pilot.pause()
            assert wrong in str(hint.content)
            assert bool(str(hint.content)) == bool(wrong)
        await pilot.press("enter")
        assert "type a packet number, 1 to 28" in str(hint.content)


async def test_a_time_is_not_looked_for_in_another_store(monkeypatch):
    async with running() as pilot:
        screen = main(pilot)
        monkeypatch.setattr(SearchRun, "start", lambda *_: False)
        await go_to(pilot, since_first(9))
        canceled = []
        monkeypatch.setattr(SearchRun, "cancel", lambda run: canceled.append(run))
        screen.go_to.show(screen.scene.store_generation)
        assert not canceled
        screen.go_to.show(screen.scene.store_generation + 1)
        assert len(canceled) == 1
