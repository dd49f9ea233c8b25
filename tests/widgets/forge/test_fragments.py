"""The addresses that the fragments of one datagram share."""

from __future__ import annotations

import pytest

from core.forge.compose.draft import Draft
from core.forge.compose.templates import TEMPLATES
from widgets.forge.fragments import with_address

PAIR = TEMPLATES["fragment-overlap"].drafts
WHOLE = Draft(("ip", "udp"), {"ip.id": "0x4242"})
PAIR_6 = tuple(
    Draft(("eth", "ipv6", "ipv6.fraghdr"), {"ipv6.fraghdr.ident": "7", **texts})
    for texts in ({"ipv6.fraghdr.more": "1"}, {"ipv6.fraghdr.offset": "2"})
)


def texts(drafts: tuple[Draft, ...], key: str) -> list[str]:
    return [draft.text(key) for draft in drafts]


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("key", ["ip.dst", "ip.src", "eth.dst"])
def test_an_address_goes_into_all_fragments(key: str, index: int) -> None:
    drafts = (PAIR[0], WHOLE, PAIR[1])
    found = with_address(drafts, index * 2, key, "192.0.2.7")
    assert texts(found, key) == ["192.0.2.7", "", "192.0.2.7"]
    assert texts(with_address(found, index * 2, key, ""), key) == ["", "", ""]


def test_an_ipv6_fragment_has_its_identification_in_a_header_of_its_own() -> None:
    found = with_address(PAIR_6, 0, "ipv6.dst", "2001:db8::7")
    assert texts(found, "ipv6.dst") == ["2001:db8::7"] * 2
    other = PAIR_6[1].with_text("ipv6.fraghdr.ident", "8")
    assert texts(with_address((PAIR_6[0], other), 0, "ipv6.dst", "::1"), "ipv6.dst") == ["::1", ""]


def test_the_identification_is_compared_as_a_number() -> None:
    drafts = (PAIR[0], PAIR[1].with_text("ip.id", str(0x4242)))
    assert texts(with_address(drafts, 1, "ip.dst", "::"), "ip.dst") == ["::"] * 2


def test_other_fields_and_other_datagrams_stay_apart() -> None:
    assert texts(with_address(PAIR, 0, "ip.ttl", "9"), "ip.ttl") == ["9", ""]
    other = PAIR[1].with_text("ip.id", "1")
    assert texts(with_address((PAIR[0], other), 0, "ip.dst", "::"), "ip.dst") == ["::", ""]
    assert texts(with_address((WHOLE, WHOLE), 0, "ip.dst", "::"), "ip.dst") == ["::", ""]
    inner = "ip.dst#2"
    assert texts(with_address(PAIR, 0, inner, "::"), inner) == ["::", ""]
