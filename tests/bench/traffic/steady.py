"""Send datagrams on loopback until the parent ends; ``steady RATE``: as many a second."""

from __future__ import annotations

import os
import socket
import sys
import time

PORT = 5353


def main(rate: float) -> None:
    parent = os.getppid()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        receiver.bind(("127.0.0.1", PORT))
        number = 0
        while os.getppid() == parent:
            number += 1
            sender.sendto(f"datagram {number} at {time.time():.6f}".encode(), ("127.0.0.1", PORT))
            receiver.recv(100)
            time.sleep(1 / rate)


if __name__ == "__main__":
    main(float(sys.argv[1]))
