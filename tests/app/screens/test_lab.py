"""The laboratory shows each result as it arrives; the user can cancel and repeat the run."""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager
from functools import partial

import pytest

from app.action_commands import action_commands
from app.screens.lab import POINTS, LabScreen
from core.iolab.lab import LabOptions
from core.iolab.models import MODELS
from core.store.packet_store import PacketStore
from tests.helpers.idle import eventually
from tests.helpers.scripted_lab import (
    FD_SETSIZE_WORDS,
    NOT_HERE,
    measured,
    models,
    points,
    scripted_lab,
)
from tests.helpers.scripted_monitor import scripted_monitor
from tests.helpers.waiting import until
from tests.widgets.stage import screen_text
from widgets.lab.plots import CurvePlot, PowersOfTen, RatePlot
from widgets.lab.results import LabResults

SIZES = {"wide": (160, 45), "small": (80, 24), "least": (40, 10)}


@asynccontextmanager
async def opened(lab, size="wide"):
    monitor = scripted_monitor(PacketStore())
    async with monitor.run_test(size=SIZES[size]) as pilot:
        await monitor.push_screen(lab)
        await pilot.pause()
        yield pilot


def progress(lab):
    return str(lab.query_one("#lab-progress").render())


async def test_every_result_is_in_the_tables():
    lab = scripted_lab(NOT_HERE)
    async with opened(lab):
        await eventually(lambda: progress(lab).endswith("done"))
        text = "\n".join(screen_text(lab.query_one(LabResults)))
        for model in MODELS:
            assert model.name in text
            assert model.title in text
        assert "44,039 ◀" in text  # the fastest
        assert text.count("◀") == 2  # and what it means
        assert f"unavailable: {NOT_HERE}" in text
        assert "futex calls, by which its threads pass on the interpreter's lock, are not" in text
        assert "asleep in recv 16%" in text
        assert "7,899.9" in text
        assert FD_SETSIZE_WORDS in text
        assert progress(lab).count("█") == len(MODELS) + POINTS


async def test_the_real_measurements_end_in_the_tables(monkeypatch):
    """Only the size of the work is scripted: processes, models, and curve are real."""
    tiny = partial(LabOptions, clients=3, messages=30)
    monkeypatch.setattr("core.iolab.lab.LabOptions", tiny)
    lab = LabScreen()
    async with opened(lab):
        await eventually(lambda: not lab.measuring)
        assert progress(lab).endswith("done")
        assert [result.model for result in lab.results] == [model.name for model in MODELS]
        assert all(result.messages == 30 or result.refused for result in lab.results)
        assert all(not result.refused for result in lab.results if result.model != "io_uring")
        assert len(lab.points) == POINTS


async def test_the_plots_have_what_could_be_measured():
    lab = scripted_lab(NOT_HERE)
    async with opened(lab):
        await eventually(lambda: progress(lab).endswith("done"))
        assert len(lab.query_one(RatePlot)._datasets[0].x) == len(MODELS) - 1
        assert [len(each.x) for each in lab.query_one(CurvePlot)._datasets] == [4, 4, 3]


async def test_results_come_one_by_one_and_a_run_can_be_canceled():
    canceled_in_time = threading.Event()

    def slow_models(canceled):
        yield models()[0]
        until(canceled, "being canceled")
        canceled_in_time.set()

    lab = LabScreen(slow_models, measured(points()))
    async with opened(lab) as pilot:
        await eventually(lambda: len(lab.results) == 1)
        assert progress(lab).endswith(f"measuring {MODELS[1].title}")
        await pilot.press("escape")
        assert progress(lab).endswith("canceled")
        await eventually(canceled_in_time.is_set)
        await pilot.pause()
        assert lab.points == []  # later results are not of this run
        assert pilot.app.screen is lab
        await pilot.press("escape")
        await pilot.pause()
        assert pilot.app.screen is not lab


async def test_the_laboratory_can_be_run_again():
    lab = scripted_lab()
    async with opened(lab) as pilot:
        await eventually(lambda: progress(lab).endswith("done"))
        await pilot.press("r")
        await eventually(lambda: progress(lab).endswith("done"))
        assert (len(lab.results), len(lab.points)) == (len(MODELS), POINTS)


async def test_a_failure_is_shown():
    def broken(canceled):
        yield models()[0]
        raise OSError("no \x1b[2Jprocess")

    lab = LabScreen(broken, measured(points()))
    async with opened(lab):
        await eventually(lambda: "failed" in progress(lab))
        assert "failed: OSError: no " in progress(lab)
        assert "\x1b" not in progress(lab)


@pytest.mark.parametrize("size", SIZES)
async def test_at_any_size(size):
    lab = scripted_lab()
    async with opened(lab, size) as pilot:
        await eventually(lambda: progress(lab).endswith("done"))
        await pilot.resize_terminal(41, 11)
        await pilot.resize_terminal(*SIZES["wide"])


async def test_the_palette_offers_what_the_screen_can_do():
    lab = scripted_lab()
    async with opened(lab) as pilot:
        offered = {each.action.name for each in action_commands(pilot.app, lab, {})}
        assert {"lab.run", "lab.leave", "program.quit"} <= offered
        assert "echo.talk" not in offered
        under = pilot.app.screen_stack[0]
        offered = {each.action.name for each in action_commands(pilot.app, under, {})}
        assert {"echo.lab", "echo.talk"} <= offered
        assert "lab.run" not in offered


async def test_a_key_of_the_echo_panel_opens_it(monkeypatch):
    monkeypatch.setattr("app.screens.lab.LabScreen", scripted_lab)
    monitor = scripted_monitor(PacketStore())
    async with monitor.run_test(size=SIZES["wide"]) as pilot:
        await pilot.press("e", "L")
        await pilot.pause()
        lab = pilot.app.screen
        assert isinstance(lab, LabScreen)
        await eventually(lambda: not lab.measuring)
        await pilot.press("escape", "L")
        await pilot.pause()
        again = pilot.app.screen
        assert isinstance(again, LabScreen)
        assert not again.measuring
        assert (again.results, again.points) == (lab.results, lab.points)
        assert "measured before; r measures again" in str(again.query_one("#lab-progress").render())


def test_ticks_are_powers_of_ten():
    assert PowersOfTen().get_ticks_and_labels(0.9, 4.1) == (
        [1.0, 2.0, 3.0, 4.0], ["10", "100", "1k", "10k"],
    )  # fmt: skip
