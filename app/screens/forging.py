"""The screen of packets with the forge at its side: what is filled, sent, and found among them.

The modules of the forge are imported when its panel is mounted, after the first rows are on the
screen: they take a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, cast

from textual.widget import Widget

from app.bridge import Bridge, Scene
from app.screens.packets import PacketScreen
from app.screens.workspace import WIDE
from core.capture.options import ANY
from core.engine.engine import EngineState
from widgets.packets.row import PacketRow, RowReader

if TYPE_CHECKING:
    from app.screens.forge import ForgePanel
    from core.forge.service import ForgeService
    from core.store.captured_packet import CapturedPacket


class ForgingScreen(PacketScreen):
    """Packets become drafts, and what was sent becomes packets.

    `make_forger` is called when the forge is first needed.
    """

    def __init__(self, bridge: Bridge, make_forger: Callable[[], ForgeService]) -> None:
        super().__init__(bridge)
        self._make_forger = make_forger

    @cached_property
    def forger(self) -> ForgeService:
        """What sends."""
        return self._make_forger()

    def compose_sides(self) -> Iterable[Widget]:
        from app.screens.forge import ForgePanel

        return (*super().compose_sides(), ForgePanel(self.forger, id="forge"))

    @property
    def forge(self) -> ForgePanel:
        """The forge panel."""
        return cast("ForgePanel", self.query_one("#forge"))

    def show_sides(self, scene: Scene) -> None:
        super().show_sides(scene)
        self._show_forge(scene)

    def basis(self, scene: Scene) -> tuple[object, ...]:
        if not self.has_sides:
            return super().basis(scene)
        forging = self.forger.scene()
        watching = object() if forging.report.listening else None  # equal to no other: time counts
        return (*super().basis(scene), forging, watching)

    def _show_forge(self, scene: Scene) -> None:
        """What is on its way, and what was found of it among the packets."""
        from app.screens.forge_parts import why_blind

        blind = why_blind(scene.engine, self.forger.scene().report.interface)
        self.forger.follow(scene.packets, scene.store_generation, blind)
        forging = self.forger.scene()
        captured = scene.engine.interfaces if scene.engine.state is EngineState.LIVE else ()
        self.forge.captured = captured[0] if len(captured) == 1 and captured[0] != ANY else ""
        self.table.ours = forging.ours
        self.forge.show(forging)

    def key_labels(self, scene: Scene) -> dict[str, str]:
        stop = "stop sending" if self.has_sides and self.forge.is_sending else ""
        return super().key_labels(scene) | {"panel.close": stop}

    def action_close(self) -> None:
        if not self.forge.stop():
            super().action_close()

    def action_forge(self) -> None:
        """Fill the form from the selected packet; without one, go to the form as it is."""
        from app.screens.forge_parts import held_of
        from core.forge.compose.evaluation import evaluate
        from core.forge.compose.from_packet import Filled, draft_of

        selected = self.panels.selected
        if selected is not None:
            packet = selected.packet
            filled: Filled | None = None
            with self._guard(packet):
                made = draft_of(selected.layers())
                evaluate(made.draft)  # as the form will
                filled = made
            if filled is None:
                return
            live = "" if self.scene.engine.file else packet.interface.name
            self.forge.fill(held_of(filled, live), "; ".join(filled.notes))
        self._go_to_forge()

    def _guard(self, packet: CapturedPacket) -> AbstractContextManager[None]:
        """Catch a fault of ours in what a key does with a packet, and tell the user."""
        return self.bridge.faults.guard(
            packet.number, lambda words: self.notify(words, severity="error")
        )

    def action_show_forge(self) -> None:
        """Go to the form as it is; from there, close it."""
        if self.workspace.panel == "forge":
            self.workspace.action_side("forge")
        else:
            self._go_to_forge()

    def _go_to_forge(self) -> None:
        """Where there is little room, the forge has all of it."""
        self.workspace.focus_panel("forge")
        if self.workspace.size.width < WIDE:
            self.workspace.zoomed = True

    def action_resend(self) -> None:
        """Send the selected packet again: verbatim, if it was captured with its link header."""
        from core.forge.compose.from_packet import Resent, resent

        selected = self.panels.selected
        if selected is not None:
            packet = selected.packet
            again: Resent | None = None
            with self._guard(packet):
                again = resent(selected.layers(), packet.link_type)
            if again is None:
                return
            self.forge.resend(packet, again, live=not self.scene.engine.file)
            if self.workspace.size.width >= WIDE and not self.workspace.side:
                self.workspace.side = "forge"

    def action_stop_sending(self) -> None:
        self.forge.stop()

    def on_forge_panel_packet_wanted(self, event: ForgePanel.PacketWanted) -> None:
        if self.table.select(event.number):
            self.workspace.zoomed = False
            self.workspace.focus_panel("packets")

    def action_copy(self) -> None:
        from app.screens.copy_choices import choices, recipe_choices
        from app.screens.dialogs.copy import Copy
        from core.forge.compose.evaluation import evaluate
        from core.forge.compose.from_packet import draft_of
        from core.forge.export.rawscope import ONCE

        selected = self.panels.selected
        if self.workspace.panel == "forge":
            settings = self.forge.form.held.settings
            plan = ONCE if settings.errors() else settings.plan
            found = recipe_choices(self.forge.evaluation, self.forge.interface, plan)
            self.app.push_screen(Copy(found), self._copy)
        elif selected is not None:
            packet = selected.packet
            row = self._row_of(packet)
            detail, hex_view = self.panels.detail, self.panels.hex
            found = choices(
                self.workspace.panel, row, packet.data, detail.selected_row, hex_view.highlighted
            )
            with self._guard(packet):  # without the recipes, there are row and bytes to copy
                draft = draft_of(selected.layers()).draft
                found += recipe_choices(evaluate(draft), packet.interface.name)
            self.app.push_screen(Copy(found), self._copy)

    def _row_of(self, packet: CapturedPacket) -> PacketRow:
        """Return the selected packet as a row, also if it was evicted while the view is paused."""
        reader = RowReader(self.bridge.faults)
        try:
            return reader.row(self.shown, packet.number)
        except KeyError:
            return reader.evicted_row(packet)

    def _copy(self, text: str | None) -> None:
        if text is not None:
            self.app.copy_to_clipboard(text)
            self.notify(f"{len(text):,} characters to the clipboard", title="Copied", timeout=3)
