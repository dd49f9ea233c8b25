"""Run the monitor with a file already in its store while it captures: ``many_rows FILE IFACE``.

The command line can either open a file or capture; this program makes a store that holds five
million packets *and* grows out of rawscope's own parts, and shows it in the monitor.
"""

from __future__ import annotations

import gc
import sys

from app.monitor import Monitor
from core.capture.options import CaptureOptions
from core.engine.engine import Engine
from core.files.reader import open_capture
from core.forge.host import ForgeHost
from core.net.sockets import LOCAL_SOCKETS
from core.store.packet_store import PacketStore


def main(path: str, interface: str) -> None:
    store = PacketStore(limit_bytes=4 << 30)
    with open_capture(path) as reader:
        for batch in reader.batches():
            for known in reader.interfaces[len(store.snapshot().interfaces) :]:
                store.add_interface(known)
            store.append(batch)
        engine = Engine(store, LOCAL_SOCKETS)
        engine.start()
        engine.capture(CaptureOptions(interfaces=(interface,)))
        try:
            monitor = Monitor(engine, lambda: ForgeHost(LOCAL_SOCKETS))
            gc.freeze()  # as the command does
            monitor.run()
        finally:
            engine.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
