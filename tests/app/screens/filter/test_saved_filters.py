"""Display filters that are saved under a name."""

from __future__ import annotations

from app.config.config_file import load
from app.config.paths import Paths
from app.config.schema import FilterSettings
from app.screens.filter.saved_filters import SavedFilters
from tests.helpers.idle import eventually, screen_text
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import filled, scripted_monitor


def test_filters_are_found_by_the_start_of_their_name_and_saved_as_a_whole():
    changes = []
    saved = SavedFilters(FilterSettings({"web": "tcp.port == 80"}), changes.append)
    saved.keep("Watch", "udp")
    assert saved.matching("W") == [("Watch", "udp"), ("web", "tcp.port == 80")]
    assert saved.matching("wa") == [("Watch", "udp")]
    assert saved.matching("x") == []
    assert changes == [{"saved": {"web": "tcp.port == 80", "Watch": "udp"}}]
    saved.rename("web", "Watch")
    assert saved.by_name == {"Watch": "tcp.port == 80"}
    saved.delete("Watch")
    assert changes[2:] == [{"saved": None}]


async def test_a_filter_is_saved_from_the_bar_and_chosen_in_it(tmp_path):
    paths = Paths(tmp_path / "config.toml", tmp_path / "state.json")
    async with scripted_monitor(scripted_store(), paths=paths).run_test(size=(80, 24)) as pilot:
        screen = await filled(pilot)
        await pilot.press("slash", "ctrl+s")
        assert pilot.app.screen is screen  # without a filter
        await pilot.press(*"udp", "ctrl+s", *"my", "enter")
        assert screen.filter.bar.is_editing
        await eventually(lambda: load(paths.config).filters.saved == {"my": "udp"}, "the file")
        await pilot.press("escape", "slash")
        assert "my  " in screen_text(pilot.app)
        await pilot.press("down", "enter")
        assert screen.filter.bar.input.value == "udp"
        await pilot.press("enter")
        assert screen.filter.text == "udp"
