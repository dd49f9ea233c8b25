"""Processes whose files are unreadable: nothing is known that these would tell."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.analysis.programs.process_records import ProcessRecords
from tests.helpers.support import ROOT, require_root
from tests.helpers.waiting import PATIENCE_S

READ = """
import dataclasses, json, os, sys
import psutil
from core.analysis.programs.process_records import ProcessRecords
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
psutil.PROCFS_PATH = sys.argv[1]
found = ProcessRecords().find(int(sys.argv[2]))
print(json.dumps(dataclasses.asdict(found) if found else None))
"""
FILES = ("stat", "status", "cmdline")


def known_to_nobody(proc: Path, pid: int) -> dict[str, object] | None:
    """Return what an ordinary user reads of a process."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(proc), str(pid)],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=True,
    )  # fmt: skip
    found: dict[str, object] | None = json.loads(done.stdout)
    return found


@pytest.fixture
def proc() -> Iterator[Path]:
    """Yield a folder like /proc, which every user reads, with this process and its parent."""
    require_root()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        root.chmod(0o755)
        shutil.copyfile("/proc/stat", root / "stat")  # the time of the start of the host
        for pid in (os.getpid(), os.getppid()):
            (root / str(pid)).mkdir()
            for name in FILES:
                (root / str(pid) / name).write_bytes(Path(f"/proc/{pid}/{name}").read_bytes())
        yield root


def test_all_is_known_of_readable_files(proc) -> None:
    found = known_to_nobody(proc, os.getpid())
    mine = ProcessRecords().find(os.getpid())
    assert found is not None
    assert mine is not None
    assert (found["name"], found["uid"]) == (mine.name, os.getuid())
    assert found["parent_name"] == mine.parent_name
    assert mine.command_line == found["command_line"] != ""


@pytest.mark.parametrize(
    ("hidden", "unknown"),
    [
        (["stat"], {"name": "", "parent_pid": 0, "parent_name": ""}),
        (["status"], {"uid": None}),
        (["cmdline"], {"command_line": ""}),
        (["stat", "status", "cmdline"],
         {"name": "", "parent_pid": 0, "parent_name": "", "uid": None, "command_line": ""}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_missing", [False, True])
def test_an_unreadable_file_leaves_its_values_unknown(proc, hidden, unknown, is_missing) -> None:
    """Never that it is root's. The other files are read."""
    whole = known_to_nobody(proc, os.getpid())
    assert whole is not None
    for name in hidden:
        path = proc / str(os.getpid()) / name
        if is_missing and name != "stat":  # without it there is no process
            path.unlink()
        else:
            path.chmod(0)
    found = known_to_nobody(proc, os.getpid())
    assert found == whole | unknown


def test_an_unreadable_parent_has_no_name(proc) -> None:
    for name in FILES:
        (proc / str(os.getppid()) / name).chmod(0)
    found = known_to_nobody(proc, os.getpid())
    assert found is not None
    assert (found["parent_pid"], found["parent_name"]) == (os.getppid(), "")


def test_a_process_that_may_not_be_entered_is_unknown(proc) -> None:
    """As for ``hidepid=1``: it is listed, but each of its files is refused."""
    (proc / str(os.getpid())).chmod(0)
    found = known_to_nobody(proc, os.getpid())
    assert found is not None
    assert (found["uid"], found["name"], found["command_line"]) == (None, "", "")


def test_an_ended_process_is_not_found() -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", ""]) as ended:
        ended.wait(PATIENCE_S)
    assert ProcessRecords().find(ended.pid) is None
