"""The state of streams after their quiet segments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.analysis.tcp.neighbors import MASK, Mask, Rows, after
from core.analysis.tcp.state import OfDirection, OfStream
from core.decode.header_positions import NOWHERE

if TYPE_CHECKING:
    from core.analysis.tcp.quiet import QuietRuns


def note_state(quiet: QuietRuns) -> None:
    near, memory = quiet.near, quiet.memory
    run = near.run
    there = np.flatnonzero(quiet.counts > 0)
    slots, last = near.slots[there], (near.starts + quiet.counts - 1)[there]
    memory.states.streams[slots, OfStream.SYN_TIME] = quiet.syn_time[there]
    memory.states.streams[slots, OfStream.INITIAL_RTT] = quiet.rtt[there]
    states = memory.states.directions[slots]
    states[:, :, OfDirection.SCALE] = quiet.scales[there]
    _note_bases(quiet, there, states)
    for way in (0, 1):
        newest = near.last[way][last]
        has = np.flatnonzero(newest >= near.starts[there])
        at = newest[has]
        row = states[has, way]
        was_behind = quiet.is_behind[there[has], way]
        row[:, OfDirection.CONTIGUOUS] = np.where(
            was_behind, row[:, OfDirection.CONTIGUOUS], near.end[at]
        )
        row[:, OfDirection.NEXT] = near.end[at]
        row[:, OfDirection.ACK] = run.acknowledgment[at]
        row[:, OfDirection.ACK_TIME] = run.time_ns[at]
        row[:, OfDirection.WINDOW] = run.window[at]
        row[:, OfDirection.FINDINGS] = quiet.findings[at]
        row[:, OfDirection.SACKED] = 0
        row[:, OfDirection.HAS_ACKED] |= ~near.is_syn[at]
        states[has, way] = row
        has_acked = near.is_ack[at]
        states[has[has_acked], 1 - way, OfDirection.IS_TRACKED] = 1
        mine = quiet.kept & (run.direction == way)
        _note_last(
            quiet,
            there,
            states,
            way,
            mine & (run.acknowledgment != quiet.acknowledged_before),
            ((OfDirection.ACK_PACKET, run.packet),),
        )
        _note_last(
            quiet,
            there,
            states,
            way,
            mine & ((near.end != quiet.next) | (quiet.next == 0)),
            ((OfDirection.NEXT_TIME, run.time_ns), (OfDirection.NEXT_PACKET, run.packet)),
        )
    memory.states.directions[slots] = states


def _note_last(
    quiet: QuietRuns,
    there: Rows,
    states: Rows,
    way: int,
    mask: Mask,
    columns: tuple[tuple[OfDirection, Rows], ...],
) -> None:
    """Note the values of the last segment of a mask in each run."""
    near = quiet.near
    last = np.maximum.reduceat(np.where(mask, near.index, NOWHERE), near.starts)[there]
    has = np.flatnonzero(last >= 0)
    for column, values in columns:
        states[has, way, column] = values[last[has]]
        if column is OfDirection.ACK_PACKET:
            states[has, way, OfDirection.DUPLICATES] = 0


def _note_bases(quiet: QuietRuns, there: Rows, states: Rows) -> None:
    """Note what relative numbers count from, where it was unknown."""
    near = quiet.near
    run, far = near.run, len(near.run.packet)
    firsts: list[Rows] = []
    acks: list[Rows] = []
    for way in (0, 1):
        mine = quiet.kept & (run.direction == way)
        for found, mask in ((firsts, mine), (acks, mine & near.is_ack)):
            index = np.where(mask, near.index, far)
            found.append(np.minimum.reduceat(index, near.starts)[there])
    for way in (0, 1):
        first, told = firsts[way], acks[1 - way]
        is_open = states[:, way, OfDirection.BASE] < 0
        own = np.flatnonzero(is_open & (first < told))
        at = first[own]
        states[own, way, OfDirection.BASE] = (run.sequence[at] - ~near.is_syn[at]) & MASK
        other = np.flatnonzero(is_open & (told < first))
        states[other, way, OfDirection.BASE] = (run.acknowledgment[told[other]] - 1) & MASK


def note_unacked(quiet: QuietRuns) -> None:
    """Note which segments the other side has not acknowledged."""
    near, memory = quiet.near, quiet.memory
    run = near.run
    last = near.starts + quiet.counts - 1
    for way in (0, 1):
        newest = near.last[1 - way][np.maximum(last, 0)]
        is_acked = (newest >= near.starts) & (quiet.counts > 0)
        is_acked &= near.is_ack[newest]
        acks = np.where(is_acked, run.acknowledgment[newest], NOWHERE)
        memory.acknowledge(near.slots[is_acked], way, acks[is_acked])
        sent = np.flatnonzero(quiet.sent & (run.direction == way))
        of_run = acks[near.ids[sent]]
        is_left = (of_run < 0) | (after(near.end[sent], of_run) > 0)
        left, of_run = sent[is_left], of_run[is_left]
        starts = run.sequence[left]
        is_partial = (of_run >= 0) & (after(of_run, starts) > 0)
        starts = np.where(is_partial, of_run, starts)
        columns = (starts, near.end[left], run.packet[left], run.time_ns[left])
        memory.add(near.slots[near.ids[left]], way, columns)
