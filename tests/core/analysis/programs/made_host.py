"""A made-up host: its sockets, and its processes in a folder like /proc."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.analysis.programs.ends import End
from core.analysis.programs.flow_scan import Flow
from core.analysis.programs.own_addresses import OwnAddresses
from core.analysis.programs.owners import Process
from core.analysis.programs.process_records import ProcessRecords
from core.analysis.programs.program_finder import ProgramFinder
from core.analysis.programs.socket_holders import SocketHolders
from core.analysis.programs.socket_table import RAW
from core.net.sock_diag import TCP_LISTEN, DiagnosedSockets
from core.wire.model.address_texts import MAPPED
from core.wire.model.assigned_numbers import IpProtocol

TCP, UDP = int(IpProtocol.TCP), int(IpProtocol.UDP)
ESTABLISHED, TIME_WAIT, UNCONNECTED = 1, 6, 7
HERE, THERE = "10.0.0.1", "203.0.113.7"
ROOT_USER, OTHER_USER = os.geteuid(), 12_345


def packed(address: str) -> bytes:
    found = ipaddress.ip_address(address).packed
    return found if len(found) == 16 else MAPPED + found


def end(address: str, port: int) -> End:
    return End(packed(address), port)


def flow(
    local: int, remote: int = 443, packet: int = 1, protocol: int = TCP, to: str = THERE, since=0
) -> Flow:
    """Return a flow from a port of this host, whose key follows from its ends."""
    key = hash((protocol, local, remote, to))
    return Flow(protocol, packet, end(HERE, local), end(to, remote), key, since)


@dataclass
class MadeSocket:
    """A socket; without a remote address it is unconnected, bound to `local`."""

    protocol: int
    local: tuple[str, int]
    remote: tuple[str, int] | None = None
    inode: int = 0
    state: int = ESTABLISHED
    uid: int = ROOT_USER
    ipv6_only: bool = False

    @property
    def ends(self) -> bytes:
        address, port = self.local
        nobody = "::" if ":" in address else "0.0.0.0"
        other, other_port = self.remote or (nobody, 0)
        ports = port.to_bytes(2, "big") + other_port.to_bytes(2, "big")
        return ports + packed(address) + packed(other)


def columns(sockets: list[MadeSocket]) -> DiagnosedSockets:
    ends = b"".join(each.ends for each in sockets)
    return DiagnosedSockets(
        np.frombuffer(ends, np.uint8).reshape(-1, 36),
        np.array([each.state for each in sockets], np.uint8),
        np.array([each.uid for each in sockets], np.uint32),
        np.array([each.inode for each in sockets], np.uint32),
        np.array([each.ipv6_only for each in sockets], np.bool_),
    )


def listener(port: int, inode: int) -> MadeSocket:
    return MadeSocket(TCP, ("0.0.0.0", port), None, inode, TCP_LISTEN)


@dataclass
class MadeHost(ProcessRecords):
    """Sockets and processes that a test changes; `finder` asks about them."""

    proc: Path
    sockets: list[MadeSocket] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    now_s: float = 100.0
    dumps: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def process(self, pid: int, name: str, *inodes: int) -> None:
        """Start a process that holds some sockets, or let it hold others."""
        self.end(pid)
        self.names[pid] = name
        folder = self.proc / str(pid) / "fd"
        folder.mkdir(parents=True)
        for number, inode in enumerate(inodes):
            os.symlink(f"socket:[{inode}]", folder / str(number))

    def end(self, pid: int) -> None:
        """End a process."""
        self.names.pop(pid, None)
        folder = self.proc / str(pid)
        if folder.exists():
            for link in (folder / "fd").iterdir():
                link.unlink()
            (folder / "fd").rmdir()
            folder.rmdir()

    def find(self, pid: int) -> Process | None:
        name = self.names.get(pid)
        return None if name is None else Process(pid, name, ROOT_USER)

    def clock(self) -> float:
        return self.now_s

    def dump(self, protocol: int) -> DiagnosedSockets:
        self.dumps += 1
        return columns([each for each in self.sockets if each.protocol == protocol])

    def dump_echo(self, protocol: int) -> tuple[DiagnosedSockets, DiagnosedSockets]:
        return self.dump(protocol), self.dump(RAW | protocol)

    def finder(self, *, reads_all: bool = True) -> ProgramFinder:
        own = OwnAddresses(self.clock, lambda: frozenset({packed(HERE)}))
        holders = SocketHolders(str(self.proc), self.clock)
        found = ProgramFinder(self.clock, self.dump, holders, self, own, self.dump_echo)
        found.reads_all = reads_all
        return found
