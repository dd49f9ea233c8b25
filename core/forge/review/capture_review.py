"""Review many frames: their destinations and their sources.

Many frames of a capture have the same addresses, so `core.forge.review.frame_kinds` groups them,
and one frame of each kind is reviewed. Approvals are remembered for each; the questions name the
first few of a sort and count the others. If there are more than `MOST_KINDS` kinds, the review
omits some, and says so every time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from core.decode.batch import Batch
from core.forge.review.confirmation import Examination, SendVolume, volume
from core.forge.review.frame_kinds import frame_kinds
from core.forge.review.packet_review import Concern, PacketReview, Target, Unusual
from core.net.host_addresses import HostAddresses
from core.wire.link.ethernet import ETHERNET
from core.wire.network.ipv4 import IPV4

MOST_KINDS = 4096
_NAMED = 3  # of each sort in the questions
_AT_ONCE = 8192


class CaptureReview:
    """The review of frames that are to leave verbatim on an interface.

    They are IP packets without a link header if `is_bare`.
    """

    def __init__(
        self,
        interface: str,
        is_loopback: bool,
        host: HostAddresses | None = None,
        *,
        is_bare: bool = False,
    ) -> None:
        self.frames = 0
        self._interface = interface
        self._is_loopback = is_loopback
        self._is_bare = is_bare
        self._header = 0 if is_bare else ETHERNET.size
        self._host = host or HostAddresses()
        self._kinds: set[bytes] = set()
        self._is_complete = True
        self._concerns: dict[Concern, None] = {}
        self._targets: dict[str, Target] = {}

    def add(self, batch: Batch) -> None:
        """Review frames."""
        self.frames += len(batch)
        if not self._is_complete:  # no more kinds are kept
            return
        for start in range(0, len(batch), _AT_ONCE):
            offset = batch.offset[start : start + _AT_ONCE]
            captured = batch.captured[start : start + _AT_ONCE]
            for row, key in frame_kinds(batch.data, offset, captured, self._header):
                first = int(offset[row])
                self._note(key, batch.data[first : first + int(captured[row])].tobytes())

    def examination(self, load: SendVolume, known: Collection[str]) -> Examination:
        """Return the questions about the frames."""
        new = [concern for concern in self._concerns if concern.mark not in known]
        questions = [*_condensed(new), *volume(load)]
        if not self._is_complete:
            questions.append(
                f"There are more than {MOST_KINDS:,} kinds of frames: not all were checked."
            )
        destination = next(iter(self._targets), "nobody")
        target = self._targets.get(destination, Target.OWN)
        marks = frozenset(concern.mark for concern in new if concern.mark)
        return Examination(destination, target, tuple(questions), marks)

    def _note(self, key: bytes, frame: bytes) -> None:
        if key in self._kinds or len(frame) < (self._header or IPV4.size):
            return  # a shorter frame is not sent
        if len(self._kinds) == MOST_KINDS:
            self._is_complete = False
            return
        self._kinds.add(key)
        review = PacketReview(
            frame,
            verbatim=True,
            interface=self._interface,
            is_loopback=self._is_loopback,
            network="",
            host=self._host,
            is_bare=self._is_bare,
        )
        self._targets.setdefault(review.destination, review.target)
        self._concerns.update(dict.fromkeys(review.concerns()))


def _condensed(concerns: list[Concern]) -> list[str]:
    """Return each sentence once; of one sort, the first few and the number of the others."""
    by_kind: dict[Unusual, dict[str, None]] = defaultdict(dict)
    for concern in concerns:
        by_kind[concern.kind][concern.sentence] = None
    found: list[str] = []
    for kind, sentences in by_kind.items():
        first = list(sentences)[:_NAMED]
        found += first
        others = len(sentences) - len(first)
        one, several = kind.value
        if others == 1:
            found.append(f"…and 1 more {one}.")
        elif others:
            found.append(f"…and {others:,} more {several}.")
    return found
