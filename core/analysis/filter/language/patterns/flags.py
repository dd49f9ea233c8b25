"""The flags of a regular expression, such as ``(?x)`` and ``(?-i:…)``."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

CHANGE = re.compile(rb"(\^?)([imnsxU]*)(?:-([imnsxU]*))?([:)])")
"""A change of flags after ``(?``: ``^``, flags on, flags off, and ``:`` or ``)``."""


@dataclass(frozen=True, slots=True)
class Flags:
    """The flags at a place of a pattern, by their letters. Filters ignore case at first."""

    i: bool = True
    m: bool = False
    n: bool = False
    s: bool = False
    x: bool = False
    xx: bool = False
    U: bool = False

    def changed(self, change: re.Match[bytes]) -> Flags:
        """Return the flags after a `CHANGE`."""
        flags = self
        if change[1]:
            flags = replace(flags, i=False, m=False, n=False, s=False, x=False, xx=False)
        for letters, value in ((change[2], True), (change[3] or b"", False)):
            for letter in letters.decode():
                flags = replace(flags, **{letter: value})
            if b"x" in letters:
                flags = replace(flags, xx=value and b"xx" in letters)
        return flags
