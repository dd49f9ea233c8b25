"""Random keys, with a fixed seed, that neither send a packet nor leave the program.

A *move* is one user action: a single key, or a dialog opened and closed. No move contains keys that
send (``ctrl+s``, ``r``, ``b``), leave (``q``, ``ctrl+q``), stop a listener (``x``), suspend
(``ctrl+z``) or start the laboratory (``L``), nor enter, which does any of these in the command
palette.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

ESC, TAB = b"\x1b", b"\t"
CTRL_N, CTRL_O, CTRL_P, CTRL_T = b"\x0e", b"\x0f", b"\x10", b"\x14"
F2, UP, DOWN, PAGE_UP, PAGE_DOWN = b"\x1bOQ", b"\x1b[A", b"\x1b[B", b"\x1b[5~", b"\x1b[6~"
SPACE = b" "

SINGLE: tuple[bytes, ...] = (
    b"j", b"k", b"g", b"G", UP, DOWN, PAGE_UP, PAGE_DOWN, TAB, b"\x1b[Z", b"J", b"K",
    b"z", b"e", F2, b"m", b"]", b"[", b"t", b"s", b"S", b"h", b"l", b"d", b"+", b"-", b"v", b"f",
)  # fmt: skip

WINDOWS: tuple[tuple[bytes, ...], ...] = (
    (b"?", PAGE_DOWN, ESC),
    (b"i", DOWN, ESC),
    (b"o", b"n", b"n", ESC, ESC),
    (b"y", DOWN, ESC),
    (b":", b"1", b"2", ESC),
    (b"e", b"a", ESC, ESC),
    (F2, CTRL_O, DOWN, ESC, ESC),
    (F2, CTRL_T, ESC, ESC),
    (F2, CTRL_N, ESC),
    (CTRL_P, b"h", b"e", b"l", ESC),
)


def warm_up() -> Iterator[bytes]:
    """Return every move once, so that everything made on first use exists afterward."""
    yield from SINGLE
    for window in WINDOWS:
        yield from (*window, ESC)


def moves(rng: random.Random) -> Iterator[bytes]:
    """Yield moves forever: three single keys for every dialog."""
    while True:
        if rng.random() < 0.25:
            yield from rng.choice(WINDOWS)
        else:
            yield rng.choice(SINGLE)
