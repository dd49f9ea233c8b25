"""Decides when a new layout is complete, so that no part of it reaches the terminal alone.

Facts about Textual (8.2). It paints as soon as it has laid out the screen; only then do the widgets
learn their new sizes, each by a message. A widget that wraps its text, scrolls to its end, or shows
other widgets for the new size changes the picture again, and may ask for another layout. The first
picture therefore mixes the old and the new layout: a table whose lower half is blank, bytes wrapped
for another width. A fast terminal shows it for a hundredth of a second; a slow one until it is
ready for the next frame.

A layout is complete when no widget has a message to handle or something to repaint, and no other
layout is due. Scroll bars do not count: Textual paints them one refresh later than the lines beside
them, which a key would wait for. The hold is bounded by a number of checks and not by time: on a
busy host, a layout takes as much longer as everything else. A program that lays out its screen
again and again is shown every `MOST_CHECKS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from textual.app import App
from textual.screen import Screen
from textual.scrollbar import ScrollBar
from textual.widget import Widget

CHECK_S = 0.004  # after a check, until the next one
MOST_CHECKS = 50  # a layout is complete after five, on an idle host


class LayoutHold:
    """The state of the layout of `app`: complete, or held back until it is."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._layout: object = None  # the compositor's map of the last painted layout
        self._checks_left = 0

    def note_paint(self, screen: Screen[Any]) -> None:
        """Record that a screen was painted; begin to hold if its layout is a new one."""
        layout = screen._compositor._full_map
        if layout is not self._layout:
            self._layout = layout
            self._checks_left = self._checks_left or MOST_CHECKS

    def is_arranging(self) -> bool:
        """Return True until a new layout is complete, at most `MOST_CHECKS` times."""
        if self._checks_left:
            self._checks_left = 0 if self._is_complete() else self._checks_left - 1
        return self._checks_left > 0

    def _is_complete(self) -> bool:
        app = self._app
        screen = app.screen
        if app._resize_timer is not None or app._resize_event is not None:
            return False
        if screen._layout_required or screen._callbacks or any(_lines(screen._dirty_widgets)):
            return False
        if app.message_queue_size or screen.message_queue_size:
            return False
        if any(node.message_queue_size for node in screen.walk_children(Widget)):
            return False
        return not any(  # a hidden widget keeps these until it is shown
            widget._layout_required or widget._repaint_required or widget._refresh_styles_required
            for widget in _lines(screen._compositor.visible_widgets)
        )


def _lines(widgets: Iterable[Widget]) -> Iterator[Widget]:
    """Yield the widgets without the scroll bars."""
    return (widget for widget in widgets if not isinstance(widget, ScrollBar))
