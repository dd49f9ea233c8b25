"""Programs joined from parts, run by an interpreter; live tests attach them to sockets."""

from __future__ import annotations

import errno
import socket

import pytest

from core.capture import bpf
from core.capture.bpf import (
    SKF_AD_HATYPE,
    SKF_AD_IFINDEX,
    SKF_AD_PKTTYPE,
    SKF_AD_PROTOCOL,
    SKF_AD_VLAN_TAG_PRESENT,
)
from core.net.sockets import PACKET_HOST, PACKET_OUTGOING
from tests.core.capture.bpf_interpreter import run

LO = 1
LD_H_ABS = 0x28


def returns(number: int, length: int = 1) -> bpf.Program:
    """Return a program of `length` instructions with one result."""
    return ((0x00, 0, 0, 0),) * (length - 1) + ((bpf.BPF_RET_K, 0, 0, number),)


@pytest.mark.parametrize(
    ("index", "kind", "kept"),
    [
        (LO, PACKET_OUTGOING, 0),
        (LO, PACKET_HOST, 96),
        (2, PACKET_OUTGOING, 96),
        (2, PACKET_HOST, 96),
    ],
)
def test_loopback_delivers_only_the_incoming_copy(index, kind, kept):
    metadata = {SKF_AD_IFINDEX: index, SKF_AD_PKTTYPE: kind}
    assert run(bpf.accept(96, LO), metadata=metadata) == kept
    assert run(bpf.accept(96, LO, returns(262144)), metadata=metadata) == kept
    assert run(bpf.accept(96, LO, bpf.REJECT_ALL), metadata=metadata) == 0


def test_a_removed_tag_selects_the_program():
    program = bpf.by_removed_tag(returns(7), returns(8, 600))
    assert run(program, metadata={SKF_AD_VLAN_TAG_PRESENT: 1}) == 7
    assert run(program, metadata={SKF_AD_VLAN_TAG_PRESENT: 0}) == 8


def test_the_hardware_type_selects_the_program():
    """Also across more instructions than a conditional jump can pass."""
    ethernet = returns(1, 300)
    cases = {1: ethernet, 772: ethernet, 65534: returns(2, 300), 768: returns(3)}
    program = bpf.by_hardware_type(cases, returns(4, 300))
    results = {kind: run(program, metadata={SKF_AD_HATYPE: kind}) for kind in (*cases, 512)}
    assert results == {1: 1, 772: 1, 65534: 2, 768: 3, 512: 4}
    assert len(program) == 1 + 2 * len(cases) + 901  # equal programs are written once


def test_cooked_fields_come_from_metadata_and_the_rest_from_the_network_header():
    cooked = (
        (LD_H_ABS, 0, 0, 14),
        (bpf.BPF_JMP_JEQ_K, 0, 5, 0x0800),
        (bpf.BPF_LDX_B_MSH, 0, 0, 16),
        (0x48, 0, 0, 16 + 2),  # ldh [x + 18]: the destination port
        (bpf.BPF_JMP_JEQ_K, 0, 2, 53),
        (bpf.BPF_LD_W_ABS, 0, 0, bpf.SKF_AD_OFF + SKF_AD_IFINDEX),
        (bpf.BPF_RET_K, 0, 0, 9),
        (bpf.BPF_RET_K, 0, 0, 0),
    )
    program = bpf.from_network_header(cooked)
    packet = b"?" * 6 + bytes([0x46]) + bytes(23) + b"\x00\x07\x00\x35"
    assert run(program, packet, {SKF_AD_PROTOCOL: 0x0800}, network=6) == 9
    assert run(program, packet, {SKF_AD_PROTOCOL: 0x0806}, network=6) == 0


@pytest.mark.parametrize("instruction", [(LD_H_ABS, 0, 0, 4), (0x48, 0, 0, 14)])
def test_other_cooked_fields_are_refused(instruction):
    with pytest.raises(bpf.NoMetadataError):
        bpf.from_network_header((instruction,))


def test_a_program_too_long_for_the_kernel_is_refused_with_its_length():
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as target,
        pytest.raises(OSError, match="5,000 instructions, and the kernel takes 4,096"),
    ):
        bpf.attach(target, returns(0, 5000))


class FullSocket:
    """A socket without room for another filter."""

    def setsockopt(self, *_arguments):
        raise OSError(errno.ENOMEM, "Cannot allocate memory")


def test_a_socket_without_room_names_the_setting():
    with pytest.raises(OSError, match="optmem_max leaves no room") as caught:
        bpf.attach(FullSocket(), returns(0, 1))
    assert caught.value.errno == errno.ENOMEM
    bpf.reject_all(FullSocket())  # the end of a capture does not fail for it
