"""The capture that is replayed: looked over once before, then given as often as it is wanted.

Looking it over tells what a person is to be asked about its frames (`core.forge.survey`), and how
long the longest is, which the ring's slots need. Where each frame lies is kept for files of up to
`MOST_KEPT` frames (the bytes stay in the mapped file), so they are read once; larger ones are read
again for each round. Standard input and pipes can be read only once, so nothing is known of them
before.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from app.commands.output import CommandError, say
from core.files.formats import FileError
from core.files.reader import CaptureReader, open_capture
from core.forge.survey import Survey
from core.store.batch import Batch
from core.wire.link import LinkType, link_type_name
from core.wire.text import safe

MOST_KEPT = 1 << 20  # frames; 40 bytes are kept for each
LONGEST = 65_549  # a whole IP packet behind a link header


class ReplayFile:
    """A capture file by its path; `survey` looks at its frames, where they can be read more than
    once. `longest` is in bytes.

    Raises `CommandError` for what cannot be read, and for frames that are not Ethernet's.
    """

    def __init__(self, path: str, survey: Survey) -> None:
        self.path = path
        self.survey = survey
        self.longest = LONGEST
        self.damaged = False
        self._kept: list[Batch] | None = None
        if self.is_repeatable:
            self._look_over()

    @property
    def is_repeatable(self) -> bool:
        """Whether it can be read more than once."""
        return self.path != "-" and Path(self.path).is_file()

    def batches(self) -> Iterator[Batch]:
        """All frames, once more."""
        if self._kept is not None:
            yield from self._kept
            return
        yield from self._read(tell=not self.is_repeatable)

    def _look_over(self) -> None:
        self.longest = 0
        kept: list[Batch] | None = []
        for batch in self._read(tell=True):
            self.survey.add(batch)
            self.longest = max(self.longest, int(batch.captured.max(initial=0)))
            if kept is not None:
                kept.append(batch)
            if not batch.stable or self.survey.frames > MOST_KEPT:
                kept = None
        self._kept = kept

    def _read(self, *, tell: bool) -> Iterator[Batch]:
        try:
            with open_capture(self.path) as reader:
                for batch in reader.batches():
                    self._check(reader, batch)
                    yield batch
                self.damaged = reader.damaged
                for note in reader.notes if tell else ():
                    say(f"rawscope: {safe(note)}")
        except FileError as error:
            raise CommandError(str(error)) from error

    def _check(self, reader: CaptureReader, batch: Batch) -> None:
        for number in sorted(set(batch.interface.tolist())):
            kind = reader.interfaces[number].link_type
            if kind != LinkType.ETHERNET:
                raise CommandError(
                    f"{safe(self.path)} has frames of {link_type_name(kind)}: "
                    "only Ethernet frames can be replayed"
                )
