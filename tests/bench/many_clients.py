"""Run the monitor with an echo listener on a given port only: ``many_clients PORT``."""

from __future__ import annotations

import sys

from app.monitor import Monitor
from core.echo.options import Trigger
from core.engine.engine import Engine
from core.store.packet_store import PacketStore
from tests.bench.bench_echo_panel import HOST


def main(port: int) -> None:
    engine = Engine(PacketStore())
    engine.start()
    engine.echo.listen(HOST, port, Trigger.LEVEL)
    try:
        Monitor(engine).run()
    finally:
        engine.close()


if __name__ == "__main__":
    main(int(sys.argv[1]))
