"""Writing to a terminal that is not read: nothing blocks, and the last bytes arrive."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from app.terminal.output import CANCEL, TerminalOutput
from tests.helpers.waiting import PATIENCE_S

MUCH = "x" * (1 << 20)  # more than any terminal holds


@pytest.fixture(params=["opened again", "shared"])
def way(request, monkeypatch) -> str:
    """Use the output's own descriptor, or the shell's if the terminal cannot be opened."""
    if request.param == "shared":

        def refuse(_descriptor: int) -> str:
            raise OSError

        monkeypatch.setattr(os, "ttyname", refuse)
    return request.param


def read_all(reading: int) -> bytes:
    """Return all that can be read now."""
    data = b""
    try:
        while True:
            data += os.read(reading, 1 << 16)
    except BlockingIOError:
        return data


async def test_a_write_returns_without_a_reader(ends, way):
    output = TerminalOutput(ends[1], asyncio.get_running_loop())
    output.write(MUCH)
    assert output.behind
    assert os.get_blocking(ends[1])  # the shell's descriptor is unchanged
    output.cut()
    output.finish(0)
    output.close()


async def test_the_rest_is_written_when_there_is_room(ends, way):
    room = asyncio.Event()
    output = TerminalOutput(ends[1], asyncio.get_running_loop(), room.set)
    output.write(MUCH)
    received = b""
    while not room.is_set():
        received += read_all(ends[0])
        await asyncio.sleep(0)
    received += read_all(ends[0])
    assert received == MUCH.encode()
    assert not output.behind
    output.close()


async def test_cut_output_is_dropped_and_its_sequence_ended(ends, way):
    output = TerminalOutput(ends[1], asyncio.get_running_loop())
    output.write(MUCH)
    output.cut()
    output.write("the end")
    output.finish(0)
    received = read_all(ends[0])
    assert len(received) < len(MUCH)
    assert received.endswith(CANCEL + b"the end")
    output.close()


async def test_the_output_can_be_abandoned_while_another_thread_holds_it(ends, way):
    output = TerminalOutput(ends[1], asyncio.get_running_loop())
    with output._lock:
        abandoning = threading.Thread(target=output.abandon, args=("the end", 0.01), daemon=True)
        abandoning.start()
        abandoning.join(PATIENCE_S)
        assert not abandoning.is_alive()
    output.close()


async def test_an_abandoned_output_ends_with_the_last_bytes(ends, way):
    output = TerminalOutput(ends[1], asyncio.get_running_loop())
    output.write(MUCH)
    output.abandon("the end", 0.5)
    assert read_all(ends[0]).endswith(CANCEL + b"the end")
    assert not output.behind
    output.close()


async def test_nothing_waits_for_room_after_it_was_closed(ends, way):
    """Another file may already use its descriptor's number."""
    loop = asyncio.get_running_loop()
    output = TerminalOutput(ends[1], loop)
    number = output._writer.descriptor
    output.write(MUCH)
    output.cut()
    output.finish(0)
    output.close()
    os.dup2(ends[1], number)
    try:
        await asyncio.sleep(0)  # runs `_wait`, which the write scheduled
        assert not loop.remove_writer(number)
    finally:
        os.close(number)


async def test_nothing_is_cut_if_the_terminal_took_everything(ends, way):
    output = TerminalOutput(ends[1], asyncio.get_running_loop())
    output.write("all")
    output.cut()
    output.write(" of it")
    output.finish(0)
    assert read_all(ends[0]) == b"all of it"
    output.close()
