"""Names beside the values of the detail tree."""

from __future__ import annotations

from core.analysis.names.name_table import NO_NAMES, NameTable
from core.analysis.names.tree_rows import with_name_rows
from core.analysis.names.vendors import Vendors, pack
from core.wire.dissect import dissect
from core.wire.link.link_types import LinkType
from core.wire.present.detail import each_row
from core.wire.present.detail_row import Row
from tests.helpers.scripted import tcp

ENDS = "192.0.2.1", "198.51.100.80"
FRAME = tcp(*ENDS, (40_000, 443), 2, (1, 0))
NAMES = NameTable(
    1,
    {"198.51.100.80": "web.example"},
    {("tcp", 443): "https"},
    Vendors(pack({(24, 0x020000): "Made Up"})),
)


def _meanings(rows: tuple[Row, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in rows:
        if row.field:
            found[row.field] = row.meaning
        found |= _meanings(row.children)
    return found


def test_vendors_hosts_and_services() -> None:
    rows = tuple(each_row(dissect(FRAME, LinkType.ETHERNET, len(FRAME))))
    assert with_name_rows(rows, NO_NAMES) == rows
    before, found = _meanings(rows), _meanings(with_name_rows(rows, NAMES))
    added = {name: text for name, text in found.items() if text != before[name]}
    assert added == {
        "eth.dst": "Made Up",
        "eth.src": "Made Up",
        "ip.dst": "web.example",
        "tcp.dstport": "https",
    }
