"""Echo clients that connect and leave: ``churn PORT CLIENTS SECONDS``.

One thread keeps so many clients connected to 127.0.0.1. Each sends up to 4 KiB, has it echoed,
stays for up to two seconds and leaves, a third of them by a reset; then another one replaces it.
"""

from __future__ import annotations

import errno
import heapq
import random
import selectors
import socket
import struct
import sys
import time

SEED = 10
STAY_S = 2.0
RESET = struct.pack("ii", 1, 0)  # struct linger: on, 0 s
MESSAGE = bytes(range(256)) * 16


class Client:
    def __init__(self, rng: random.Random, port: int) -> None:
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.to_send = MESSAGE[: rng.randint(1, len(MESSAGE))]
        self.missing = len(self.to_send)
        self.resets = rng.random() < 1 / 3
        self.leaves_s = time.monotonic() + rng.random() * STAY_S
        if self.socket.connect_ex(("127.0.0.1", port)) not in (0, errno.EINPROGRESS):
            raise ConnectionError("the echo server does not answer")

    def step(self) -> None:
        """Send the rest, then read the echo."""
        if self.to_send:
            self.to_send = self.to_send[self.socket.send(self.to_send) :]
        else:
            self.missing -= len(self.socket.recv(1 << 16))

    def leave(self) -> None:
        if self.resets:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.socket.close()


def main(port: int, clients: int, seconds: int) -> None:
    rng = random.Random(SEED)
    ends_s = time.monotonic() + seconds
    leaving: list[tuple[float, int, Client]] = []
    turns = 0
    with selectors.EpollSelector() as selector:
        while (now_s := time.monotonic()) < ends_s:
            while leaving and leaving[0][0] <= now_s:
                client = heapq.heappop(leaving)[2]
                if client.socket in selector.get_map():
                    selector.unregister(client.socket)
                client.leave()
            while len(leaving) < clients:
                client = Client(rng, port)
                turns += 1
                selector.register(client.socket, selectors.EVENT_WRITE, client)
                heapq.heappush(leaving, (client.leaves_s, turns, client))
            for key, _ in selector.select(0.02):
                client = key.data
                try:
                    client.step()
                except OSError:  # a random key closed the listener
                    client.missing = 0
                if client.missing <= 0:
                    selector.unregister(client.socket)
                elif not client.to_send:
                    selector.modify(client.socket, selectors.EVENT_READ, client)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
