"""Situations that no shared capture has: full and closed windows, probes, and reused ports."""

from __future__ import annotations

from tests.core.analysis.tcp.conversations import Sent, analyzed, chunk_of, findings

HANDSHAKE = [
    Sent(flags="syn", sequence=100),
    Sent(True, 500, 101, flags="syn ack", window=200),
    Sent(False, 101, 501),
]


def _marks(sent: list[Sent]) -> dict[int, set[str]]:
    found = analyzed(chunk_of(sent))
    return {number: findings(fields) for number, fields in found.items() if findings(fields)}


def test_a_window_fills_closes_is_probed_and_opens() -> None:
    sent = [
        *HANDSHAKE,
        Sent(False, 101, 501, 200),  # 4: fills the window of 200
        Sent(True, 501, 301, window=0),  # 5: closes it
        Sent(False, 301, 501, 1, after_ms=300),  # 6: asks
        Sent(True, 501, 301, window=0),  # 7: answers that it is still closed
        Sent(True, 501, 301, window=200),  # 8: opens it
        Sent(False, 301, 501, 100),
    ]
    assert _marks(sent) == {
        4: {"window_full"},
        5: {"zero_window"},
        6: {"zero_window_probe"},
        7: {"zero_window", "zero_window_probe_ack"},
        8: {"window_update"},
    }


def test_keep_alives_and_their_answers() -> None:
    sent = [
        *HANDSHAKE,
        Sent(False, 101, 501, 10),
        Sent(True, 501, 111, window=200),
        Sent(False, 110, 501, 1, after_ms=10_000),
        Sent(True, 501, 111, window=200),
    ]
    assert _marks(sent) == {6: {"keep_alive"}, 7: {"keep_alive_ack"}}


def test_another_syn_on_the_same_ports_starts_a_stream() -> None:
    again = [
        Sent(flags="syn", sequence=7_100),
        Sent(True, 900, 7_101, flags="syn ack"),
        Sent(False, 7_101, 901),
    ]
    found = analyzed(chunk_of([*HANDSHAKE, HANDSHAKE[0], *again]))
    assert [found[number]["tcp.stream"] for number in range(1, 8)] == [0, 0, 0, 0, 1, 1, 1]
    assert findings(found[4]) == {"retransmission"}
    assert findings(found[5]) == {"reused_ports"}
    assert found[5]["tcp.seq"] == 0


def test_a_late_fill_is_a_retransmission_that_fills_a_hole() -> None:
    """The hole appeared 40 ms before; the handshake took 2 ms."""
    sent = [
        *HANDSHAKE,
        Sent(False, 101, 501, 50),
        Sent(False, 201, 501, 50),
        Sent(False, 151, 501, 50, after_ms=40),
        Sent(False, 151, 501, 50),
    ]
    assert _marks(sent) == {
        5: {"lost_segment"},
        6: {"retransmission", "fills_hole"},
        7: {"retransmission"},
    }
    sent[5] = Sent(False, 151, 501, 50, after_ms=1)
    assert _marks(sent)[6] == {"out_of_order", "fills_hole"}
