"""The content of the status bar, as values and as words. No drawing, no clock.

The bar is one line, and terminals are narrow, so every part has a rank. The parts that the user
must not miss (state, packets, dropped) stay at any width, in a shorter form if needed; the others
are dropped one after another, the least needed first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from core.wire.model.text import safe
from widgets.lines.cells import cut, width_of

BARS = "▁▂▃▄▅▆▇█"
EXACT_BELOW = 1_000_000  # larger counts get a decimal prefix
SPARK_SAMPLES = 10
NAME_MOST = 28  # cells for the interfaces or the file name
RECORDING = "recording"  # a target of clicks
FILTER_MOST = 32  # cells for the capture filter
LEAST_BEHIND = 1 << 16  # packets; an idle host analyzes them in a tenth of a second
WIDE_JOINT = "   "  # before a group of parts


class StatusState(Enum):
    """The state of the program: a sign, and a word beside it."""

    IDLE = ("–", "idle")
    LIVE = ("●", "live")
    PAUSED = ("‖", "paused")
    STOPPED = ("■", "stopped")
    READING = ("▸", "reading")
    DONE = ("■", "file")
    FAILED = ("■", "error")

    @property
    def sign(self) -> str:
        """Return one character."""
        return str(self.value[0])

    @property
    def word(self) -> str:
        """Return the word for the sign."""
        return str(self.value[1])


@dataclass(frozen=True, slots=True)
class RecordingLine:
    """A recording: the newest file, its bytes, and the packets that were not recorded."""

    name: str
    size: int = 0
    lost: int = 0
    has_failed: bool = False


@dataclass(frozen=True, slots=True)
class StatusLine:
    """Everything that the bar shows. `clock` is text: the bar has no clock of its own.

    `source` names the interfaces or the file. `rates` are packets per second, oldest first, the
    last one current; empty for a file. `arrived` counts the packets that arrived since the user
    paused the view, `lost` those of the view that the store evicted since then. `progress` is the
    share of a file that was read, 0 to 1. `faults` counts the packets that rawscope failed to
    describe. `capture_filter` selects what is captured. `behind` counts the packets whose flows are
    not analyzed yet; the line shows it from `LEAST_BEHIND` on.
    """

    state: StatusState
    source: str = ""
    packets: int = 0
    rates: Sequence[float] = ()
    bytes_per_s: float = 0.0
    dropped: int = 0
    evicted: int = 0
    arrived: int = 0
    lost: int = 0
    progress: float | None = None
    clock: str = ""
    faults: int = 0
    recording: RecordingLine | None = None
    capture_filter: str = ""
    behind: int = 0


class StatusStyle(Enum):
    """The color of a part."""

    PLAIN = "plain"
    QUIET = "quiet"
    GOOD = "good"
    HELD = "held"
    BAD = "bad"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the line. Rank 0 always stays; the highest rank is dropped first.

    `short` replaces `text` if there is no room for it. `joint` separates the part from the one
    before it. A click on it is one on `target`.
    """

    text: str
    look: StatusStyle
    rank: int
    short: str = ""
    joint: str = "  "
    target: str = ""


def si(value: float, unit: str) -> str:
    """Return a number with three digits and a decimal prefix: ``41.2k/s``, ``34.0 MB/s``."""
    for prefix in ("", "k", "M", "G"):
        if abs(value) < 999.5 or prefix == "G":
            break
        value /= 1000
    digits = 0 if prefix == "" or value >= 99.95 else 1
    return f"{value:.{digits}f}{' ' if unit[:1] in ('B', 'b') else ''}{prefix}{unit}"


def count_text(count: int) -> str:
    """Return all digits of a small count, else a prefix: ``48``, ``12,345``, ``3.4M``."""
    return f"{count:,}" if count < EXACT_BELOW else si(count, "")


def sparkline(samples: Sequence[float], most: int = SPARK_SAMPLES) -> str:
    """Return the last samples as bars, the highest one full; only zeros are a row of low bars."""
    recent = list(samples)[-most:]
    top = max(recent, default=0)
    if top <= 0:
        return BARS[0] * len(recent)
    return "".join(BARS[round(max(0, sample) / top * (len(BARS) - 1))] for sample in recent)


def _state_part(line: StatusLine) -> Part:
    state = line.state
    word, short = state.word, ""
    if state is StatusState.PAUSED and line.lost:
        short = f"{state.sign} {word} (+{line.arrived:,})"
        word += f" (+{line.arrived:,}; {line.lost:,} evicted)"
    elif state is StatusState.PAUSED:
        word += f" (+{line.arrived:,})"
    elif state is StatusState.READING and line.progress is not None:
        word += f" {int(line.progress * 100)}%"
    look = {
        StatusState.LIVE: StatusStyle.GOOD,
        StatusState.FAILED: StatusStyle.BAD,
        StatusState.PAUSED: StatusStyle.HELD,
    }
    style = look.get(state, StatusStyle.PLAIN)
    target = RECORDING if state is StatusState.LIVE else ""
    return Part(f"{state.sign} {word}", style, 0, short, " ", target)


def _recording_part(recording: RecordingLine) -> Part:
    if recording.has_failed:
        return Part("rec failed", StatusStyle.BAD, 1, target=RECORDING)
    size = si(recording.size, "B")
    lost = f" lost {recording.lost:,}" if recording.lost else ""
    name = cut(safe(recording.name), NAME_MOST)
    look = StatusStyle.BAD if recording.lost else StatusStyle.HELD
    return Part(f"● rec {name} {size}{lost}", look, 1, f"● rec{lost}", target=RECORDING)


def parts_of(line: StatusLine) -> list[Part]:
    """Return the parts from left to right; the clock, if any, is last."""
    dropped = Part(
        f"dropped {line.dropped:,}",
        StatusStyle.BAD if line.dropped else StatusStyle.QUIET,
        0,
        f"dropped {si(line.dropped, '')}" if line.dropped > 9999 else "",
        WIDE_JOINT,
    )
    look = StatusStyle.HELD if line.evicted else StatusStyle.QUIET
    evicted = Part(f"evicted {line.evicted:,}", look, 4, joint=" · ")
    noun = "pkt" if line.packets == 1 else "pkts"
    short = f"{si(line.packets, '')} {noun}"
    packets = Part(f"{line.packets:,} {noun}", StatusStyle.PLAIN, 0, short, WIDE_JOINT)
    parts = [Part("rawscope", StatusStyle.NAME, 7)]
    if line.source:
        parts.append(Part(cut(safe(line.source), NAME_MOST), StatusStyle.PLAIN, 1))
    parts.append(_state_part(line))
    if line.recording is not None:
        parts.append(_recording_part(line.recording))
    if line.capture_filter:
        words = cut(safe(line.capture_filter), FILTER_MOST)
        parts.append(Part(f"only {words}", StatusStyle.HELD, 1, "filtered"))
    parts.append(packets)
    if line.rates:
        parts.append(Part(f"{si(line.rates[-1], '/s')}", StatusStyle.PLAIN, 2))
        parts.append(Part(sparkline(line.rates), StatusStyle.GOOD, 6, joint=" "))
        parts.append(Part(si(line.bytes_per_s, "B/s"), StatusStyle.PLAIN, 3))
    parts += [dropped, evicted]
    if line.behind >= LEAST_BEHIND:
        text = f"TCP {si(line.behind, '')} behind"
        parts.append(Part(text, StatusStyle.QUIET, 4, joint=" · "))
    if line.faults:
        text = f"failed {line.faults:,}"
        parts.append(Part(text, StatusStyle.BAD, 0, f"failed {si(line.faults, '')}", " · "))
    if line.clock:
        parts.append(Part(line.clock, StatusStyle.QUIET, 5))
    return parts


def _width(parts: Sequence[Part]) -> int:
    texts = sum(width_of(part.text) for part in parts)
    return texts + sum(len(part.joint) for part in parts[1:])


def fit(parts: Sequence[Part], width: int) -> list[Part]:
    """Return the parts that fit in `width` cells.

    Rank by rank, the highest first, shorten the parts that have a short form, then drop them; those
    of rank 0 are only shortened.
    """
    kept = list(parts)
    for rank in sorted({part.rank for part in parts}, reverse=True):
        if _width(kept) > width:
            kept = [
                replace(part, text=part.short or part.text) if part.rank == rank else part
                for part in kept
            ]
        while rank and _width(kept) > width and any(part.rank == rank for part in kept):
            kept.remove(next(part for part in kept if part.rank == rank))
    return kept
