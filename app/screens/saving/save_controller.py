"""Save packets to a capture file, and ask before unsaved ones are lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.bridge import Bridge
from app.clipboard import NOTICE_S
from core.engine.snapshot import EngineSnapshot
from core.wire.model.text import safe
from widgets.packets.packet_table import PacketTable

if TYPE_CHECKING:
    from app.screens.dialogs.save_capture import Savable, SavedFile
    from core.files.writing.encoder import InterfaceCounts
    from core.store.filtered_view import NumberRange
    from core.store.packet_remark import PacketRemark
    from core.store.snapshot import Snapshot

_STOPPING_S = 0.05


class SaveController:
    """Saves packets in memory; the table knows which ones are shown and marked."""

    def __init__(self, table: PacketTable, bridge: Bridge) -> None:
        self._table, self._bridge = table, bridge

    def open(self) -> None:
        """Ask what to save, and save it."""
        self.open_then(lambda: None)

    def stop_and_open(self, act: Callable[[], Any]) -> None:
        """End the capture, or no saved file would have all packets; then `open_then`."""
        if self._bridge.is_receiving:
            self._bridge.stop_capture()
            self._table.set_timer(_STOPPING_S, partial(self.stop_and_open, act))
        else:
            self.open_then(act)

    def open_then(self, act: Callable[[], Any]) -> None:
        """Ask what to save, save it, and call `act` if something was saved."""
        from app.screens.dialogs.save_capture import SaveCapture

        engine = self._bridge.savable()
        savable = self._savable(engine)
        if not savable.held:
            self._table.notify("there are no packets to save", severity="warning")
            return

        def saved(file: SavedFile | None) -> None:
            if file is not None:
                self._report(file)
                self._bridge.note_saved(engine, file.numbers, keeps_comments=file.keeps_comments)
                act()

        self._table.app.push_screen(SaveCapture(savable), saved)

    def _savable(self, engine: EngineSnapshot) -> Savable:
        from app.screens.dialogs.save_capture import Savable
        from app.screens.saving.packet_ranges import PacketRanges
        from core.analysis.names.name_index import learned_blocks

        snapshot, numbers = engine.packets, self._table.rows.numbers
        is_filtered = numbers.predicate is not None
        marks = [(n, n) for n in sorted(self._table.marks) if n >= snapshot.first]
        return Savable(
            snapshot,
            _name(engine),
            shown=numbers if is_filtered else None,
            shown_count=self._table.rows.held_count if is_filtered else 0,
            marked=PacketRanges(marks),
            counts=_counts(engine),
            remarks=_remarks(snapshot),
            names=partial(learned_blocks, snapshot),
        )

    def _report(self, file: SavedFile) -> None:
        packets = "packet" if file.packets == 1 else "packets"
        words = f"{file.packets:,} {packets} saved to {safe(str(file.path))}"
        self._table.app.notify(words, timeout=NOTICE_S, markup=False)


def _remarks(
    snapshot: Snapshot,
) -> Callable[[NumberRange | None], Mapping[int, PacketRemark]] | None:
    """Return what makes comments of the programs of packets; None if none is known."""
    from core.analysis.programs.remarks import has_programs, program_remarks

    return partial(program_remarks, snapshot) if has_programs(snapshot) else None


def _name(engine: EngineSnapshot) -> str:
    """Return a name for the file: of the file that was read, or of time and interface."""
    if engine.file and not engine.piped:
        from core.files.writing.packing import plain_name

        return f"{safe(Path(plain_name(engine.file)).stem)}-copy.pcapng"
    first_s = (engine.packets.first_timestamp_ns or 0) // 10**9
    date = time.strftime("%Y%m%d-%H%M%S", time.localtime(first_s))
    source = "-".join(engine.interfaces) if engine.interfaces else "pipe"
    return f"rawscope-{date}-{safe(source).replace('/', '-')[:40]}.pcapng"


def _counts(engine: EngineSnapshot) -> list[InterfaceCounts]:
    """Return the counts of the kernel."""
    from core.recording.interface_counts import interface_counts

    packets = engine.packets
    if not engine.captured or not packets.chunks:
        return []
    last_ns = int(packets.chunks[-1].timestamp_ns[-1])
    return interface_counts(packets.interfaces, engine.statistics, last_ns)
