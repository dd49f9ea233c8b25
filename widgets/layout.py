"""Make Textual measure a widget again when its content changes height."""

from __future__ import annotations

from textual.widget import Widget


def refresh_layout(widget: Widget) -> None:
    """Repaint a widget of automatic height and lay it out again.

    Textual (8.2) caches a widget's measured size under a counter, which
    ``refresh(layout=True)`` raises only while no earlier refresh is pending. If a layout measures
    the widget between two refreshes, the second one finds the size that was cached in between, and
    the widget keeps a wrong height until something else changes. This function always raises the
    counter, which has no public name.
    """
    widget._layout_updates += 1
    widget.refresh(layout=True)
