"""Unfinished capture filters: each beginning of a filter is a filter, or incomplete."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from core.capture.capture_filter import compile_filter
from core.capture.filter_compiler import CaptureFilterError
from core.capture.filter_completion import LONGEST, continuations
from tests.helpers.support import ROOT
from tests.helpers.waiting import PATIENCE_S

FILTERS = [
    "tcp port 443 and not host 10.0.0.7",
    "udp portrange 5000-5010 or icmp6",
    "src net 10.0.0.0/8 and dst net 192.168.16.0/20",
    "net 10.1.0.0 mask 255.255.0.0",
    "host localhost and tcp port http",
    "ip6 host 2001:db8:0:1:2:3:4:5",
    "host fe80::1",
    "ip6 net 2001:db8::/32",
    "ether host 02:00:00:ab:cd:ef",
    "ether src 2:0:0:0:0:1 and not arp",
    "ether proto 0x88cc or ether proto \\arp",
    "vlan 17 and udp port 53",
    "mpls 100 and tcp",
    "(tcp or udp) and !(port 22 || port 53)",
    "tcp[13] & 2 != 0",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
    "icmp[icmptype] = icmp-echo",
    "((ip[0] & 0xf) << 2) > 20 && ip[6:2] & 0x1fff = 0",
    "less 100 or greater 1500",
    "len >= 60 and ether multicast",
    "ether broadcast or ip proto 47",
    "type mgt subtype beacon",
    "not tcp and not udp",
]

CHECK = """
import json, sys
from core.capture import libpcap_process
found = {}
for text, continuations in json.load(sys.stdin).items():
    jobs = [(link, text) for link in (1, 105)]
    more = [(link, one) for one in continuations for link in (1, 105)]
    answer = libpcap_process.answer({"path": sys.path, "jobs": jobs, "continuations": more})
    is_valid = not all(isinstance(one, str) for one in answer["results"])
    found[text] = "valid" if is_valid else "incomplete" if answer["is_incomplete"] else "wrong"
json.dump(found, sys.stdout)
"""


def judged(texts: list[str]) -> dict[str, str]:
    """Return what texts are, by one process with libpcap."""
    request = {text: [*continuations(text)] for text in texts}
    done = subprocess.run(
        [sys.executable, "-c", CHECK], input=json.dumps(request), cwd=ROOT,
        capture_output=True, text=True, check=True, timeout=PATIENCE_S,
    )  # fmt: skip
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_every_beginning_of_a_filter_is_valid_or_incomplete() -> None:
    prefixes = {text[:stop].strip() for text in FILTERS for stop in range(1, len(text))}
    found = judged([*FILTERS, *sorted(prefixes - {""})])
    assert not [text for text, kind in found.items() if kind == "wrong"]
    assert {found[text] for text in FILTERS} == {"valid"}


def test_texts_that_nothing_can_correct_are_wrong() -> None:
    texts = ["tcp und udp", "port 70000", "tcp)", "host no.such.name.", "xyzzy", "tcp[13] 2", "= 1"]
    assert set(judged(texts).values()) == {"wrong"}


@pytest.mark.parametrize(("text", "expected"), [("tcp and", True), ("tcp und udp", False)])
def test_the_error_says_whether_more_may_follow(text: str, expected: bool) -> None:
    with pytest.raises(CaptureFilterError, match="syntax error") as caught:
        compile_filter(text, "not (tcp port 22)")
    assert caught.value.is_incomplete is expected


def test_a_long_text_is_not_continued() -> None:
    assert not [*continuations("tcp or " * LONGEST)]
    assert all(one.startswith("tcp a") for one in continuations("tcp a"))
