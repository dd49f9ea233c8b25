"""Wireshark's own cases: how many packets of a capture pass each filter.

The counts beside the shared filters are those of tshark 4.6.9, run with TZ=UTC. A row is left out
only if it names a field that rawscope does not have (`test_display_filter.ABSENT`), and only until
it has that field: until then, the filter must be refused because of it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import cache

import pytest

from core.analysis.filter.display_filter import compile_filter
from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.language.errors import FilterError
from tests.core.analysis.filter.capture_values import Capture
from tests.core.analysis.filter.test_display_filter import ABSENT, UNKNOWN, absent_fields
from tests.helpers.support import filter_rows, filters_dir


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the local time zone to UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@cache
def capture(name: str) -> Capture:
    """Return a capture beside the shared filters."""
    return Capture(filters_dir() / "captures" / name)


@pytest.mark.parametrize(
    "row", filter_rows("cases.tsv") + filter_rows("valid.tsv"), ids=lambda row: row["filter"]
)
def test_count(row: dict[str, str]) -> None:
    filters_dir()
    if absent := absent_fields(row):
        with pytest.raises(FilterError, match=UNKNOWN) as caught:
            compile_filter(row["filter"], CATALOG)
        assert any(f'"{name}"' in str(caught.value) for name in absent)
        return
    selected = row.get("selected_frame")
    found = capture(row["capture"]).passing(row["filter"], int(selected) if selected else None)
    assert len(found) == int(row["count_4.6.9"])


def test_each_reason_to_leave_out_a_row_is_needed() -> None:
    filters_dir()
    tables = ("cases.tsv", "valid.tsv", "errors.tsv")
    rows = [row for table in tables for row in filter_rows(table)]
    assert {name for row in rows for name in absent_fields(row)} == ABSENT.keys()


EDGES = [  # "Sharp edges" of the specification that the tables do not have
    ("sip.pcapng", "udp.port != 5060", 1),
    ("sip.pcapng", "udp.port === 5060", 2),
    ("http.pcap", "any tcp.port === 80", 1),
    ("sip.pcapng", "udp.port > 5060", 3),
    ("sip.pcapng", "all udp.port > 5060", 0),
    ("sip.pcapng", "udp.port in {5060}", 5),
    ("sip.pcapng", "all udp.port in {5060,5070}", 5),
    ("sip.pcapng", "udp.port not in {5060}", 1),
    ("sip.pcapng", "all udp.port not in {5060}", 4),
    ("http.pcap", "udp.port != 80", 0),
    ("http.pcap", "not udp.port == 80", 1),
    ("http.pcap", "count(udp.port) == 0", 1),
    ("http.pcap", "count(udp.port)", 0),
    ("http.pcap", "tcp.flags.syn", 1),
    ("http.pcap", "tcp.flags & 2", 0),
    ("http.pcap", "tcp.flags & 2 == 0", 1),
    ("http.pcap", "ip.src & 255.0.0.0 == 10.0.0.0", 1),
    ("http.pcap", "tcp[13] == 24", 1),
    ("http.pcap", "tcp[13] == 18", 0),
    ("http.pcap", "tcp[13] == 0x18", 1),
    ("http.pcap", "ip.src[0] == 10", 1),
    ("http.pcap", "ip.src[0] == 0a", 1),
    ("http.pcap", "ip.src[0] == 0x0a", 1),
    ("ipv6.pcap", "ipv6.dst[15:1] == 99", 0),
    ("http.pcap", "frame[0:2] == 0x00e0", 0),
    ("http.pcap", "frame contains 48:", 1),
    ("http.pcap", 'frame contains "H"', 1),
    ("sip.pcapng", "frame[37] == fc:", 1),
    ("http.pcap", "frame[1000] == 00", 0),
    ("http.pcap", "frame[1000] != 00", 1),
    ("http.pcap", "frame[1000]", 0),
    ("http.pcap", "frame[-4:2] == 0d:0a", 1),
    ("http.pcap", "frame[-4--2] == 0d:0a:0d", 1),
    ("http.pcap", "frame[-1:] == 0a", 1),
    ("http.pcap", "frame[-4:10] == 0d:0a:0d:0a", 1),
    ("http.pcap", "frame[0-1,-2:] == 00:e0:0d:0a", 1),
    ("ipoipoip.pcap", "ip.addr#2 == 4.4.4.4", 1),
    ("ipoipoip.pcap", "ip.addr#[-5]", 1),
    ("ipoipoip.pcap", "ip.addr#0", 0),
    ("http.pcap", "10.0.0.5 == ip.src", 1),
    ("http.pcap", "80 < tcp.port < 4000", 1),
    ("sip.pcapng", "5060 <= udp.port <= 5070", 5),
    ("dhcp.pcap", "udp.dstport == 68 -1", 2),
    ("dhcp.pcap", "ip.proto == ip.len - 311", 2),
    ("http.pcap", "ip.ttl / 0 == 1", 0),
    ("http.pcap", "ip.ttl % 0 == 0", 0),
    ("http.pcap", "ip.ttl == -1", 0),
    ("http.pcap", "ip.ttl == 0200", 1),
    ("http.pcap", "ip.ttl == 0b10000000", 1),
    ("http.pcap", r"ip.ttl == '\x80'", 1),
    ("http.pcap", "ip.src == 10.0.0.5/8", 1),
    ("http.pcap", "ip.src <= 10.0.0.0/8", 1),
    ("http.pcap", "ip.src < 10.0.0.0/8", 0),
    ("http.pcap", "ip.addr in {10.0.0.0/8}", 1),
    ("http.pcap", "frame.time_delta < 0.7", 0),
    ("http.pcap", 'ip.proto == "tcp"', 1),
    ("http.pcap", 'ip.flags.df == "Set"', 1),
    ("http.pcap", "ip.flags.df == 2", 1),
    ("http.pcap", r'string(ip.src) matches r"^10\."', 1),
    ("http.pcap", 'tcp.payload matches "head"', 1),
    ("http.pcap", 'tcp.payload matches "(?-i)head"', 0),
    ("http.pcap", 'frame matches "^HEAD"', 0),
    ("http.pcap", 'tcp.payload matches "^HEAD"', 1),
    ("http.pcap", "tcp xor ip", 0),
    ("sip.pcapng", "max(5060, 5070) == udp.srcport", 1),
    ("http.pcap", "tcp == 0c:c3", 0),
    ("http.pcap", "tcp == tcp", 1),
    ("http.pcap", "len(tcp) == 20", 1),
    ("http.pcap", "\ttcp.port \r\n== 80", 1),
    ("http.pcap", "tcp.port==80&&ip", 1),
]


@pytest.mark.parametrize(("name", "text", "count"), EDGES)
def test_edge(name: str, text: str, count: int) -> None:
    assert len(capture(name).passing(text)) == count
