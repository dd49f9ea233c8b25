"""The forge panel: a form for a packet, its bytes, and what became of the packet sent last.

Top to bottom: the form (`widgets.forge.form`), a line that explains the field under the cursor,
the exact bytes with that field's bytes highlighted, and the outcome. Where there is little room,
the outcome takes the place of the bytes until the user changes the form.

The parts call each other directly, so a key's effect on form, explanation, and bytes is painted in
one frame.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from app.keymap import KeyContext
from app.screens.forge.egress import chosen_interface
from app.screens.forge.explanation import Explanation
from app.screens.forge.layout import lay_out
from app.textual_bindings import with_keys
from core.forge.compose.evaluation import Evaluation
from core.forge.orders import ForgeSnapshot
from core.forge.report import Report
from core.wire.model.field import Span
from core.wire.model.text import safe
from widgets.forge.form import ForgeForm
from widgets.forge.outcome import ForgeOutcome
from widgets.forge.rows import HostInfo
from widgets.hex.hex_view import HexView

OUTCOME = "Outcome"
EARLIER = "Outcome of what was sent before"


class ForgePanel(Vertical):
    """Form, explanation, bytes, and outcome.

    It calls `on_change` when the form changes, `send` when the user presses its button, and
    `show_packet` when the user chooses a captured packet in the outcome.
    """

    def __init__(
        self,
        on_change: Callable[[], None],
        send: Callable[[], None],
        show_packet: Callable[[int], None],
    ) -> None:
        super().__init__(id="forge")
        self._on_change = on_change
        self._send = send
        self._show_packet = show_packet
        self.snapshot = ForgeSnapshot()  # the one that is shown
        self.captured = ""  # the interface of the capture, if it is one
        self.form = with_keys(ForgeForm(id="form", classes="part"), KeyContext.FORM)
        self.bytes = with_keys(HexView(id="bytes", classes="part"), KeyContext.HEX, KeyContext.LIST)
        self.outcome = with_keys(
            ForgeOutcome(id="result", classes="part"), KeyContext.RESULT, KeyContext.LIST
        )
        self._explanation = Explanation(id="explanation")
        self._prefers_outcome = False  # to the bytes, where there is room for one of them
        self._bytes_title = ""

    def compose(self) -> ComposeResult:
        self.outcome.border_title = OUTCOME
        with Vertical(id="forge-left"):
            yield self.form
            yield self._explanation
        with Vertical(id="forge-right"):
            yield self.bytes
            yield self.outcome

    def on_mount(self) -> None:
        self.watch(self.form, "state", self._form_changed, init=False)
        self.watch(self.form, "focused_span", self._field_focused, init=False)
        self._field_focused(self.form.focused_span)
        self._arrange()

    def focus(self, scroll_visible: bool = True) -> Self:
        """Focus the form."""
        self.form.focus(scroll_visible)
        return self

    @property
    def evaluation(self) -> Evaluation:
        """The packet in the form."""
        return self.form.model.evaluation

    @property
    def chosen_interface(self) -> str:
        """The interface for a verbatim frame that no route decides; empty if a route does."""
        return chosen_interface(self.form.state, self.captured)

    @property
    def interface(self) -> str:
        """The interface that a verbatim frame leaves on; empty for other packets."""
        is_verbatim = self.form.state.settings.method.is_verbatim
        return (self.chosen_interface or self._route) if is_verbatim else ""

    @property
    def _route(self) -> str:
        """The interface of the route to the destination."""
        suggestions = self.snapshot.suggestions
        link = suggestions[0].link if suggestions else None
        return link.name if link is not None else ""

    def show(self, snapshot: ForgeSnapshot) -> None:
        """Show a newer state of the service."""
        before, self.snapshot = self.snapshot, snapshot
        if (snapshot.suggestions, snapshot.interfaces) != (before.suggestions, before.interfaces):
            trouble = next((one.trouble for one in snapshot.suggestions if one.trouble), "")
            by_route = "" if self.form.state.settings.interface else self._route
            known = HostInfo.of(snapshot.interfaces, by_route, trouble)
            self.form.suggest([one.values for one in snapshot.suggestions], known)
            self._show_bytes()
        if snapshot.files != before.files:
            self.form.take_files(snapshot.files)
            self._show_bytes()
        if snapshot.report != before.report:
            if snapshot.report != Report() and not self._prefers_outcome:
                self._prefers_outcome = True
                self._arrange()
            self.outcome.show(snapshot.report)
            self.outcome.border_title = OUTCOME

    def say(self, message: str) -> None:
        """Show a message until the user changes the form or moves to another field."""
        self._explanation.message = message

    def _form_changed(self) -> None:
        self.say("")
        self._on_change()
        if self._prefers_outcome and not self.snapshot.sending:
            self._prefers_outcome = False
            self.outcome.border_title = EARLIER
            self._arrange()
        self._show_bytes()

    def _field_focused(self, span: Span | None) -> None:
        explanation, row = self._explanation, self.form.model.row
        before = explanation.row
        if before is not None and (before.key, before.error) != (row.key, row.error):
            self.say("")
        explanation.row = row
        self._show_bytes()
        self.bytes.highlight(span)

    def _show_bytes(self) -> None:
        view, data = self.bytes, self.evaluation.data
        lines = view.line_count
        view.show(data)
        view.highlight(self.form.focused_span)
        if view.line_count != lines:
            self._arrange()
        title = self._title_of(data)
        if title != self._bytes_title:
            self._bytes_title = title
            view.border_title = Text(title)  # an interface's name may look like markup

    def _title_of(self, data: bytes) -> str:
        """Return the length, and what prevents sending or where the packet leaves."""
        title = f"{len(data)} {'byte' if len(data) == 1 else 'bytes'}"
        errors = len(self.evaluation.errors)
        if errors:
            return f"{title} · ✗ {errors} error" + "s" * (errors > 1)
        if self.form.model.trouble:
            return f"{title} · {safe(self.form.model.trouble)}"
        interface = self.interface or self._route
        return f"{title} · leaves on {safe(interface)}" if interface else title

    def on_resize(self, event: events.Resize) -> None:
        self._arrange()

    def _arrange(self) -> None:
        """Divide the room; see `app.screens.forge.layout`."""
        layout = lay_out(
            self.size.width,
            self.size.height,
            self.bytes.line_count,
            has_outcome=self.snapshot.report != Report(),
            prefers_outcome=self._prefers_outcome,
        )
        self.set_class(layout.is_broad, "-broad")
        self.bytes.display = layout.shows_bytes
        self.outcome.display = layout.shows_outcome
        self.bytes.styles.height = layout.bytes_height
        self.outcome.styles.height = layout.outcome_height

    def on_hex_view_rewrapped(self, event: HexView.Rewrapped) -> None:
        event.stop()
        self._arrange()

    def on_forge_form_send_pressed(self, event: ForgeForm.SendPressed) -> None:
        event.stop()
        self._send()

    def on_hex_view_byte_selected(self, event: HexView.ByteSelected) -> None:
        event.stop()
        self.form.select_byte(event.offset)

    def on_forge_outcome_packet_wanted(self, event: ForgeOutcome.PacketWanted) -> None:
        event.stop()
        self._show_packet(event.number)
