"""Lists of ping sockets and raw sockets, as the kernel writes them."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from core.net.proc_sockets import ping_sockets, raw_sockets
from core.wire.model.address_texts import MAPPED
from core.wire.model.assigned_numbers import IpProtocol
from tests.helpers.support import require_root

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
TAIL = "07 00000000:00000000 00:00000000 00000000 {uid:>5}        0 {inode} 2 0000000000000000 0\n"
LOOPBACK = "0100007F" if sys.byteorder == "little" else "7F000001"
LOOPBACK_6 = "0" * 24 + ("01000000" if sys.byteorder == "little" else "00000001")


def line(local: str, remote: str, uid: int = 0, inode: int = 7) -> str:
    return f"  12: {local} {remote} {TAIL.format(uid=uid, inode=inode)}"


@pytest.mark.parametrize(
    ("name", "protocol", "address", "packed"),
    [
        ("icmp", IpProtocol.ICMP, LOOPBACK, MAPPED + bytes((127, 0, 0, 1))),
        ("icmp6", IpProtocol.ICMPV6, LOOPBACK_6, bytes(15) + b"\1"),
    ],
)
@pytest.mark.parametrize(("uid", "inode"), [(0, 1), ((1 << 32) - 1, (1 << 32) - 1)])
def test_ping_sockets_have_an_identifier(tmp_path, name, protocol, address, packed, uid, inode):
    nobody = "0" * len(address)
    (tmp_path / name).write_text(HEAD + line(f"{address}:1F90", f"{nobody}:0000", uid, inode))
    found = ping_sockets(protocol, tmp_path)
    expected = b"\x1f\x90\0\0" + packed + (bytes(16) if len(address) > 8 else MAPPED + bytes(4))
    assert found.ends.tobytes() == expected
    assert (found.uid.tolist(), found.inode.tolist()) == ([uid], [inode])


def test_raw_sockets_are_those_that_can_send_icmp(tmp_path) -> None:
    ports = [1, 17, 255, 58]
    lines = [line(f"00000000:{port:04X}", "00000000:0000", inode=port) for port in ports]
    (tmp_path / "raw").write_text(HEAD + "".join(lines))
    assert raw_sockets(IpProtocol.ICMP, tmp_path).inode.tolist() == [1, 255]


STRANGE = ["", HEAD, HEAD + "1: words\n", HEAD + "1: zz:zz 00:00 7 0 0 0 0 0 0\n"]


@pytest.mark.parametrize("text", STRANGE)
def test_a_missing_or_strange_list_has_no_sockets(tmp_path, text) -> None:
    assert len(ping_sockets(IpProtocol.ICMP, tmp_path)) == 0
    (tmp_path / "icmp").write_text(text)
    assert len(ping_sockets(IpProtocol.ICMP, tmp_path)) == 0


def test_the_kernel_lists_a_raw_socket() -> None:
    require_root()
    before = set(raw_sockets(IpProtocol.ICMP).inode.tolist())
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as mine:
        found = set(raw_sockets(IpProtocol.ICMP).inode.tolist()) - before
        assert os.fstat(mine.fileno()).st_ino in found
