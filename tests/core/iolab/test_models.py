"""Every I/O model passes the same byte-exact test, and counts the calls that the kernel saw."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.iolab import signal_model
from core.iolab.lab import LabOptions, run_models
from core.iolab.models import FD_SETSIZE, MODELS, model_named
from core.iolab.process_state import watch
from tests.core.echo.serving import noise, receive_exactly, reset, send_and_hash
from tests.helpers.support import ROOT, require_command
from tests.helpers.waiting import PATIENCE_S

CLIENTS = 5
EVERY = pytest.mark.parametrize("name", [model.name for model in MODELS])


@contextlib.contextmanager
def _trial(name, clients, *prefix):
    """Run a model in a process; yield it and its port."""
    process = subprocess.Popen(
        require_command(*prefix, sys.executable, "-m", "core.iolab.trial", name, str(clients)),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, ("127.0.0.1", json.loads(process.stdout.readline())["port"])
        process.wait(PATIENCE_S)
    finally:
        process.kill()
        process.communicate()


def _cost(process):
    lines = process.stdout.read().splitlines()
    cost = json.loads(lines[-1])
    if "kernel refuses io_uring" in cost.get("refused", ""):
        pytest.skip(cost["refused"])
    assert json.loads(lines[0]) == {"serving": CLIENTS}
    return cost


@EVERY
def test_every_byte_comes_back(name):
    """Megabytes on each of five connections at once, with a half-close at the end of each."""
    data = [noise(3_000_000, seed) for seed in range(CLIENTS)]
    with _trial(name, CLIENTS) as (process, address):
        clients = [socket.create_connection(address, PATIENCE_S) for _ in data]
        with ThreadPoolExecutor(CLIENTS) as pool:
            came = list(pool.map(send_and_hash, clients, data))
        for client in clients:
            client.close()
        cost = _cost(process)
        if name != "io_uring":  # which sends without a call
            assert cost["calls"]["send"] > CLIENTS
    assert came == [(hashlib.sha256(sent).hexdigest(), len(sent)) for sent in data]


@EVERY
def test_a_reset_ends_only_its_own_connection(name):
    with _trial(name, CLIENTS) as (process, address):
        clients = [socket.create_connection(address, PATIENCE_S) for _ in range(CLIENTS)]
        clients[0].sendall(b"gone")
        reset(clients[0])
        for client in clients[1:]:
            client.sendall(b"here")
            assert receive_exactly(client, 4) == b"here"
            client.close()
        _cost(process)


@EVERY
def test_calls_are_those_the_kernel_saw(name, tmp_path):
    traced = tmp_path / "calls"
    calls = (
        "accept4,recvfrom,sendto,read,fcntl,select,pselect6,poll,ppoll,epoll_wait,epoll_pwait,"
        "epoll_pwait2,epoll_ctl,io_uring_enter"
    )
    strace = ["strace", "-f", "-qq", "-o", str(traced), "-e", f"trace={calls}"]
    with _trial(name, CLIENTS, *strace) as (process, address):
        with contextlib.ExitStack() as stack:
            clients = [
                stack.enter_context(socket.create_connection(address, PATIENCE_S))
                for _ in range(CLIENTS)
            ]
            for _ in range(10):
                for client in clients:
                    client.sendall(b"x" * 64)
                    assert receive_exactly(client, 64) == b"x" * 64
        counted = _cost(process)["calls"]
    _accepting, _, seen = traced.read_text().rpartition("accept4(")
    whole = signal_model._INFO.size * signal_model._INFOS  # files are read too, in other pieces
    shapes = {
        "recv": r"recvfrom\(",
        "send": r"sendto\(",
        "select": r"p?select6?\(",
        "read": rf"read\(.*, {whole}\) +=",
        "poll": r"p?poll\(",
        "epoll_wait": r"epoll_p?wait2?\(",
        "fcntl": r"fcntl\((?!.*F_DUPFD)",  # a mapping duplicates its descriptor
        "epoll_ctl": r"epoll_ctl\(",
        "io_uring_enter": r"io_uring_enter\(",
    }
    begun = {call: len(re.findall(rf"\b{shape}", seen)) for call, shape in shapes.items()}
    assert {call: count for call, count in begun.items() if count} == counted


def test_select_refuses_descriptors_beyond_its_map():
    with _trial("select", FD_SETSIZE) as (process, address), contextlib.ExitStack() as stack:
        for _ in range(FD_SETSIZE):
            stack.enter_context(socket.create_connection(address, PATIENCE_S))
        refused = json.loads(process.stdout.read().splitlines()[-1])["refused"]
    assert "below 1024 (FD_SETSIZE)" in refused


def test_lab_measures_a_model():
    (result,) = run_models([model_named("epoll-level")], LabOptions(clients=10, messages=2000))
    assert result.refused == ""
    assert result.messages == 2000
    assert result.calls["send"] == 2000
    assert result.calls["recv"] == 2000 + 10
    assert result.rate > 0
    assert 2 < result.calls_per_message < 4
    assert 0 < result.p50_us <= result.p99_us
    assert result.cpu_us_per_message > 0
    assert sum(result.waiting.values()) == pytest.approx(1)


def test_between_paced_messages_the_place_of_sleep_is_reported():
    with _trial("epoll-level", CLIENTS) as (process, address), contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(address, PATIENCE_S))
            for _ in range(CLIENTS)
        ]
        left = iter(range(50))

        def one_more():
            clients[0].sendall(b"x")
            return receive_exactly(clients[0], 1) == b"x" and next(left, None) is not None

        shares = watch(process.pid, one_more)
    told = {what for what in shares if what.startswith("asleep in ")}
    assert told == {"asleep in epoll_wait"}
    assert sum(shares.values()) == pytest.approx(1)


def test_lab_says_why_a_model_was_refused():
    (result,) = run_models([model_named("select")], LabOptions(10, 100, idle=FD_SETSIZE))
    assert "FD_SETSIZE" in result.refused
    assert result.rate == result.calls_per_message == 0


def test_more_clients_than_descriptors_is_reported():
    (result,) = run_models([model_named("poll")], LabOptions(clients=10_000_000, messages=10))
    assert "descriptors (ulimit -n)" in result.refused


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("sys.exit('no port')", "no port"),
        ("print('{\"port\": 9}', flush=True); sys.exit('gone')", "gone"),
        ("print('{\"port\": 9}', flush=True); time.sleep(60)", "Connection refused"),
    ],
    ids=["at once", "before it serves", "it hangs and the load cannot connect"],
)
def test_a_trial_that_dies_early_is_reported(fault, words, monkeypatch):
    whole = subprocess.Popen

    def broken(command, **options):
        if "core.iolab.trial" in command:
            command = [sys.executable, "-c", f"import sys, time; {fault}"]
        return whole(command, **options)

    monkeypatch.setattr("core.iolab.child_process.subprocess.Popen", broken)
    (result,) = run_models([model_named("poll")], LabOptions(clients=10, messages=10))
    assert words in result.refused


def test_lab_can_be_canceled():
    asked = []

    def canceled():
        asked.append(True)
        return len(asked) > 3

    assert list(run_models(MODELS, LabOptions(messages=10_000_000), canceled)) == []
