"""Output of ``rawscope replay``: progress once a second, and the result.

A wait of a second or more is reported when it begins and once a minute, with the time of the next
frame. With ``--json`` all are objects on standard output, one a line, with an ``event``:
``progress``, and at the end, also after an error, ``sent``.
"""

from __future__ import annotations

import json
import math
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.cli.output import CommandError, CommandOutput, print_message
from core.forge.journal.audit import Audit
from core.forge.replay_job import ReplayForecast, ReplayPlan
from core.forge.review.confirmation import about, duration_text
from core.forge.transmit.replay import ReplayCounts
from core.forge.transmit.rewrite_rules import RewriteRules
from core.forge.transmit.tx_ring import TxRing
from core.wire.link.ethernet import ETHERNET
from core.wire.link.link_types import link_type_name
from core.wire.model.text import safe

REPORT_S = 1.0
_REMIND_S = 60.0  # between two reports of one wait
_LONG_WAIT_S = 60.0  # a wait that deserves the hint


class ReplayReport:
    """The observer of one replay: writes frames to the audit, and reports how many left.

    Implements `core.forge.transmit.replay.ReplayObserver`. `of` is the number of frames to send, or
    None if it is unknown. The first report of a long wait ends with `hint`, if there is one.
    """

    def __init__(
        self,
        interface: str,
        of: int | None,
        ring: TxRing,
        audit: Audit | None,
        as_json: bool,
        hint: str = "",
        rules: RewriteRules = RewriteRules(),  # noqa: B008 - a frozen value
        shows_bits: bool = False,
    ) -> None:
        self._interface = interface
        self._shows_bits = shows_bits
        self._bytes = self._last = 0  # of the frames that left, and of the last one
        self._of = of
        self._ring = ring
        self._audit = audit
        self._json = as_json
        self._hint = hint
        self._rules = rules
        self._next_s = -math.inf  # when the frame that was last reported as the next is due
        self._output = CommandOutput()
        self._began_s = self._said_s = time.monotonic()
        self._leaving = np.zeros(0, np.int64)  # the lengths of the frames being sent
        self._written = 0  # frames

    def leaving(
        self, data: NDArray[np.uint8], offset: NDArray[np.int64], captured: NDArray[np.int64]
    ) -> None:
        """Write the frames to the audit. Raises `CommandError`: then they are not sent."""
        self._leaving = captured
        if self._audit is None:
            return
        try:
            self._audit.note_frames(self._interface, data, offset, captured)
        except OSError as error:
            raise CommandError(
                f"the audit {safe(str(self._audit.path))}: {error.strerror}; stopped before the "
                "frames that it cannot record"
            ) from error
        self._written += len(captured)

    def left(self, count: int) -> None:
        """Take back the frames that did not leave, and report the progress."""
        unsent = self._leaving[count:]
        self._bytes += int(self._leaving[:count].sum())
        self._last = int(self._leaving[count - 1]) if count else self._last
        if self._audit is not None and len(unsent):
            self._take_back(self._audit, unsent)
        now_s = time.monotonic()
        if now_s - self._said_s >= REPORT_S:
            self._said_s = now_s
            self._progress()

    def waiting(self, wait_s: float) -> None:
        """Report the time of the next frame if the wait is long, and report it again in between."""
        now_s = time.monotonic()
        is_new = abs(now_s + wait_s - self._next_s) > REPORT_S / 2
        if wait_s < REPORT_S or not (is_new or now_s - self._said_s >= _REMIND_S):
            return
        self._said_s, self._next_s = now_s, now_s + wait_s
        self._progress(wait_s)

    def _take_back(self, audit: Audit, unsent: NDArray[np.int64]) -> None:
        try:
            audit.take_back(self._interface, unsent)
        except OSError as error:
            print_message(
                f"rawscope: {safe(str(audit.path))}: {error.strerror}; "
                f"the last {len(unsent):,} frames in it did not leave"
            )
        self._written -= len(unsent)

    def end(self, total: ReplayCounts, interrupted: bool) -> None:
        """Report the result; an interrupted replay did not reach all frames."""
        frames = total.frames if self._of is None else max(self._of, total.frames)
        elapsed_s = time.monotonic() - self._began_s
        if self._json:
            self._line(
                {
                    "event": "sent",
                    **_counts(total, frames, self._ring.sent, self._rules),
                    "written_down": None if self._audit is None else self._written,
                    "interrupted": interrupted,
                    "seconds": round(elapsed_s, 6),
                    "interface": self._interface,
                }
            )
        else:
            self._text(
                f"sent {self._ring.sent:,} of {_frames(frames)} in {elapsed_s:.3f} s"
                f"{self._rates(elapsed_s)}{_rewritten(total, self._rules)}"
                f"{', interrupted' if interrupted else ''}"
            )
        report_left_out(self._interface, total)
        if self._audit is not None:
            path = safe(str(self._audit.path))
            written = _frames(self._written) if self._written else "nothing"
            print_message(f"rawscope: {written} recorded in {path}")

    def _rates(self, elapsed_s: float) -> str:
        """Return the rates reached, from the first frame to the last; nothing for one frame."""
        if self._ring.sent < 2 or not elapsed_s:
            return ""
        words = f", {(self._ring.sent - 1) / elapsed_s:,.0f} per second"
        if self._shows_bits:
            words += f", {(self._bytes - self._last) * 8 / elapsed_s / 1e6:,.3g} Mbit/s"
        return words

    def _progress(self, wait_s: float | None = None) -> None:
        """Print the progress; `wait_s` is the time until the next frame, if it is to be shown."""
        next_at = None if wait_s is None else time.time() + wait_s
        if self._json:
            self._line(
                {
                    "event": "progress",
                    "sent": self._ring.sent,
                    "of": self._of,
                    "next_in": None if wait_s is None else round(wait_s, 3),
                    "next_at": None if next_at is None else round(next_at, 3),
                }
            )
            return
        words = f"{self._ring.sent:,}{'' if self._of is None else f' of {self._of:,}'} frames sent"
        if wait_s is not None:
            clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(next_at))
            words += f"; the next is due at {clock}, in {duration_text(wait_s)}"
            if self._hint and wait_s >= _LONG_WAIT_S:
                words += f" ({self._hint})"
                self._hint = ""
        print_message(f"rawscope: {words}")

    def _line(self, record: dict[str, Any]) -> None:
        self._text(json.dumps(record, separators=(",", ":")))

    def _text(self, line: str) -> None:
        self._output.line(line)
        self._output.flush()


def report_left_out(interface: str, total: ReplayCounts) -> None:
    """Print which frames the interface cannot send, and which are cut."""
    name = safe(interface)
    shortest = "a link header" if total.shortest == ETHERNET.size else "an IP header"
    for count, what in (
        (total.too_long, f"longer than {name} accepts: skipped"),
        (total.too_short, f"shorter than {shortest}: skipped"),
        (total.omitted.without_ip, f"without an IP packet, which {name} needs: skipped"),
        (total.omitted.unresolved, "for an address that no host on the link answers for: skipped"),
        *(
            (count, f"of {link_type_name(kind)}, which {name} cannot send: skipped")
            for kind, count in sorted(total.omitted.unsendable.items())
        ),
        (total.cut, "truncated by the capture: sent as captured"),
    ):
        if count:
            subject = "1 frame is" if count == 1 else f"{count:,} frames are"
            print_message(f"rawscope: {subject} {what}")


def _frames(count: int) -> str:
    return f"{count:,} frame{'s' * (count != 1)}"


def _rewritten(total: ReplayCounts, rules: RewriteRules) -> str:
    """Return how many of the frames the rules changed, as the end of a sentence."""
    return f", {total.rewritten:,} of them rewritten" if rules else ""


def write_dry_run(
    interface: str, forecast: ReplayForecast, plan: ReplayPlan, as_json: bool
) -> None:
    """Print how many frames would be sent, left out, and rewritten, and how long that takes."""
    total, output = forecast.total, CommandOutput()
    sent = total.frames - total.left_out
    if as_json:
        seconds = None if forecast.duration_s is None else round(forecast.duration_s, 6)
        record = {
            "event": "dry_run",
            **_counts(total, total.frames, sent, plan.rules),
            "written_down": None,
            "interrupted": False,
            "seconds": seconds,
            "interface": interface,
            "loops": plan.loops,
            "pending": forecast.pending,
            "unknown_hops": forecast.unknown_hops,
        }
        output.line(json.dumps(record, separators=(",", ":")))
    else:
        output.line(
            f"would send {sent:,} of {_frames(total.frames)} through {safe(interface)}"
            f"{_time_text(forecast.duration_s, plan.loops)}{_rewritten(total, plan.rules)}"
        )
    output.flush()
    report_left_out(interface, total)
    if forecast.pending:
        frames = "1 frame is" if forecast.pending == 1 else f"{forecast.pending:,} frames are"
        hops = forecast.unknown_hops
        what = "a next hop" if hops == 1 else f"{hops:,} next hops"
        print_message(
            f"rawscope: {frames} for {what} with an unknown link address: skipped if "
            f"{'it does' if hops == 1 else 'they do'} not answer"
        )


def _time_text(duration_s: float | None, loops: int) -> str:
    """Return how long the rounds of a replay take, as the end of a sentence."""
    time_text = "" if duration_s is None else f" in {about(duration_s)}"
    if loops == 0:
        return f"{time_text} per round, until stopped"
    return time_text if loops == 1 else f"{time_text} ({loops:,} rounds)"


def _counts(total: ReplayCounts, frames: int, sent: int, rules: RewriteRules) -> dict[str, Any]:
    """Return the counts of a replay, for JSON."""
    return {
        "frames": frames,
        "sent": sent,
        "too_long": total.too_long,
        "too_short": total.too_short,
        "unresolved": total.omitted.unresolved,
        "without_ip": total.omitted.without_ip,
        "unsendable": total.omitted.unsendable.total(),
        "cut": total.cut,
        "rewritten": total.rewritten if rules else None,
    }
