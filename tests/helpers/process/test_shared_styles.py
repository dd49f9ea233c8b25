"""Widgets get the rules that Textual would select for them."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.css.stylesheet import Stylesheet
from textual.widgets import Button, Input, Static

from tests.helpers.process import shared_styles


class Styled(App[None]):
    """Widgets whose rules depend on all that selectors can see."""

    CSS = """
    #box { height: auto; }
    #other Static { text-style: bold; }
    #box:focus-within .below { color: red; }
    #box.-marked Static { background: green; }
    Input:focus .input--cursor { color: blue; }
    #second:focus { height: 5; }
    Static:first-child { margin: 1; }
    Static:last-of-type, Static:odd { padding: 2; }
    """

    def __init__(self, *, more: bool) -> None:
        super().__init__()
        self.more = more

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            if self.more:
                yield Static("first")
            yield Static("second", classes="below")
            yield Input(id="first")
            yield Input(id="second", disabled=self.more)
            yield Static("third")
        with Vertical(id="other"):
            yield Static("fourth", classes="below")
        yield Button("outside", id="button")


def applied(app: App[None]) -> list[object]:
    """Return the rules of all widgets and of their parts."""
    nodes = list(app.walk_children(with_self=True))
    return [
        (node, dict(node.styles.base._rules),
         {part: dict(styles.base._rules) for part, styles in node._component_styles.items()})
        for node in nodes
    ]  # fmt: skip


async def test_shared_rules_are_those_that_textual_selects(monkeypatch):
    known = len(shared_styles._selected)
    for more in (False, True, False, True):
        app = Styled(more=more)
        async with app.run_test() as pilot:
            for change in (
                lambda app: app.set_focus(None),
                lambda app: app.query_one("#first").focus(),
                lambda app: app.query_one("#box").toggle_class("-marked"),
                lambda app: app.query_one("#second").focus(),
                lambda app: app.query_one("#box").toggle_class("-marked"),
                lambda app: app.query_one("#button").focus(),
            ):
                change(app)
                await pilot.pause()
                app.stylesheet.update(app)
                shared = applied(app)
                with monkeypatch.context() as patch:
                    patch.setattr(Stylesheet, "apply", shared_styles.apply_rules)
                    app.stylesheet.update(app)
                    assert applied(app) == shared
    assert len(shared_styles._selected) > known


async def test_another_theme_has_its_own_rules():
    colors = []
    for theme in ("textual-dark", "textual-light", "textual-dark"):
        app = Styled(more=False)
        async with app.run_test() as pilot:
            app.theme = theme
            await pilot.pause()
            colors.append(app.screen.styles.background)
    assert colors[0] == colors[2] != colors[1]
