"""EpollLoop: the events that it delivers, ignores, and counts."""

from __future__ import annotations

import os
import select
import socket
import threading
import time

import pytest

from core.net.event_loop import FOREVER, EpollLoop
from tests.helpers.waiting import PATIENCE_S


@pytest.fixture
def loop():
    made = EpollLoop()
    yield made
    made.close()


@pytest.fixture
def pair():
    left, right = socket.socketpair()
    left.setblocking(False)
    with left, right:
        yield left, right


def test_level_triggered_source_comes_back_until_it_is_read(loop, pair):
    left, right = pair
    seen = []
    loop.add(left, seen.append)
    right.send(b"12")
    assert [loop.run_once(), loop.run_once()] == [1, 1]
    left.recv(10)
    assert loop.run_once() == 0
    assert seen == [select.EPOLLIN, select.EPOLLIN]


def test_edge_triggered_source_comes_once_per_change(loop, pair):
    left, right = pair
    seen = []
    loop.add(left, seen.append, edge=True)
    right.send(b"1")
    assert [loop.run_once(), loop.run_once()] == [1, 0]
    right.send(b"2")
    assert [loop.run_once(), loop.run_once()] == [1, 0]
    assert len(seen) == 2


def test_modify_changes_the_events_and_the_trigger(loop, pair):
    left, _right = pair
    seen = []
    loop.add(left, seen.append)
    assert loop.run_once() == 0
    loop.modify(left, select.EPOLLOUT)
    assert [loop.run_once(), loop.run_once()] == [1, 1]
    loop.modify(left, select.EPOLLOUT, edge=True)
    assert [loop.run_once(), loop.run_once()] == [1, 0]
    assert set(seen) == {select.EPOLLOUT}


def test_hang_up_comes_with_the_data(loop, pair):
    left, right = pair
    seen = []
    loop.add(left, seen.append, select.EPOLLIN | select.EPOLLRDHUP)
    right.send(b"last bytes")
    right.close()
    loop.run_once()
    assert seen[0] & select.EPOLLIN
    assert seen[0] & select.EPOLLRDHUP
    assert left.recv(20) == b"last bytes"


def test_add_twice_and_modify_unknown_are_refused(loop, pair):
    left, right = pair
    loop.add(left, lambda _events: None)
    with pytest.raises(FileExistsError):
        loop.add(left, lambda _events: None)
    with pytest.raises(FileNotFoundError):
        loop.modify(right, select.EPOLLIN)


def test_event_of_a_source_removed_in_the_same_batch_is_ignored(loop):
    """Both sources are ready; the first handler removes the other one."""
    pairs = [socket.socketpair() for _ in range(2)]
    served = []

    def serve(me, other):
        served.append(me)
        loop.remove(other)

    first, second = (left for left, _right in pairs)
    loop.add(first, lambda _events: serve(first, second))
    loop.add(second, lambda _events: serve(second, first))
    for _left, right in pairs:
        right.send(b"x")
    assert loop.run_once() == 2
    assert len(served) == 1
    assert loop.counters.stale == 1
    for left, right in pairs:
        left.close()
        right.close()


def test_stale_event_does_not_reach_a_new_source_with_the_same_number(loop):
    """The first handler closes the other descriptor and opens one that gets its number."""
    pairs = [socket.socketpair() for _ in range(2)]
    fresh = socket.socketpair()
    wrong = []

    def replace(other):
        number = other.fileno()
        loop.remove(other)
        other.close()
        os.dup2(fresh[0].fileno(), number)
        loop.add(number, wrong.append)
        replaced.append(number)

    replaced = []
    first, second = (left for left, _right in pairs)
    loop.add(first, lambda _events: replaced or replace(second))
    loop.add(second, lambda _events: replaced or replace(first))
    for _left, right in pairs:
        right.send(b"x")
    assert loop.run_once() == 2
    assert len(replaced) == 1
    assert wrong == []
    loop.remove(replaced[0])
    os.close(replaced[0])
    for one in (*pairs[0], *pairs[1], *fresh):
        one.close()


def test_at_most_max_events_at_once_and_none_is_lost():
    loop = EpollLoop(max_events=2)
    pairs = [socket.socketpair() for _ in range(5)]
    served = set()
    for left, right in pairs:
        loop.add(left, lambda _events, one=left: (one.recv(1), served.add(one)))
        right.send(b"x")
    assert [loop.run_once() for _ in range(4)] == [2, 2, 1, 0]
    assert served == {left for left, _right in pairs}
    loop.close()
    for left, right in pairs:
        left.close()
        right.close()


@pytest.mark.parametrize(("timeout_ms", "at_least_s"), [(0, 0.0), (20, 0.02)])
def test_timeout(loop, timeout_ms, at_least_s):
    started = time.monotonic()
    assert loop.run_once(timeout_ms) == 0
    assert time.monotonic() - started >= at_least_s
    assert loop.counters.timeouts == 1


def test_any_thread_can_stop_a_waiting_loop(loop):
    thread = threading.Thread(target=loop.run)
    thread.start()
    loop.stop()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_calls_run_in_the_loop_thread_in_order(loop):
    ran = []
    thread = threading.Thread(target=loop.run)
    thread.start()
    for number in range(100):
        loop.call(lambda number=number: ran.append((number, threading.current_thread())))
    loop.stop()
    thread.join(PATIENCE_S)
    assert ran == [(number, thread) for number in range(100)]


def test_a_call_made_by_a_call_runs_in_the_next_pass(loop):
    ran = []
    loop.call(lambda: (ran.append(1), loop.call(lambda: ran.append(2))))
    loop.run_once()
    assert ran == [1]
    loop.run_once()
    assert ran == [1, 2]


def test_timer_runs_again_and_again_until_canceled(loop):
    beats = []
    began = time.monotonic()
    timer = loop.call_every(0.001, lambda: beats.append(time.monotonic()))
    while len(beats) < 3:
        loop.run_once(FOREVER)
    timer.canceled = True
    assert loop.run_once(5) == 0
    assert len(beats) == 3
    assert all(beat - began >= 0.001 * number for number, beat in enumerate(beats, 1))


def test_timers_run_under_a_flood_of_events(loop, pair):
    left, right = pair
    right.send(b"never read")
    loop.add(left, lambda _events: None)
    beats = []
    loop.call_every(0.001, lambda: beats.append(1))
    deadline = time.monotonic() + PATIENCE_S
    while not beats and time.monotonic() < deadline:
        assert loop.run_once(FOREVER) == 1
    assert beats


def test_exceptions_of_handlers_leave_the_loop(loop, pair):
    left, right = pair
    right.send(b"x")
    loop.add(left, lambda _events: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        loop.run()
    assert loop.counters.handlers_s > 0


def test_counters(loop, pair):
    left, right = pair
    loop.add(left, lambda _events: left.recv(1))
    loop.run_once(1)
    right.send(b"x")
    loop.run_once(1)
    counted = loop.counters
    assert (counted.waits, counted.wake_ups, counted.timeouts, counted.events) == (2, 1, 1, 1)
    assert counted.kernel_s >= 0.001
    assert counted is not loop.counters


def test_epoll_descriptor_is_close_on_exec():
    loop = EpollLoop()
    assert not os.get_inheritable(loop._epoll.fileno())
    assert not os.get_inheritable(loop._wake_up)
    loop.close()
