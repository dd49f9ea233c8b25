"""A flood of mixed packets between two namespaces, sent by trafgen (netsniff-ng)."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

from tests.bench.traffic.mixed import frames
from tests.helpers.support import require_peer
from tests.live.network import Network

KINDS = 200  # different frames


class Flood:
    """A veth pair, and a sender at its far end that runs until it is stopped or has sent all.

    `packets` are in the language of trafgen(8); mixed ones by default.
    """

    def __init__(self, packets_per_second: int, packets: str = "") -> None:
        require_peer("trafgen")
        self._rate, self._packets = packets_per_second, packets
        self._network = Network()
        self._folder = tempfile.TemporaryDirectory()
        self._sender: subprocess.Popen[bytes] | None = None

    @property
    def receiver(self) -> str:
        """Return the interface on which the flood arrives."""
        return self._network.near_name

    @property
    def inside(self) -> list[str]:
        """Return a command prefix that runs the command in the namespace of that interface."""
        return self._network.inside(self._network.near)

    def start(self, seconds: int) -> None:
        """Begin to send; the sender ends after about `seconds`."""
        configuration = Path(self._folder.name) / "flood.cfg"
        lines = ("{ " + ", ".join(f"0x{b:02x}" for b in frame) + " }" for frame in frames()[:KINDS])
        configuration.write_text(self._packets or "\n".join(lines))
        self._sender = subprocess.Popen(
            [*self._network.inside(self._network.far), require_peer("trafgen"),
             "--dev", self._network.far_name,
             "--conf", str(configuration), "--cpus", "1", "--num", str(self._rate * seconds),
             "--rate", f"{self._rate}pps"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def wait(self, timeout_s: float) -> None:
        """Wait until everything is sent."""
        if self._sender is not None:
            self._sender.wait(timeout_s)

    @property
    def sending(self) -> bool:
        """True if the sender still runs."""
        return self._sender is not None and self._sender.poll() is None

    @property
    def arrived(self) -> int:
        """Return the packets that reached the receiver, as the kernel's interface counts them."""
        (link,) = json.loads(self._network.ip_near("-s", "-j", "link", "show", self.receiver))
        return int(link["stats64"]["rx"]["packets"])

    def __enter__(self) -> Flood:
        self._network.__enter__()
        return self

    def __exit__(self, *_error: object) -> None:
        if self._sender is not None and self._sender.poll() is None:
            self._sender.kill()
            self._sender.wait()
        self._network.__exit__()
        self._folder.cleanup()
