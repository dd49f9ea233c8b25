"""The lines below the form: what the field under the cursor means, or what just happened."""

from __future__ import annotations

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from core.wire.model.text import safe
from widgets.forge.rows import FormRow


class Explanation(Widget):
    """Name, range, and meaning of the field under the cursor, or its error.

    A `message` about the whole form takes its place: a notification would cover the bytes.
    """

    COMPONENT_CLASSES = {"explanation--error", "explanation--message", "explanation--text"}

    row: reactive[FormRow | None] = reactive(None)
    message: reactive[str] = reactive("")

    def render(self) -> Text:
        row = self.row
        if self.message:
            style = self.get_component_rich_style("explanation--message", partial=True)
            return Text(f"· {safe(self.message)}", style, overflow="ellipsis")
        if row is None:
            return Text()
        if row.error:
            style = self.get_component_rich_style("explanation--error", partial=True)
            return Text(f"✗ {safe(row.error)}", style, overflow="ellipsis")
        style = self.get_component_rich_style("explanation--text", partial=True)
        return Text(safe(row.explanation), style, overflow="ellipsis")
