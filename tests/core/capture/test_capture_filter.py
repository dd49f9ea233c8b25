"""Capture filters as programs for every kind of link, run by an interpreter."""

from __future__ import annotations

import pytest

from core.capture.bpf import (
    SKF_AD_HATYPE,
    SKF_AD_PROTOCOL,
    SKF_AD_VLAN_TAG,
    SKF_AD_VLAN_TAG_PRESENT,
)
from core.capture.capture_filter import LONGEST, CaptureFilter, compile_filter
from core.capture.filter_compiler import CaptureFilterError
from core.net.interfaces import ARPHRD_ETHER, ARPHRD_NONE
from tests.core.capture.bpf_interpreter import run

ARPHRD_PPP = 512
IP_UDP = bytes.fromhex("4500001c 00000000 40110000 0a000001 0a000002 0035 1234 0008 0000")
IP_FRAME = bytes(12) + b"\x08\x00" + IP_UDP
TAGGED_FRAME = bytes(12) + b"\x81\x00\x00\x05" + IP_FRAME[12:]


def test_without_a_text_nothing_is_compiled():
    assert compile_filter("  ") is None


def test_every_kind_of_link_on_its_own_and_among_all():
    udp = compile_filter(" udp port 53 ")
    assert (udp.text, udp.expression) == ("udp port 53", "udp port 53")
    tcp = compile_filter("tcp port 53")
    for filter_, passes in ((udp, True), (tcp, False)):
        everything = filter_.program_for_all()
        for kind, frame, network in (
            (ARPHRD_ETHER, IP_FRAME, 14),
            (ARPHRD_NONE, IP_UDP, 0),
            (ARPHRD_PPP, b"\xff\x03\x00\x21" + IP_UDP, 4),
        ):
            metadata = {SKF_AD_HATYPE: kind, SKF_AD_PROTOCOL: 0x0800}
            for program in (filter_.program(kind), everything):
                assert bool(run(program, frame, metadata, network)) is passes
    assert run(udp.program_for_ip(), IP_UDP)


@pytest.mark.parametrize(
    ("text", "removed", "in_frame", "untagged"),
    [
        ("vlan", True, True, False),
        ("vlan 5 and udp port 53", True, True, False),
        ("vlan 6", False, False, False),
        ("not vlan", False, False, True),
        ("udp port 53", True, False, True),  # as tcpdump: it does not look behind the tag
    ],
)
def test_tags_in_the_frame_and_removed_ones(text, removed, in_frame, untagged):
    program = compile_filter(text).program(ARPHRD_ETHER)
    tag = {SKF_AD_VLAN_TAG_PRESENT: 1, SKF_AD_VLAN_TAG: 0xE005}  # with a priority
    assert bool(run(program, IP_FRAME, tag)) is removed
    assert bool(run(program, TAGGED_FRAME)) is in_frame
    assert bool(run(program, IP_FRAME)) is untagged


def test_a_filter_for_some_links_is_refused_on_others_and_rejects_them_among_all():
    vlan = compile_filter("vlan")
    with pytest.raises(CaptureFilterError, match=r"^no VLAN support for Raw IP$"):
        vlan.program(ARPHRD_NONE)
    assert not run(vlan.program_for_all(), IP_UDP, {SKF_AD_HATYPE: ARPHRD_NONE})


def test_an_exclusion_also_applies_to_frames_with_a_tag():
    session = "not (udp port 4660)"
    for text in ("", "vlan 5 and udp", "udp"):
        both = compile_filter(text, session)
        tag = {SKF_AD_VLAN_TAG_PRESENT: 1, SKF_AD_VLAN_TAG: 5}
        assert not run(both.program(ARPHRD_ETHER), IP_FRAME, tag)
    assert both.expression == "(not (udp port 4660)) and (udp)"
    assert both == CaptureFilter("udp", session)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("udp) or (tcp", "can't parse filter expression: syntax error"),
        ("port 70000", "illegal port number 70000 > 65535"),
        ("tcp\nudp", "the filter contains a control character"),
        ("x" * (LONGEST + 1), "the filter is longer than 4,096 characters"),
    ],
)
def test_errors(text, message):
    with pytest.raises(CaptureFilterError) as caught:
        compile_filter(text, "not (tcp port 22)")
    assert str(caught.value) == message
