"""The dialog that edits one color rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Input, RadioSet, Static

from app.config.color_rules import filter_problem
from app.screens.dialogs.choices import Choices, OneOf, Switched
from app.screens.dialogs.dialog import Dialog, Hint
from core.analysis.color_rules.rule import Color, ColorRule
from core.analysis.filter.language.macros import NO_MACROS, Macros
from widgets.lines.cells import cut

NAME_LONGEST = 40  # characters of a name that is made of the filter

_HINT = "tab next · enter saves · esc cancels"
_TEMPORARY = "temporary, until the program ends: enter keeps it · esc cancels"
StyleOf = Callable[[ColorRule], Style]  # returns the style that a rule gives text in a dialog


class EditRule(Dialog[ColorRule]):
    """Return a rule that the user edited. The dialog checks the filter while the user types."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "save", "Save")]

    def __init__(
        self,
        rule: ColorRule,
        style_of: StyleOf,
        title: str = "Color rule",
        macros: Macros = NO_MACROS,
    ) -> None:
        super().__init__()
        self._macros = macros
        self.title_text = title
        self._rule, self._style_of = rule, style_of

    def compose_body(self) -> ComposeResult:
        rule = self._rule
        name = Input(rule.name, compact=True, id="name")
        text = Input(rule.filter, compact=True, id="filter")
        for label, field in (("Name", name), ("Filter", text)):
            field.cursor_blink = False
            field.select_on_focus = False
            with Horizontal(classes="dialog-row"):
                yield Static(label, classes="dialog-label")
                yield field
        with Horizontal(classes="dialog-row"):
            yield Static("Color", classes="dialog-label")
            with Choices(compact=True, id="color"):
                for color in Color:
                    yield OneOf(color.value, value=color is rule.color, compact=True)
        with Horizontal(classes="dialog-row"):
            yield Static("Style", classes="dialog-label")
            yield Switched("bold", rule.bold, compact=True, id="bold")
            yield Switched("whole row", rule.whole_row, compact=True, id="whole-row")
            yield Static("", id="sample", markup=False)
        with Horizontal(classes="dialog-buttons"):
            yield Button("Cancel", id="cancel", compact=True)
            yield Button("Save", id="save", compact=True)
        yield Hint(_TEMPORARY if rule.temporary else _HINT)

    def on_mount(self) -> None:
        self._show_sample()

    def _edited(self) -> ColorRule:
        """Return the rule as it is in the dialog now."""
        chosen = max(0, self.query_one(RadioSet).pressed_index)
        name, text = self._typed()
        return replace(
            self._rule,
            name=name,
            filter=text,
            color=list(Color)[chosen],
            bold=self.query_one("#bold", Switched).value,
            whole_row=self.query_one("#whole-row", Switched).value,
            enabled=True,
            temporary=False,
        )

    def _typed(self) -> tuple[str, str]:
        name, text = (self.query_one(f"#{each}", Input).value for each in ("name", "filter"))
        return name.strip(), text.strip()

    def _show_sample(self) -> None:
        rule = self._edited()
        self.query_one("#sample", Static).update(Text("as in the table", self._style_of(rule)))

    def on_input_changed(self, event: Input.Changed) -> None:
        hint, (name, text) = self.query_one(Hint), self._typed()
        if not hint.has_refused((name, text)):
            hint.show(filter_problem(text, self._macros) if text else "")

    def on_radio_set_changed(self) -> None:
        self._show_sample()

    def on_checkbox_changed(self) -> None:
        self._show_sample()

    def on_input_submitted(self) -> None:
        self.action_save()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "save":
            self.action_save()
        else:
            self.dismiss(None)

    def action_save(self) -> None:
        """Return the rule, or show what is wrong with it."""
        rule = self._edited()
        problem = filter_problem(rule.filter, self._macros)
        if problem:
            self.query_one(Hint).refuse(self._typed(), problem)
        else:
            self.dismiss(replace(rule, name=rule.name or cut(rule.filter, NAME_LONGEST)))
