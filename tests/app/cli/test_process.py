"""The command line as a process: what it imports, its pipes, its signals, its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.app.made import SYN, capture_of, pcap_header, pcap_record, udp_frame
from tests.helpers.support import ROOT
from tests.helpers.waiting import PATIENCE_S

RAWSCOPE = [sys.executable, "-m", "app"]
UNPRIVILEGED = [sys.executable, "-m", "tests.helpers.unprivileged", "app"]


def start(arguments: Sequence[str], **streams: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*RAWSCOPE, *arguments], cwd=ROOT, **streams)


@pytest.fixture
def many(tmp_path: Path) -> str:
    """Write a capture whose text is more than a pipe holds."""
    return capture_of(tmp_path / "many.pcap", [udp_frame(bytes(n % 99)) for n in range(3000)])


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["interfaces"],
        ["fields", "ip."],
        ["dump", "-r", "FILE"],
        ["dump", "-r", "FILE", "--json"],
        ["dump", "-i", "no-such-interface"],
    ],
    ids=" ".join,
)
def test_headless_commands_never_import_textual(arguments: list[str], many: str) -> None:
    """Nor do they import the monitor; --help does not even import numpy."""
    code = (
        "import sys; from app.cli.main import run; run(sys.argv[1:]);"
        "print(*(name for name in ('textual', 'app.monitor', 'numpy') if name in sys.modules),"
        " file=sys.stderr)"
    )
    arguments = [many if word == "FILE" else word for word in arguments]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True, timeout=PATIENCE_S,
    )  # fmt: skip
    imported = done.stderr.decode().splitlines()[-1].split()
    light = arguments[0].startswith("--")
    assert imported == ([] if light else ["numpy"]) or (
        arguments[0] == "interfaces" and not imported
    )


def test_a_pipe_is_read_live() -> None:
    """A packet is printed when it arrives, not when the pipe ends."""
    with start(["dump", "-r", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in (1, 2):
            process.stdin.write((pcap_header() if number == 1 else b"") + pcap_record(SYN))
            process.stdin.flush()
            assert process.stdout.readline().startswith(f"    {number} ".encode())
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_silent_pipe_cleanly(number: signal.Signals) -> None:
    """All received packets are printed, the status is 0, and there is no traceback."""
    with start(
        ["dump", "-r", "-"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(pcap_header() + pcap_record(SYN))
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"    1 ")
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 0
        assert process.stderr.read() == b""


def test_a_closed_pipe_is_not_a_failure(many: str) -> None:
    """The reader closes the pipe, as in ``rawscope dump … | head -1``."""
    with start(["dump", "-r", many], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"    1 ")
        process.stdout.close()
        assert process.wait(PATIENCE_S) == 0
        assert process.stderr.read() == b""


def test_a_full_disk_is_reported(many: str) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*RAWSCOPE, "dump", "-r", many],
            cwd=ROOT, stdout=full, stderr=subprocess.PIPE, check=False, timeout=PATIENCE_S,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == b"rawscope: standard output: No space left on device\n"


def test_a_closed_stdout_is_reported(many: str) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *RAWSCOPE, "dump", "-r", many],
        cwd=ROOT, stderr=subprocess.PIPE, check=False, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith(b"rawscope: standard output is closed")
    assert done.stderr.count(b"\n") == 1


def test_output_is_utf8_in_any_locale(many: str) -> None:
    done = subprocess.run(
        [*RAWSCOPE, "dump", "-r", many, "-c", "1"],
        cwd=ROOT, env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        capture_output=True, check=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert " → " in done.stdout.decode()


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    for arguments, expected in ((["--debug"], True), ([], False)):
        done = subprocess.run(
            [*RAWSCOPE, "dump", "-r", str(tmp_path / "none"), *arguments],
            cwd=ROOT, capture_output=True, check=False, timeout=PATIENCE_S,
        )  # fmt: skip
        assert done.returncode == 1
        assert (b"Traceback" in done.stderr) is expected


def test_the_monitor_needs_a_terminal() -> None:
    """Without one, the error names the command that needs none."""
    done = subprocess.run(
        RAWSCOPE, cwd=ROOT, stdin=subprocess.DEVNULL,
        capture_output=True, check=False, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == b""
    assert "standard output is not one" in done.stderr.decode()
    assert "rawscope dump" in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1


def test_an_unknown_interface_lists_the_available_ones() -> None:
    done = subprocess.run(
        [*RAWSCOPE, "dump", "-i", "nothing0"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 1
    assert "nothing0" in done.stderr
    assert "lo" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("method", ["ring", "datagram", "inet"])
def test_without_the_capability_the_error_shows_how_to_get_it(method: str) -> None:
    done = subprocess.run(
        [*UNPRIVILEGED, "dump", "-i", "lo", "--source", method],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 1
    assert "CAP_NET_RAW" in done.stderr
    assert "sudo setpriv" in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_the_capability_interfaces_are_still_listed() -> None:
    done = subprocess.run(
        [*UNPRIVILEGED, "interfaces"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert "lo" in done.stdout
