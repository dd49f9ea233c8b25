"""Many command lines in one locale, without the start of an interpreter for each.

`run_commands` starts one process in the locale. It imports the command line, then forks for each
command: the child has standard streams of its own, runs what ``python -m app`` runs, and exits.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests.helpers.support import ROOT
from tests.helpers.waiting import PATIENCE_S


class Ended(NamedTuple):
    """The exit status of a command, and what the command wrote."""

    status: int
    out: bytes
    error: bytes


def run_commands(
    commands: Sequence[Sequence[str]],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    stdout: str = "",
) -> list[Ended]:
    """Run commands, one after the other, in `folder`; `stdout` may name a device."""
    results = folder / "results"
    results.mkdir()
    words = [[os.fsencode(word).hex() for word in command] for command in commands]
    done = subprocess.run(
        [sys.executable, "-m", "tests.app.cli.forked_commands", str(results), stdout],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        input=json.dumps(words).encode(), capture_output=True, check=False, timeout=PATIENCE_S,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    return [
        Ended(
            status,
            b"" if stdout else (results / f"{number}.out").read_bytes(),
            (results / f"{number}.error").read_bytes(),
        )
        for number, status in enumerate(json.loads(done.stdout))
    ]


def _run(words: list[str], out: str, error: str) -> int:
    """Run a command in a child process; return its exit status."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with ExitStack() as files:
        for number, path, mode in ((0, os.devnull, "rb"), (1, out, "wb"), (2, error, "wb")):
            os.dup2(files.enter_context(open(path, mode)).fileno(), number)
    os._exit(_status_of(words))


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


def _serve(folder: str, stdout: str) -> None:
    import numpy as _  # takes half of the start of most commands  # noqa: F401

    import core.wire.registry as _registry  # noqa: F401

    statuses = []
    for number, command in enumerate(json.load(sys.stdin)):
        words = [os.fsdecode(bytes.fromhex(word)) for word in command]
        out, error = (f"{folder}/{number}.{name}" for name in ("out", "error"))
        statuses.append(_run(words, stdout or out, error))
    print(json.dumps(statuses))


if __name__ == "__main__":
    _serve(*sys.argv[1:])
