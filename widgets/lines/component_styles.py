"""The styles that a theme gives to a widget."""

from __future__ import annotations

from collections.abc import Callable

from rich.style import Style
from textual.widget import Widget

StyleOf = Callable[[str], Style]  # returns the style of a component class, as `ComponentStyles`


class ComponentStyles:
    """The Rich styles of a widget and of its `COMPONENT_CLASSES`, kept until `clear`.

    Textual computes a widget's own style at each access, and forgets those of its component classes
    at each repaint. Both change only with the theme, the focus, or another pseudo class.
    """

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._styles: dict[str, Style] = {}
        self._base: Style | None = None

    def __call__(self, name: str) -> Style:
        """Return the style of a component class."""
        style = self._styles.get(name)
        if style is None:
            style = self._styles[name] = self._widget.get_component_rich_style(name)
        return style

    @property
    def base(self) -> Style:
        """Return the widget's own colors."""
        if self._base is None:
            self._base = self._widget.rich_style
        return self._base

    def clear(self) -> None:
        """Compute every style again when it is next needed."""
        self._styles.clear()
        self._base = None
