"""One I/O model at work in a process of its own: ``python -m core.iolab.trial MODEL CLIENTS``.

It has a process of its own so that processor time, system calls, and sleep are the model's alone.
It prints its port, accepts all its clients, reports that, echoes until they have ended, and prints
the cost. The clock starts when all are connected.
"""

from __future__ import annotations

import json
import resource
import socket
import sys

from core.echo.descriptors import raise_descriptor_limit
from core.iolab.models import model_named
from core.iolab.peers import Calls, ModelRefusedError

BACKLOG = 4096
ACCEPT_TIMEOUT_S = 10.0
_OTHERS = 16  # descriptors besides the clients'


def main(arguments: list[str]) -> int:
    """Print three lines of JSON: the port, that it serves, the cost; or why it refuses."""
    model, clients = model_named(arguments[0]), int(arguments[1])
    allowed = raise_descriptor_limit()
    if clients + _OTHERS > allowed:
        _print({"refused": f"this process may open only {allowed} descriptors (ulimit -n)"})
        return 1
    calls = Calls()
    with socket.create_server(("127.0.0.1", 0), backlog=BACKLOG) as listening:
        _print({"port": listening.getsockname()[1]})
        listening.settimeout(ACCEPT_TIMEOUT_S)
        connections = [listening.accept()[0] for _ in range(clients)]
    for connected in connections:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    _print({"serving": clients})
    before = resource.getrusage(resource.RUSAGE_SELF)
    try:
        model.serve(connections, calls)
    except ModelRefusedError as error:
        _print({"refused": str(error)})
        return 1
    finally:
        for connected in connections:
            connected.close()
    after = resource.getrusage(resource.RUSAGE_SELF)
    _print(
        {
            "calls": dict(calls),
            "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
            "slept": after.ru_nvcsw - before.ru_nvcsw,
        }
    )
    return 0


def _print(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
