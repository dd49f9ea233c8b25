"""The first ``vlan`` of a filter becomes a test of the removed tag."""

from __future__ import annotations

import pytest

from core.capture.vlan_keyword import with_removed_tag

PRESENT, TAG = "(ether[0xfffff030:1] = 1)", "ether[0xfffff02c:2] & 0xfff = "


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("vlan", PRESENT),
        ("not vlan and tcp", f"not {PRESENT} and tcp"),
        ("vlan 5", f"({TAG}5)"),
        ("vlan 0x1f and ip", f"({TAG}0x1f) and ip"),
        ("(vlan(5)) and udp", f"(({TAG}5)) and udp"),
        ("vlan ((7)) or arp", f"({TAG}7) or arp"),
        ("vlan&&vlan 6", f"{PRESENT}&&vlan 6"),
        ("tcp port 80 or vlan 5 and vlan", f"tcp port 80 or ({TAG}5) and vlan"),
        ("tcp", None),
        ("ether proto \\vlan", None),
        ("host vlan-5.example", None),
        ("host my.vlan", None),
        ("geneve and vlan", None),
        ("vlan 5x", f"{PRESENT} 5x"),
    ],
)
def test_first_keyword(text, changed):
    assert with_removed_tag(text) == changed
