"""The key of the color rules: it opens their dialog, applies what it changes, and saves it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from app.config.color_rules import table_of
from app.config.config_writer import Changes
from core.analysis.color_rules.row_colors import RowColors
from core.analysis.color_rules.rule import DEFAULT_RULES, ColorRule
from widgets.packets.packet_table import PacketTable


class ColorController:
    """Shows and changes the color rules of the table. `save` keeps settings of the section."""

    def __init__(
        self, table: PacketTable, colors: RowColors, save: Callable[[Changes], None]
    ) -> None:
        self._table, self._colors, self._save = table, colors, save
        table.row_colors = colors

    def choose(self) -> None:
        """Open the list of rules, which is the legend of the colors."""
        from app.screens.dialogs.colors import ColorRules, text_style

        style_of = partial(text_style, component=self._table.component)
        self._table.app.push_screen(ColorRules(self._colors.rules, self._change, style_of))

    def _change(self, rules: tuple[ColorRule, ...]) -> None:
        if rules == self._colors.rules:
            return
        self._colors.rules = rules
        self._table.refresh()
        is_default = rules == DEFAULT_RULES
        self._save({"rules": None if is_default else [table_of(rule) for rule in rules]})
