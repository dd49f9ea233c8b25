"""The vendors of MAC addresses, from a packed table of the IEEE registries.

``vendors.xz`` is made by ``python -m core.analysis.names.vendors MANUF.TXT`` from the list of the
package pymanuf (2026.10.1, MIT license), which joins the public lists of the IEEE (MA-L, CID, IAB,
MA-M, MA-S). An assignment has 24, 28, or 36 bits; the longest that matches counts.

The table is unpacked at the first use, in about 30 ms: the analysis thread does that (`load`). It
stays packed in memory: the names are one run of bytes, and a name is decoded when it is looked up.
The compressor's window is small, since unpacking allocates all of it.
"""

from __future__ import annotations

import lzma
import re
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

WIDTHS = (36, 28, 24)
"""Bits of the assignments, the longest first."""

WINDOW = 1 << 20
"""Bytes of the compressor's window."""

TABLE = Path(__file__).with_name("vendors.xz")
_GROUP = 1 << 40  # the bit of addresses of groups


class Vendors:
    """The names of vendors by the first bits of their addresses.

    For each width there are the sorted prefixes, uint64 (n,), and the number of the name of each,
    uint16 (n,). Names end with a line feed; `_ends` has the place of each, int32 (names,).
    """

    def __init__(self, packed: bytes) -> None:
        data = lzma.decompress(packed)
        self._prefixes: dict[int, NDArray[np.uint64]] = {}
        self._names_of: dict[int, NDArray[np.uint16]] = {}
        at = 0
        for width in WIDTHS:
            count = int.from_bytes(data[at : at + 4], "little")
            steps = np.frombuffer(data, "<u8", count, at + 4)
            at += 4 + steps.nbytes
            self._prefixes[width] = np.cumsum(steps, dtype=np.uint64)
            self._names_of[width] = np.frombuffer(data, "<u2", count, at).copy()
            at += 2 * count
        self._names = data[at:]
        line_feeds = np.frombuffer(self._names, np.uint8) == ord("\n")
        self._ends = np.flatnonzero(line_feeds).astype(np.int32)

    @property
    def nbytes(self) -> int:
        """The size of the table in memory."""
        prefixes = sum(array.nbytes for array in self._prefixes.values())
        numbers = sum(array.nbytes for array in self._names_of.values())
        return prefixes + numbers + self._ends.nbytes + len(self._names)

    def name(self, address: int) -> str:
        """Return the vendor of a 48-bit address; empty for groups and for unknown vendors."""
        if address & _GROUP:
            return ""
        for width in WIDTHS:
            prefixes, wanted = self._prefixes[width], address >> 48 - width
            index = int(np.searchsorted(prefixes, np.uint64(wanted)))
            if index < len(prefixes) and int(prefixes[index]) == wanted:
                return self._name(int(self._names_of[width][index]))
        return ""

    def _name(self, number: int) -> str:
        start = int(self._ends[number - 1]) + 1 if number else 0
        return self._names[start : self._ends[number]].decode()


@lru_cache(maxsize=1)
def load() -> Vendors:
    """Return the table of this package; it is read once."""
    return Vendors(TABLE.read_bytes())


def pack(vendors: Mapping[tuple[int, int], str]) -> bytes:
    """Return the packed table of names by ``(bits, prefix)``."""
    names = sorted(set(vendors.values()))
    numbers = {name: number for number, name in enumerate(names)}
    packed = b""
    for width in WIDTHS:
        prefixes = sorted(prefix for bits, prefix in vendors if bits == width)
        steps = np.diff(np.array([0, *prefixes], np.uint64)).astype("<u8")
        index = np.array([numbers[vendors[width, prefix]] for prefix in prefixes], "<u2")
        packed += len(prefixes).to_bytes(4, "little") + steps.tobytes() + index.tobytes()
    packed += "".join(f"{name}\n" for name in names).encode()
    packing = {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": WINDOW}
    return lzma.compress(packed, filters=[packing])


def read_list(text: str) -> Iterator[tuple[tuple[int, int], str]]:
    """Yield ``(bits, prefix)`` and the vendor of each line, ``00:1B:C5:00:00:00/36\\t…\\tName``."""
    for line in text.splitlines():
        assignment, *names = line.split("\t")
        name = " ".join(re.sub(r"[^ -~]", " ", names[-1] if names else "").split())
        if not name or line.startswith("#"):
            continue
        digits, _, bits = assignment.partition("/")
        width = int(bits or 24)
        value = int(re.sub("[^0-9A-Fa-f]", "", digits).ljust(12, "0"), 16)
        yield (width, value >> 48 - width), name.removesuffix(".").removesuffix(" ")


if __name__ == "__main__":
    TABLE.write_bytes(pack(dict(read_list(Path(sys.argv[1]).read_text("utf-8")))))
