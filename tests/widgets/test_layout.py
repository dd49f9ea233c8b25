"""A widget is as high as its content, even if that changes twice before Textual lays it out."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from textual.app import App, ComposeResult
from textual.widget import Widget

from app.screens.banner import Banner
from tests.helpers.scripted_echo import echo_snapshot
from tests.helpers.scripted_lab import models
from tests.helpers.support import ROOT
from widgets.echo.head import EchoHead
from widgets.lab.results import LabResults

SNAPSHOT = echo_snapshot()

# the widget, a call that shows little in it, and one that shows much
CASES: dict[str, tuple[Callable[[], Widget], Callable[..., None], Callable[..., None]]] = {
    "banner": (Banner, lambda it: it.show("short"), lambda it: it.show("long " * 60)),
    "lab": (
        LabResults,
        lambda it: it.show(models()[:1], ()),
        lambda it: it.show(models(), ()),
    ),
    "echo head": (
        EchoHead,
        lambda it: it.show(SNAPSHOT, None, 2),
        lambda it: it.show(SNAPSHOT, None, 20),
    ),
}


class Alone(App[None]):
    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.shown = widget

    def compose(self) -> ComposeResult:
        yield self.shown


@pytest.mark.parametrize("name", CASES)
async def test_the_last_content_has_its_height(name):
    make, little, much = CASES[name]
    async with Alone(make()).run_test(size=(80, 40)) as pilot:
        widget = pilot.app.shown
        much(widget)
        await pilot.pause()
        height = widget.size.height
        little(widget)
        await pilot.pause()
        assert 0 < widget.size.height < height
        much(widget)
        little(widget)
        pilot.app.screen._clear_arrangement_cache()  # as a change of another widget does
        pilot.app.screen._refresh_layout()
        much(widget)
        await pilot.pause()
        assert widget.size.height == height


def test_no_widget_asks_textual_for_a_layout_itself():
    asking = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("app", "widgets")
        for path in (ROOT / folder).rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"refresh\(.*layout=", line) and not line.lstrip().startswith(("``", "#"))
    ]
    assert [where for where in asking if not where.startswith("widgets/layout.py")] == []
