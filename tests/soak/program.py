"""The monitor under test: ``program REPORT_FD LIMIT_BYTES PORT INTERFACE…``.

The real `Monitor` on a real terminal, with a small store, an echo listener, and a sampler thread
that writes one JSON line a second to the descriptor REPORT_FD.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from app.monitor import Monitor
from app.screens.main import MainScreen
from core.capture.options import CaptureOptions
from core.echo.options import Trigger
from core.engine.engine import Engine
from core.forge.host import ForgeHost
from core.net.sockets import LOCAL_SOCKETS
from core.store.packet_store import PacketStore

EACH_S = 1.0
STAYING = (
    "rawscope analysis",
    "rawscope colors",
    "rawscope config_0",
    "rawscope journal_0",
    "rawscope lookup",
    "rawscope payload reader",
    "rawscope programs",
    "rawscope sender",
)


def memory() -> dict[str, int]:
    """Return the resident bytes by kind.

    ``rss`` counts all of them: the program's text and libraries (file-backed), the capture rings
    (mapped from the kernel), and anonymous memory.
    """
    fields = {"Rss": "rss", "Anonymous": "anonymous"}
    found = {}
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in fields:
            found[fields[name]] = int(rest.split()[0]) * 1024
    return found


def ledger(engine: Engine, monitor: Monitor) -> dict[str, Any]:
    """Return the counts of the worker, the store and the screen, each consistent in itself."""
    worker = engine.snapshot()
    store = worker.packets
    screen = monitor.screen_stack[0] if monitor.screen_stack else None
    shown = screen.shown if isinstance(screen, MainScreen) else store
    return {
        "received": worker.received,
        "captured": worker.captured,
        "dropped": worker.dropped,
        "count": store.count,
        "held": sum(map(len, store.chunks)),
        "evicted": store.evicted,
        "bytes_held": store.bytes_held,
        "shown_count": shown.count,
        "shown_held": sum(map(len, shown.chunks)),
        "shown_evicted": shown.evicted,
        "paused": isinstance(screen, MainScreen) and screen.paused,
        "live": worker.state.value,
    }


def sample(engine: Engine, monitor: Monitor) -> dict[str, Any]:
    """Return everything that must not grow, and the packet counts."""
    totals = engine.echo.snapshot().totals
    return {
        **memory(),
        **ledger(engine, monitor),
        "descriptors": len(os.listdir("/proc/self/fd")) - 1,  # minus the one of the listing
        "threads": len(threads := own_threads()),
        "names": threads,
        "accepted": totals.accepted,
        "clients": len(engine.echo.snapshot().clients),
        "frozen": gc.get_freeze_count(),
        "windows": len(monitor.screen_stack),
    }


def own_threads() -> list[str]:
    """Name the threads, except those that start when first needed and then stay.

    These are asyncio's pool, at most six, and one of each in `STAYING`: a second one counts.
    """
    names = [thread.name for thread in threading.enumerate()]
    for name in STAYING:
        if name in names:
            names.remove(name)
    return sorted(name for name in names if not name.startswith("asyncio_"))


def report(engine: Engine, monitor: Monitor, descriptor: int) -> None:
    with os.fdopen(descriptor, "w") as file:
        while True:
            time.sleep(EACH_S)
            print(json.dumps(sample(engine, monitor)), file=file, flush=True)


def main(descriptor: int, limit_bytes: int, port: int, *interfaces: str) -> int:
    os.set_inheritable(descriptor, False)
    engine = Engine(PacketStore(limit_bytes), LOCAL_SOCKETS)
    engine.start()
    options = CaptureOptions(interfaces)
    engine.echo.listen("127.0.0.1", port, Trigger.LEVEL)
    engine.capture(options)
    monitor = Monitor(engine, lambda: ForgeHost(LOCAL_SOCKETS), options=options)
    threading.Thread(target=report, args=(engine, monitor, descriptor), daemon=True).start()
    try:
        monitor.run()
    finally:
        engine.close()
    fault = monitor.failure or engine.failure
    if fault is not None:
        raise fault
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:4]), *sys.argv[4:]))
