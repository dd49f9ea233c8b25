"""Field names are Wireshark's, except for the few bits that it has no name for."""

from __future__ import annotations

import subprocess

from core.wire.registry import TABLES
from tests.helpers.support import require_peer
from tests.helpers.waiting import PATIENCE_S

UNNAMED = {
    "fr.first_ea",
    "geneve.option.type.number",
    "geneve.option.words",
    "icmp.ext.echo.bits",
    "icmpv6.mld.reserved",
    "icmpv6.opt.prefix.reserved",
    "ieee8021ad.type",
    "igmp.resv",
    "ipv6.opt.home_address",
    "nsh.reserved",
    "null.family_high",
    "null.type_high",
    "null.type_low",
    "null.unused",
    "sll.reserved",
    "vxlan.flags_reserved_1",
    "vxlan.flags_reserved_2",
    "vxlan.flags_reserved_3",
    "vxlan.flags_reserved_4",
}


def test_names_are_those_of_wireshark() -> None:
    answer = subprocess.run(
        [require_peer("tshark"), "-G", "fields"],
        capture_output=True,
        check=True,
        timeout=PATIENCE_S,
    )
    lines = answer.stdout.decode("utf-8", "replace").splitlines()
    known = {line.split("\t")[2] for line in lines if line.startswith("F\t")}
    assert {slot.name for table in TABLES for slot in table.slots} - known == UNNAMED
