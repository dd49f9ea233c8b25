"""Only time stamps and texts depend on the wall clock, which may be stepped (FAULTS 16).

One test reads the source: a list gives the reason for each use of the wall clock. The others run
the program with a wall clock that jumps an hour forward and back at each reading, installed before
the program starts (sitecustomize; see site in Python's library). The monotonic clock is unchanged,
as in a real step. libfaketime cannot do that: under it time.sleep() fails with EINVAL, because
Python sleeps until an absolute time (clock_nanosleep(2)).
"""

from __future__ import annotations

import ast
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.files.reader import open_capture
from core.forge.observe.outcome import Outcome
from core.forge.observe.tracker import Track
from core.forge.values import SendMethod
from core.store.frame_detail import seconds_text
from core.wire.link.link_types import LinkType
from tests.app.made import capture_of, udp_frame
from tests.core.forge.observe.captured import captured
from tests.helpers.support import ROOT, require_command, require_peer, require_root
from tests.helpers.waiting import PATIENCE_S, until

HOUR_S = 3600
WALL_CLOCK = {
    "time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.ctime", "time.asctime",
    "time.strftime", "time.clock_gettime", "time.clock_gettime_ns", "datetime.now",
    "datetime.today", "datetime.utcnow", "date.today", "signal.setitimer",
}  # fmt: skip
ALLOWED = {
    ("app/cli/interrupts.py", "work_while_waiting"): "Linux counts it on the monotonic clock",
    ("app/cli/interrupts.py", "__exit__"): "stops the timer",
    ("app/cli/send/replay_output.py", "_progress"): "the displayed time of the next frame",
    ("app/cli/send/send_output.py", "write_dry_run"): "the time stamp of a displayed packet",
    ("app/monitor.py", "__init__"): "the displayed time of day",
    ("app/screens/saving/save_controller.py", "_name"): "the time of a packet in a file's name",
    ("app/screens/record_controller.py", "__init__"): "the time in the name of a file",
    ("core/recording/file_series.py", "_open"): "the time in the name of a file",
    ("core/recording/plan.py", "file_name"): "formats the time in the name of a file",
    ("core/forge/journal/audit.py", "note_sending"): "a time stamp in a file",
    ("core/forge/journal/audit.py", "note_result"): "a time stamp in a file",
    ("core/forge/journal/audit.py", "note_frames"): "a time stamp in a file",
    ("core/forge/journal/audit.py", "take_back"): "a time stamp in a file",
    ("core/forge/journal/audit.py", "_set_aside"): "the name of a file that is set aside",
    ("core/forge/journal/database.py", "_set_aside"): "the name of a file that is set aside",
}


def uses(path: Path) -> Iterator[tuple[str, str]]:
    """Yield each use of the wall clock in a file: the function around it, and its name."""
    tree = ast.parse(path.read_text())
    imported = {
        name.asname or name.name: f"{node.module}.{name.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }

    def visit(node: ast.AST, function: str) -> Iterator[tuple[str, str]]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            function = node.name
        if isinstance(node, ast.Attribute):
            owner = node.value
            of = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            name = f"{imported.get(of, of).split('.')[-1]}.{node.attr}"
            if name in WALL_CLOCK:
                yield function, name
        if isinstance(node, ast.Name) and imported.get(node.id) in WALL_CLOCK:
            yield function, node.id
        for child in ast.iter_child_nodes(node):
            yield from visit(child, function)

    yield from visit(tree, "")


def test_each_use_of_the_wall_clock_has_its_reason() -> None:
    found = {
        (str(path.relative_to(ROOT)), function)
        for room in ("app", "core", "widgets")
        for path in sorted((ROOT / room).rglob("*.py"))
        for function, _ in uses(path)
    }
    assert found == set(ALLOWED)


@pytest.mark.parametrize(
    "line",
    [
        "time.time()", "time.time_ns()", "from time import time\ntime()",
        "from time import time_ns as now\nnow()", "from datetime import datetime\ndatetime.now()",
        "clock = time.time", "import datetime\ndatetime.datetime.now()",
    ],
)  # fmt: skip
def test_the_list_finds_every_way_to_read_the_clock(tmp_path, line) -> None:
    (tmp_path / "x.py").write_text(line)
    assert list(uses(tmp_path / "x.py"))


# -- time stamps of packets ----------------------------------------------------------------


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("age_s", [0, 2 * HOUR_S, 100 * HOUR_S])
@pytest.mark.parametrize("step_s", [-HOUR_S, HOUR_S])
def test_a_reply_has_no_delay_across_a_step(step_s, age_s, copies) -> None:
    """The clock that stamps the copy and the reply is stepped in between.

    It does not matter how long ago the packet was sent.
    """
    sent = udp_frame(b"question")
    asked, answer = sent[14:], _turned(sent)[14:]
    now_ns = 1_700_000_000_000_000_000
    for stepped_ns, told in ((0, 250_000), (step_s * 10**9, None)):
        monotonic_ns = [0]
        track = Track(Outcome(asked, SendMethod.IP, clock=lambda at=monotonic_ns: at[0]), copies)
        for number in range(1, copies + 1):
            monotonic_ns[0] += age_s * 10**9
            copied_ns = now_ns + monotonic_ns[0]
            assert track.take(captured(asked, copied_ns, LinkType.RAW, number=number))
        monotonic_ns[0] += 300_000
        stamped_ns = copied_ns + 250_000 + stepped_ns
        assert track.take(captured(answer, stamped_ns, LinkType.RAW, number=copies + 1))
        assert track.newest is not None
        assert track.newest.delay_ns == told


def test_a_slow_reply_keeps_its_delay() -> None:
    sent = udp_frame(b"question")
    asked, answer = sent[14:], _turned(sent)[14:]
    monotonic_ns = [0]
    track = Track(Outcome(asked, SendMethod.IP, clock=lambda: monotonic_ns[0]))
    track.take(captured(asked, 0, LinkType.RAW, number=1))
    monotonic_ns[0] = 2 * HOUR_S * 10**9
    track.take(captured(answer, monotonic_ns[0] - 5, LinkType.RAW, number=2))
    assert track.newest is not None
    assert track.newest.delay_ns == monotonic_ns[0] - 5


def _turned(frame: bytes) -> bytes:
    """Return the reply to a UDP frame, with addresses and ports exchanged."""
    ip, udp = frame[14:34], frame[34:]
    return frame[:14] + ip[:12] + ip[16:20] + ip[12:16] + udp[2:4] + udp[:2] + udp[4:]


def test_durations_between_time_stamps_have_their_sign() -> None:
    assert seconds_text(-HOUR_S * 10**9) == "-3600.000000000"
    assert seconds_text(-1) == "-0.000000001"


# -- the program, under a clock that jumps -------------------------------------------------


_JUMPING = f"""
import itertools, time

def jumping(real, hour):
    steps = itertools.cycle((0, hour, -hour))
    return lambda: real() + next(steps)

time.time = jumping(time.time, {HOUR_S})
time.time_ns = jumping(time.time_ns, {HOUR_S} * 10**9)
"""


class Clock:
    """Runs Python programs whose wall clock jumps at each reading."""

    def __init__(self, folder: Path) -> None:
        (folder / "site").mkdir()
        (folder / "site" / "sitecustomize.py").write_text(_JUMPING)
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(folder / "site"),
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            require_command(*command), cwd=ROOT, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip


@pytest.fixture
def clock(tmp_path) -> Clock:
    return Clock(tmp_path)


def rawscope(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "app", *arguments)


def in_a_namespace(*command: str) -> tuple[str, ...]:
    require_root()
    require_peer("ip")
    script = 'ip link set lo up && exec "$@"'
    return (require_peer("unshare"), "--net", "sh", "-c", script, "sh", *command)


def test_the_clock_does_jump_and_only_the_wall_clock(clock) -> None:
    code = (
        "import time\n"
        "began = time.monotonic()\n"
        "walls = {round((time.time() - time.monotonic()) / 3600) for _ in range(9)}\n"
        "nanos = {round((time.time_ns() / 1e9 - time.monotonic()) / 3600) for _ in range(9)}\n"
        "assert 0 <= time.monotonic() - began < 1800\n"
        "print(len(walls), len(nanos))"
    )
    assert clock.run(sys.executable, "-c", code).stdout == "3 3\n"


def test_a_replay_keeps_its_rate(clock, tmp_path) -> None:
    path = capture_of(tmp_path / "a.pcap", [udp_frame(b"%d" % n) for n in range(40)])
    replay = ("replay", path, "--link", "lo", "--rate", "50", "--yes", "--json")
    done = clock.run(*in_a_namespace(*rawscope(*replay)))
    assert done.returncode == 0, done.stderr
    end = json.loads(done.stdout.splitlines()[-1])
    assert end["sent"] == end["written_down"] == 40
    assert 39 / 50 <= end["seconds"] < HOUR_S / 2
    with open_capture(tmp_path / "state" / "rawscope" / "sent-frames.pcapng") as reader:
        assert sum(len(batch) for batch in reader.batches()) == 40


def test_a_send_keeps_its_rate_and_its_wait(clock) -> None:
    udp = ("send", "--ip.dst", "127.0.0.1", "--udp.dstport", "9", "--count", "30", "--rate", "50")
    done = clock.run(*in_a_namespace(*rawscope(*udp, "--wait", "0.5", "--json")))
    events = [json.loads(line) for line in done.stdout.splitlines()]
    (sent,) = (event for event in events if event["event"] == "sent")
    assert sent["sent"] == 30, done.stderr
    assert 29 / 50 <= sent["seconds"] < HOUR_S / 2
    for event in events:
        assert event["event"] != "reply" or event["delay"] is None or 0 <= event["delay"] < 60


def test_a_capture_ends_on_time(clock) -> None:
    done = clock.run(*in_a_namespace(*rawscope("dump", "-i", "lo", "-a", "0.5")))
    assert done.returncode == 0, done.stderr


def _echo(clock: Clock, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        rawscope("echo", "--json", *arguments), cwd=ROOT, env=clock.environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_a_step_makes_no_echo_client_idle(clock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = _echo(clock, "--port", str(port), "--idle-timeout", "600")
    try:
        client = _connected(port)
        with client:
            for _ in range(7):
                client.sendall(b"x" * 64)
                assert client.recv(64, socket.MSG_WAITALL) == b"x" * 64
    finally:
        server.send_signal(signal.SIGTERM)
        out, said = server.communicate(timeout=PATIENCE_S)
    assert server.returncode == 0, said
    for line in out.splitlines():
        for name, value in json.loads(line).items():
            assert not isinstance(value, int | float) or value >= 0, (name, value)


def test_an_idle_client_is_closed_although_the_clock_goes_back(clock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = _echo(clock, "--port", str(port), "--idle-timeout", "1")
    try:
        with _connected(port) as client:
            client.settimeout(PATIENCE_S)
            assert client.recv(1) == b""
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=PATIENCE_S)


def _connected(port: int) -> socket.socket:
    found: list[socket.socket] = []

    def connect() -> bool:
        try:
            found.append(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S))
        except ConnectionRefusedError:
            return False
        return True

    until(connect, "the server listens")
    return found[0]


def test_a_step_while_packets_are_captured_leaves_their_order(tmp_path) -> None:
    """The packets keep their time stamps, and stay in order of arrival."""
    times = [10**18, 10**18 + 10**9, 10**18 - HOUR_S * 10**9, 10**18 + HOUR_S * 10**9]
    path = capture_of(tmp_path / "a.pcap", [udp_frame(b"%d" % n) for n in range(4)], times)
    done = subprocess.run(
        rawscope("dump", "-r", str(path), "--fields", "frame.number,frame.time_epoch"),
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [int(number) for number, _ in rows] == [1, 2, 3, 4]
    assert [float(time) for _, time in rows] == [time / 1e9 for time in times]
