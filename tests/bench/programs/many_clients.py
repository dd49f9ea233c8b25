"""Run the monitor with an echo listener on a given port only: ``many_clients PORT``."""

from __future__ import annotations

import sys

from app.monitor import Monitor
from core.echo.options import Trigger
from core.engine.engine import Engine
from core.forge.host import ForgeHost
from core.net.sockets import LOCAL_SOCKETS
from core.store.packet_store import PacketStore
from tests.bench.bench_echo_panel import HOST


def main(port: int) -> None:
    engine = Engine(PacketStore(), LOCAL_SOCKETS)
    engine.start()
    engine.echo.listen(HOST, port, Trigger.LEVEL)
    try:
        Monitor(engine, lambda: ForgeHost(LOCAL_SOCKETS)).run()
    finally:
        engine.close()


if __name__ == "__main__":
    main(int(sys.argv[1]))
