"""The echo server under churn: clients that come and go as fast as they can, for minutes.

FAULTS 49: no growth of descriptors, threads or memory. The server is ``rawscope echo --json`` in a
process of its own, with a level- and an edge-triggered run one after the other. Each client
connects, has 64 bytes echoed, and leaves: by turns in good order, by a reset, and without having
said a word. What the server holds is read from /proc every second (proc(5)): the first `WARM_S`
are left out, since an allocator has to find its size first, and after that the largest resident
size of the last third may be `GROWTH` more than that of the first.

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
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SECONDS, WARM_S = 60.0, 10.0
GROWTH = 1.02
MESSAGE = bytes(range(64))
RESET = struct.pack("ii", 1, 0)  # struct linger: on, 0 s
ADDRESSES = [f"127.0.0.{number}" for number in range(2, 34)]  # each has ephemeral ports of its own


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
    """Descriptors, threads, resident bytes."""
    process = Path(f"/proc/{pid}")
    pages = int((process / "statm").read_text().split()[1])
    descriptors = len(os.listdir(process / "fd"))
    return descriptors, len(os.listdir(process / "task")), pages * os.sysconf("SC_PAGE_SIZE")


def churn(trigger: str, seconds: float) -> bool:
    server = subprocess.Popen(
        [sys.executable, "-m", "app", "echo", "--port", "0", "--trigger", trigger, "--json"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert server.stdout is not None
    where = tuple(json.loads(server.stdout.readline())["listening"])
    seen: list[tuple[int, int, int]] = []
    began_s, looked_s, turn = time.monotonic(), 0.0, 0
    while (now_s := time.monotonic()) - began_s < seconds:
        for _ in range(100):
            one_client(turn, (str(where[0]), int(where[1])))
            turn += 1
        if now_s - looked_s >= 1 and now_s - began_s >= min(WARM_S, seconds / 3):
            looked_s = now_s
            seen.append(held(server.pid))
    server.send_signal(signal.SIGTERM)
    last = json.loads(server.communicate()[0].splitlines()[-1])
    third = max(1, len(seen) // 3)
    sizes = [size for _, _, size in seen]
    before, after = max(sizes[:third]), max(sizes[-third:])
    descriptors = max(count for count, _, _ in seen[-third:])
    threads = {count for _, count, _ in seen}
    holds = (
        after <= before * GROWTH
        and descriptors <= max(count for count, _, _ in seen[:third]) + 1
        and len(threads) == 1
        and last["clients"] == 0
        and last["accepted"] == turn
        and server.returncode == 0
    )
    print(
        f"{trigger}: {turn:,} connections in {seconds:.0f} s ({turn / seconds:,.0f} a second), "
        f"resident {before / 1e6:.1f} → {after / 1e6:.1f} MB, at most {descriptors} descriptors, "
        f"{threads.pop()} thread: {'holds' if holds else 'GROWS OR LOSES'}",
        flush=True,
    )
    return holds


def main(seconds: float = SECONDS) -> int:
    held_all = [churn(trigger, seconds) for trigger in ("level", "edge")]
    return 0 if all(held_all) else 1


if __name__ == "__main__":
    sys.exit(main(*map(float, sys.argv[1:2])))
