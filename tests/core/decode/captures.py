"""The shared captures, read into packet stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from core.files.formats import FileError
from core.files.reader import open_capture
from core.store.packet_store import PacketStore
from core.store.snapshot import Snapshot
from tests.helpers.support import captures_dir


def stored_captures() -> Iterator[tuple[Path, Snapshot]]:
    """Yield every capture that can be opened, in a store of its own."""
    for path in sorted((captures_dir() / "files").rglob("*")):
        if not path.is_file():
            continue
        store = PacketStore()
        known = 0
        try:
            reader = open_capture(path)
        except FileError:  # the readers' tests check which files they reject
            continue
        with reader:
            for batch in reader.batches():
                for interface in reader.interfaces[known:]:
                    store.add_interface(interface)
                known = len(reader.interfaces)
                store.append(batch)
        yield path, store.snapshot()
