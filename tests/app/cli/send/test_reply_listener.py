"""Listening for answers: how long, and with which delays."""

from __future__ import annotations

import os
import time

import pytest

from app.cli.interrupts import Interrupts
from app.cli.send import reply_listener
from app.cli.send.reply_listener import ReplyListener
from core.capture.session import DRAIN_S
from core.decode.batch import Batch, CaptureInterface
from core.forge.observe.outcome import Outcome
from core.forge.observe.tracker import MOST_REPLIES, Track
from core.forge.values import SendMethod
from core.net.sockets import LOCAL_SOCKETS
from core.store.captured_packet import CapturedPacket
from core.wire.link.link_types import LinkType
from tests.helpers.scripted import ACK, HOST, RST, SERVER, START_NS, SYN, Frame, batch, tcp

PORTS = (51999, 81)
COPY = Frame(tcp(HOST, SERVER, PORTS, SYN, (1000, 0)), 1000)
RESET = Frame(tcp(SERVER, HOST, PORTS[::-1], RST | ACK, (0, 1001)), 250)
LOOKS = [[COPY, RESET], [COPY, RESET], [COPY, RESET, RESET]]


class ScriptedSource:
    """Has a batch for each read, and no more after the last."""

    def __init__(self, looks: list[list[Frame]]) -> None:
        self._event = os.eventfd(1)
        self._looks = looks
        self._turn = 0

    def fileno(self) -> int:
        return self._event

    def read(self) -> Batch | None:
        self._turn += 1
        if self._turn % 2 == 0 or not self._looks:
            return None
        return batch(self._looks.pop(0), START_NS)

    def close(self) -> None:
        os.close(self._event)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[list[Frame]]:
    """Return the frames that a listener's source delivers."""
    scripted: list[list[Frame]] = []

    def opened(name: str, _options: object, add: object, _sockets: object) -> ScriptedSource:
        assert callable(add)
        add(CaptureInterface(name, LinkType.ETHERNET))
        return ScriptedSource(scripted)

    monkeypatch.setattr(reply_listener, "open_source", opened)
    return scripted


def heard_of(track: Track, seconds: float, *, one_answer: bool) -> list[int | None]:
    """Return the reported delays of the replies; the copy is reported once."""
    told: list[int | None] = []
    copies = 0

    def heard(track: Track, seen: CapturedPacket) -> None:
        nonlocal copies
        if track.outcome.copy is seen:
            copies += 1
        else:
            assert track.newest is not None
            told.append(track.newest.delay_ns)

    with ReplyListener("eth0", LOCAL_SOCKETS, [track], heard, one_answer=one_answer) as listener:
        listener.listen(seconds, Interrupts())
    assert copies == 1
    return told


def test_all_answers_are_waited_for(looks: list[list[Frame]]) -> None:
    """Each delay counts from the copy before it, not from the first."""
    looks += LOOKS
    track = Track(Outcome(COPY.data, SendMethod.LINK))
    assert heard_of(track, 0.1, one_answer=False) == [250_000, 250_000, 250_000, 500_000]
    assert track.reply_count == 4
    assert looks == []


def test_one_answer_is_enough_for_one_packet(looks: list[list[Frame]]) -> None:
    looks += LOOKS
    heard_of(Track(Outcome(COPY.data, SendMethod.LINK)), 60, one_answer=True)
    assert looks != []


class LateSource(ScriptedSource):
    """Hands over nothing at first, as a ring whose block is not full."""

    def __init__(self, looks: list[list[Frame]], early_reads: int) -> None:
        super().__init__(looks)
        self._early_reads = early_reads

    def read(self) -> Batch | None:
        if self._early_reads:
            self._early_reads -= 1
            return None
        return super().read()


def test_sent_packets_are_waited_for_without_a_wait_for_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The kernel hands them over a moment after they left."""
    clock = [1000.0]

    def monotonic() -> float:
        clock[0] += DRAIN_S / 10
        return clock[0]

    monkeypatch.setattr(time, "monotonic", monotonic)
    scripted = [[COPY]]

    def opened(name: str, _options: object, add: object, _sockets: object) -> ScriptedSource:
        assert callable(add)
        add(CaptureInterface(name, LinkType.ETHERNET))
        return LateSource(scripted, 3)

    monkeypatch.setattr(reply_listener, "open_source", opened)
    assert heard_of(Track(Outcome(COPY.data, SendMethod.LINK)), 0, one_answer=True) == []
    assert clock[0] < 1000 + DRAIN_S, "and no longer than that takes"


def test_many_replies_are_reported_but_not_kept(looks: list[list[Frame]]) -> None:
    looks.append([COPY] + [RESET] * (MOST_REPLIES + 10))
    track = Track(Outcome(COPY.data, SendMethod.LINK))
    told = heard_of(track, 0.05, one_answer=False)
    assert len(told) == track.reply_count == MOST_REPLIES + 10
    assert len(set(told)) == len(told)
    assert len(track.outcome.replies) == MOST_REPLIES
