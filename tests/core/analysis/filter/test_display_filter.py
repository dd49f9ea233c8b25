"""Wireshark's own cases: filters that are valid, and filters that are refused.

The tables beside the shared captures say what tshark 4.6.9 does. A row is left out only if it names
a protocol or a computed field that rawscope does not have; `ABSENT` says what would bring it.
"""

from __future__ import annotations

import pytest

from core.analysis.filter.display_filter import compile_filter
from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.language.errors import FilterError
from tests.helpers.support import filter_rows, filters_dir

ABSENT = {
    "_ws.ftypes.int8": "a field of Wireshark's own tests",
    "bootp": "DHCP, which had this name before",
    "dhcp": "a dissector of DHCP",
    "dhcp.option.value": "a dissector of DHCP",
    "dhcp.server": "a dissector of DHCP",
    "eth.fcs.status": "a check of the frame check sequence",
    "http.host": "the fields of HTTP",
    "http.request.method": "the fields of HTTP",
    "icmp.resptime": "matching ICMP replies with their requests",
    "ipx.src.node": "a dissector of IPX",
    "tcp.window_size_scalefactor": "the window scale of the connection's handshake",
    "udp.time_relative": "time stamps of UDP conversations",
}


def absent_fields(row: dict[str, str]) -> list[str]:
    """Return the fields of a row that rawscope does not have."""
    return [name for name in row.get("fields", "").split() if name in ABSENT]


def test_absent_fields_are_absent() -> None:
    assert [name for name in ABSENT if CATALOG.find(name)] == []


@pytest.mark.parametrize("row", filter_rows("valid.tsv"), ids=lambda row: row["filter"])
def test_valid(row: dict[str, str]) -> None:
    filters_dir()
    if absent_fields(row):
        with pytest.raises(FilterError, match="is not a field or protocol"):
            compile_filter(row["filter"], CATALOG)
    else:
        compile_filter(row["filter"], CATALOG)


@pytest.mark.parametrize("row", filter_rows("errors.tsv"), ids=lambda row: row["filter"])
def test_refused(row: dict[str, str]) -> None:
    filters_dir()
    if row["tshark_4.6.9"].startswith("accepted") and not absent_fields(row):
        compile_filter(row["filter"], CATALOG)
        return
    with pytest.raises(FilterError) as caught:
        compile_filter(row["filter"], CATALOG)
    assert 0 <= caught.value.place.start <= len(row["filter"])


@pytest.mark.parametrize("row", filter_rows("cases.tsv"), ids=lambda row: row["filter"])
def test_every_case_is_valid(row: dict[str, str]) -> None:
    filters_dir()
    if not absent_fields(row):
        compile_filter(row["filter"], CATALOG)
