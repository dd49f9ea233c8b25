"""Sample frames, and damaged frames made from them.

The samples are handmade (`shapes`), the captures of known defects, and the shared captures if
available. A mutation changes the bytes that control reading: lengths, numbers that select the next
header, the end of the frame; and sometimes any other byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

from core.files.formats import FileError
from core.files.reader import open_capture
from core.wire.link.link_types import LinkType
from core.wire.model.dissection import PacketFlag
from tests.fuzz.readers import Sample
from tests.fuzz.shapes import shapes
from tests.helpers.support import ROOT

SHARED = ROOT.parent / "shared"
FOLDERS = (SHARED / "defects", SHARED / "captures" / "files")
OF_EACH_FILE = 40  # frames of a capture that are used
LONGEST = 400  # bytes of a frame that are kept: headers are at its start
MOST_CHANGES = 4
# EtherTypes, protocols, versions, types of messages and options, lengths at the edges.
LEADING = (
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x11, 0x14, 0x21, 0x2B, 0x2C, 0x2F, 0x33, 0x3A, 0x3C, 0x45, 0x46,
    0x4F, 0x57, 0x60, 0x81, 0x84, 0x86, 0x87, 0x88, 0xA8, 0xAA, 0xDD, 0xFE, 0xFF,
)  # fmt: skip
FLAGS = (
    0,
    0,
    0,
    0,
    PacketFlag.CHECKSUM_NOT_READY,
    PacketFlag.CHECKSUM_VALID,
    4 << PacketFlag.FCS_SHIFT,
    15 << PacketFlag.FCS_SHIFT,
)
BEYOND = (0, 0, 0, 1, 4, 5, 64, 1500, 70_000)  # missing bytes at the end of the capture


def beginnings() -> list[Sample]:
    """Return the unchanged frames, always in the same order."""
    found = [Sample(shape.data, shape.link_type, len(shape.data)) for shape in shapes()]
    for folder in FOLDERS:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.is_file():
                found += _of_file(path)
    return found


def _of_file(path: Path) -> Iterator[Sample]:
    """Return the first frames of a capture; of any other file, none."""
    try:
        reader = open_capture(path)
    except FileError:
        return
    left = OF_EACH_FILE
    with reader:
        for batch in reader.batches():
            for row in range(min(left, len(batch.offset))):
                start, kept = int(batch.offset[row]), int(batch.captured[row])
                data = batch.data[start : start + min(kept, LONGEST)].tobytes()
                link_type = reader.interfaces[batch.interface[row]].link_type
                yield Sample(data, link_type, int(batch.original[row]))
            left -= min(left, len(batch.offset))
            if not left:
                return


def mutated(samples: Sequence[Sample], random: Random, count: int) -> Iterator[Sample]:
    """Return `count` frames made from `samples`."""
    for _ in range(count):
        sample = random.choice(samples)
        data = bytearray(sample.data)
        for _ in range(random.randint(0, MOST_CHANGES)):
            random.choice(_CHANGES)(data, random, samples)
        del data[2 * LONGEST :]
        link_type = sample.link_type
        if random.random() < 0.03:
            link_type = int(random.choice(list(LinkType)))
        yield Sample(
            bytes(data), link_type, len(data) + random.choice(BEYOND), int(random.choice(FLAGS))
        )


Change = Callable[[bytearray, Random, Sequence[Sample]], None]


def _place(data: bytearray, random: Random) -> int:
    """Return a byte of the frame, more often one of its first headers."""
    return min(len(data) - 1, int(random.expovariate(1 / 30)))


def _leading_number(data: bytearray, random: Random, _: Sequence[Sample]) -> None:
    if data:
        data[_place(data, random)] = random.choice(LEADING)


def _any_byte(data: bytearray, random: Random, _: Sequence[Sample]) -> None:
    if data:
        data[_place(data, random)] = random.randrange(256)


def _bit(data: bytearray, random: Random, _: Sequence[Sample]) -> None:
    if data:
        data[_place(data, random)] ^= 1 << random.randrange(8)


def _length(data: bytearray, random: Random, _: Sequence[Sample]) -> None:
    """Set two bytes to a length: zero, few, the remaining bytes, one more, or the maximum."""
    if len(data) >= 2:
        at = min(_place(data, random), len(data) - 2)
        left = len(data) - at
        number = random.choice((0, 1, 4, 7, 8, 20, left - 1, left, left + 1, 0xFFFF))
        data[at : at + 2] = max(0, number).to_bytes(2, "big")


def _cut(data: bytearray, random: Random, _: Sequence[Sample]) -> None:
    if data:
        del data[random.choice((_place(data, random), random.randrange(len(data)))) :]


def _taken_out(data: bytearray, random: Random, _: Sequence[Sample]) -> None:
    if data:
        at = _place(data, random)
        del data[at : at + random.randint(1, 8)]


def _put_in(data: bytearray, random: Random, _: Sequence[Sample]) -> None:
    at = _place(data, random) if data else 0
    data[at:at] = random.randbytes(random.randint(1, 8))


def _repeated(data: bytearray, random: Random, _: Sequence[Sample]) -> None:
    """Repeat a piece, perhaps a header, directly after itself."""
    if data:
        at = _place(data, random)
        data[at:at] = data[at : at + random.choice((4, 8, 20, 40))]


def _spliced(data: bytearray, random: Random, samples: Sequence[Sample]) -> None:
    """Join the start of this frame with another frame, or with the end of one."""
    other = random.choice(samples).data
    at = _place(data, random) if data else 0
    data[at:] = other[random.choice((0, min(at, len(other)))) :]


_CHANGES: tuple[Change, ...] = (
    _leading_number,
    _leading_number,
    _leading_number,
    _any_byte,
    _bit,
    _length,
    _length,
    _cut,
    _taken_out,
    _put_in,
    _repeated,
    _spliced,
)
