"""Wireshark's own cases: filters that are valid, and filters that are refused.

The tables beside the shared captures say what tshark 4.6.9 does. A row is left out only if it names
a protocol or a computed field that rawscope does not have; `ABSENT` says what would bring it.
"""

from __future__ import annotations

import re

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
}
UNKNOWN = "is not a field or protocol"
SUBSTITUTES = {  # fields of the same types
    "_ws.ftypes.int8": "ip.ttl",
    "dhcp": "udp",
    "dhcp.option.value": "udp.payload",
    "dhcp.server": "tcp.payload",
    "http.host": "tcp.flags.str",
    "http.request.method": "tcp.flags.str",
    "tcp.seq": "tcp.seq_raw",
}
REASONS = {  # words of tshark's messages, and of those that mean the same here
    "String conversion for field": "string() does not take a",
    "Only fields can be used as parameter for string": "string() takes a field",
    "was unexpected in this context": "was unexpected in this context",
    "is not a valid protocol or protocol field": UNKNOWN,
    "Only a field may be tested for membership": "only a field can be in a set",
    "cannot be converted from a string": "it cannot be compared with a string",
    "is not a valid character escape sequence": "is not an escape",
    "Range is not supported for entity": "a range does not apply to a constant",
    "Only string type fields": "() takes text, not an unsigned 32-bit integer",
    "Matches requires a double quoted string": "takes a regular expression in double quotes",
    "isn't a valid character constant": "is not a character",
    "cannot be converted to Unsigned integer": 'is one word; put a space before "-" to subtract',
    "Unexpected data after time value": "is not a time zone",
    "Subsecond precision requires": "a fraction of a second needs the seconds before it",
    "is not a valid absolute time": "is not a date",
    "is not a valid byte string": "is neither a field nor bytes",
    "Constant expression is invalid": "this expression is the same for every packet",
    "' does not exist": "is not a function",
    "cannot be negated": "cannot be negated",
    "Unexpected end of filter expression": "unexpected end of the filter",
    'Expected digit or "["': 'expected a digit or "["',
    "cannot be sliced into": "has no ranges",
    'expected "': "is not a value of",
    "assertion failed: ftype": "the number goes on the right side of *",
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
        with pytest.raises(FilterError, match=UNKNOWN):
            compile_filter(row["filter"], CATALOG)
    else:
        compile_filter(row["filter"], CATALOG)


@pytest.mark.parametrize("row", filter_rows("errors.tsv"), ids=lambda row: row["filter"])
def test_refused(row: dict[str, str]) -> None:
    """For the reason that tshark has; with other fields in place of those that are absent."""
    filters_dir()
    text = row["filter"]
    for name in absent_fields(row):
        text = re.sub(rf"(?<![\w.]){re.escape(name)}(?![\w.])", SUBSTITUTES[name], text)
    if row["tshark_4.6.9"].startswith("accepted"):
        compile_filter(text, CATALOG)
        return
    with pytest.raises(FilterError) as caught:
        compile_filter(text, CATALOG)
    assert 0 <= caught.value.place.start <= caught.value.place.stop <= len(text)
    said, reason = row["message_4.6.9"], str(caught.value)
    (expected,) = [here for there, here in REASONS.items() if there in said]
    assert expected in reason


def test_each_reason_occurs() -> None:
    filters_dir()
    said = [row["message_4.6.9"] for row in filter_rows("errors.tsv")]
    assert [reason for reason in REASONS if not any(reason in each for each in said)] == []


@pytest.mark.parametrize("row", filter_rows("cases.tsv"), ids=lambda row: row["filter"])
def test_every_case_is_valid(row: dict[str, str]) -> None:
    filters_dir()
    if absent_fields(row):
        with pytest.raises(FilterError, match=UNKNOWN):
            compile_filter(row["filter"], CATALOG)
    else:
        compile_filter(row["filter"], CATALOG)
