"""Command lines in processes of their own, without the start of an interpreter for each.

A `CommandServer` is a process that imported the command line. For each command it forks: the child
has standard streams of its own, moves to a network namespace if one is named, runs what ``python -m
app`` runs, and exits.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import importlib
import json
import os
import pkgutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from tests.helpers.isolation import CLONE_NEWNET
from tests.helpers.support import ROOT
from tests.helpers.waiting import PATIENCE_S


class Ended(NamedTuple):
    """The exit status of a command, and what the command wrote."""

    status: int
    out: bytes
    error: bytes


class CommandServer:
    """Runs commands one after the other. `environment` is that of the interpreter, as changes."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.helpers.process.forked_commands"],
            env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def run(
        self,
        words: Sequence[str],
        folder: Path = ROOT,
        environment: Mapping[str, str] | None = None,
        namespace: str = "",
        stdout: str = "",
    ) -> Ended:
        """Run a command in `folder`; `stdout` may name a device instead of a file.

        `environment` has changes for this command; `namespace` is the name of a network namespace.
        """
        with tempfile.TemporaryDirectory() as results:
            out, error = Path(results) / "out", Path(results) / "error"
            order = {
                "words": [os.fsencode(word).hex() for word in words],
                "folder": str(folder),
                "environment": dict(environment or {}),
                "namespace": namespace,
                "out": stdout or str(out),
                "error": str(error),
            }
            status = self._status_of(order)
            return Ended(status, b"" if stdout else out.read_bytes(), error.read_bytes())

    def _status_of(self, order: dict[str, object]) -> int:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        timer = threading.Timer(PATIENCE_S, process.kill)
        with self._lock:
            timer.start()
            process.stdin.write(json.dumps(order).encode() + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
            timer.cancel()
        assert line, f"the command did not end: {order}"
        return int(line)

    def close(self) -> None:
        """End the process."""
        with self._process as process:
            process.kill()


@functools.cache
def command_server() -> CommandServer:
    """Return the server of this process, in its own environment; it ends with the process."""
    server = CommandServer()
    atexit.register(server.close)
    return server


def run_commands(
    commands: Sequence[Sequence[str]],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    stdout: str = "",
) -> list[Ended]:
    """Run commands in `folder`, in an interpreter that was started in this environment."""
    server = CommandServer(environment)
    try:
        return [server.run(command, folder, stdout=stdout) for command in commands]
    finally:
        server.close()


def _run(order: dict[str, Any]) -> int:
    """Run a command in a child process; return its exit status."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    with ExitStack() as files:
        streams = ((0, os.devnull, "rb"), (1, order["out"], "wb"), (2, order["error"], "wb"))
        for number, path, mode in streams:
            os.dup2(files.enter_context(open(path, mode)).fileno(), number)
        if order["namespace"]:
            _move_to(order["namespace"])
        os.chdir(order["folder"])
        os.environ.update(order["environment"])
        status = _status_of([os.fsdecode(bytes.fromhex(word)) for word in order["words"]])
    os._exit(status)


def _move_to(namespace: str) -> None:
    """Move this process to a network namespace: setns(2), which Python has from version 3.12 on."""
    descriptor = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
    os.close(descriptor)


def _status_of(words: list[str]) -> int:
    """Return the status with which ``python -m app`` exits."""
    import traceback

    from app.__main__ import main

    sys.argv = ["rawscope", *words]
    status = 1
    try:
        main()
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        status = 120  # as at the end of an interpreter (sys.exit)
    return status


def _import_commands() -> None:
    """Import what headless commands import, most of the time of their start."""
    import app.cli

    for module in pkgutil.walk_packages(app.cli.__path__, "app.cli."):
        if module.name != "app.cli.monitor":
            importlib.import_module(module.name)


def _serve() -> None:
    _import_commands()
    orders, results = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "w")
    for line in orders:
        print(_run(json.loads(line)), file=results, flush=True)


if __name__ == "__main__":
    _serve()
