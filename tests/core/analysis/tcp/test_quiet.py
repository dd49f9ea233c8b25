"""Whole columns say of segments what the exact evaluation says of one after the other."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from core.analysis.tcp import evaluation
from core.analysis.tcp.evaluation import FlowAnalysis
from core.analysis.tcp.flow_table import TCP_COLUMNS
from core.decode.chunk import Chunk
from tests.core.analysis.tcp.conversations import SEED, Sent, chunk_of
from tests.helpers.support import is_thorough

SCALE = bytes.fromhex("03030201")
SACK = bytes.fromhex("0101050a") + bytes([0, 0, 0, 16, 0, 0, 0, 32])


class _NeverQuiet:
    """Leaves all segments to the exact evaluation."""

    def __init__(self, run: Any, starts: np.ndarray, slots: np.ndarray, memory: Any) -> None:
        self.counts = np.zeros(len(starts), np.int64)

    def evaluate(self, found: Any, places: Any) -> None:
        """Evaluate nothing."""


def _columns(chunk: Chunk, part: int) -> tuple[dict[str, np.ndarray], FlowAnalysis]:
    analysis = FlowAnalysis(SEED)
    blocks = [
        analysis.analyze(chunk.rows(start, min(start + part, len(chunk)))).tcp
        for start in range(0, len(chunk), part)
    ]
    return {name: np.concatenate([each[name] for each in blocks]) for name in TCP_COLUMNS}, analysis


def _agree(chunk: Chunk, part: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Compare both ways; return how many packets the exact one evaluated beside columns."""
    monkeypatch.setattr(evaluation, "_LEAST_OF_ROUND", 1)
    found, analysis = _columns(chunk, part)
    with monkeypatch.context() as patch:
        patch.setattr(evaluation, "QuietRuns", _NeverQuiet)
        expected, _ = _columns(chunk, len(chunk))
    for name, column in expected.items():
        assert found[name].tolist() == column.tolist(), name
    return analysis.exact_packets


def _random_segment(rng: random.Random, ends: list[int], is_open: list[bool], port: int) -> Sent:
    """Return a segment, most often the next one of its direction, and note where it ends."""
    way = rng.randrange(2)
    sequence, acknowledgment = ends[way], ends[1 - way]
    window = rng.choice((1_000, 1_000, 1_000, 500, 100, 0))
    length, flags, options = 0, "ack", b""
    kind = rng.random()
    if not is_open[way] and kind < 0.6:
        flags = "syn ack" if is_open[1 - way] else "syn"
        acknowledgment = acknowledgment if is_open[1 - way] else 0
        options = rng.choice((b"", SCALE, SCALE))
    elif kind < 0.5:
        length = rng.choice((1, 10, 100))
    elif 0.75 <= kind < 0.85:
        sequence += rng.choice((-100, -10, -1, 1, 10, 100))
        length = rng.choice((0, 1, 10, 100))
    elif 0.85 <= kind < 0.92:
        acknowledgment += rng.choice((-100, -10, -5, 10))
    elif 0.92 <= kind < 0.95:
        options = SACK
    elif kind >= 0.95:
        flags = rng.choice(("fin ack", "fin ack", "reset", "reset ack"))
        acknowledgment = 0 if flags == "reset" else acknowledgment
    is_open[way] = True
    end = sequence + length + ("syn" in flags or "fin" in flags)
    ends[way] = max(ends[way], end)
    after_ms = rng.choice((0, 0.1, 1, 5, 30))
    ports = (port, 80)
    return Sent(way == 1, sequence, acknowledgment, length, flags, window, options, after_ms, ports)


def _random_conversations(rng: random.Random) -> list[Sent]:
    """Return segments of two conversations, with losses, repeats, and reused ports."""
    flows: dict[int, tuple[list[int], list[bool]]] = {}
    sent = []
    for _ in range(rng.randrange(3, 40)):
        port = 40_000 + rng.randrange(2)
        if port not in flows or rng.random() < 0.03:
            first = [rng.choice((0, 100, (1 << 32) - 50)), rng.choice((5_000, (1 << 32) - 120))]
            flows[port] = first, [False, False]
        sent.append(_random_segment(rng, *flows[port], port))
    return sent


@pytest.mark.parametrize(("part", "count"), [(1, 8), (5, 20), (64, 50)])
def test_random_conversations_agree(part: int, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(count if not is_thorough() else 20 * count):
        chunk = chunk_of(_random_conversations(random.Random(seed)))
        _agree(chunk, part, monkeypatch)


def _transfer(count: int, lost: frozenset[int] = frozenset()) -> list[Sent]:
    """Return a handshake and a transfer from the server; `lost` segments come again later."""
    sent = [
        Sent(flags="syn", options=SCALE),
        Sent(True, 500, 1, flags="syn ack", options=SCALE),
        Sent(False, 1, 501),
        Sent(False, 1, 501, 50),
        Sent(True, 501, 51),
    ]
    end = 501
    for number in range(count):
        if number in lost:
            sent.append(Sent(True, end + 100, 51, 100))
            sent += [Sent(False, 51, end)] * 3
            sent.append(Sent(True, end, 51, 100))
            end += 100
        else:
            sent.append(Sent(True, end, 51, 100))
        end += 100
        if number % 2:
            sent.append(Sent(False, 51, end, window=900 + number % 50))
    return [*sent, Sent(True, end, 51, flags="fin ack"), Sent(False, 51, end + 1, flags="fin ack")]


def test_a_clean_transfer_is_evaluated_by_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _agree(chunk_of(_transfer(300)), 100, monkeypatch) == 0


def test_columns_continue_after_losses(monkeypatch: pytest.MonkeyPatch) -> None:
    chunk = chunk_of(_transfer(300, frozenset({40, 41, 150})))
    assert 0 < _agree(chunk, 1 << 14, monkeypatch) < 50
