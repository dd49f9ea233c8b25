"""A thousand interfaces, many of which send at once: the captured frames and the errors."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.app.cli.dump.test_dump_live import Dump
from tests.helpers.support import ROOT, require_peer, require_root
from tests.helpers.waiting import PATIENCE_S
from tests.live.network import in_namespace, run
from tests.live.watching import ETH_P_EXPERIMENTAL

pytestmark = pytest.mark.live

PAIRS = 500
SPEAKING = 200
PERIOD_S = 0.5  # in which each of them sends once


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    """Yield a network namespace with PAIRS veth pairs a1–b1, a2–b2, …, all up; made by one `ip`."""
    require_root()
    require_peer("ip")
    name = f"rsm{os.getpid()}"
    run("ip", "netns", "add", name)
    try:
        run("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        commands = "".join(
            f"link add a{number} type veth peer name b{number}\n"
            f"link set a{number} up\nlink set b{number} up\n"
            for number in range(1, PAIRS + 1)
        )
        subprocess.run(
            [require_peer("ip"), "-n", name, "-batch", "-"],
            input=commands,
            text=True,
            check=True,
            timeout=PATIENCE_S,
        )
        yield name
    finally:
        run("ip", "netns", "del", name)


def speak() -> None:
    """Send one numbered frame from each of SPEAKING interfaces, evenly over PERIOD_S."""
    clock = threading.Event()
    for number in range(1, SPEAKING + 1):
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sending:
            sending.bind((f"a{number}", 0))
            head = b"\xff" * 6 + b"\x02tests" + ETH_P_EXPERIMENTAL.to_bytes(2, "big")
            sending.send(head + number.to_bytes(2, "big") + bytes(44))
        clock.wait(PERIOD_S / SPEAKING)


@pytest.mark.parametrize("method", ["ring", "datagram"])
def test_no_frame_is_lost_and_each_has_its_interface(namespace: str, method: str) -> None:
    inside = [require_peer("ip"), "netns", "exec", namespace]
    dump = Dump(("-i", "any", "--source", method, "--json", "--raw"), inside)
    with dump.process:
        try:
            dump.wait_until("listening on")
            in_namespace(namespace, speak)
            status, out, said = dump.end(signal.SIGINT)
        finally:
            dump.process.kill()
    assert status == 0
    frames = [json.loads(line) for line in out.splitlines()]
    found = Counter((one["frame.interface_name"], _number(one)) for one in frames)
    ends = [(f"{end}{number}", number) for number in range(1, SPEAKING + 1) for end in "ab"]
    assert found == Counter(ends), said
    assert f"{2 * SPEAKING} packets captured\n" in said
    assert "\n0 packets dropped by kernel\n" in said


def _number(frame: dict[str, str]) -> int:
    return int.from_bytes(bytes.fromhex(frame["frame.raw"])[14:16], "big")


@pytest.mark.parametrize(
    "arguments",
    [
        ["dump", "-i", "a501"],
        ["send", "--link", "a501", "--ip.dst", "10.0.0.1", "--yes"],
        ["replay", "/dev/null", "--link", "a501"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_the_error_for_an_unknown_interface_is_short(namespace: str, arguments: list[str]) -> None:
    done = subprocess.run(
        [require_peer("ip"), "netns", "exec", namespace, sys.executable, "-m", "app", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert len(line) < 160
    assert "; similar: a" in line
    assert line.endswith("there are 1,001: 'rawscope interfaces' lists them")
