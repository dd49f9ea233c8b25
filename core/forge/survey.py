"""Rails for many frames: where all those of a capture go, whose they are, and how dense they are.

A capture's frames are mostly alike, so they are told apart by what the rails look at (addresses,
and an ARP packet's claims) before each kind is examined once. What is remembered is remembered for
each; the questions name the first few of a sort and count the rest. More than `MOST_KINDS` kinds
are not examined one by one: that is asked about every time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from core.forge.rails import (
    MOST_PER_SECOND,
    Concern,
    Examination,
    Load,
    Look,
    Target,
    Unusual,
    volume,
)
from core.forge.this_machine import ThisMachine
from core.store.batch import Batch
from core.wire.ethernet import ETHERNET, EtherType
from core.wire.ipv4 import IPV4
from core.wire.ipv6 import IPV6

MOST_KINDS = 4096
MOST_TIMES = 1 << 20  # frames whose times are kept; of more, the count is asked about anyway
_NAMED = 3  # of each sort in the questions
_AT_ONCE = 8192
_HEAD = ETHERNET.size + IPV6.size  # bytes of a frame in which kinds differ; an ARP packet is less
_TYPE = ETHERNET["type"].span
_S = 1e-9


class Survey:
    """What frames that are to leave verbatim on an interface would have a person asked."""

    def __init__(
        self, interface: str, is_loopback: bool, machine: ThisMachine | None = None
    ) -> None:
        self.frames = 0
        self._interface = interface
        self._is_loopback = is_loopback
        self._machine = machine or ThisMachine()
        self._kinds: set[bytes] = set()
        self._is_complete = True
        self._concerns: dict[Concern, None] = {}
        self._targets: dict[str, Target] = {}
        self._times: list[NDArray[np.int64]] = []

    def add(self, batch: Batch) -> None:
        """Look at frames."""
        if self.frames < MOST_TIMES:
            self._times.append(batch.timestamp_ns.copy())
        self.frames += len(batch)
        for start in range(0, len(batch), _AT_ONCE):
            stop = min(len(batch), start + _AT_ONCE)
            offset, length = batch.offset[start:stop], batch.captured[start:stop].astype(np.int64)
            keys = _keys(batch.data, offset, length)
            _, firsts = np.unique(keys, return_index=True)
            for row in np.sort(firsts).tolist():
                self._note(keys[row].tobytes(), batch.data, int(offset[row]), int(length[row]))

    def densest(self, speed: float, loops: int) -> float:
        """The highest rate (frames a second) that `MOST_PER_SECOND` frames or more leave at."""
        if not self._times:
            return 0.0
        times = np.concatenate(self._times)
        due_s = np.maximum.accumulate(times - times[0]) * (_S / speed)
        rounds = min(loops, 2 + MOST_PER_SECOND // len(due_s))
        due_s = np.concatenate([due_s + number * due_s[-1] for number in range(rounds)])
        if len(due_s) <= MOST_PER_SECOND:
            return 0.0
        least_s = float((due_s[MOST_PER_SECOND:] - due_s[:-MOST_PER_SECOND]).min())
        return MOST_PER_SECOND / least_s if least_s else float("inf")

    def examination(self, load: Load, known: Collection[str]) -> Examination:
        """What there is to ask about them."""
        new = [concern for concern in self._concerns if concern.mark not in known]
        questions = [*_condensed(new), *volume(load)]
        if not self._is_complete:
            questions.append(
                f"There are more than {MOST_KINDS:,} kinds of frames: not all were looked at."
            )
        destination = next(iter(self._targets), "nobody")
        target = self._targets.get(destination, Target.OWN)
        marks = frozenset(concern.mark for concern in new if concern.mark)
        return Examination(destination, target, tuple(questions), marks)

    def _note(self, key: bytes, data: NDArray[np.uint8], offset: int, length: int) -> None:
        if key in self._kinds:
            return
        if len(self._kinds) == MOST_KINDS:
            self._is_complete = False
            return
        self._kinds.add(key)
        frame = data[offset : offset + length].tobytes()
        if len(frame) < ETHERNET.size:
            return  # it is left out
        look = Look(frame, True, self._interface, self._is_loopback, "", self._machine)
        self._targets.setdefault(look.destination, look.target)
        self._concerns.update(dict.fromkeys(look.concerns()))


def _keys(
    data: NDArray[np.uint8], offset: NDArray[np.int64], length: NDArray[np.int64]
) -> NDArray[np.void]:
    """(n,) of each frame what tells its kind: its head without what differs in any packet."""
    columns = np.arange(_HEAD)
    at = offset[:, None] + columns
    heads = np.zeros(at.shape, np.uint8)
    there = columns < length[:, None]
    heads[there] = data[at[there]]
    kind = heads[:, _TYPE.start].astype(np.uint16) << 8 | heads[:, _TYPE.start + 1]
    version = heads[:, ETHERNET.size] >> 4
    for table, number in ((IPV4, EtherType.IPV4), (IPV6, EtherType.IPV6)):
        rows = (kind == number) & (version == table["version"].field.default)
        keep = np.zeros(_HEAD, bool)
        keep[: ETHERNET.size] = True
        for key in ("src", "dst"):
            span = table[key].span.shifted(ETHERNET.size)
            keep[span.start : span.stop] = True
        heads[np.ix_(rows, ~keep)] = 0
    heads = np.column_stack((heads, np.minimum(length, _HEAD).astype(np.uint8)))
    return np.ascontiguousarray(heads).view(np.dtype((np.void, _HEAD + 1))).ravel()


def _condensed(concerns: list[Concern]) -> list[str]:
    """The sentences, each once; of one sort the first few, and how many more there are."""
    by_kind: dict[Unusual, dict[str, None]] = defaultdict(dict)
    for concern in concerns:
        by_kind[concern.kind][concern.sentence] = None
    told: list[str] = []
    for kind, sentences in by_kind.items():
        first = list(sentences)[:_NAMED]
        told += first
        if len(sentences) > len(first):
            told.append(f"{len(sentences) - len(first):,} more {kind.value} are like these.")
    return told
