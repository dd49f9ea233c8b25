"""Copy to the clipboard: something of the selected packet, or what the focused panel offers."""

from __future__ import annotations

from collections.abc import Callable

from app.screens.side_panels import SidePanels
from app.screens.workspace import Workspace
from core.store.selected_packet import SelectedPacket
from core.store.snapshot import Snapshot
from core.wire.present.faults import Faults
from widgets.packets.row import RowReader


class CopyController:
    """The copy key: it offers texts in a dialog, and copies the one that the user chooses.

    `shown` returns the snapshot in the table.
    """

    def __init__(
        self,
        workspace: Workspace,
        sides: SidePanels,
        faults: Faults,
        shown: Callable[[], Snapshot],
    ) -> None:
        self._workspace, self._sides, self._faults, self._shown = workspace, sides, faults, shown

    def choose(self) -> None:
        """Ask what to copy. Do nothing without a selected packet."""
        from app.screens.dialogs.copy import Copy

        side = self._sides.get(self._workspace.panel)
        choices = None if side is None else side.copy_choices()
        selected = self._workspace.panels.selected
        if choices is None and selected is not None:
            choices = self._of_packet(selected)
        if choices is not None:
            self._workspace.app.push_screen(Copy(choices), self._copy)

    def _of_packet(self, selected: SelectedPacket) -> list[tuple[str, str]]:
        from app.screens.copy_choices import packet_choices, packet_recipes

        panels, packet = self._workspace.panels, selected.packet
        sequences = self._workspace.table.rows.sequences
        row = RowReader(self._faults).selected_row(selected, self._shown(), sequences)
        field, span = panels.detail.selected_row, panels.hex.highlighted
        choices = packet_choices(self._workspace.panel, row, packet.data, field, span)
        with panels.guard(packet.number):  # row and bytes can be copied if this fails
            choices += packet_recipes(selected)
        return choices

    def _copy(self, text: str | None) -> None:
        if text is not None:
            app = self._workspace.app
            app.copy_to_clipboard(text)
            app.notify(f"{len(text):,} characters to the clipboard", title="Copied", timeout=3)
