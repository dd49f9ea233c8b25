"""Decide what this host has: captures, peer programs, privileges, network namespaces.

Only this module decides. If something is absent, the test is skipped with the reason; with
``CI=true`` it fails instead, so that CI skips nothing unnoticed. (CI cannot install what a kernel
lacks, IPv6 and io_uring: those tests skip by themselves.) Facts that need a trial are tried once
per session.
"""

from __future__ import annotations

import functools
import itertools
import os
import shutil
import socket
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.helpers.waiting import PATIENCE_S

ROOT = Path(__file__).resolve().parent.parent.parent
TRIAL_LIMIT_S = 30


def _absent(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}, and this is CI")
    pytest.skip(reason)


def _captures() -> Path:
    return Path(os.environ.get("RAWSCOPE_CAPTURES", ROOT.parent / "shared" / "captures"))


def captures_dir() -> Path:
    """Return the folder of real captures (``RAWSCOPE_CAPTURES``, else next to the checkout)."""
    folder = _captures()
    if not (folder / "INDEX.tsv").exists():
        _absent(f"no captures at {folder}")
    return folder


def capture_index() -> list[tuple[str, str]]:
    """Return (path, notes) of each capture, for use as parameters while tests are collected.

    Without captures, return one pair of empty strings: the test runs once, and `captures_dir`
    reports why it cannot. An empty list would skip it without that reason, in CI too.
    """
    try:
        lines = (_captures() / "INDEX.tsv").read_text().splitlines()[1:]
    except OSError:
        return [("", "")]
    rows = (line.split("\t") for line in lines)
    return [(row[0], row[7]) for row in rows]


def forge_defects_dir() -> Path:
    """Return the folder of captures that once made a replay fail, beside the captures."""
    folder = _captures().parent / "defects" / "forge"
    if not (folder / "multi-if.pcapng").exists():
        _absent(f"no captures of defects at {folder}")
    return folder


def is_thorough() -> bool:
    """Return True for ``make thorough``: comparisons of all cases, where others take a choice."""
    return os.environ.get("RAWSCOPE_THOROUGH") == "1"


def combinations(*values: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Return parameters for a test: each value once, or with ``make thorough`` their product."""
    columns = [tuple(each) for each in values]
    if is_thorough():
        return list(itertools.product(*columns))
    most = max(map(len, columns))
    return [tuple(column[at % len(column)] for column in columns) for at in range(most)]


def filters_dir() -> Path:
    """Return the folder of the shared filters and their captures, beside the captures."""
    folder = _captures().parent / "filters"
    if not (folder / "cases.tsv").exists():
        _absent(f"no filters at {folder}")
    return folder


def tcp_dir() -> Path:
    """Return the folder of captures for the analysis of TCP, beside the captures."""
    folder = _captures().parent / "tcp"
    if not (folder / "synthetic.txt").exists():
        _absent(f"no captures of TCP at {folder}")
    return folder


def tcp_captures(most_bytes: int) -> list[str]:
    """Return the names of the captures there of at most this size, for use as parameters.

    Without captures, return an empty name; `tcp_dir` then reports why the test cannot run.
    """
    paths = (_captures().parent / "tcp" / "captures").glob("*")
    return sorted(path.name for path in paths if path.stat().st_size <= most_bytes) or [""]


def tcp_situations() -> list[str]:
    """Return the lines about made situations there; one empty line without, as `tcp_captures`."""
    try:
        return (_captures().parent / "tcp" / "synthetic.txt").read_text().splitlines()
    except OSError:
        return [""]


def filter_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a table of filters, by column, for use as parameters.

    Without the table, return one row with an empty filter; `filters_dir` then reports why the test
    cannot run.
    """
    try:
        lines = (_captures().parent / "filters" / name).read_text().splitlines()
    except OSError:
        return [{"filter": ""}]
    columns = lines[0].split("\t")
    return [dict(zip(columns, line.split("\t"), strict=False)) for line in lines[1:]]


def require_peer(name: str) -> str:
    """Return the absolute path of a program that some hosts lack; ``PATH`` decides."""
    path = shutil.which(name)
    if path is None:
        _absent(f"{name} is not on PATH")
    return path


@functools.cache
def _tshark_has_lua() -> bool:
    done = subprocess.run(
        require_command("tshark", "--version"),
        capture_output=True, text=True, timeout=TRIAL_LIMIT_S, check=False,
    )  # fmt: skip
    return " with Lua" in done.stdout


def require_lua_tshark() -> str:
    """Return the absolute path of a tshark that runs Lua scripts."""
    if not _tshark_has_lua():
        _absent("tshark was built without Lua")
    return require_peer("tshark")


def require_device(path: str) -> str:
    """Return the path of a device that a container may lack."""
    if not os.path.exists(path):
        _absent(f"{path} does not exist")
    return path


def require_command(*words: str) -> list[str]:
    """Return a command with the absolute path of its program, from `require_peer`."""
    program, *arguments = words
    return [require_peer(program), *arguments]


def require_header(name: str) -> str:
    """Return the text of a header of the kernel's interface."""
    path = Path("/usr/include") / name
    if not path.exists():
        _absent(f"{path} is not installed (Debian: linux-libc-dev)")
    return path.read_text()


def require_root() -> None:
    """Skip unless the user is 0, whatever its capabilities."""
    if os.geteuid() != 0:
        _absent("needs root")


@functools.cache
def _capture_fault() -> str:
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except OSError as error:
        return f"needs the capability CAP_NET_RAW for raw sockets ({error.strerror})"
    return ""


def require_capture() -> None:
    """Skip unless raw and packet sockets can be opened: CAP_NET_RAW (packet(7), raw(7))."""
    if fault := _capture_fault():
        _absent(fault)


def _trial(*command: str) -> str:
    """Run a command; return its error in one line, or an empty string."""
    done = subprocess.run(
        require_command(*command),
        capture_output=True, text=True, timeout=TRIAL_LIMIT_S, check=False,
    )  # fmt: skip
    said = " ".join((done.stderr or done.stdout).split())
    return f"{' '.join(command)}: {said or done.returncode}" if done.returncode else ""


@functools.cache
def _unshare_fault(unshare: str) -> str:
    return _trial(unshare, "--net", "true")


def require_unshare() -> str:
    """Return the path of ``unshare``, which can make a network namespace here (unshare(1))."""
    require_root()
    unshare = require_peer("unshare")
    if fault := _unshare_fault(unshare):
        _absent(f"cannot make a network namespace: {fault}")
    return unshare


@functools.cache
def _tmpfs_fault(unshare: str, mount: str) -> str:
    return _trial(unshare, "--mount", mount, "-t", "tmpfs", "none", "/mnt")


def require_tmpfs() -> None:
    """Require that ``unshare --mount`` can mount a tmpfs."""
    if fault := _tmpfs_fault(require_unshare(), require_peer("mount")):
        _absent(f"cannot mount a tmpfs: {fault}")


@functools.cache
def _netns_fault(ip: str, sysctl: str) -> str:
    name = f"rst{os.getpid()}"
    if fault := _trial(ip, "netns", "add", name):
        return fault
    try:
        switch = "net.ipv6.conf.default.disable_ipv6=1"
        return _trial(ip, "netns", "exec", name, sysctl, "-qw", switch) or _trial(
            ip, "-n", name, "link", "add", "a0", "type", "veth", "peer", "name", "b0"
        )
    finally:
        _trial(ip, "netns", "del", name)


def _root_is_mounted() -> bool:
    """Return True if / is a mount point (proc_pid_mountinfo(5), field 5); it may not be."""
    return any(
        line.split()[4] == "/" for line in Path("/proc/self/mountinfo").read_text().splitlines()
    )


def require_namespaces() -> str:
    """Return the path of ``ip``; named network namespaces and veth pairs work on this host.

    ``ip netns exec`` remounts / for itself (ip-netns(8)), which fails if / is not a mount point.
    """
    require_root()
    ip, sysctl = require_peer("ip"), require_peer("sysctl")
    if fault := _netns_fault(ip, sysctl):
        why = "" if _root_is_mounted() else " (/ is not a mount point: this is a chroot)"
        _absent(f"network namespaces do not work on this host{why}: {fault}")
    return ip


def require_scapy() -> str:
    """Return a Python that has scapy: ``RAWSCOPE_SCAPY``, else the system's (python3-scapy)."""
    python = os.environ.get("RAWSCOPE_SCAPY", "/usr/bin/python3")
    command = [python, "-c", "import scapy"]
    try:
        found = subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=False)
    except OSError:
        _absent(f"{python} is missing, and RAWSCOPE_SCAPY names no other")
    if found.returncode:
        _absent(f"{python} has no scapy, and RAWSCOPE_SCAPY names no other")
    return python


def remarks_of(path: Path) -> list[str]:
    """Return the comments of the Interface Statistics Blocks of a native-endian pcapng file."""
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        kind, length = struct.unpack_from("=II", data, at)
        if kind == 5:
            code, size = struct.unpack_from("=HH", data, at + 20)
            assert code == 1
            found.append(data[at + 24 : at + 24 + size].decode())
        at += length
    return found
