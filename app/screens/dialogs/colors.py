"""The dialog with the list of color rules, which is also their legend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Button, DataTable

from app.config.color_rules import MOST_RULES, filter_problem
from app.screens.dialogs.color_rule import EditRule, StyleOf
from app.screens.dialogs.dialog import Dialog, Hint
from core.analysis.color_rules.rule import Color, ColorRule
from core.analysis.color_rules.rule_list import RuleList
from core.analysis.filter.language.macros import NO_MACROS, Macros
from core.wire.model.text import safe
from widgets.lines.cells import cut
from widgets.packets.paint import rule_style

NAME_WIDTH, FILTER_WIDTH, FILTER_LEAST = 16, 70, 12  # cells
FRAME_WIDTH = 12  # cells beside name and filter: frame, padding, sign, the scroll bar
_HINT = "the first rule that a packet passes wins · space on or off · enter edits"


def text_style(rule: ColorRule, component: Callable[[str], Style]) -> Style:
    """Return the style of a rule for text in a dialog, which has a background of its own."""
    style = rule_style(rule, component)
    return Style(color=style.color, bold=style.bold)


class RuleTable(DataTable[Text]):
    """The table of rules. A click selects a row; on its sign, or twice, it does more."""

    class Clicked(Message):
        """The user clicked a row: on its sign (`on_sign`), or `times` in a row."""

        def __init__(self, row: int, *, on_sign: bool, times: int) -> None:
            super().__init__()
            self.row = row
            self.on_sign = on_sign
            self.times = times

    async def _on_click(self, event: events.Click) -> None:
        event.prevent_default()
        row = event.style.meta.get("row", -1)
        if self.is_valid_row_index(row):
            on_sign = event.style.meta.get("column") == 0
            self.post_message(self.Clicked(row, on_sign=on_sign, times=event.chain))


class ColorRules(Dialog[None]):
    """The color rules in their order, each in its color. Every change takes effect at once.

    `changed` is called with the rules after each change, `style_of` returns the style of a rule.
    Filters may use `macros`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "switch", "On or off"),
        Binding("j", "move_cursor(1)", "Down"),
        Binding("k", "move_cursor(-1)", "Up"),
        Binding("J,ctrl+down", "move_rule(1)", "Move the rule down"),
        Binding("K,ctrl+up", "move_rule(-1)", "Move the rule up"),
        Binding("a", "add", "Add a rule"),
        Binding("e", "edit", "Edit the rule"),
        Binding("d,delete", "delete", "Delete the rule"),
        Binding("r", "restore", "Restore the default rules"),
        Binding("m", "add_missing", "Add the default rules that the list lacks"),
        Binding("u", "undo", "Undo the last change"),
    ]
    title_text = "Colors"
    BUTTONS: ClassVar[dict[str, str]] = {  # actions, and their labels
        "add": "Add (a)",
        "edit": "Edit (e)",
        "delete": "Delete (d)",
        "move_rule(-1)": "Up (K)",
        "move_rule(1)": "Down (J)",
        "restore": "Reset (r)",
        "add_missing": "Missing (m)",
        "undo": "Undo (u)",
    }

    def __init__(
        self,
        rules: Sequence[ColorRule],
        changed: Callable[[tuple[ColorRule, ...]], None],
        style_of: StyleOf,
        macros: Macros = NO_MACROS,
    ) -> None:
        super().__init__()
        self._macros = macros
        self.list = RuleList(rules)
        self._changed, self._style_of = changed, style_of

    def compose_body(self) -> ComposeResult:
        yield RuleTable(cursor_type="row", cell_padding=1)
        yield Hint(_HINT)
        with Horizontal(classes="dialog-buttons"):
            for action, label in self.BUTTONS.items():
                button = Button(label, compact=True, name=action)
                button.can_focus = False
                yield button

    def on_mount(self) -> None:
        self._draw()
        if count := len(self.list.missing):
            words = f"{count} default rule{'s' * (count > 1)}"
            self.query_one(Hint).show("", f"the list lacks {words}: m adds what is missing")

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        """Draw all rows again, with the cursor on the selected rule."""
        table = self.query_one(RuleTable)
        selected, top = self.list.selected, table.scroll_y
        room = self.app.size.width - FRAME_WIDTH - NAME_WIDTH
        width = max(FILTER_LEAST, min(FILTER_WIDTH, room))
        with self.prevent(DataTable.RowHighlighted):
            table.clear(columns=True)
            for heading, cells in ((" ", 1), ("Rule", NAME_WIDTH), ("Filter", width)):
                table.add_column(heading, width=cells)
            for rule in self.list.rules:
                table.add_row(*self._cells(rule, width))
            table.move_cursor(row=selected, scroll=False)
        for button in self.query(Button):
            if button.name == "add_missing":
                button.display = bool(self.list.missing)
        table.scroll_to(y=top, animate=False)
        self.call_after_refresh(table._scroll_cursor_into_view)

    def _cells(self, rule: ColorRule, width: int) -> tuple[Text, ...]:
        style = self._style_of(rule)
        return (
            Text("●" if rule.enabled else "○"),
            Text(cut(safe(rule.name), NAME_WIDTH), style, no_wrap=True),
            Text(cut(safe(rule.filter), width), style if rule.whole_row else "", no_wrap=True),
        )

    # -- the user's changes -----------------------------------------------------------

    def _report(self, words: str = "") -> None:
        """Draw the changed rules, apply them, and say what happened."""
        self._draw()
        self._changed(self.list.rules)
        self.query_one(Hint).show("", words)

    def action_move_cursor(self, rows: int) -> None:
        table = self.query_one(RuleTable)
        table.move_cursor(row=table.cursor_row + rows)

    def action_switch(self) -> None:
        """Turn the selected rule on or off. A rule with a wrong filter stays off."""
        rule = self.list.rule
        if rule is None:
            return
        if not rule.enabled and (problem := filter_problem(rule.filter, self._macros)):
            self.query_one(Hint).show(problem)
            return
        self.list.toggle()
        self._report(f"{safe(rule.name)} is {'off' if rule.enabled else 'on'}")

    def action_move_rule(self, step: int) -> None:
        """Move the selected rule down (1) or up (-1)."""
        self.list.move(step)
        self._report()

    def action_add(self) -> None:
        """Ask for a rule, and add it above the selected one."""
        if len(self.list.rules) >= MOST_RULES:
            self.query_one(Hint).show(f"there are {MOST_RULES} rules: delete one first")
            return
        new = ColorRule("", "", Color.ACCENT)
        self._ask(
            EditRule(new, self._style_of, "Add a color rule", self._macros),
            self.list.insert,
            "added",
        )

    def action_edit(self) -> None:
        """Ask for changes of the selected rule."""
        if (rule := self.list.rule) is not None:
            self._ask(
                EditRule(rule, self._style_of, macros=self._macros), self.list.replace, "changed"
            )

    def _ask(self, dialog: EditRule, change: Callable[[ColorRule], None], word: str) -> None:
        def take(rule: ColorRule | None) -> None:
            if rule is not None:
                change(rule)
                self._report(f"{safe(rule.name)} is {word}")

        self.app.push_screen(dialog, take)

    def action_delete(self) -> None:
        """Delete the selected rule."""
        if (rule := self.list.rule) is not None:
            self.list.remove()
            self._report(f"{safe(rule.name)} is deleted · u restores it")

    def action_restore(self) -> None:
        """Restore the default rules."""
        self.list.restore()
        self._report("these are the default rules · u restores the others")

    def action_add_missing(self) -> None:
        """Add the default rules that the list lacks, each in its place."""
        count = self.list.add_missing()
        self._report(f"added {count} · u removes" if count else "no default rule is missing")

    def action_undo(self) -> None:
        """Take back the last change."""
        self._report("undone" if self.list.undo() else "nothing to undo")

    # -- the table and the buttons -------------------------------------------------------

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        self.list.selected = event.cursor_row

    def on_data_table_row_selected(self) -> None:
        self.action_edit()

    def on_rule_table_clicked(self, event: RuleTable.Clicked) -> None:
        self.query_one(RuleTable).move_cursor(row=event.row)
        self.list.selected = event.row
        if event.on_sign:
            self.action_switch()
        elif event.times == 2:
            self.action_edit()

    async def on_button_pressed(self, event: Button.Pressed) -> None:
        await self.run_action(event.button.name or "")
