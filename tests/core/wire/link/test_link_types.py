"""Link types and their names."""

from __future__ import annotations

from core.wire.link.link_types import LinkType, is_read, link_type_name, unread_text
from core.wire.model.walk import Numbering
from core.wire.registry import PARSERS


def test_a_link_type_is_read_where_it_has_a_parser() -> None:
    assert {kind for kind in range(1 << 16) if is_read(kind)} == set(PARSERS[Numbering.LINK])
    assert set(LinkType) == set(PARSERS[Numbering.LINK])


def test_names_are_tcpdumps() -> None:
    assert link_type_name(1) == "ETHERNET"
    assert link_type_name(127) == "IEEE802_11_RADIOTAP"
    assert link_type_name(64999) == "link type 64999"


def test_unread_types_are_named_once() -> None:
    assert unread_text([1, 113, 276]) == ""
    said = unread_text([1, 127, 127, 105])
    assert "IEEE802_11_RADIOTAP, IEEE802_11:" in said
    assert "hex only" in said
    assert "ETHERNET" not in said
