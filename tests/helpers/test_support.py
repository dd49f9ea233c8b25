"""A missing prerequisite skips a test with its reason, and fails it in CI."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bench.terminal import Terminal
from tests.helpers import support
from tests.helpers.unprivileged import READING_FILES
from tests.helpers.waiting import PATIENCE_S

LIMIT_S = 30
SYSCTL_AND_IP = """#!/bin/sh
echo "$@" >> "${0%/*}/calls"
case "$*" in *exec*) echo 'mount --make-rslave / failed' >&2; exit 1;; esac
"""


def lacking_captures(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], object]:
    monkeypatch.setenv("RAWSCOPE_CAPTURES", str(folder / "none"))
    assert support.capture_index() == [("", "")]
    return support.captures_dir


def lacking_peers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], object]:
    monkeypatch.setenv("PATH", str(folder))
    return lambda: support.require_command("tshark", "-v")


def lacking_terminal_program(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], object]:
    """Check that a program that cannot run leaves no copy of pytest on the terminal."""
    monkeypatch.setenv("PATH", str(folder))
    return lambda: Terminal(["tmux"], 80, 24)


def lacking_root(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], object]:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return support.require_namespaces


def lacking_namespaces(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], object]:
    """``ip netns exec`` fails, as in a chroot or a container."""
    for name in ("ip", "sysctl"):
        (folder / name).write_text(SYSCTL_AND_IP)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return support.require_namespaces


@pytest.mark.parametrize(
    ("lacking", "reason"),
    [
        (lacking_captures, "no captures at .*none"),
        (lacking_peers, "tshark is not on PATH"),
        (lacking_terminal_program, "tmux is not on PATH"),
        (lacking_root, "needs root"),
        (
            lacking_namespaces,
            "network namespaces do not work on this host.*: .*make-rslave / failed",
        ),
    ],
)
def test_a_missing_prerequisite_skips_with_its_reason_and_fails_in_ci(
    lacking: Callable[[Path, pytest.MonkeyPatch], Callable[[], object]],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    require = lacking(tmp_path, monkeypatch)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=reason):
        require()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=f"{reason}, and this is CI"):
        require()


def test_namespaces_are_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require = lacking_namespaces(tmp_path, monkeypatch)
    monkeypatch.delenv("CI", raising=False)
    for _ in range(3):
        with pytest.raises(pytest.skip.Exception):
            require()
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [line.split()[1] for line in calls] == ["add", "exec", "del"]


@pytest.mark.parametrize("kept", [READING_FILES, frozenset()])
def test_no_other_capability_remains(kept: frozenset[int]) -> None:
    """No set from which the kernel grants capabilities has another one (proc_pid_status(5))."""
    code = (
        "from tests.helpers.unprivileged import drop_capabilities\n"
        f"drop_capabilities({kept!r})\n"
        "print(open('/proc/self/status').read())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=support.ROOT, capture_output=True, text=True, check=True, timeout=LIMIT_S,
    )  # fmt: skip
    sets = dict(line.split(":\t") for line in done.stdout.splitlines() if line.startswith("Cap"))
    allowed = sum(1 << one for one in kept)
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(sets[name], 16) & ~allowed == 0, name


def test_a_program_uses_the_size_of_its_own_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """In curses and in Textual, a size in the environment overrides the pty's."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    shown = Terminal(
        [sys.executable, "-c", "import shutil; print(*shutil.get_terminal_size())"], 120, 36
    )
    try:
        shown.wait_for(b"120 36", PATIENCE_S)
    finally:
        shown.close()


def test_workers_of_a_parallel_run_have_no_size_in_their_environment() -> None:
    assert not {"COLUMNS", "LINES"} & os.environ.keys()


def test_each_reason_that_the_newcomer_runs_expect_exists() -> None:
    """``.ci/newcomer`` looks for these texts in a report of minutes; compare them in no time."""
    script = (support.ROOT / ".ci" / "newcomer").read_text()
    expected = re.findall(r"\bproving '([^']+)'", script)
    source = (support.ROOT / "tests" / "helpers" / "support.py").read_text()
    shown = source.replace("{name}", "ip").replace("{folder}", "/nowhere")
    assert len(expected) == 3
    assert [reason for reason in expected if reason not in shown] == []


def test_each_value_is_in_a_combination(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAWSCOPE_THOROUGH", raising=False)
    assert support.combinations("abc", [1, 2]) == [("a", 1), ("b", 2), ("c", 1)]
    monkeypatch.setenv("RAWSCOPE_THOROUGH", "1")
    assert len(support.combinations("abc", [1, 2])) == 6
