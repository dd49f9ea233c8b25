"""A compositor that renders only the widgets, and their lines, in which something changed.

Facts about Textual's compositor (8.2)
--------------------------------------
* It remembers the *dirty regions* of the screen, but for an update it renders every line of every
  widget, and then drops what is not in these regions.
* A scroll places the visible widgets again, and compares their places with those of before. But it
  has forgotten those at most scrolls, so it paints the whole screen.

Consequences
------------
Lines of a widget are wanted if one of the dirty regions has cells in them. From the first to the
last of them they are rendered over the widget's whole width: what lies in front still hides what
lies behind, and a widget keeps its lines in caches by line.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget


class DirtyCompositor(Compositor):
    """Textual's compositor, which renders for a partial update only what that shows."""

    def __init__(self) -> None:
        super().__init__()
        self._wanted: tuple[Region, ...] = ()  # the dirty regions; empty outside partial updates

    def reflow_visible(self, parent: Widget, size: Size) -> set[Widget]:
        """Place the visible widgets after a scroll; return those that appeared.

        The places of before are those of all widgets, if these were placed last.
        """
        if self._visible_map is None:
            self._visible_map = self._full_map
        return super().reflow_visible(parent, size)

    def render_partial_update(self) -> ChopsUpdate | None:
        """Return the update of the dirty regions; None if nothing changed."""
        self._wanted = tuple(self._dirty_regions)
        try:
            return super().render_partial_update()
        finally:
            self._wanted = ()

    def _get_renders(
        self, crop: Region | None = None
    ) -> Iterable[tuple[Region, Region, list[Strip]]]:
        """Yield the region of each widget, the part of it that is rendered, and its lines."""
        if not self._wanted:
            yield from super()._get_renders(crop)
            return
        for widget, (region, clip) in self.visible_widgets.items():
            shown = region.intersection(clip)
            dirty = [part for part in map(shown.intersection, self._wanted) if part]
            if not dirty:
                continue
            first = min(part.y for part in dirty)
            last = max(part.bottom for part in dirty)
            part = Region(shown.x, first, shown.width, last - first)
            yield region, part, widget.render_lines(part.translate(-region.offset))
