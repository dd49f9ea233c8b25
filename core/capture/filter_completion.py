"""Texts that continue an unfinished capture filter, to tell it from a wrong one.

libpcap says only "syntax error" about ``tcp and`` as about ``tcp und``. A text is unfinished if
some continuation makes it a filter. `continuations` returns those to try: the last word completed,
then an operand, then the parentheses that are open. libpcap refuses a wrong one in about 5 µs.

The words are those of pcap-filter(7), and names in the files of this host that libpcap searches.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

LONGEST = 1024  # characters of a text for which continuations are tried
_NAMES = tuple(Path("/etc", name) for name in ("hosts", "networks", "protocols", "services"))
_MOST_WORDS = 24  # completions of a word
_WORD = re.compile(r"[\w.:/\\-]*$")
_NUMBER = re.compile(r"[\da-fA-F.:/x-]+")
_CLOSING = {"(": ")", "[": "]"}
_WORDS = (
    "aarp action addr1 addr2 addr3 addr4 address1 address2 address3 address4 ah and ap arp "
    "atalk broadcast carp clnp dccp decnet dir direction dst elc3 esis esp ether fddi gateway "
    "geneve greater host icmp icmp-echo icmp-echoreply icmp-ireq icmp-ireqreply icmp- "
    "maskreply icmp-maskreq icmp-paramprob icmp-redirect icmp-routeradvert icmp-routersolicit "
    "icmp-sourcequench icmp-timxceed icmp-tstamp icmp-tstampreply icmp-unreach icmp6 "
    "icmp6code icmp6type icmpcode icmptype ifindex igmp igrp inbound ip ip6 ipx isis iso l1 "
    "l2 lat len less link llc lsap mask moprc mopdl mpls multicast net netbeui not or "
    "outbound pim port portrange ppp pppoed pppoes proto protochain ra radio rarp rnr rr sctp "
    "src stp subtype ta tcp tcp-ack tcp-cwr tcp-ece tcp-fin tcp-push tcp-rst tcp-syn tcp-urg "
    "tcpflags tr type udp vlan vrrp wlan beacon mgt ctl data tods fromds dstods nods assoc- "
    "req probe-req deauth auth ack rts cts "
)
_KEYWORDS = tuple(_WORDS.split())
_OPERANDS = (
    "", " tcp", " 1", " 1.2.3.4", " host 1.2.3.4", " port 1", " proto 1", " 1:2:3:4:5:6", " 1-2",
    " 255.255.255.255", " ::1/128", " > 1", " host 1:2:3:4:5:6", " mgt", " beacon", " tods", " ::1",
)  # fmt: skip
_ENDS = {
    "=": ("= 1",), "!": ("= 1",), "<": ("= 1", "< 1 = 1"), ">": ("= 1", "> 1 = 1"),
    "&": ("& tcp",), "|": ("| tcp",), "[": ("0",), "\\": ("tcp", "ip"),
}  # fmt: skip
_RELATION = " = 1"


def continuations(text: str) -> Iterator[str]:
    """Yield texts that begin with `text` and may be filters, the usual ones first."""
    if len(text) > LONGEST:
        return
    seen = set()
    for base in _completed(text):
        for operand in _OPERANDS:
            for whole in _closed(base + operand):
                if whole not in seen:
                    seen.add(whole)
                    yield whole


def _completed(text: str) -> Iterator[str]:
    """Yield the text itself, and with its last word completed."""
    yield text
    found = _WORD.search(text)
    word = found.group() if found else ""
    for ending in _ENDS.get(text[-1:], ()):
        yield text + ending
    if _NUMBER.fullmatch(word):
        for digits in _rest_of_number(word):
            yield text + digits
    if word:
        bare = word.lstrip("\\")
        longer = [one for one in (*_KEYWORDS, *_local_names()) if one.startswith(bare)]
        for one in longer[:_MOST_WORDS]:
            yield text + one[len(bare) :]


def _rest_of_number(word: str) -> Iterator[str]:
    """Yield ends of addresses, prefix lengths, ranges, and numbers in hex."""
    yield from ("1", "/32", "-9")
    if "/" in word:
        yield from ("0", "2", "3", "4", "5", "6", "7", "8", "9", "32", "128", "28")
    quads = word.count(".")
    for digits in ("", "0", "5", "55", "255"):
        yield digits + ".255" * (3 - quads)
    for separator in ":-":
        groups = word.count(separator) + 1
        first = "1" if word.endswith(separator) else ""
        for most in (6, 8):
            yield first + f"{separator}1" * (most - groups)
    yield ":1" if word.endswith(":") else "::1"


def _closed(text: str) -> Iterator[str]:
    """Yield the text with what is open closed; a relation may follow any of it."""
    closing = _to_close(text)
    yield text + closing
    for at in range(len(closing) + 1):
        yield text + closing[:at] + _RELATION + closing[at:]


def _to_close(text: str) -> str:
    opened: list[str] = []
    for character in text:
        if character in _CLOSING:
            opened.append(_CLOSING[character])
        elif opened and character == opened[-1]:
            opened.pop()
    return "".join(reversed(opened))


@lru_cache(maxsize=1)
def _local_names() -> Sequence[str]:
    """Return the names of hosts, networks, protocols, and services in the files of this host."""
    found: dict[str, None] = {}
    for path in _NAMES:
        try:
            lines = path.read_text(errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            found |= dict.fromkeys(line.partition("#")[0].split())
    return tuple(found)
