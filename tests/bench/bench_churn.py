"""The echo server under churn: clients connect and leave as fast as they can, for minutes.

FAULTS 49: descriptors, threads and memory must not grow. The server is ``rawscope echo --json`` in
a process on one core, level triggered and then edge triggered. `LOADS` processes on the other core
make its clients; one of them works while the others wait. Each client connects, has 64 bytes
echoed, and leaves: in turn by a normal close, by a reset, and without having sent anything. The
benchmark reads the server's resources from /proc every second (proc(5)). It ignores the first
`WARM_S` seconds, in which an allocator finds its size. After that, the largest resident size of the
last third may exceed that of the first third by `GROWTH`.

``python -m tests.bench.bench_churn SECONDS`` (default 60; 600 for the ten minutes of FAULTS 49).
"""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.support import require_peer

ROOT = Path(__file__).resolve().parent.parent.parent
SECONDS, WARM_S = 60.0, 10.0
GROWTH = 1.02
LOADS = 20
MESSAGE = bytes(range(64))
RESET = struct.pack("ii", 1, 0)  # struct linger: on, 0 s
ADDRESSES = [f"127.0.0.{number}" for number in range(2, 34)]  # each has its own ephemeral ports


def one_client(turn: int, where: tuple[str, int]) -> None:
    with socket.socket() as client:
        client.bind((ADDRESSES[turn % len(ADDRESSES)], 0))
        client.connect(where)
        if turn % 3 == 2:
            return
        client.sendall(MESSAGE)
        data = client.recv(64)
        assert data == MESSAGE, data
        if turn % 3 == 1:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def held(pid: int) -> tuple[int, int, int]:
    """Return the number of descriptors and threads, and the resident bytes."""
    process = Path(f"/proc/{pid}")
    pages = int((process / "statm").read_text().split()[1])
    descriptors = len(os.listdir(process / "fd"))
    return descriptors, len(os.listdir(process / "task")), pages * os.sysconf("SC_PAGE_SIZE")


def load(number: int, where: tuple[str, int], seconds: float) -> None:
    """Run one load process, which prints the number of its clients."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    ends_s, turn = time.monotonic() + seconds, number
    while time.monotonic() < ends_s:
        for _ in range(100):
            one_client(turn, where)
            turn += 1
    print(turn - number)


@contextmanager
def loads(where: tuple[str, int], seconds: float) -> Iterator[list[subprocess.Popen[str]]]:
    """Run `LOADS` of them at once: while one waits for its echo, the others work."""
    command = [sys.executable, "-m", "tests.bench.bench_churn", "load"]
    started = [
        subprocess.Popen(
            [*command, str(number), where[0], str(where[1]), str(seconds)],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )
        for number in range(LOADS)
    ]  # fmt: skip
    try:
        yield started
    finally:
        for one in started:
            one.kill()
            one.wait()


def churn(trigger: str, seconds: float) -> bool:
    server = subprocess.Popen(
        [require_peer("taskset"), "-c", str(min(os.sched_getaffinity(0))), sys.executable,
         "-m", "app", "echo", "--port", "0", "--trigger", trigger, "--json"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert server.stdout is not None
    address, port = json.loads(server.stdout.readline())["listening"]
    before_any = held(server.pid)[0]
    seen: list[tuple[int, int, int]] = []
    began_s = time.monotonic()
    with loads((address, port), seconds) as started:
        while any(one.poll() is None for one in started):
            time.sleep(1)
            if time.monotonic() - began_s >= min(WARM_S, seconds / 3):
                seen.append(held(server.pid))
        took_s = time.monotonic() - began_s
        turns = sum(int(one.stdout.read()) for one in started if one.stdout is not None)
        well = all(one.returncode == 0 for one in started)
    time.sleep(1)  # the last clients leave
    left = held(server.pid)[0]
    server.send_signal(signal.SIGTERM)
    last = json.loads(server.communicate()[0].splitlines()[-1])
    third = max(1, len(seen) // 3)
    sizes = [size for _, _, size in seen]
    before, after = max(sizes[:third]), max(sizes[-third:])
    descriptors = max(count for count, _, _ in seen)
    threads = {count for _, count, _ in seen}
    holds = (
        well
        and after <= before * GROWTH
        and left <= before_any
        and len(threads) == 1
        and last["clients"] == 0
        and last["accepted"] == turns
        and server.returncode == 0
    )
    print(
        f"{trigger}: {turns:,} connections in {took_s:.0f} s ({turns / took_s:,.0f} a second), "
        f"resident {before / 1e6:.1f} → {after / 1e6:.1f} MB, descriptors {before_any} → {left}, "
        f"most {descriptors}, {threads.pop()} thread: {'holds' if holds else 'GROWS OR LOSES'}",
        flush=True,
    )
    return holds


def main(seconds: float = SECONDS) -> int:
    held_all = [churn(trigger, seconds) for trigger in ("level", "edge")]
    return 0 if all(held_all) else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["load"]:
        load(int(sys.argv[2]), (sys.argv[3], int(sys.argv[4])), float(sys.argv[5]))
        sys.exit()
    sys.exit(main(*map(float, sys.argv[1:2])))
