"""Classic BPF programs that a capture attaches to its socket.

A program is an array of ``struct sock_filter`` (linux/filter.h); its return value is the number of
bytes of the frame to keep, 0 for none. The kernel runs it before it counts or copies a frame, so
rejected frames need no room in the ring and are not in the statistics.

Loopback shows each packet twice, outgoing (``PACKET_OUTGOING``) and incoming. The filter rejects
the outgoing copy, as libpcap does: the receiver sees the incoming one.

Source: Documentation/networking/filter.rst in the kernel; linux/filter.h.
"""

from __future__ import annotations

import ctypes
import socket
import struct

from core.net.sockets import PACKET_OUTGOING, SO_ATTACH_FILTER

# linux/bpf_common.h, linux/filter.h
BPF_LD_W_ABS = 0x20
BPF_JMP_JEQ_K = 0x15
BPF_RET_K = 0x06
SKF_AD_OFF = 0xFFFFF000  # −0x1000: an absolute load from there reads metadata of the packet
SKF_AD_PKTTYPE = 4
SKF_AD_IFINDEX = 8

SOCK_FILTER = struct.Struct("=HBBI")  # code, jump if true, jump if false, constant
SOCK_FPROG = struct.Struct("@HP")  # number of instructions, their address

Instruction = tuple[int, int, int, int]

REJECT_ALL: tuple[Instruction, ...] = ((BPF_RET_K, 0, 0, 0),)


def keep(snap_length: int, loopback_index: int) -> tuple[Instruction, ...]:
    """Keep `snap_length` bytes of every frame, and of loopback's only the incoming copy."""
    return (
        (BPF_LD_W_ABS, 0, 0, SKF_AD_OFF + SKF_AD_IFINDEX),
        (BPF_JMP_JEQ_K, 0, 3, loopback_index),
        (BPF_LD_W_ABS, 0, 0, SKF_AD_OFF + SKF_AD_PKTTYPE),
        (BPF_JMP_JEQ_K, 0, 1, PACKET_OUTGOING),
        (BPF_RET_K, 0, 0, 0),
        (BPF_RET_K, 0, 0, snap_length),
    )


def attach(target: socket.socket, program: tuple[Instruction, ...]) -> None:
    """Replace the socket's filter. Raises OSError if the kernel refuses the program."""
    code = b"".join(SOCK_FILTER.pack(*instruction) for instruction in program)
    memory = ctypes.create_string_buffer(code, len(code))
    target.setsockopt(
        socket.SOL_SOCKET,
        SO_ATTACH_FILTER,
        SOCK_FPROG.pack(len(program), ctypes.addressof(memory)),
    )
