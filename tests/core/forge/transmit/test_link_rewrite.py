"""MAC addresses and VLAN tags after the rules."""

from __future__ import annotations

import pytest

from core.forge.transmit.rewrite_rules import AddedTag, RewriteRules
from core.wire.link.vlan import VLAN
from core.wire.model.assigned_numbers import EtherType
from tests.core.forge.transmit.rewriting import rewritten

SOURCE, DESTINATION = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
FRAMES = [
    DESTINATION + SOURCE + b"\x08\x00" + bytes(range(46)),
    b"\xff" * 6 + SOURCE + b"\x08\x06" + b"arp",
    DESTINATION + SOURCE + b"\x81\x00\xb0\x05\x08\x00tagged",
    DESTINATION + SOURCE + b"\x88\xa8\x00\x07\x81\x00\x00\x08\x08\x00twice",
    DESTINATION + SOURCE + b"\x00\x05llc..",
    b"\x01" * 13,
    b"",
]
WHOLE = [len(frame) >= 14 for frame in FRAMES]


def test_addresses_of_whole_headers_change() -> None:
    new = bytes.fromhex("02aabbccddee")
    found, changed = rewritten(RewriteRules(source_mac=new), *FRAMES)
    assert found[:5] == [frame[:6] + new + frame[12:] for frame in FRAMES[:5]]
    assert found[5:] == FRAMES[5:]
    assert changed == WHOLE
    found, changed = rewritten(RewriteRules(destination_mac=DESTINATION), *FRAMES)
    assert found[1] == DESTINATION + FRAMES[1][6:]
    assert changed == [False, True] + [False] * 5
    assert found[2:] == FRAMES[2:]


def test_a_tag_is_added_outside_of_others_and_takes_their_priority() -> None:
    found, changed = rewritten(RewriteRules(tag=AddedTag(9)), *FRAMES)
    for frame, new in zip(FRAMES[:5], found, strict=False):
        assert new[:12] + new[16:] == frame
        assert new[12:14] == b"\x81\x00"
        assert VLAN["id"].number(new, 14) == 9
    assert [one[14] >> 4 for one in found[:5]] == [0, 0, 0xB, 0, 0]
    assert found[5:] == FRAMES[5:]
    assert changed == WHOLE
    given = AddedTag(4095, priority=1, dei=0, protocol=EtherType.PROVIDER_VLAN)
    found, _ = rewritten(RewriteRules(tag=given), *FRAMES)
    assert {one[12:16] for one in found[:5]} == {b"\x88\xa8\x2f\xff"}


def test_the_outermost_tag_is_removed() -> None:
    found, changed = rewritten(RewriteRules(removes_tag=True), *FRAMES)
    assert changed == [False, False, True, True, False, False, False]
    assert found[2] == DESTINATION + SOURCE + b"\x08\x00tagged"
    assert found[3] == DESTINATION + SOURCE + b"\x81\x00\x00\x08\x08\x00twice"
    for row in (0, 1, 4, 5, 6):
        assert found[row] == FRAMES[row]
    cut = DESTINATION + SOURCE + b"\x81\x00\xb0\x05\x08"
    assert rewritten(RewriteRules(removes_tag=True), cut) == ([cut], [False])


def test_a_tag_that_is_added_and_removed_leaves_nothing() -> None:
    once, _ = rewritten(RewriteRules(tag=AddedTag(77)), *FRAMES)
    assert rewritten(RewriteRules(removes_tag=True), *once)[0] == FRAMES


@pytest.mark.parametrize("missing", [0, 100])
def test_addresses_and_tag_at_once_in_frames_that_are_cut(missing: int) -> None:
    rules = RewriteRules(source_mac=DESTINATION, destination_mac=SOURCE, tag=AddedTag(1))
    found, _ = rewritten(rules, *FRAMES, missing=missing)
    assert found[0] == SOURCE + DESTINATION + b"\x81\x00\x00\x01" + FRAMES[0][12:]
