"""The colors of rows: the list of rules, and the color of one conversation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from app.config.color_rules import MOST_RULES, entry_of
from app.config.config_writer import Changes
from app.screens.menu import Menu
from app.screens.workspace import Workspace
from core.analysis.color_rules.row_colors import RowColors
from core.analysis.color_rules.rule import DEFAULT_RULES, Color, ColorRule

if TYPE_CHECKING:
    from app.screens.dialogs.color_rule import StyleOf

TEMPORARY = "Conversation"  # the name of a temporary rule
NO_CONVERSATION = "no packet of a conversation is selected"


class ColorController:
    """Shows and changes the color rules of the table. `save` keeps settings of the section."""

    def __init__(
        self,
        workspace: Workspace,
        colors: RowColors,
        save: Callable[[Changes], None],
        menu: Menu,
    ) -> None:
        self._workspace, self._table = workspace, workspace.table
        self._colors, self._save, self._menu = colors, save, menu
        self._table.row_colors = colors

    def choose(self) -> None:
        """Open the list of rules, which is the legend of the colors."""
        from app.screens.dialogs.colors import ColorRules

        dialog = ColorRules(self._colors.rules, self._change, self._style_of, self._colors.macros)
        self._table.app.push_screen(dialog)

    def color_conversation(self) -> None:
        """Ask for a color for the conversation of the selected packet, by a temporary rule."""
        from app.screens.dialogs.filter_menu import FilterChoice
        from app.screens.value_filter.choices import conversation_value

        expression, selected = None, self._workspace.panels.selected
        if selected is not None:
            with self._workspace.panels.guard(selected.packet.number):
                expression = conversation_value(selected).expression
        if expression is None:
            self._workspace.notify(NO_CONVERSATION, severity="warning")
            return
        choices: list[FilterChoice | None] = []
        for number, color in enumerate(Color, 1):
            rule = self._rule_for(expression, color)
            run, style = partial(self._set, expression, rule), self._style_of(rule)
            choices.append(FilterChoice(str(number), color.value, "", run=run, style=style))
        if any(rule.temporary and rule.filter == expression for rule in self._colors.rules):
            run = partial(self._set, expression, None)
            choices += [None, FilterChoice("0", "no color of its own", "", run=run)]
        self._menu.open("Color the conversation", choices)

    @property
    def _style_of(self) -> StyleOf:
        from app.screens.dialogs.colors import text_style

        return partial(text_style, component=self._table.component)

    def _rule_for(self, expression: str, color: Color) -> ColorRule:
        return ColorRule(TEMPORARY, expression, color, whole_row=True, temporary=True)

    def _set(self, expression: str, rule: ColorRule | None) -> None:
        """Put the rule of a conversation above all others, or remove the one that it has."""
        others = [
            each
            for each in self._colors.rules
            if not (each.temporary and each.filter == expression)
        ]
        if rule is not None and len(others) >= MOST_RULES:
            self._workspace.notify(f"there are {MOST_RULES} rules already", severity="warning")
        else:
            self._change((*([] if rule is None else [rule]), *others))

    def _change(self, rules: tuple[ColorRule, ...]) -> None:
        before = self._colors.rules
        if rules == before:
            return
        self._colors.rules = rules
        self._table.refresh()
        if (lasting := _lasting(rules)) != _lasting(before):
            is_default = lasting == DEFAULT_RULES
            self._save({"rules": None if is_default else [entry_of(rule) for rule in lasting]})


def _lasting(rules: tuple[ColorRule, ...]) -> tuple[ColorRule, ...]:
    """Return the rules without the temporary ones."""
    return tuple(rule for rule in rules if not rule.temporary)
