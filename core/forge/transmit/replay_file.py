"""The capture file of a replay: reviewed once before, then read as often as needed.

The review of its frames makes the questions for the user (`core.forge.review.capture_review`), and
finds the length of the longest, which the ring's slots need. The places of frames are kept for
files of up to `MOST_KEPT` frames (the bytes stay in the mapped file), so they are read once; larger
files are read again for each round, and so are files with IP packets that get a link header, or
with frames that cannot be sent (`core.forge.transmit.encapsulation`). Rewritten frames are kept up
to `MOST_KEPT_BYTES`. Standard input and pipes can be read only once, so they are not reviewed.

Frames are rewritten as they are read, so all else sees them as they leave: the IP packet before it
gets a link header, whose next hop is that of the new destination, and the link header last.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch
from core.files.formats import FileError
from core.files.reader import CaptureReader, open_capture
from core.forge.review.capture_review import CaptureReview
from core.forge.transmit.density import Density
from core.forge.transmit.encapsulation import LinkAdapter
from core.forge.transmit.frame_assembly import repeated
from core.forge.transmit.link_rewrite import rewrite_links
from core.forge.transmit.packet_rewrite import rewrite_packets
from core.forge.transmit.rewrite_rules import RewriteRules
from core.forge.transmit.schedule import ReplayPace
from core.wire.link.link_types import link_type_name
from core.wire.model.text import safe

MOST_KEPT = 1 << 20  # frames; 40 bytes are kept for each
MOST_KEPT_BYTES = 64 << 20  # of rewritten frames
MOST_AT_ONCE = 8192  # frames of several rounds that are yielded together
LONGEST = 65_549  # a whole IP packet behind a link header


class ReplayFrames(NamedTuple):
    """Frames as they leave, and which of them (n,) the rules changed."""

    batch: Batch
    changed: NDArray[np.bool_]

    def repeated(self, times: int) -> ReplayFrames:
        """Return the frames `times` times."""
        return ReplayFrames(repeated(self.batch, times), np.tile(self.changed, times))


class ReplayFile:
    """A capture file, by its path.

    If the file can be read more than once, `capture_review` reviews its frames, `density` finds the
    rate that they have at `pace`, and `records` counts them, with those that cannot be sent. If
    there is a `limit`, only the first frames count. `longest` is in bytes. `adapter` makes the
    frames.

    `notes` are about damage that was found in the file. Raises `FileError` if the file cannot be
    read, or has no frame that can be sent.
    """

    def __init__(
        self,
        path: str,
        capture_review: CaptureReview,
        adapter: LinkAdapter,
        pace: ReplayPace,
        limit: int | None = None,
        rules: RewriteRules = RewriteRules(),  # noqa: B008 - a frozen value
    ) -> None:
        self.path = path
        self.capture_review = capture_review
        self.density = Density(pace)
        self.records = 0
        self.longest = LONGEST
        self.damaged = False
        self.notes: tuple[str, ...] = ()
        self._adapter = adapter
        self._pace = pace
        self._limit = limit
        self._rules = rules
        self._kept: list[ReplayFrames] | None = None
        if self.is_repeatable or not self._is_there:
            self._review_frames()  # a missing file is an error

    def review_again(self, capture_review: CaptureReview) -> None:
        """Review the frames as they leave now that the adapter makes others."""
        self.capture_review = capture_review
        self._review_frames()

    @property
    def is_repeatable(self) -> bool:
        """True if the file can be read more than once."""
        return self.path != "-" and Path(self.path).is_file()

    @property
    def _is_there(self) -> bool:
        return self.path == "-" or Path(self.path).exists()

    @property
    def kept(self) -> int:
        """The number of frames that stay in memory; 0 if each round reads the file again."""
        return sum(len(frames.batch) for frames in self._kept or ())

    @property
    def rounds_at_once(self) -> int:
        """The number of rounds that `frames` yields together: 1 except for a short file."""
        is_short = self._kept is not None and len(self._kept) == 1 and self.kept
        return max(1, MOST_AT_ONCE // self.kept) if is_short else 1

    def frames(self, rounds: int = 1) -> Iterator[ReplayFrames]:
        """Yield all frames again; if the file has grown since, only those that were reviewed.

        `rounds` of up to `rounds_at_once` are yielded together.
        """
        if self._kept is not None:
            yield from (frames.repeated(rounds) if rounds > 1 else frames for frames in self._kept)
            return
        if not self.is_repeatable:
            yield from self._read(self._limit)
            return
        yield from self._read(self.records)

    def _review_frames(self) -> None:
        self.longest = 0
        self.density = Density(self._pace)
        kept: list[ReplayFrames] | None = []
        own_bytes = 0
        for frames in self._read(self._limit):
            batch = frames.batch
            self.capture_review.add(batch)
            self.density.add(batch)
            self.longest = max(self.longest, int(batch.captured.max(initial=0)))
            if kept is not None:
                kept.append(frames)
            own_bytes += len(batch.data) if self._rules else 0
            too_large = self.capture_review.frames > MOST_KEPT or own_bytes > MOST_KEPT_BYTES
            if not batch.stable or too_large:
                kept = None
        omitted = self._adapter.omitted
        unsendable = omitted.unsendable
        self._kept = None if omitted.total() else kept  # omitted frames are counted in each round
        if unsendable and not self.capture_review.frames:
            names = ", ".join(link_type_name(kind) for kind in sorted(unsendable))
            raise FileError(
                f"{safe(self.path)} has frames of {names}: "
                "only Ethernet frames and IP packets can be replayed"
            )

    def _read(self, limit: int | None) -> Iterator[ReplayFrames]:
        """Yield the frames of at most `limit` records, and set `records`."""
        self.records = 0
        with open_capture(self.path) as reader:
            for batch in reader.batches():
                part = batch if limit is None else batch.first(limit - self.records)
                self.records += len(part)
                yield from self._rewritten(part, self._link_types(reader, part))
                if self.records == limit:
                    return
            self.damaged = reader.damaged
            self.notes = tuple(reader.notes)

    def _rewritten(self, batch: Batch, link_types: NDArray[np.int64]) -> Iterator[ReplayFrames]:
        """Yield the packets as they leave."""
        packets, changed = rewrite_packets(batch, link_types, self._rules)
        for frames, rows in self._adapter.frames(packets, link_types):
            frames, also_changed = rewrite_links(frames, self._rules)
            yield ReplayFrames(frames, changed[rows] | also_changed)

    def _link_types(self, reader: CaptureReader, batch: Batch) -> NDArray[np.int64]:
        """Return (n,) the link type of each packet."""
        kinds = [one.link_type for one in reader.interfaces]
        return np.array(kinds, np.int64)[batch.interface]
