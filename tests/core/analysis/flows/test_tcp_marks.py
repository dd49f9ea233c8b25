"""The state of a connection by what each side has sent, and what is counted of its segments."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.flows.conversations import FlowCounter
from core.analysis.flows.level import Level
from core.analysis.flows.listing import FlowQuestion, listing_of
from core.analysis.flows.tcp_marks import TcpState
from core.analysis.tcp.flow_index import FlowIndex
from tests.core.analysis.tcp.conversations import Sent, chunk_of

SYN = Sent(flags="syn", sequence=100)
SYN_ACK = Sent(back=True, flags="syn ack", sequence=500, acknowledgment=101)
ACK = Sent(sequence=101, acknowledgment=501)
DATA = Sent(sequence=101, acknowledgment=501, length=10)
REPLY = Sent(back=True, sequence=501, acknowledgment=111)
FIN = Sent(flags="fin ack", sequence=111, acknowledgment=501)
FIN_BACK = Sent(back=True, flags="fin ack", sequence=501, acknowledgment=112)
RESET = Sent(back=True, flags="reset ack", sequence=501, acknowledgment=111)


def _listed(*sent: Sent) -> dict[str, object]:
    chunk = chunk_of(sent)
    counter = FlowCounter()
    counter.add(chunk, FlowIndex().append(chunk))
    listing = listing_of(FlowQuestion(), counter.tables[Level.TCP], counter.scale)
    assert len(listing) == 1
    names = ("retransmissions", "zero_windows", "resets")
    return {
        "state": listing.state(0),
        "rtt": listing.number("initial_rtt_ns", 0),
        **{name: tuple(listing.columns[name][0].tolist()) for name in names},
    }


@pytest.mark.parametrize(
    ("sent", "state"),
    [
        ([SYN], TcpState.HALF_OPEN),
        ([SYN, SYN_ACK], TcpState.HALF_OPEN),
        ([SYN, SYN_ACK, ACK], TcpState.OPEN),
        ([DATA], TcpState.OPEN),
        ([DATA, REPLY], TcpState.OPEN),
        ([SYN, DATA, REPLY], TcpState.OPEN),  # the SYN-ACK was not captured
        ([SYN, SYN_ACK, ACK, FIN], TcpState.HALF_CLOSED),
        ([SYN, SYN_ACK, ACK, FIN, FIN_BACK], TcpState.CLOSED),
        ([SYN, SYN_ACK, ACK, RESET], TcpState.RESET),
        ([DATA, RESET], TcpState.RESET),
        ([SYN, RESET], TcpState.REFUSED),
    ],
)
def test_states(sent: list[Sent], state: TcpState) -> None:
    assert _listed(*sent)["state"] is state


def test_findings_are_counted_by_direction() -> None:
    zero = Sent(back=True, sequence=501, acknowledgment=111, window=0)
    found = _listed(SYN, SYN_ACK, ACK, DATA, REPLY, DATA, zero, RESET)
    assert found == {
        "state": TcpState.RESET,
        "rtt": 2_000_000,
        "retransmissions": (1, 0),
        "zero_windows": (0, 1),
        "resets": (0, 1),
    }


def test_a_syn_on_known_ports_begins_another_conversation() -> None:
    chunk = chunk_of([SYN, SYN_ACK, ACK, Sent(flags="syn", sequence=9_000)])
    counter = FlowCounter()
    counter.add(chunk, FlowIndex().append(chunk))
    table = counter.tables[Level.TCP]
    assert np.sum(table.columns["packets"], axis=1).tolist() == [3, 1]
    assert table.columns["stream"].tolist() == [0, 1]
