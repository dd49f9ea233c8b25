"""Types and words that Wireshark gives a field, and that a header table cannot tell.

A table gives the bits of a field; Wireshark's type is usually the smallest integer that holds the
bytes which they touch. The exceptions are here, since the type decides which literals a filter may
compare with the field, and how large they may be (``vlan.priority == 300`` is never true;
``ip.ttl == 300`` is an error). The words of flags are Wireshark's, and so are the numbers of
checksum verdicts, to which rawscope adds *offloaded*.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.analysis.filter.types import FilterType
from core.wire.model.dissection import Verdict

_T = FilterType

TYPES: Mapping[str, FilterType] = {
    "geneve.flags.reserved": _T.BOOLEAN,
    "geneve.option.flags.reserved": _T.BOOLEAN,
    "gre.flags.recursion_control": _T.UINT16,
    "gre.flags.reserved": _T.UINT16,
    "gre.flags.version": _T.UINT16,
    "icmp.pointer": _T.UINT32,
    "icmp.unused": _T.BYTES,
    "icmpv6.opt.src_linkaddr": _T.BYTES,
    "icmpv6.opt.target_linkaddr": _T.BYTES,
    "ieee8021ad.dei": _T.UINT16,
    "ieee8021ad.priority": _T.UINT16,
    "ipv6.fraghdr.reserved_bits": _T.UINT16,
    "ipv6.routing.rpl.cmprE": _T.UINT32,
    "ipv6.routing.rpl.cmprI": _T.UINT32,
    "ipv6.routing.rpl.pad": _T.UINT32,
    "ipv6.routing.rpl.reserved": _T.UINT32,
    "ipv6.tclass": _T.UINT32,
    "ipv6.tclass.dscp": _T.UINT32,
    "ipv6.tclass.ecn": _T.UINT32,
    "mpls.bottom": _T.UINT32,
    "mpls.exp": _T.UINT32,
    "mpls.label": _T.UINT32,
    "mpls.ttl": _T.UINT32,
    "nsh.CBit": _T.UINT16,
    "nsh.Obit": _T.UINT16,
    "nsh.length": _T.UINT16,
    "nsh.version": _T.UINT16,
    "tcp.flags.res": _T.BOOLEAN,
    "tcp.options.user_to_granularity": _T.BOOLEAN,
    "vlan.priority": _T.UINT16,
}
"""Types that differ from the one which the field's bits suggest."""

_SET = {1: "Set", 0: "Not set"}
_YES = {1: "Yes", 0: "No"}
TRUE_FALSE: Mapping[int, str] = {1: "True", 0: "False"}

FLAG_WORDS: Mapping[str, Mapping[int, str]] = {
    "fr.cr": {1: "Command", 0: "Response"},
    "fr.ea": {1: "Last Octet", 0: "More Follows"},
    "gre.flags": _YES,
    "icmpv6.nd": _SET,
    "icmpv6.opt": _SET,
    "ip.flags": _SET,
    "ipv6.fraghdr.more": _YES,
    "tcp.flags": _SET,
    "vlan.dei": {1: "Eligible", 0: "Ineligible"},
    "vxlan.flag_g": {1: "Defined", 0: "Not defined"},
}
"""The words of 1 and 0 of these booleans and of those inside them; others have `TRUE_FALSE`."""


def flag_words(name: str) -> Mapping[int, str]:
    """Return the words of a boolean field."""
    while name:
        if name in FLAG_WORDS:
            return FLAG_WORDS[name]
        name = name.rpartition(".")[0]
    return TRUE_FALSE


VERDICT_NUMBERS: Mapping[Verdict, int] = {
    Verdict.BAD: 0,
    Verdict.GOOD: 1,
    Verdict.UNVERIFIED: 2,
    Verdict.NOT_PRESENT: 3,
    Verdict.ILLEGAL: 4,
    Verdict.OFFLOADED: 5,
}
"""The values of ``*.checksum.status``: Wireshark's, and one for what only rawscope tells apart."""

VERDICT_WORDS: Mapping[int, str] = {
    number: verdict.name.capitalize().replace("_", " ")
    for verdict, number in VERDICT_NUMBERS.items()
}
VERDICT_ALIASES: Mapping[str, int] = {
    verdict.word: number for verdict, number in VERDICT_NUMBERS.items()
}

ALSO_AS: Mapping[str, tuple[str, ...]] = {"ip.version": ("ip.version", "ipv6.version")}
"""Fields that Wireshark finds in other headers, too: every IP header has an ``ip.version``."""
