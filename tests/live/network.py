"""Two network namespaces, a veth pair between them, and senders in them.

A `Network` has a *near* end, where the tests capture, and a *far* end. Each is in its own network
namespace, so nothing reaches a real interface. Names contain the process id; leaving the context
deletes the namespaces, and the kernel deletes their contents.

Threads can be in different namespaces (setns(2)): `in_near` runs a function in a thread that was
moved to one. A socket always belongs to the namespace in which it was created.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import subprocess
import threading
from collections.abc import Callable
from typing import TypeVar

from tests.helpers.isolation import CLONE_NEWNET
from tests.helpers.support import require_namespaces, require_peer
from tests.helpers.waiting import PATIENCE_S

NEAR_ADDRESS = "10.77.0.1"
FAR_ADDRESS = "10.77.0.2"

_Result = TypeVar("_Result")
_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count()


def run(program: str, *arguments: str) -> str:
    """Run a peer program, which must succeed; return its output."""
    done = subprocess.run(
        [require_peer(program), *arguments],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    said = done.stderr or done.stdout
    assert done.returncode == 0, f"{program} {' '.join(arguments)}: {said}"
    return done.stdout


def in_namespace(name: str, function: Callable[[], _Result]) -> _Result:
    """Call a function in a thread that was moved to a network namespace."""
    results: list[_Result] = []
    errors: list[BaseException] = []

    def body() -> None:
        try:
            descriptor = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
            try:
                if _libc.setns(descriptor, CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            finally:
                os.close(descriptor)
            results.append(function())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join(PATIENCE_S)
    if errors:
        raise errors[0]
    return results[0]


class Network:
    """near: `near_name` with NEAR_ADDRESS in `near`; far: `far_name` with FAR_ADDRESS in `far`."""

    def __init__(self, addresses: bool = True) -> None:
        self._ip = require_namespaces()
        number = f"{os.getpid()}-{next(_numbers)}"
        self.near, self.far = f"rsn{number}", f"rsf{number}"
        self.near_name, self.far_name = "near0", "far0"
        self._addresses = addresses

    def __enter__(self) -> Network:
        try:
            for name in (self.near, self.far):
                run("ip", "netns", "add", name)
                # no router solicitations, no duplicate address detection: only the test sends
                self.run_in(name, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
                run("ip", "-n", name, "link", "set", "lo", "up")
            self.add_pair()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        for name in (self.near, self.far):
            subprocess.run([self._ip, "netns", "del", name], capture_output=True, check=False)

    def add_pair(self) -> None:
        """Make the veth pair (again, after `ip link del`), up and with carrier."""
        run("ip", "-n", self.near, "link", "add", self.near_name, "type", "veth",
            "peer", "name", self.far_name, "netns", self.far)  # fmt: skip
        if self._addresses:
            self.ip_near("addr", "add", f"{NEAR_ADDRESS}/24", "dev", self.near_name)
            self.ip_far("addr", "add", f"{FAR_ADDRESS}/24", "dev", self.far_name)
        self.ip_near("link", "set", self.near_name, "up")
        self.ip_far("link", "set", self.far_name, "up")

    def ip_near(self, *words: str) -> str:
        """Run ``ip`` in the near namespace."""
        return run("ip", "-n", self.near, *words)

    def ip_far(self, *words: str) -> str:
        """Run ``ip`` in the far namespace."""
        return run("ip", "-n", self.far, *words)

    def inside(self, name: str) -> list[str]:
        """Return a command prefix that runs the command in the namespace of that name."""
        return [self._ip, "netns", "exec", name]

    def run_in(self, name: str, program: str, *arguments: str) -> str:
        """Run a program in the namespace of that name."""
        return run(*self.inside(name), require_peer(program), *arguments)

    def run_far(self, program: str, *arguments: str) -> str:
        """Run a program in the far namespace."""
        return self.run_in(self.far, program, *arguments)

    def in_near(self, function: Callable[[], _Result]) -> _Result:
        """Call a function in the near namespace."""
        return in_namespace(self.near, function)

    def in_far(self, function: Callable[[], _Result]) -> _Result:
        """Call a function in the far namespace."""
        return in_namespace(self.far, function)
