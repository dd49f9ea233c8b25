"""The SSH sessions that this process runs in, so that a capture can leave out its own traffic.

A terminal on a remote host causes packets for everything that it shows, and a capture that shows
them causes more. sshd gives each session SSH_CONNECTION: the client's address and port, then the
server's (ssh(1)). This process may not have it:

* sudo removes it, but the shell that called sudo has it. `find_ssh_sessions` reads the environment
  of every ancestor, as far as it may (proc_pid_environ(5): processes of the same user; all of them
  as root).
* If no ancestor has it, root can read the sockets of an ancestor sshd. Its connection is the first
  one that it opened; later ones are forwarded connections.
* tmux and screen run in the background; what they remember may be an older session. The sessions
  that see them now are those of their clients, which are other processes.
* mosh leaves SSH behind: mosh-server receives UDP on a port of its own, from any address.

Several sessions are all left out. One that has ended costs only a comparison.

Source: ssh(1), sshd(8), mosh-server(1); proc_pid_stat(5), proc_net(5) and net/ipv4/tcp_ipv4.c,
tcp4_seq_show.
"""

from __future__ import annotations

import ipaddress
import os
import struct
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.capture.options import ANY
from core.net.interfaces import InterfaceInfo

_ANCESTORS_MOST = 64
_SESSION_SERVERS = ("sshd", "dropbear")  # beginnings of names; sshd-session since OpenSSH 9.8
_MULTIPLEXERS = {"tmux": "tmux: client", "screen": "screen", "SCREEN": "screen"}  # and clients
_LAYERED = frozenset({"bridge", "bond", "team", "vlan", "macvlan", "ipvlan", "vrf"})
_ESTABLISHED = "01"  # TCP_ESTABLISHED, net/tcp_states.h, as /proc/net/tcp prints it


@dataclass(frozen=True, slots=True)
class SshSession:
    """A TCP connection from a client; for mosh, a UDP port of the server (`client` is empty).

    `server` is empty for a mosh server that receives on every address.
    """

    server: str
    server_port: int
    client: str = ""
    client_port: int = 0

    @property
    def expression(self) -> str:
        """The packets of the session in both directions, in tcpdump's language."""
        if self.client:
            return (
                f"tcp port {self.client_port} and host {self.client} and "
                f"tcp port {self.server_port} and host {self.server}"
            )
        host = f" and host {self.server}" if self.server else ""
        return f"udp port {self.server_port}{host}"

    @property
    def label(self) -> str:
        """The client, in few words."""
        return f"{self.client} port {self.client_port}" if self.client else "mosh"


def exclusion_of(sessions: Sequence[SshSession]) -> str:
    """Return the expression of tcpdump that leaves out these sessions; empty without any."""
    return " and ".join(f"not ({session.expression})" for session in sessions)


def would_contain(
    session: SshSession, chosen: Sequence[str], interfaces: Sequence[InterfaceInfo]
) -> bool:
    """Return True if a capture on the chosen interfaces may see packets of the session.

    A session with an address of another network namespace is not seen. A port of a bridge or bond
    has no address of its own, and sees the sessions of the bridge.
    """
    owners = {address.partition("/")[0]: info for info in interfaces for address in info.addresses}
    if session.server and session.server not in owners:
        return False
    if ANY in chosen:
        return True
    among = [info for info in interfaces if info.name in chosen]
    if session.client in owners:  # from this host: the kernel uses loopback
        return any(info.loopback for info in among)
    owner = owners.get(session.server)
    if owner is None or owner.kind in _LAYERED:
        return any(not info.loopback for info in among)
    return any(info == owner or (info.up and not info.addresses) for info in among)


def find_ssh_sessions(
    environment: Mapping[str, str] | None = None, proc: Path = Path("/proc")
) -> tuple[SshSession, ...]:
    """Return the sessions that this process runs in, each once; none on a local terminal."""
    ancestors = list(_ancestors(proc, os.getpid()))
    own = (environment or os.environ).get("SSH_CONNECTION", "")
    found = [_parse(own), *_remembered(proc, ancestors)]
    for process in ancestors:
        name = _name(proc, process)
        for server, client in _MULTIPLEXERS.items():
            if name.startswith(server):
                for other in _processes_named(proc, client):
                    found += _remembered(proc, list(_ancestors(proc, other)))
        if name.startswith("mosh-server"):
            found += _mosh(proc, process)
    if not any(found):
        for process in ancestors:
            if _name(proc, process).startswith(_SESSION_SERVERS):
                found.append(_first_connection(proc, process))
    return tuple(dict.fromkeys(session for session in found if session is not None))


def _parse(text: str) -> SshSession | None:
    """Return the session of an SSH_CONNECTION; None for another text."""
    words = text.split()
    try:
        client, client_port, server, server_port = words
        return SshSession(
            _address(server), _port(server_port), _address(client), _port(client_port)
        )
    except ValueError:
        return None


def _address(text: str) -> str:
    """Return an address without scope, a mapped one as IPv4. Raises ValueError."""
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _port(text: str) -> int:
    number = int(text)
    if not 0 < number < 1 << 16:
        raise ValueError(text)
    return number


def _ancestors(proc: Path, process: int) -> Iterator[int]:
    """Yield a process and its ancestors, the nearest first."""
    for _ in range(_ANCESTORS_MOST):
        yield process
        try:
            after_name = (proc / str(process) / "stat").read_text().rpartition(")")[2]
            process = int(after_name.split()[1])
        except (OSError, ValueError, IndexError):
            return
        if process <= 0:
            return


def _name(proc: Path, process: int) -> str:
    try:
        return (proc / str(process) / "comm").read_text(errors="replace").rstrip("\n")
    except OSError:
        return ""


def _processes_named(proc: Path, name: str) -> list[int]:
    numbers = [int(entry.name) for entry in proc.iterdir() if entry.name.isdecimal()]
    return [number for number in numbers if _name(proc, number) == name]


def _remembered(proc: Path, processes: Sequence[int]) -> list[SshSession | None]:
    """Return the sessions in the environments of processes, as far as they can be read."""
    found = []
    for process in processes:
        try:
            environment = (proc / str(process) / "environ").read_bytes()
        except OSError:
            continue
        for variable in environment.split(b"\0"):
            name, _, value = variable.partition(b"=")
            if name == b"SSH_CONNECTION":
                found.append(_parse(value.decode(errors="replace")))
    return found


def _socket_inodes(proc: Path, process: int) -> list[str]:
    """Return the inodes of a process's sockets, by descriptor; none if they cannot be read."""
    folder = proc / str(process) / "fd"
    found = []
    try:
        for descriptor in sorted(os.listdir(folder), key=int):
            target = os.readlink(folder / descriptor)
            if target.startswith("socket:["):
                found.append(target[len("socket:[") : -1])
    except (OSError, ValueError):
        pass
    return found


def _table(proc: Path, protocol: str) -> dict[str, tuple[str, str, str]]:
    """Return local address, remote address, and state of the IP sockets, by inode."""
    rows: dict[str, tuple[str, str, str]] = {}
    for name in (protocol, f"{protocol}6"):
        try:
            lines = (proc / "net" / name).read_text().splitlines()[1:]
        except OSError:
            continue
        for words in map(str.split, lines):
            if len(words) > 9:
                rows[words[9]] = (words[1], words[2], words[3])
    return rows


def _first_connection(proc: Path, process: int) -> SshSession | None:
    table = _table(proc, "tcp")
    for inode in _socket_inodes(proc, process):
        if inode in table and table[inode][2] == _ESTABLISHED:
            local, remote, _state = table[inode]
            return SshSession(*_endpoint(local), *_endpoint(remote))
    return None


def _mosh(proc: Path, process: int) -> list[SshSession | None]:
    table = _table(proc, "udp")
    found: list[SshSession | None] = []
    for inode in _socket_inodes(proc, process):
        if inode in table:
            address, port = _endpoint(table[inode][0])
            found.append(
                SshSession("" if ipaddress.ip_address(address).is_unspecified else address, port)
            )
    return found


def _endpoint(text: str) -> tuple[str, int]:
    """Return the address and port of ``0100007F:0016``: words in the byte order of the host."""
    digits, _, port = text.partition(":")
    words = (int(digits[at : at + 8], 16) for at in range(0, len(digits), 8))
    order = "<" if sys.byteorder == "little" else ">"
    raw = b"".join(struct.pack(f"{order}I", word) for word in words)
    return _address(str(ipaddress.ip_address(raw))), int(port, 16)
