"""Capture at the far end with tcpdump and read with tshark, independently of rawscope."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from tests.helpers.support import require_peer
from tests.helpers.waiting import PATIENCE_S
from tests.live.network import Network


class FarCapture:
    """tcpdump at ``far0`` from the beginning of the context; it ends after `count` frames."""

    def __init__(self, network: Network, path: Path, count: int) -> None:
        require_peer("tshark")
        self._path = path
        self._process = subprocess.Popen(
            [*network.inside(network.far), require_peer("tcpdump"), "-i", "far0",
             "-w", str(path), "-c", str(count), "-s", "0", "-Q", "in", "--immediate-mode",
             "-B", "16384", "-Z", "root"],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self) -> FarCapture:
        assert self._process.stderr is not None
        while "listening on" not in (line := self._process.stderr.readline()):
            assert line, "tcpdump did not start"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._process.kill()
        try:
            self._process.wait(PATIENCE_S)
        finally:
            self._process.kill()
            assert self._process.stderr is not None
            self._process.stderr.close()

    def fields(self, names: Sequence[str]) -> list[dict[str, str]]:
        """Return each frame's fields as tshark prints them: the first one, empty if absent."""
        arguments = [word for name in names for word in ("-e", name)]
        preferences = (
            "ip.check_checksum:FALSE", "tcp.relative_sequence_numbers:FALSE",
            "tcp.desegment_tcp_streams:FALSE", "tcp.analyze_sequence_numbers:FALSE",
            "ip.defragment:FALSE", "ip.use_geoip:FALSE",
        )  # fmt: skip
        options = [word for one in preferences for word in ("-o", one)]
        answer = subprocess.run(
            [require_peer("tshark"), "-n", "-r", str(self._path), *options, "-T", "fields",
             "-E", "occurrence=f", *arguments],
            capture_output=True, text=True, check=True, timeout=PATIENCE_S,
        )  # fmt: skip
        rows = [line.split("\t") for line in answer.stdout.splitlines()]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def frames(self) -> list[bytes]:
        """Return each frame's bytes as tcpdump prints them, for fields unknown to tshark."""
        answer = subprocess.run(
            [require_peer("tcpdump"), "-n", "-t", "-xx", "-r", str(self._path)],
            capture_output=True, text=True, check=True, timeout=PATIENCE_S,
        )  # fmt: skip
        found: list[bytes] = []
        for line in answer.stdout.splitlines():
            offset, colon, digits = line.strip().partition(":")
            if not line.startswith("\t0x") or not colon:
                continue
            piece = bytes.fromhex(digits)
            if int(offset, 16) == 0:
                found.append(piece)
            else:
                found[-1] += piece
        return found
