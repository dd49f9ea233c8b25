"""``rawscope echo`` and ``rawscope iolab`` as processes."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.echo.options import EchoOptions
from tests.helpers.support import ROOT
from tests.helpers.waiting import PATIENCE_S

RAWSCOPE = [sys.executable, "-m", "app"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*RAWSCOPE, *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a process that leads its own process group."""
    process = subprocess.Popen(
        [*RAWSCOPE, *arguments], start_new_session=True,
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def serving(*arguments: str) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
    return running("echo", *arguments)


@pytest.mark.parametrize("trigger", ["level", "edge"])
def test_echo_json_reports_addresses_and_totals_and_ends_on_sigterm(trigger: str) -> None:
    with serving("--port", "0", "--trigger", trigger, "--json") as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        port = json.loads(first)["listening"][1]
        assert json.loads(first) == {"listening": ["127.0.0.1", port], "trigger": trigger}
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as client:
            client.sendall(b"there and back")
            client.shutdown(socket.SHUT_WR)
            assert b"".join(iter(lambda: client.recv(100), b"")) == b"there and back"
        beat = json.loads(process.stdout.readline())
        assert beat["ended"] is False
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=PATIENCE_S)
        last = json.loads(out.splitlines()[-1])
        assert process.returncode == 0
    assert last["ended"] is True
    assert (last["accepted"], last["bytes_in"], last["bytes_out"]) == (1, 14, 14)
    assert last["closed"]["finished"] == 1


def test_echo_keeps_serving_while_its_output_is_not_read() -> None:
    """The pipe stays full for at least two report intervals, and the server still serves clients.

    It skips totals, and the last line waits for its reader. The server closes a silent client after
    two intervals, which shows that they passed.
    """
    with serving("--port", "0", "--json", "--idle-timeout", "2.5") as process:
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["listening"][1]
        fd = os.open(f"/proc/{process.pid}/fd/1", os.O_WRONLY | os.O_NONBLOCK)
        with contextlib.suppress(BlockingIOError):
            while os.write(fd, b"\n"):
                pass
        os.close(fd)
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as silent:
            assert silent.recv(1) == b""
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as client:
            client.sendall(b"served")
            assert client.recv(100) == b"served"
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0
    said = [json.loads(line) for line in out.splitlines() if line]
    assert said[-1]["ended"] is True
    assert said[-1]["bytes_out"] == 6
    assert len(said) <= 2, "lines written to the full pipe"


def test_echo_listens_on_every_port_of_every_address() -> None:
    with serving(
        "--port", "0", "--port", "0", "--bind", "127.0.0.1", "--bind", "127.0.0.2"
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0
    assert [line.split(":")[0] for line in lines] == [
        "listening on 127.0.0.1", "listening on 127.0.0.1",
        "listening on 127.0.0.2", "listening on 127.0.0.2",
    ]  # fmt: skip
    assert all(line.endswith(", level triggered\n") for line in lines)


def test_echo_with_given_limits() -> None:
    """A silent client is closed; one that does not read is held at the high-water mark."""
    limits = ("--idle-timeout", "1.5", "--keepalive", "30", "--high-water", "4096")
    with serving("--port", "0", "--json", *limits) as process:
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["listening"][1]
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as client:
            idle_s = keepalive_s(port, client.getsockname()[1])
            assert client.recv(1) == b"", "closed by the server"
        with reading_nothing(port):
            pending = pending_of(process)
        process.send_signal(signal.SIGTERM)
        last = json.loads(process.communicate(timeout=PATIENCE_S)[0].splitlines()[-1])
    assert pending < 4096 + (1 << 16) + 1, "a read more than the mark, at most"
    assert last["closed"]["idle"] >= 1
    assert 25 < idle_s <= 30


def test_a_second_signal_ends_echo_at_once_with_a_last_line() -> None:
    """A client that reads nothing delays the end after the first signal."""
    with serving("--port", "0", "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        port = json.loads(process.stdout.readline())["listening"][1]
        with reading_nothing(port):
            pending_of(process)
            process.send_signal(signal.SIGTERM)
            assert "draining 1 client" in process.stderr.readline()
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=PATIENCE_S)
    last = json.loads(out.splitlines()[-1])
    assert (last["ended"], last["clients"]) == (True, 1)
    assert process.returncode == -signal.SIGTERM


@contextlib.contextmanager
def reading_nothing(port: int) -> Iterator[None]:
    """Return a client that sends as long as the server reads, and never reads itself."""

    def send() -> None:
        with contextlib.suppress(OSError):
            while client.send(bytes(1 << 16)):
                pass

    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as client:
        thread = threading.Thread(target=send)
        thread.start()
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # the server may have ended
                client.shutdown(socket.SHUT_RDWR)
            thread.join(PATIENCE_S)


def pending_of(process: subprocess.Popen[str]) -> int:
    """Return the number of bytes that the server holds back, once it reports some."""
    assert process.stdout is not None
    pending: int = 0
    while not pending:
        pending = json.loads(process.stdout.readline())["pending"]
    return pending


def keepalive_s(port: int, peer: int) -> float:
    """Return the time until the server's next keepalive probe (proc_pid_net(5), tcp: tm->when)."""
    ends = f":{port:04X}", f":{peer:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    (timer,) = (row[5] for row in rows if row[1].endswith(ends[0]) and row[2].endswith(ends[1]))
    kind, ticks = timer.split(":")
    assert kind == "02", "another timer than the one for keepalive"
    return int(ticks, 16) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1"])
def test_an_idle_timeout_is_a_number_of_seconds(seconds: str) -> None:
    done = run("echo", "--port", "0", "--idle-timeout", seconds)
    assert done.returncode == 2
    assert "--idle-timeout" in done.stderr


def test_the_least_idle_timeout_costs_nothing() -> None:
    with serving("--port", "0", "--json", "--idle-timeout", "0.000001") as process:
        assert process.stdout is not None
        process.stdout.readline()
        waits = [json.loads(process.stdout.readline())["waits"] for _ in range(3)]
        assert waits[2] - waits[0] < 200


def test_echo_help_names_the_real_defaults() -> None:
    said = " ".join(run("echo", "--help").stdout.replace("│", " ").split())
    options = EchoOptions()
    assert f"(0: never; default {options.idle_timeout_s:.0f})" in said
    assert f"(0: never; default {options.keepalive_idle_s})" in said
    assert f"(default {options.high_water})" in said


def test_echo_on_a_port_in_use_is_one_line_and_status_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("echo", "--port", str(port))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"rawscope: port {port} on 127.0.0.1 is in use already: "
        "choose another port, or 0 for a free one\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["echo", "--port", "65536"],
        ["echo", "--trigger", "both"],
        ["echo", "--port", "0", "--bind", "*"],
        ["echo", "--port", "0", "--bind", "localhost"],
        ["iolab", "--models", "poll,nope"],
        ["iolab", "--clients", "0"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_line_and_status_2(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1


def test_iolab_json_is_one_object_a_line() -> None:
    names = ["poll", "epoll-level"]
    work = ["--clients", "10", "--messages", "500"]
    done = run("iolab", "--models", ",".join(names), *work, "--json")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    measured, curve = lines[:2], lines[2:]
    assert [line["model"] for line in measured] == names
    assert all(line["messages"] == 500 and line["calls"]["send"] == 500 for line in measured)
    assert [(line["curve"], line["descriptors"]) for line in curve] == [
        (name, n) for n in (10, 100, 1000, 10_000) for name in ("select", "poll", "epoll")
    ]
    assert "FD_SETSIZE" in curve[9]["refused"]


def test_iolab_prints_a_table() -> None:
    done = run("iolab", "--models", "epoll-edge", "--clients", "5", "--messages", "100")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("MODEL")
    assert lines[1].startswith("epoll-edge ")
    assert lines[2].split() == ["IDLE", "SELECT", "µs", "POLL", "µs", "EPOLL", "µs"]
    assert [line.split()[0] for line in lines[3:7]] == ["10", "100", "1000", "10000"]


def test_iolab_reports_that_calls_of_threads_are_not_counted() -> None:
    done = run("iolab", "--models", "blocking,poll", "--clients", "5", "--messages", "100")
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["MODEL", "blocking", "poll"]
    assert re.fullmatch(
        r"– blocking: futex calls, .*, are not counted; it slept \d+\.\d\d times per message",
        lines[3],
    )
    assert lines[4].startswith("        IDLE")


def test_iolab_runs_nothing_from_the_current_directory(tmp_path: Path) -> None:
    for name in ("json.py", "socket.py", "core.py"):
        tmp_path.joinpath(name).write_text("open('was run', 'a'); raise SystemExit('foreign')")
    work = ["--models", "poll", "--clients", "2", "--messages", "10"]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "app", "iolab", *work, "--json"],  # as the console script
        cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert not tmp_path.joinpath("was run").exists()
    assert done.returncode == 0, done.stderr
    measured, *curve = [json.loads(line) for line in done.stdout.splitlines()]
    assert measured["messages"] == 10
    assert len(curve) == 12


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_iolab_reports_it_and_starts_nothing_more(number: signal.Signals) -> None:
    """The signal goes to the processes of the laboratory, too, as ctrl+c at a terminal does."""
    with running("iolab", "--models", "poll,epoll-edge", "--messages", "100000000") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("MODEL")
        os.killpg(process.pid, number)
        out, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert out == ""
    assert said.splitlines()[1:] == ["rawscope: stopped before the last measurement"]


def test_a_failed_curve_is_one_line_and_status_1() -> None:
    code = (
        "import subprocess, sys\n"
        "whole = subprocess.Popen\n"
        "def broken(command, **options):\n"
        "    code = 'exit(\"no room\")'\n"
        "    curve = 'core.iolab.curve' in command\n"
        "    return whole([sys.executable, '-c', code] if curve else command, **options)\n"
        "subprocess.Popen = broken\n"
        "from app.cli.main import run\n"
        "sys.exit(run(['iolab', '--models', 'poll', '--messages', '10', '--clients', '2']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "rawscope: the curve is incomplete: no room"
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["MODEL", "poll"]


def test_neither_command_imports_the_screen() -> None:
    code = (
        "import sys; import app.cli.echo, app.cli.iolab;"
        "print(*(name for name in ('textual', 'rich', 'app.monitor') if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
