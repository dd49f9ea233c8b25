"""Radio buttons and switches for dialogs, whose signs show their state without color."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Checkbox, RadioButton, RadioSet


class OneOf(RadioButton):
    """A radio button that shows by its sign, not only by its color, that it is selected."""

    @property
    def BUTTON_INNER(self) -> str:  # type: ignore[override]  # noqa: N802 (Textual's name)
        return "●" if self.value else "○"


class Choices(RadioSet, inherit_bindings=False):
    """Radio buttons that the arrow keys select; the dialog handles enter."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,right", "choose(1)", show=False),
        Binding("up,left", "choose(-1)", show=False),
        Binding("space", "toggle_button", show=False),
    ]

    def on_focus(self) -> None:
        """Start from the button that is on; Textual starts from the first."""
        self._selected = max(0, self.pressed_index)

    def action_choose(self, step: int) -> None:
        """Select the next button (1), or the previous one (-1)."""
        if step > 0:
            self.action_next_button()
        else:
            self.action_previous_button()
        self.action_toggle_button()


class Switched(Checkbox, inherit_bindings=False):
    """A switch that shows by its sign, not only by its color, that it is on.

    The dialog handles enter.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "toggle_button", show=False)]

    @property
    def BUTTON_INNER(self) -> str:  # type: ignore[override]  # noqa: N802 (Textual's name)
        return "●" if self.value else "○"
