"""A wake-up stops reading in time: no byte is lost, nothing stalls or spins, the end is noticed.

A wake-up reads once, until a short read, or until EAGAIN; level- or edge-triggered. Only an
edge-triggered client that is read once may stall, since the switch exists to show that.
"""

from __future__ import annotations

import socket

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from core.echo.options import READ_SIZE, Drain, EchoOptions, Switches, Trigger
from core.echo.snapshot import CloseReason
from tests.core.echo.scripted_kernel import Act, Kind, run
from tests.core.echo.serving import Served, receive_exactly, reset

DRAINS = (None, *Drain)
BUDGET = 8
FIRST = 1  # the identifier of a server's first client


def _stalls(trigger, drain):
    return trigger is Trigger.EDGE and drain is Drain.ONCE


def _sends(*sizes):
    return [Act(Kind.SEND, size) for size in sizes]


# -- a scripted kernel -------------------------------------------------------------------------

_SIZES = st.integers(1, 3 * BUDGET)
_ACTS = st.lists(
    st.one_of(
        st.builds(Act, st.sampled_from((Kind.SEND, Kind.SEND, Kind.URGENT, Kind.TAKE)), _SIZES),
        st.builds(
            Act,
            st.sampled_from(
                (Kind.LOSE, Kind.FILL, Kind.SIGNAL, Kind.PAUSE, Kind.RESUME, Kind.LOG, Kind.UNLOG)
            ),
        ),
    ),
    max_size=20,
)
_ENDS = st.sampled_from((None, Kind.END, Kind.RESET))
_ROOM = 1 << 20
_BACK = [Act(Kind.FILL), Act(Kind.TAKE, _ROOM), Act(Kind.RESUME)]  # whatever happened before


@given(
    acts=_ACTS,
    end=_ENDS,
    schedule=st.lists(st.integers(0, 3), max_size=30),
    trigger=st.sampled_from(Trigger),
    drain=st.sampled_from(DRAINS),
    budget=st.sampled_from((1, BUDGET, READ_SIZE)),
    room=st.sampled_from((0, 10, _ROOM)),
    high_water=st.sampled_from((4, 1 << 20)),
    turn=st.sampled_from((2, 16)),
)
def test_every_interleaving(acts, end, schedule, trigger, drain, budget, room, high_water, turn):
    ends = [] if end is None else [Act(end)]
    ran = run(
        [*acts, *ends, *_BACK],
        trigger,
        Switches(budget, drain),
        schedule=schedule,
        room=room,
        options=EchoOptions(high_water=high_water),
        reads_per_turn=turn,
    )
    kernel, closed = ran.kernel, ran.context.totals.closed
    assert kernel.echoed == kernel.sent[: len(kernel.echoed)]
    assert ran.figure("urgent") <= len(kernel.marks_shown)
    if _stalls(trigger, drain):
        return
    if end is Kind.RESET:
        assert closed[CloseReason.RESET] == 1
    else:
        assert kernel.echoed == kernel.sent
        assert ran.figure("bytes_in") == len(kernel.sent)
        assert closed[CloseReason.FINISHED] == (end is Kind.END)
    if not schedule:
        assert ran.figure("urgent") == kernel.marks_reached


@pytest.mark.parametrize("trigger", Trigger)
@pytest.mark.parametrize("drain", DRAINS)
@pytest.mark.parametrize("gap", range(2 * BUDGET + 2))
@pytest.mark.parametrize("behind", [0, 1, BUDGET, 2 * BUDGET])
def test_the_mark_at_every_place_around_the_border_of_a_read(trigger, drain, gap, behind):
    acts = [Act(Kind.PAUSE), *_sends(*[gap] * bool(gap)), Act(Kind.URGENT, 1)]
    acts += [*_sends(*[behind] * bool(behind)), Act(Kind.RESUME)]
    ran = run(acts, trigger, Switches(BUDGET, drain))
    if not _stalls(trigger, drain):
        assert ran.kernel.echoed == ran.kernel.sent
        assert ran.figure("urgent") == 1


@pytest.mark.parametrize("trigger", Trigger)
@pytest.mark.parametrize("drain", DRAINS)
@pytest.mark.parametrize("size", [0, 1, BUDGET - 1, BUDGET, BUDGET + 1, 16 * BUDGET, 40 * BUDGET])
@pytest.mark.parametrize("end", [Kind.END, Kind.RESET])
@pytest.mark.parametrize("before_call", range(6))
def test_the_end_beside_any_call_is_seen(trigger, drain, size, end, before_call):
    """The end arrives with the bytes, before the read, between read and write, or later."""
    schedule = [0] * before_call + [2]
    acts = [*_sends(*[size] * bool(size)), Act(end)]
    ran = run(acts, trigger, Switches(BUDGET, drain), schedule=schedule)
    if not _stalls(trigger, drain):
        assert not ran.kernel.client.is_open
    if end is Kind.END and not _stalls(trigger, drain):
        assert ran.kernel.echoed == ran.kernel.sent


@pytest.mark.parametrize("trigger", Trigger)
@pytest.mark.parametrize("drain", DRAINS)
@pytest.mark.parametrize("before_call", range(24))
@pytest.mark.parametrize(
    "late",
    [[Act(Kind.END)], [Act(Kind.RESET)], [Act(Kind.URGENT, 1), Act(Kind.SEND, 3)]],
    ids=["end", "reset", "urgent"],
)
def test_events_while_the_client_is_queued_are_handled(trigger, drain, before_call, late):
    acts = [*_sends(7 * BUDGET + 1), *late]
    ran = run(
        acts, trigger, Switches(BUDGET, drain),
        schedule=[0] * before_call + [len(late)], reads_per_turn=2,
    )  # fmt: skip
    if _stalls(trigger, drain):
        return
    assert ran.kernel.client.is_open == (len(late) > 1)
    if late[0].kind is not Kind.RESET:
        assert ran.kernel.echoed == ran.kernel.sent


def test_an_urgent_byte_behind_a_gap_wakes_nobody_until_the_gap_is_closed():
    acts = [Act(Kind.LOSE), *_sends(3), Act(Kind.URGENT, 1), *_sends(5), Act(Kind.FILL)]
    for drain in DRAINS:
        ran = run([*acts, *acts], Trigger.LEVEL, Switches(BUDGET, drain))
        assert ran.kernel.echoed == ran.kernel.sent
        assert ran.figure("urgent") == 2


@pytest.mark.parametrize("trigger", Trigger)
@pytest.mark.parametrize("drain", DRAINS)
def test_urgent_bytes_while_the_server_ends_in_good_order(trigger, drain):
    owed = [Act(Kind.PAUSE), *_sends(3), Act(Kind.URGENT, 2), *_sends(40), Act(Kind.DRAIN)]
    late = [Act(Kind.LOSE), *_sends(3), Act(Kind.URGENT, 1), *_sends(5), Act(Kind.FILL)]
    ran = run([*owed, *late, Act(Kind.END)], trigger, Switches(BUDGET, drain))
    assert ran.kernel.echoed == ran.kernel.sent[:45]
    assert ran.kernel.shut
    assert ran.context.totals.discarded == 9
    assert ran.context.totals.closed[CloseReason.DRAINED] == 1
    assert ran.figure("urgent") == 1


def test_reading_a_mark_changes_no_interest():
    acts = [Act(Kind.PAUSE), Act(Kind.RESUME), *_sends(3), Act(Kind.URGENT, 1), *_sends(5)]
    for trigger in Trigger:
        for drain in DRAINS:
            ran = run(acts, trigger, Switches(BUDGET, drain))
            assert ran.kernel.modifications == 2, "pause and resume"


def test_a_signal_at_the_mark_does_not_end_the_bytes():
    acts = [Act(Kind.SIGNAL), Act(Kind.PAUSE), Act(Kind.URGENT, 1), *_sends(5), Act(Kind.RESUME)]
    for trigger in Trigger:
        for drain in (None, Drain.SHORT, Drain.EAGAIN):
            ran = run(acts, trigger, Switches(BUDGET, drain))
            assert ran.kernel.echoed == ran.kernel.sent


def _cost(sizes, trigger, drain, *, logged=False):
    """Return the reads, and the EAGAINs among them, of messages that arrive one by one."""
    acts = [Act(Kind.LOG)] * logged + _sends(*sizes)
    ran = run(acts, trigger, Switches(BUDGET, drain))
    assert ran.kernel.echoed == ran.kernel.sent
    assert ran.figure("reads") == ran.kernel.reads
    return ran.figure("reads"), ran.figure("eagains")


@pytest.mark.parametrize("trigger", Trigger)
def test_a_short_read_spares_the_one_that_gets_eagain(trigger):
    assert _cost([3, 3, 3], trigger, Drain.SHORT) == (3, 0)
    assert _cost([3, 3, 3], trigger, Drain.EAGAIN) == (6, 3)
    assert _cost([BUDGET + 1], trigger, Drain.SHORT) == (2, 0)
    assert _cost([BUDGET], trigger, Drain.SHORT) == (2, 1), "a full read says nothing"


def test_an_edge_triggered_client_with_a_log_shows_eagain_unless_the_switch_says_more():
    assert _cost([3, 3], Trigger.EDGE, None) == (2, 0)
    assert _cost([3, 3], Trigger.EDGE, None, logged=True) == (4, 2)
    assert _cost([3, 3], Trigger.EDGE, Drain.SHORT, logged=True) == (2, 0)
    assert _cost([3, 3], Trigger.EDGE, Drain.EAGAIN) == (4, 2)
    assert _cost([3, 3], Trigger.LEVEL, None, logged=True) == (2, 0)


# -- real sockets ------------------------------------------------------------------------------

_REAL = st.lists(
    st.tuples(st.sampled_from((0, 0, socket.MSG_OOB)), st.integers(1, 3 * BUDGET)), max_size=12
)


@pytest.mark.parametrize("trigger", Trigger)
@pytest.mark.parametrize("drain", DRAINS)
@settings(max_examples=25, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    pieces=_REAL,
    waits=st.lists(st.booleans(), min_size=12, max_size=12),
    end=st.sampled_from(("close", "half-close", "reset")),
    budget=st.sampled_from((1, BUDGET, READ_SIZE)),
)
def test_real_sockets(trigger, drain, pieces, waits, end, budget):
    """If `waits` is set, the client waits for the echo before it sends more."""
    with Served() as served:
        served.do(served.server.set_switches, Switches(budget, drain))
        client = served.connect(served.listen(trigger))
        awaited = bytearray()
        for (flag, size), wait in zip(pieces, waits, strict=False):
            data = bytes((len(awaited) + at) % 251 for at in range(size))
            client.send(data, flag)
            awaited += data
            if wait and not _stalls(trigger, drain):
                assert receive_exactly(client, len(awaited)) == awaited
                awaited.clear()
        if end == "half-close":
            client.shutdown(socket.SHUT_WR)
        if _stalls(trigger, drain):  # until somebody looks again
            served.until(lambda s: s.totals.accepted)
            served.do(served.server.pause_client, FIRST)
            served.do(served.server.set_switches, Switches(READ_SIZE, Drain.EAGAIN))
            served.do(served.server.pause_client, FIRST, False)
        if end == "reset":
            reset(client)
        else:
            assert receive_exactly(client, len(awaited) + (end == "half-close")) == awaited
            client.close()
        totals = served.until(lambda s: sum(s.totals.closed.values()), "its end").totals
    assert totals.bytes_in == totals.bytes_out + totals.unsent
    assert totals.closed[CloseReason.FINISHED] + totals.closed[CloseReason.RESET] == 1
