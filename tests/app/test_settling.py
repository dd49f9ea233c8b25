"""Freezing: now and then, by how many clients came, and without keeping what is freed."""

from __future__ import annotations

import gc
import weakref

import pytest

from app.settling import CLIENTS_EACH, Settling


@pytest.fixture(autouse=True)
def thawed():
    yield
    gc.unfreeze()


def test_it_freezes_each_time_that_enough_clients_came():
    settling = Settling()
    counts = (0, CLIENTS_EACH - 1, CLIENTS_EACH, CLIENTS_EACH + 1, 3 * CLIENTS_EACH)
    assert [settling.note(count) for count in counts] == [False, False, True, False, True]
    assert not settling.note(5)  # another server, which starts anew
    assert settling.note(CLIENTS_EACH + 5)


def test_what_is_frozen_is_still_freed():
    class Client:
        pass

    before, client = gc.get_freeze_count(), Client()
    gone = weakref.ref(client)
    assert Settling().note(CLIENTS_EACH)
    assert gc.get_freeze_count() > before
    del client
    assert gone() is None
