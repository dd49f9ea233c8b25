"""The packets that the templates make."""

from __future__ import annotations

import pytest

from core.forge.compose.evaluation import evaluate
from core.forge.compose.templates import TEMPLATES, Template
from core.wire.dissect import dissect
from core.wire.link.link_types import LinkType
from core.wire.present.summary import summarize


def made(template: Template) -> list[str]:
    """Return Info of each packet of a template, with a destination filled in."""
    found = []
    for draft in template.drafts:
        aim = evaluate(draft).missing_destination
        assert aim is not None
        address = "2001:db8::1" if draft.layers[0] == "ipv6" else "192.0.2.1"
        evaluation = evaluate(draft.with_text(aim.key, address))
        assert not evaluation.errors
        link = LinkType.ETHERNET if draft.has_link else LinkType.RAW
        if draft.layers[0] == "ipv6":
            link = LinkType.IPV6
        read = dissect(evaluation.data, link, len(evaluation.data))
        assert read.stop is None
        found.append(summarize(read).info)
    return found


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_makes_whole_packets_of_its_kind(name: str) -> None:
    infos = made(TEMPLATES[name])
    words = {
        "tcp-syn": "[SYN]",
        "tcp-ack": "[ACK]",
        "tcp-rst": "[RST]",
        "udp": "40000 → 9",
        "dns-query": "Standard query 0x1234 A example.org",
        "icmp-echo": "Echo request",
        "icmpv6-echo": "Echo request",
        "arp-who-has": "Who has",
        "christmas-tree": "[FIN, PSH, URG]",
        "fragment-overlap": "ragment",
    }
    assert words[name].lower() in infos[-1].lower()
