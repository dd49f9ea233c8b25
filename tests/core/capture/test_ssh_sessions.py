"""The user's own SSH sessions, found in a folder that is laid out as /proc."""

from __future__ import annotations

import os

import pytest

from core.capture.capture_filter import compile_filter
from core.capture.ssh_sessions import SshSession, exclusion_of, find_ssh_sessions, would_contain
from core.net.interfaces import InterfaceInfo

HERE = SshSession("192.0.2.1", 22, "198.51.100.7", 51522)
LINE = "198.51.100.7 51522 192.0.2.1 22"
SIX = SshSession("2001:db8::1", 22, "fe80::2", 40000)


class Processes:
    """Processes in a folder; the first is this one."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "net").mkdir()

    def add(self, number, parent, name="bash", environ="", sockets=()):
        here = self.folder / str(number)
        (here / "fd").mkdir(parents=True)
        (here / "comm").write_text(name + "\n")
        (here / "stat").write_text(f"{number} ({name}) x) S {parent} 1 1")
        (here / "environ").write_bytes(environ.encode())
        for descriptor, inode in enumerate(sockets, 3):
            (here / "fd" / str(descriptor)).symlink_to(f"socket:[{inode}]")

    def table(self, name, *rows):
        lines = ["  sl  local_address rem_address   st …"]
        lines += [
            f"0: {local} {remote} {state} 0 0 0 0 0 {inode}" for local, remote, state, inode in rows
        ]
        (self.folder / "net" / name).write_text("\n".join(lines))

    def found(self, environment=None):
        return find_ssh_sessions(environment or {"HOME": "/"}, self.folder)


@pytest.fixture
def processes(tmp_path):
    return Processes(tmp_path)


def test_own_environment_and_that_of_ancestors_each_once(processes):
    processes.add(os.getpid(), 20)
    processes.add(20, 10, "sudo")
    processes.add(10, 1, environ=f"A=1\0SSH_CONNECTION={LINE}\0")
    processes.add(1, 0, "init", environ="SSH_CONNECTION=fe80::2%eth0 40000 2001:db8::1 22\0")
    assert processes.found() == (HERE, SIX)
    assert processes.found({"SSH_CONNECTION": LINE}) == (HERE, SIX)
    (processes.folder / "10" / "environ").unlink()  # as if it could not be read
    assert processes.found() == (SIX,)


@pytest.mark.parametrize(
    "text",
    ["", "x", "1.2.3.4 1 2.3.4.5", "a 1 b 2", "1.2.3.4 0 2.3.4.5 22", "1.2.3.4 x 2.3.4.5 22"],
)
def test_other_texts_are_ignored(processes, text):
    processes.add(os.getpid(), 0, environ=f"SSH_CONNECTION={text}\0")
    assert processes.found({"SSH_CONNECTION": text}) == ()


def test_sockets_of_sshd_without_any_environment(processes):
    """Its first connection, not the one it forwards, and not the listener of its parent."""
    processes.add(os.getpid(), 10)
    processes.add(10, 5, "sshd-session", sockets=("90", "77", "78"))
    processes.add(5, 1, "sshd", sockets=("70",))
    processes.table("tcp", ("00000000:0016", "00000000:0000", "0A", "70"),
                    ("0100007F:9C40", "0100007F:1F90", "01", "78"))  # fmt: skip
    processes.table("tcp6", ("0000000000000000FFFF0000010200C0:0016",
                             "0000000000000000FFFF0000076433C6:C942", "01", "77"))  # fmt: skip
    assert processes.found() == (HERE,)


def test_clients_of_tmux_see_the_terminal_now(processes):
    processes.add(os.getpid(), 30)
    processes.add(30, 1, "tmux: server")
    processes.add(40, 41, "tmux: client")
    processes.add(41, 1, environ=f"SSH_CONNECTION={LINE}\0")
    assert processes.found() == (HERE,)


def test_mosh_is_a_port(processes):
    processes.add(os.getpid(), 10, environ=f"SSH_CONNECTION={LINE}\0")
    processes.add(10, 1, "mosh-server", sockets=("5",))
    processes.table("udp", ("010200C0:EA61", "00000000:0000", "07", "5"))
    assert processes.found() == (HERE, SshSession("192.0.2.1", 60001))


def test_the_exclusion_is_a_filter():
    sessions = (HERE, SIX, SshSession("192.0.2.1", 60001), SshSession("", 60002))
    exclusion = exclusion_of(sessions)
    assert exclusion.endswith(
        "and not (udp port 60001 and host 192.0.2.1) and not (udp port 60002)"
    )
    assert compile_filter("port 443", exclusion) is not None
    assert exclusion_of(()) == ""


def interface(name, *addresses, kind="", loopback=False):
    return InterfaceInfo(name, 1, kind, True, True, loopback, 1500, "", addresses, 1, False, 1)


@pytest.mark.parametrize(
    ("session", "chosen", "contains"),
    [
        (HERE, "eth0", True),
        (HERE, "eth1", False),
        (HERE, "port", True),  # may be a port of a bridge
        (HERE, "any", True),
        (HERE, "lo", False),
        (SshSession("10.9.9.9", 22, "10.9.9.8", 1), "any", False),  # of another namespace
        (SshSession("127.0.0.1", 22, "127.0.0.1", 4000), "lo", True),
        (SshSession("127.0.0.1", 22, "127.0.0.1", 4000), "eth0", False),
        (SshSession("10.7.0.1", 22, "10.7.0.2", 4000), "eth1", True),  # in front of the VLAN
        (SshSession("", 60001), "eth1", True),
    ],
)
def test_captures_that_contain_a_session(session, chosen, contains):
    found = [
        interface("lo", "127.0.0.1/8", loopback=True),
        interface("eth0", "192.0.2.1/24"),
        interface("eth1", "203.0.113.1/24"),
        interface("port"),
        interface("eth1.5", "10.7.0.1/24", kind="vlan"),
    ]
    assert would_contain(session, (chosen,), found) is contains
