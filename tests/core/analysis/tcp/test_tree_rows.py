"""The rows of the detail tree about flows."""

from __future__ import annotations

import pytest

from core.analysis.filter.value_expression import row_expression
from core.analysis.tcp.flow_index import index_of
from core.analysis.tcp.tree_rows import with_flow_rows
from core.store.budget import Budget
from core.store.packet_store import PacketStore
from core.store.selected_packet import select_packet
from core.wire.present.detail_row import Row
from core.wire.present.faults import Faults
from tests.core.analysis.tcp.conversations import Sent, chunk_of
from tests.core.decode.support import ETHERNET_INTERFACE


def _tcp_rows(number: int) -> dict[str, Row]:
    """Return the rows of the TCP header of a packet, by field."""
    sent = [
        Sent(flags="syn", sequence=100),
        Sent(True, 500, 101, flags="syn ack"),
        Sent(False, 101, 501, 10),
        Sent(False, 101, 501, 10),
    ]
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.append_chunk(chunk_of(sent))
    snapshot = store.snapshot()
    index = index_of(snapshot)
    index.extend(snapshot, Budget())
    selected = select_packet(snapshot, number, Faults())
    assert selected is not None
    rows = with_flow_rows(selected.rows, index.published, number)
    (tcp,) = (row for row in rows if row.key == "tcp")
    return {row.field: row for row in tcp.children}


def test_relative_numbers_stand_beside_those_of_the_header() -> None:
    rows = _tcp_rows(3)
    names = list(rows)
    assert names.index("tcp.seq") == names.index("tcp.seq_raw") + 1
    assert names.index("tcp.ack") == names.index("tcp.ack_raw") + 1
    assert (rows["tcp.seq"].value, rows["tcp.ack"].value) == ("1", "1")
    assert rows["tcp.stream"].label == "[Stream index]"


def test_findings_and_durations_are_filters() -> None:
    rows = _tcp_rows(4)
    assert row_expression(rows["tcp.analysis.retransmission"]) == "tcp.analysis.retransmission"
    assert row_expression(rows["tcp.analysis.rto"]) == "tcp.analysis.rto == 0.001000000"
    assert "tcp.analysis.retransmission" not in _tcp_rows(3)


@pytest.mark.parametrize(
    ("number", "scale", "seen"),
    [
        (1, None, "nothing"),
        (2, None, "SYN"),
        (3, "no scaling", "SYN, SYN-ACK"),
        (4, "no scaling", "SYN, SYN-ACK, data"),
    ],
)
def test_numbers_that_tell_nothing_alone_have_words(
    number: int, scale: str | None, seen: str
) -> None:
    rows = _tcp_rows(number)
    assert rows["tcp.completeness"].meaning == seen
    factor = rows.get("tcp.window_size_scalefactor")
    assert (None if factor is None else factor.meaning) == scale
