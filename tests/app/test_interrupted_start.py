"""ctrl+c while the program starts, whichever import it interrupts: no traceback."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.helpers.support import ROOT
from tests.helpers.waiting import PATIENCE_S

# Runs ``python -m app`` with a SIGINT during the import of a module.
INTERRUPTED = """
import os, runpy, signal, sys

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == wanted:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)

wanted = sys.argv.pop(1)
sys.meta_path.insert(0, Interrupt())
runpy.run_module("app", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("app.cli.main", ["--help"]),
        ("rich_click", ["--version"]),
        ("app.cli.commands", ["fields"]),
        ("app.cli.send_arguments", ["send", "--help"]),
        ("app.cli.fields", ["fields"]),
        ("numpy", ["dump", "-r", "none"]),
        ("app.cli.interfaces", ["interfaces"]),
        ("app.cli.echo", ["echo"]),
        ("app.cli.iolab", ["iolab"]),
        ("app.cli.send.replay", ["replay", "none", "--link", "lo"]),
        ("app.cli.monitor", []),
    ],
)
def test_an_interrupt_while_starting_shows_no_traceback(module: str, words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, module, *words],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode in (-signal.SIGINT, 128 + signal.SIGINT)
    assert done.stdout == ""
    assert done.stderr.strip() == ""


def test_an_ignored_interrupt_stays_ignored() -> None:
    """As for a job that a script starts in the background."""
    done = subprocess.run(
        ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-c", INTERRUPTED,
         "app.cli.fields", "fields", "ip.ttl"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout.startswith("ip.ttl")
