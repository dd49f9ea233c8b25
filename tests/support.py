"""What tests need of the machine: the shared captures, peer programs, privileges.

On a user's machine what is absent makes a test skip with the reason; where ``CI=true`` it is
a failure, so that nothing is quietly left out.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parent.parent


def _absent(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}, and this is CI")
    pytest.skip(reason)


def captures_dir() -> Path:
    """The folder of real captures (``RAWSCOPE_CAPTURES``, else beside the checkout)."""
    folder = Path(os.environ.get("RAWSCOPE_CAPTURES", ROOT.parent / "shared" / "captures"))
    if not (folder / "INDEX.tsv").exists():
        _absent(f"no captures at {folder}")
    return folder


def require_peer(name: str) -> str:
    """The path of a peer program (tshark, tcpdump, trafgen …)."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if path is None:
        _absent(f"{name} is not installed")
    return path


def require_root() -> None:
    """Raw sockets and network namespaces."""
    if os.geteuid() != 0:
        _absent("needs root for raw sockets and network namespaces")


def require_scapy() -> str:
    """A Python that has scapy: ``RAWSCOPE_SCAPY``, else the system's (python3-scapy)."""
    python = os.environ.get("RAWSCOPE_SCAPY", "/usr/bin/python3")
    command = [python, "-c", "import scapy"]
    try:
        found = subprocess.run(command, capture_output=True, timeout=60, check=False)
    except OSError:
        _absent(f"there is no {python}, and RAWSCOPE_SCAPY names no other")
    if found.returncode:
        _absent(f"{python} has no scapy, and RAWSCOPE_SCAPY names no other")
    return python


def remarks_of(path: Path) -> list[str]:
    """The comments of the Interface Statistics Blocks of a pcapng file of this machine's order."""
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        kind, length = struct.unpack_from("=II", data, at)
        if kind == 5:
            code, size = struct.unpack_from("=HH", data, at + 20)
            assert code == 1
            found.append(data[at + 24 : at + 24 + size].decode())
        at += length
    return found
