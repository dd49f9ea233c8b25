"""Copy something of the selected packet, or what the focused panel offers."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app.clipboard import NOTICE_S, ClipboardAccess
from app.screens.side_panels import SidePanels
from app.screens.workspace import Workspace
from core.store.selected_packet import SelectedPacket
from core.store.snapshot import Snapshot
from core.wire.model.text import safe
from core.wire.present.faults import Faults
from widgets.packets.row import RowReader

if TYPE_CHECKING:
    from app.screens.dialogs.copy import CopyChoice


class CopyController:
    """The copy key: it offers texts in a dialog, and copies the one that the user chooses.

    `shown` returns the snapshot in the table; `access` is what is known of the clipboard.
    """

    def __init__(
        self,
        workspace: Workspace,
        sides: SidePanels,
        faults: Faults,
        shown: Callable[[], Snapshot],
        access: ClipboardAccess,
    ) -> None:
        self._workspace, self._sides, self._faults, self._shown = workspace, sides, faults, shown
        self._access = access

    def choose(self) -> None:
        """Ask what to copy. Do nothing without a selected packet."""
        from app.screens.dialogs.copy import Copy

        side = self._sides.get(self._workspace.panel)
        choices = None if side is None else side.copy_choices()
        selected = self._workspace.panels.selected
        subject = "packet"
        if choices is None and selected is not None:
            choices = self._of_packet(selected)
            subject = f"packet-{selected.packet.number}"
        if choices is not None:
            dialog = Copy(choices, self._access)
            self._workspace.app.push_screen(dialog, partial(self._copy, subject))

    def _of_packet(self, selected: SelectedPacket) -> list[tuple[str, str]]:
        from app.screens.copy_choices import packet_choices, packet_recipes

        panels, packet = self._workspace.panels, selected.packet
        flows = self._workspace.table.rows.flows
        row = RowReader(self._faults).selected_row(selected, self._shown(), flows)
        field, span = panels.detail.selected_row, panels.hex.highlighted
        choices = packet_choices(self._workspace.panel, row, panels.shown_bytes, field, span)
        with panels.guard(packet.number):  # row and bytes can be copied if this fails
            choices += packet_recipes(selected)
        return choices

    def _copy(self, subject: str, choice: CopyChoice | None) -> None:
        """Copy the text that the user chose. `subject` begins the name of a file."""
        if choice is None:
            return
        app = self._workspace.app
        if not choice.to_file:
            app.copy_to_clipboard(choice.text)
            return
        from app.screens.dialogs.save_text import SaveText

        name = re.sub("[^a-z0-9]+", "-", choice.name.lower()).strip("-")

        def saved(path: Path | None) -> None:
            if path is not None:
                app.notify(f"Saved to {safe(str(path))}", timeout=NOTICE_S, markup=False)

        def content() -> bytes:
            return choice.text.encode(errors="surrogateescape") + b"\n"

        app.push_screen(SaveText(f"{subject}-{name}.txt", content), saved)
