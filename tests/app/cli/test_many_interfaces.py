"""A pcapng file with 70,000 interface descriptions is read to its last packet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli.main import run
from core.engine.engine import Engine
from core.engine.snapshot import EngineState
from core.net.sockets import LOCAL_SOCKETS
from core.store.interface_numbers import MORE
from core.store.packet_store import PacketStore
from tests.core.files.make import enhanced, interface, option, section
from tests.helpers.scripted import SYN, tcp
from tests.helpers.waiting import until

COUNT = 70_000
FRAME = tcp("192.0.2.1", "192.0.2.2", (1, 2), SYN, (0, 0))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "many.pcapng"
    named = b"".join(interface(options=option(2, b"if%d" % number)) for number in range(COUNT))
    packets = b"".join(enhanced(FRAME, number=number) for number in (0, 65_535, COUNT - 1))
    made.write_bytes(section() + named + packets)
    return made


def test_dump_prints_every_packet(path, capsys) -> None:
    assert run(["dump", "-r", str(path), "--json"]) == 0
    out, err = capsys.readouterr()
    assert len([json.loads(line) for line in out.splitlines()]) == 3
    assert f"are named '{MORE}'" in err


def test_the_engine_keeps_every_packet(path) -> None:
    engine = Engine(PacketStore(), LOCAL_SOCKETS)
    engine.start()
    try:
        engine.open_file(str(path))
        until(lambda: engine.snapshot().state is EngineState.DONE, seen=engine.snapshot)
        snapshot = engine.store.snapshot()
        names = [snapshot.packet(number).interface.name for number in (1, 2, 3)]
        assert names == ["if0", MORE, MORE]
        assert f"are named {MORE!r}" in engine.snapshot().notes[0]
    finally:
        engine.close()
