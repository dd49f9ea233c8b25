"""The advice in messages about protocols that rawscope does not read."""

from __future__ import annotations

import pytest

from core.analysis.filter.display_filter import compile_filter
from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.fields.unread_protocols import TEXTS, UNREAD
from core.analysis.filter.language.errors import FilterError


def test_each_filter_is_valid_and_each_name_unknown() -> None:
    assert [name for name in UNREAD if CATALOG.find(name)] == []
    for text in (*UNREAD.values(), *TEXTS.values()):
        compile_filter(text, CATALOG)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("dhcp", "rawscope does not read dhcp, but udp.port in {67, 68} may find it"),
        ("tcp and ssh.protocol", "rawscope does not read ssh, but tcp.port == 22 may find it"),
        ("lldp", "rawscope does not read lldp, but eth.type == 0x88cc may find it"),
        ('http.host == "a"', "rawscope has http, but not its fields"),
        (
            "http.request",
            'rawscope has http, but not its fields: http contains "GET" may find it',
        ),
        (
            "tls.handshake.type == 1",
            "rawscope has tls, but not its fields: tls contains 16:03 may find it",
        ),
        ("dns.qry.name", "rawscope has dns, but not its fields"),
    ],
)
def test_advice(text: str, end: str) -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter(text, CATALOG)
    assert caught.value.message.endswith(f"is not a field or protocol; {end}")
