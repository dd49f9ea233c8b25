"""Classic BPF programs that a capture attaches to its socket.

A program is an array of ``struct sock_filter`` (linux/filter.h); its return value is the number of
bytes of the frame to keep, 0 for none. The kernel runs it before it counts or copies a frame, so
rejected frames need no room in the ring and are not in the statistics.

Loopback shows each packet twice, outgoing (``PACKET_OUTGOING``) and incoming. The filter rejects
the outgoing copy, as libpcap does: the receiver sees the incoming one.

Programs are concatenated: jumps are relative, so a part works at any place, and the selection in
front of several parts reaches each by BPF_JA, whose distance has 32 bits. A part ends in returns;
`accept` gives those that keep a frame the snap length.

Source: Documentation/networking/filter.rst in the kernel; linux/filter.h, linux/bpf_common.h.
"""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
from collections.abc import Mapping

from core.net.sockets import PACKET_OUTGOING, SO_ATTACH_FILTER

# linux/bpf_common.h, linux/filter.h
BPF_LD_W_ABS = 0x20
BPF_LD_B_ABS = 0x30
BPF_LDX_B_MSH = 0xB1
BPF_JA = 0x05
BPF_JMP_JEQ_K = 0x15
BPF_RET_K = 0x06
BPF_CLASS, BPF_LD, BPF_LDX = 0x07, 0x00, 0x01  # the mask of the class, and two classes
BPF_MODE, BPF_ABS, BPF_IND, BPF_MSH = 0xE0, 0x20, 0x40, 0xA0  # likewise of the address mode
BPF_MAXINSNS = 4096
SKF_AD_OFF = 0xFFFFF000  # −0x1000: an absolute load from there reads metadata of the packet
SKF_AD_PROTOCOL = 0
SKF_AD_PKTTYPE = 4
SKF_AD_IFINDEX = 8
SKF_AD_HATYPE = 28
SKF_AD_VLAN_TAG = 44
SKF_AD_VLAN_TAG_PRESENT = 48
SKF_NET_OFF = 0xFFF00000  # −0x100000: a load from there counts from the network header

SOCK_FILTER = struct.Struct("=HBBI")  # code, jump if true, jump if false, constant
SOCK_FPROG = struct.Struct("@HP")  # number of instructions, their address

Instruction = tuple[int, int, int, int]
Program = tuple[Instruction, ...]

REJECT_ALL: Program = ((BPF_RET_K, 0, 0, 0),)
KEEP_ALL: Program = ((BPF_RET_K, 0, 0, 1),)

_NO_ROOM = (
    "net.core.optmem_max leaves no room for the filter: raise it with sysctl, or shorten the filter"
)

SLL_BYTES = 16  # of a Linux cooked header; and the metadata that its fields are copies of:
_SLL_METADATA = {0: SKF_AD_PKTTYPE, 2: SKF_AD_HATYPE, 14: SKF_AD_PROTOCOL}


class NoMetadataError(Exception):
    """The program reads a field of the cooked header that the kernel cannot load."""


def accept(snap_length: int, loopback_index: int, body: Program = KEEP_ALL) -> Program:
    """Keep `snap_length` bytes of the frames that `body` accepts by any result but 0.

    Of loopback's frames keep only the incoming copy. Index 0 means that none exists.
    """
    return (
        (BPF_LD_W_ABS, 0, 0, SKF_AD_OFF + SKF_AD_IFINDEX),
        (BPF_JMP_JEQ_K, 0, 3, loopback_index),
        (BPF_LD_W_ABS, 0, 0, SKF_AD_OFF + SKF_AD_PKTTYPE),
        (BPF_JMP_JEQ_K, 0, 1, PACKET_OUTGOING),
        (BPF_RET_K, 0, 0, 0),
        *cut_at(snap_length, body),
    )


def cut_at(snap_length: int, body: Program) -> Program:
    """Keep `snap_length` bytes of the frames that `body` accepts by any result but 0."""
    return tuple(
        (code, true, false, snap_length if code == BPF_RET_K and constant else constant)
        for code, true, false, constant in body
    )


def by_removed_tag(tagged: Program, untagged: Program) -> Program:
    """Run `tagged` for frames whose VLAN tag is not in their bytes, else `untagged`."""
    return (
        (BPF_LD_B_ABS, 0, 0, SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT),
        *_select({1: tagged}, untagged),
    )


def by_hardware_type(cases: Mapping[int, Program], otherwise: Program) -> Program:
    """Run the program of the device's hardware type (ARPHRD_*), or `otherwise`."""
    return ((BPF_LD_W_ABS, 0, 0, SKF_AD_OFF + SKF_AD_HATYPE), *_select(cases, otherwise))


def _select(cases: Mapping[int, Program], otherwise: Program) -> Program:
    """Run the program for the number in the accumulator. Equal programs are written once."""
    parts = [otherwise]
    parts += [part for part in dict.fromkeys(cases.values()) if part != otherwise]
    starts = [sum(map(len, parts[:index])) for index in range(len(parts))]
    selection: list[Instruction] = []
    for index, (number, part) in enumerate(cases.items()):
        instructions_left = 2 * (len(cases) - index - 1)  # of this selection, behind the jump
        selection.append((BPF_JMP_JEQ_K, 0, 1, number))
        selection.append((BPF_JA, 0, 0, instructions_left + starts[parts.index(part)]))
    return (*selection, *(instruction for part in parts for instruction in part))


def from_network_header(program: Program) -> Program:
    """Change a program for cooked frames (SLL) to one for frames with any link header.

    Loads behind the cooked header count from the network header, and fields of the cooked header
    come from the metadata. Raises `NoMetadataError`.
    """
    return tuple(map(_without_cooked_header, program))


def _without_cooked_header(instruction: Instruction) -> Instruction:
    code, true, false, constant = instruction
    is_load = code & BPF_CLASS in (BPF_LD, BPF_LDX)
    mode = code & BPF_MODE
    if not is_load or mode not in (BPF_ABS, BPF_IND, BPF_MSH) or constant >= SKF_AD_OFF:
        return instruction
    if constant >= SLL_BYTES:
        return code, true, false, SKF_NET_OFF + constant - SLL_BYTES
    if mode != BPF_ABS or constant not in _SLL_METADATA:
        raise NoMetadataError("the kernel cannot compare this field of a cooked header")
    return code, true, false, SKF_AD_OFF + _SLL_METADATA[constant]


def attach(target: socket.socket, program: Program) -> None:
    """Replace the socket's filter, atomically: each frame passes the old one or the new one.

    The kernel has both for a moment, and bounds their sum. Raises OSError if it refuses the
    program.
    """
    if len(program) > BPF_MAXINSNS:
        raise OSError(
            errno.E2BIG,
            f"the filter has {len(program):,} instructions, and the kernel takes {BPF_MAXINSNS:,}",
        )
    code = b"".join(SOCK_FILTER.pack(*instruction) for instruction in program)
    memory = ctypes.create_string_buffer(code, len(code))
    try:
        target.setsockopt(
            socket.SOL_SOCKET,
            SO_ATTACH_FILTER,
            SOCK_FPROG.pack(len(program), ctypes.addressof(memory)),
        )
    except OSError as error:
        if error.errno != errno.ENOMEM:
            raise
        raise OSError(errno.ENOMEM, _NO_ROOM) from error


def reject_all(target: socket.socket) -> None:
    """Reject every frame from now on, unless the old filter leaves the kernel no room for another.

    Then frames still arrive, and who reads them has to stop.
    """
    try:
        attach(target, REJECT_ALL)
    except OSError as error:
        if error.errno != errno.ENOMEM:
            raise
