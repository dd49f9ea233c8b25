"""The peers of bench_echo: asyncio's Protocol echo server from its documentation, and under uvloop.

A program that imports nothing else, as such a server would.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys


class Echo(asyncio.Protocol):
    """Echo all received bytes."""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


async def serve():
    """Print the port and serve forever."""
    running = asyncio.get_running_loop()
    server = await running.create_server(Echo, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main(kind):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if kind == "uvloop":
        import uvloop

        uvloop.run(serve())
    else:
        asyncio.run(serve())


if __name__ == "__main__":
    main(sys.argv[2])
