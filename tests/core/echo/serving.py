"""Echo servers for tests: in a thread of this process, and as a process of its own."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from concurrent.futures import Future
from fcntl import ioctl

from core.echo.options import EchoOptions, Trigger
from core.echo.server import EchoServer
from core.net.event_loop import EpollLoop
from tests.helpers.support import ROOT
from tests.helpers.waiting import PATIENCE_S, until


class Served:
    """A server in a thread. `do` calls its commands, `until` waits for its state."""

    def __init__(self, options: EchoOptions | None = None, **how):
        self.loop = EpollLoop()
        self.server = EchoServer(self.loop, options, **how)
        self._thread = threading.Thread(target=self.loop.run, daemon=True)
        self._sockets = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        for made in self._sockets:
            made.close()
        self.do(self.server.close)
        self.loop.stop()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        self.loop.close()

    def do(self, function, *arguments):
        """Call a function in the loop's thread and return its result."""
        done = Future()

        def run():
            try:
                done.set_result(function(*arguments))
            except BaseException as error:
                done.set_exception(error)

        self.loop.call(run)
        return done.result(PATIENCE_S)

    def listen(self, trigger=Trigger.LEVEL, address="127.0.0.1", port=0):
        return self.do(self.server.listen, address, port, trigger)

    def connect(self, listener, receive_buffer=0):
        family = socket.AF_INET6 if ":" in listener.address else socket.AF_INET
        made = self.enter(socket.socket(family, socket.SOCK_STREAM))
        if receive_buffer:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        made.settimeout(PATIENCE_S)
        made.connect((listener.address, listener.port))
        return made

    def enter(self, made):
        """Return a socket, and close it at the end."""
        self._sockets.append(made)
        return made

    def snapshot(self):
        """Return a fresh snapshot, with every client just sampled."""

        def look():
            self.server._publish()
            return self.server.snapshot()

        return self.do(look)

    def until(self, condition, what=""):
        """Return the first snapshot for which `condition` holds."""

        def look():
            snapshot = self.snapshot()
            return snapshot if condition(snapshot) else None

        return until(look, what or "the condition", self.snapshot)

    def client(self, identifier):
        return self.server._clients[identifier]


class ServedProcess:
    """``rawscope echo --json`` as a process; ``prelude`` is Python run before."""

    def __init__(self, trigger="level", prelude="", ports=(0,)):
        code = (
            f"import sys\n{prelude}\nfrom app.cli.echo import run_echo\n"
            f"sys.exit(run_echo({list(ports)!r}, [], {trigger!r}, True))"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.address = ("127.0.0.1", self._line()["listening"][1])

    def _line(self):
        return json.loads(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def totals_when(self, condition):
        """Return the first line of totals for which `condition` holds."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            totals = self._line()
            if condition(totals):
                return totals
        raise AssertionError(f"it did not happen; at last: {totals}")

    def end(self):
        """Send SIGTERM; return the exit status and the last line."""
        self.process.send_signal(signal.SIGTERM)
        out, _err = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, json.loads(out.splitlines()[-1])

    @property
    def cpu_s(self):
        """Processor time it has used (proc(5) stat: utime and stime)."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            after_name = stat.read().rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")

    def status(self, name):
        """Return a number of /proc/PID/status."""
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                if line.startswith(f"{name}:"):
                    return int(line.split()[1])
        raise KeyError(name)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def noise(size, seed=1):
    return random.Random(seed).randbytes(size)


def send_and_hash(connected, data, *, piece=1 << 16, before_reading=None):
    """Send all bytes, half-close, and read meanwhile; return hash and length of the echo.

    Call `before_reading` once the sender runs; the first read follows its return.
    """
    digest, length = hashlib.sha256(), 0

    def send():
        with contextlib.suppress(OSError):
            connected.sendall(data)
            connected.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    if before_reading is not None:
        before_reading()
    while got := connected.recv(piece):
        digest.update(got)
        length += len(got)
    sender.join(PATIENCE_S)
    return digest.hexdigest(), length


def receive_exactly(connected, size):
    data = bytearray()
    while len(data) < size:
        got = connected.recv(size - len(data))
        if not got:
            break
        data += got
    return bytes(data)


def unacknowledged(connected):
    """Return the bytes that the peer's kernel has not acknowledged (tcp(7), SIOCOUTQ)."""
    return int.from_bytes(ioctl(connected, termios.TIOCOUTQ, bytes(4)), sys.byteorder)


def reset(connected):
    """Close with a RST instead of a FIN: SO_LINGER with no time to linger (socket(7))."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connected.close()
