"""One signal ends a `send` or `replay` wherever it waits; a full disk ends a replay in time."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.files.private_folder import PrivateFolder
from core.files.reader import open_capture
from tests.app.made import capture_of
from tests.helpers.support import ROOT, require_peer
from tests.helpers.waiting import PATIENCE_S, until
from tests.live.network import FAR_ADDRESS, Network, run
from tests.live.numbered import frame, numbered
from tests.live.watching import watching

pytestmark = pytest.mark.live

NOBODY_THERE = "10.77.0.99"
SIGNALS = [signal.SIGINT, signal.SIGTERM]


@pytest.fixture
def network() -> Iterator[Network]:
    with Network() as made:
        yield made


class Command:
    """``rawscope …`` in the near namespace, with a state folder of its own."""

    def __init__(self, network: Network, state: Path, *arguments: str, **popen: object) -> None:
        state.mkdir(mode=0o700, exist_ok=True)
        command = [
            require_peer("ip"), "netns", "exec", network.near, "env", f"XDG_STATE_HOME={state}",
            f"XDG_CONFIG_HOME={state / 'config'}", sys.executable, "-m", "app", *arguments,
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            **{"stdin": subprocess.DEVNULL, **popen},
        )  # fmt: skip

    def __enter__(self) -> Command:
        return self

    def __exit__(self, *_error: object) -> None:
        self.process.kill()
        self.process.communicate()

    def end_by(self, number: int) -> tuple[int, str, str]:
        """Send one signal; return status, output, and messages."""
        self.process.send_signal(number)
        out, said = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out, said


def handled(command: Command) -> bool:
    """Return True if the command has its own handler for SIGTERM by now."""
    status = Path(f"/proc/{command.process.pid}/status").read_text()
    (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def is_probing(network: Network) -> bool:
    shown = run("ip", "-n", network.near, "neigh", "show", NOBODY_THERE)
    return "INCOMPLETE" in shown


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("link", [(), ("--link", "near0")])
def test_waiting_for_the_next_hop(network, tmp_path, number, link) -> None:
    run("ip", "netns", "exec", network.near, "sysctl", "-qw",
        "net.ipv4.neigh.near0.mcast_solicit=1000")  # fmt: skip
    udp = ("send", "--ip.dst", NOBODY_THERE, "--udp.dstport", "9", "--yes", *link)
    with Command(network, tmp_path / "state", *udp) as command:
        until(lambda: is_probing(network), "the request for the neighbor")
        status, out, said = command.end_by(number)
    assert status != 0
    assert out == ""
    assert "Traceback" not in said


@pytest.mark.parametrize("number", SIGNALS)
def test_waiting_for_an_answer_at_the_prompt(network, tmp_path, number) -> None:
    controller, terminal = pty.openpty()
    udp = ("send", "--ip.dst", FAR_ADDRESS, "--udp.dstport", "9")
    try:
        with Command(network, tmp_path / "state", *udp, stdin=terminal) as command:
            assert command.process.stderr is not None
            said = ""
            while "Send? [y/N]" not in said:
                said += command.process.stderr.read(1)
            status, out, said = command.end_by(number)
    finally:
        os.close(controller)
        os.close(terminal)
    assert status in (128 + signal.SIGINT, -signal.SIGTERM)
    assert out == ""
    assert "Traceback" not in said


@pytest.mark.parametrize("number", SIGNALS)
def test_waiting_for_a_locked_audit(network, tmp_path, number) -> None:
    folder = tmp_path / "state" / "rawscope"
    udp = ("send", "--ip.dst", FAR_ADDRESS, "--udp.dstport", "9", "--yes")
    with (
        PrivateFolder(folder, create=True) as private,
        private.locked(),
        Command(network, tmp_path / "state", *udp) as command,
    ):
        until(lambda: handled(command), "the handler is there")
        status, out, said = command.end_by(number)
    assert (status, out) == (1, "")
    assert "stopped before anything was sent" in said


def test_a_fifo_in_the_place_of_the_audit_blocks_nothing(network, tmp_path) -> None:
    """It is refused at once, so the signal finds no process."""
    folder = tmp_path / "state" / "rawscope"
    folder.mkdir(parents=True, mode=0o700)
    os.mkfifo(folder / "sent.pcapng")
    udp = ("send", "--ip.dst", FAR_ADDRESS, "--udp.dstport", "9", "--yes")
    with watching(network) as watch, Command(network, tmp_path / "state", *udp) as command:
        out, said = command.process.communicate(timeout=PATIENCE_S)
        assert command.process.returncode == 1
        assert out == ""
        assert "sent.pcapng is a FIFO: move it away; --no-audit sends without it" in said
        watch.read()
        assert numbered(watch.packets) == []


def throttle(network: Network, rate: str = "8kbit") -> None:
    """Let a thousand bytes a second out of the near end; a queue behind it fills up."""
    tc = (*network.inside(network.near), require_peer("tc"), "qdisc", "add", "dev", "near0")
    done = subprocess.run(
        [*tc, "root", "tbf", "rate", rate, "burst", "1600", "limit", "100mbit"],
        capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.skip("this kernel has no tbf queue")


def backlog(network: Network) -> int:
    """Return how many bytes wait in the queue of the near end."""
    tc = ("ip", "netns", "exec", network.near, "tc", "-s", "-j", "qdisc", "show", "dev", "near0")
    return json.loads(run(*tc))[0]["backlog"]


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("method", [(), ("--link", "near0", "--eth.dst", "02:00:00:00:00:09")])
def test_waiting_for_a_full_queue(network, tmp_path, number, method) -> None:
    throttle(network)
    payload = ("--payload", "x" * 1400, "--count", "1000000", "--yes")
    udp = ("send", "--ip.dst", FAR_ADDRESS, "--udp.dstport", "9", *payload, *method)
    run("ip", "netns", "exec", network.near, "ping", "-c1", "-W5", FAR_ADDRESS)
    with Command(network, tmp_path / "state", *udp) as command:
        until(lambda: handled(command), "the handler is there")
        until(lambda: backlog(network) > 100_000, "the queue is full")
        status, out, said = command.end_by(number)
    assert status == 1, said
    assert "of 1,000,000" in out
    assert "recorded in" in said


@pytest.mark.parametrize("number", SIGNALS)
def test_a_replay_into_a_full_queue(network, tmp_path, number) -> None:
    """Frames that the kernel has not taken are withdrawn, and not in the audit."""
    throttle(network)
    path = capture_of(tmp_path / "a.pcap", [frame(n % 200, 1400) for n in range(9000)])
    arguments = ("replay", path, "--link", "near0", "--topspeed", "--yes", "--json")
    with Command(network, tmp_path / "state", *arguments) as command:
        until(lambda: handled(command), "the handler is there")
        until(lambda: backlog(network) > 100_000, "the queue is full")
        status, out, said = command.end_by(number)
    assert status == 1, said
    end = json.loads(out.splitlines()[-1])
    assert end["interrupted"]
    assert 0 < end["sent"] < 9000
    assert end["written_down"] == end["sent"]
    assert written(tmp_path / "state" / "rawscope" / "sent-frames.pcapng") == end["sent"]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_replay_of_a_silent_pipe(network, tmp_path, number) -> None:
    reading, writing = os.pipe()
    try:
        with open(capture_of(tmp_path / "a.pcap", [frame(1)]), "rb") as file:
            os.write(writing, file.read())
        arguments = ("replay", "-", "--link", "near0", "--topspeed", "--yes", "--json")
        with (
            watching(network) as watch,
            Command(network, tmp_path / "state", *arguments, stdin=reading) as command,
        ):
            assert numbered(watch.wait_for(1)) == [frame(1)]
            status, out, said = command.end_by(number)
    finally:
        os.close(reading)
        os.close(writing)
    assert status == 1, said
    assert json.loads(out.splitlines()[-1])["sent"] == 1


def written(path: Path) -> int:
    """Return how many frames the audit has; it is whole."""
    with open_capture(path) as reader:
        count = sum(len(batch) for batch in reader.batches())
        assert not reader.damaged, reader.notes
    return count


@pytest.mark.parametrize("rate", [(), ("--rate", "4000")])
def test_a_replay_on_a_full_disk_sends_no_more_than_it_writes_down(network, tmp_path, rate) -> None:
    """Far more frames than 64 KiB hold. What is seen on the link is what is in the file."""
    frames = [frame(n % 250, 700) for n in range(400)]
    path = capture_of(tmp_path / "a.pcap", frames)
    state, copy = tmp_path / "state", tmp_path / "copy.pcapng"
    state.mkdir()
    script = (
        f'{require_peer("mount")} -t tmpfs -o size=64k,mode=700 none "$0" && '
        'copy="$1" && shift && "$@"; '
        'status=$?; cp "$0/rawscope/sent-frames.pcapng" "$copy"; exit $status'
    )
    command = [
        *network.inside(network.near), require_peer("unshare"), "--mount",
        "sh", "-c", script, str(state), str(copy),
        "env", f"XDG_STATE_HOME={state}",
        f"XDG_CONFIG_HOME={tmp_path}", sys.executable, "-m", "app", "replay", path, "--link",
        "near0", "--yes", "--json", *(rate or ("--topspeed",)),
    ]  # fmt: skip
    with watching(network) as watch:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        end = json.loads(done.stdout.splitlines()[-1])
        seen = numbered(watch.wait_for(end["sent"])) if end["sent"] else []
    assert done.returncode == 1, done.stderr
    assert "No space left on device; stopped before the frames that it cannot record" in done.stderr
    assert end["sent"] == end["written_down"] < 400
    assert bool(rate) == bool(end["sent"])
    assert (written(copy) if copy.stat().st_size else 0) == end["sent"] == len(seen)
    told = f"{end['sent']} frames" if end["sent"] else "nothing"
    assert f"{told} recorded in" in done.stderr


def test_the_audit_takes_back_frames_that_a_device_refuses(network, tmp_path) -> None:
    """The peer of the link has a smaller MTU and drops every frame."""
    network.ip_far("link", "set", "far0", "mtu", "600")
    path = capture_of(tmp_path / "a.pcap", [frame(1, 1400)] * 3)
    state = tmp_path / "state"
    arguments = ("replay", path, "--link", "near0", "--topspeed", "--yes", "--json")
    with Command(network, state, *arguments) as command:
        out, said = command.process.communicate(timeout=PATIENCE_S)
    assert command.process.returncode == 1
    end = json.loads(out.splitlines()[-1])
    assert (end["sent"], end["written_down"]) == (0, 0)
    assert "nothing recorded in" in said
    assert (state / "rawscope" / "sent-frames.pcapng").stat().st_size == 0


def test_the_lock_of_another_sender_is_released(network, tmp_path) -> None:
    """A send that finds the audit locked for a moment waits for it, and sends."""
    folder = tmp_path / "state" / "rawscope"
    udp = ("send", "--ip.dst", FAR_ADDRESS, "--udp.dstport", "9", "--yes")
    with PrivateFolder(folder, create=True) as private:
        descriptor = private.append_to("sent.pcapng")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with Command(network, tmp_path / "state", *udp) as command:
            until(lambda: handled(command), "the handler is there")
            os.close(descriptor)
            _, said = command.process.communicate(timeout=PATIENCE_S)
    assert command.process.returncode == 0, said
    assert "recorded in" in said
