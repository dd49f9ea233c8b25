"""The filters of packet kinds are valid, and name every protocol that they are about."""

from __future__ import annotations

import pytest

from core.analysis import packet_kinds
from core.analysis.filter.display_filter import compile_filter
from core.analysis.filter.fields.catalog import CATALOG


@pytest.mark.parametrize("name", ["BAD_CHECKSUM", "MALFORMED", "TRUNCATED", "TCP_RESET", "TCP_SYN"])
def test_the_filters_are_valid(name: str) -> None:
    assert compile_filter(getattr(packet_kinds, name), CATALOG).fields


def test_every_checksum_verdict_counts() -> None:
    """A new protocol with a checksum needs no other line."""
    status = {name for name in CATALOG.names() if name.endswith(".checksum.status")}
    assert compile_filter(packet_kinds.BAD_CHECKSUM, CATALOG).fields == status
