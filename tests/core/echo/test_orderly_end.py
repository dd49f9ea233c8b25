"""The server sends its FIN once, after it has read and echoed every byte."""

from __future__ import annotations

from core.echo.orderly_end import OrderlyEnd


def test_nothing_owed_and_nothing_pending_ends_at_once():
    ending = OrderlyEnd(0)
    assert ending.has_read_all
    assert ending.wants_fin(pending=0)
    assert not ending.wants_fin(pending=1)


def test_owed_bytes_come_first():
    ending = OrderlyEnd(100)
    assert not ending.wants_fin(pending=0)
    ending.receive(60)
    assert not ending.has_read_all
    ending.receive(60)  # more than it is owed: they were read in the same turn
    assert ending.has_read_all
    assert not ending.wants_fin(pending=20)
    assert ending.wants_fin(pending=0)


def test_the_fin_is_sent_once():
    ending = OrderlyEnd(0)
    ending.sent_fin = True
    assert not ending.wants_fin(pending=0)
