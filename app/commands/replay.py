"""``rawscope replay``: a capture sent again through an interface, through the TX ring.

Frames are read batch by batch and leave verbatim, so a file of any size takes the same memory. The
file's link type must be the interface's. Exit status: 0 all was sent, 1 something was not.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from app.commands.asking import agree, state_folder
from app.commands.interrupts import Interrupts
from app.commands.output import CommandError, Output, say
from core.files.formats import FileError
from core.files.reader import open_capture
from core.forge.answers import SendError
from core.forge.audit import Audit
from core.forge.rails import MOST_PACKETS, MOST_PER_SECOND, Examination, Target
from core.forge.replay import Pace, Replay
from core.forge.route import IFF_LOOPBACK, link_named
from core.forge.saved import Shelf
from core.forge.tx_ring import TxRing
from core.netlink import LinkMessage
from core.sockets import NotPermittedError
from core.wire.link import LinkType, link_type_name
from core.wire.text import safe

_LONGEST = 65_549  # a whole IP packet behind a link header; the ring takes less for a small MTU


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """What ``rawscope replay`` was asked for; `loops` is how often the whole file is sent."""

    file: str
    link: str
    pace: Pace
    loops: int = 1
    yes: bool = False
    bypass: bool = False
    audit: bool = True


def run_replay(request: ReplayRequest) -> int:
    """Send the file; returns the exit status. Raises `CommandError`."""
    link = link_named(request.link)
    if link is None:
        raise CommandError(
            f"there is no interface {safe(request.link)!r}; 'rawscope interfaces' lists them"
        )
    shelf = Shelf(state_folder())
    agree(_examination(request, link, shelf), shelf, request.yes)
    try:
        with ExitStack() as stack:
            interrupts = stack.enter_context(Interrupts())
            ring = stack.enter_context(
                TxRing(request.link, link.mtu, _LONGEST, bypass=request.bypass)
            )
            return _replay(request, ring, interrupts, stack)
    except (SendError, NotPermittedError, FileError) as error:
        raise CommandError(str(error)) from error


def _replay(request: ReplayRequest, ring: TxRing, interrupts: Interrupts, stack: ExitStack) -> int:
    audit = None
    if request.audit:
        try:
            audit = Audit(state_folder())
        except OSError as error:
            raise CommandError(
                f"the audit in {safe(str(state_folder()))}: {error.strerror}; "
                "--no-audit sends without it"
            ) from error
        stack.callback(audit.close)
    frames = too_long = too_short = cut = 0
    damaged = False
    began_s = time.monotonic()
    for _ in range(request.loops):
        replay = Replay(
            ring,
            request.pace,
            lambda: interrupts.stopped,
            None if audit is None else lambda *sent: audit.note_frames(request.link, *sent),
        )
        damaged = _feed(request, replay, interrupts) or damaged
        frames += replay.counts.frames
        too_long += replay.counts.too_long
        too_short += replay.counts.too_short
        cut += replay.counts.cut
        if interrupts.stopped:
            break
    elapsed_s = time.monotonic() - began_s
    _tell(ring, frames, elapsed_s)
    if too_long:
        say(f"rawscope: {too_long} frames are longer than {safe(request.link)} takes: left out")
    if too_short:
        say(f"rawscope: {too_short} frames are shorter than a link header: left out")
    if cut:
        say(f"rawscope: {cut} frames had been cut by their capture and went out cut")
    return 1 if too_long or too_short or damaged or interrupts.stopped else 0


def _feed(request: ReplayRequest, replay: Replay, interrupts: Interrupts) -> bool:
    """Send the file once; whether it is damaged."""
    with open_capture(request.file) as reader:
        for batch in reader.batches():
            for number in sorted(set(batch.interface.tolist())):
                kind = reader.interfaces[number].link_type
                if kind != LinkType.ETHERNET:
                    raise CommandError(
                        f"{safe(request.file)} has frames of {link_type_name(kind)}: "
                        "only Ethernet frames can be replayed"
                    )
            replay.feed(batch)
            if interrupts.stopped:
                break
        for note in reader.notes:
            say(f"rawscope: {safe(note)}")
        return reader.damaged


def _tell(ring: TxRing, frames: int, elapsed_s: float) -> None:
    output = Output()
    rate = ring.sent / elapsed_s if elapsed_s else 0.0
    words = f"sent {ring.sent} of {frames} frames in {elapsed_s:.3f} s, {rate:,.0f} a second"
    output.line(words)
    output.flush()


def _examination(request: ReplayRequest, link: LinkMessage, shelf: Shelf) -> Examination:
    """What is to be asked: where it goes, and how much it is."""
    questions: list[str] = []
    marks: set[str] = set()
    mark = f"replay on {request.link}"
    if not link.flags & IFF_LOOPBACK and mark not in shelf.known():
        questions.append(
            f"The frames of {request.file} leave {request.link} verbatim, past the IP stack and "
            "its firewall, to whoever they are addressed to."
        )
        marks.add(mark)
    count = _count(request.file) * request.loops
    rate, speed = request.pace.rate, request.pace.speed
    if count > MOST_PACKETS:
        questions.append(f"{count:,} frames are more than {MOST_PACKETS:,}.")
    if rate is None and speed is None:
        questions.append(f"{count:,} frames go out as fast as the machine can send.")
    elif rate is not None and rate > MOST_PER_SECOND:
        questions.append(f"{rate:,.0f} frames a second are more than {MOST_PER_SECOND:,}.")
    return Examination(request.link, Target.HOST, tuple(questions), frozenset(marks))


def _count(path: str) -> int:
    """How many frames a file holds; 0 for what can be read only once."""
    if not Path(path).is_file():
        return 0
    try:
        with open_capture(path) as reader:
            return sum(len(batch) for batch in reader.batches())
    except FileError as error:
        raise CommandError(str(error)) from error
