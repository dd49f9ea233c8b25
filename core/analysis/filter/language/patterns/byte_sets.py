r"""Sets of bytes in regular expressions: ``[a-z]``, ``[[:alpha:]]``, ``\d``, ``\h``, ``\p{Lu}``.

PCRE2 and `regex` write them differently, so a set is computed here, and written in the one form
that both read in the same way: single bytes and ranges, with numbers for all but letters and
digits. Bytes from 0x80 on are letters of no alphabet, except for ``\p``, which takes them as code
points of Latin-1.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from functools import lru_cache

Bytes = frozenset[int]

ALL: Bytes = frozenset(range(256))
_WORD = frozenset((string.ascii_letters + string.digits + "_").encode())
_DIGIT = frozenset(string.digits.encode())
_SPACE = frozenset(b"\t\n\v\f\r ")
_ALPHA = frozenset(string.ascii_letters.encode())
_GRAPH = frozenset(range(0x21, 0x7F))
CLASSES: dict[bytes, Bytes] = {
    b"d": _DIGIT,
    b"w": _WORD,
    b"s": _SPACE,
    b"h": frozenset(b"\t \xa0"),
    b"v": frozenset(b"\n\v\f\r\x85"),
}
CLASSES |= {name.upper(): ALL - members for name, members in CLASSES.items()}
_POSIX: dict[bytes, Bytes] = {
    b"alpha": _ALPHA,
    b"lower": frozenset(string.ascii_lowercase.encode()),
    b"upper": frozenset(string.ascii_uppercase.encode()),
    b"alnum": _ALPHA | _DIGIT,
    b"ascii": frozenset(range(128)),
    b"blank": frozenset(b"\t "),
    b"cntrl": frozenset([*range(32), 127]),
    b"digit": _DIGIT,
    b"graph": _GRAPH,
    b"print": _GRAPH | {32},
    b"punct": _GRAPH - _ALPHA - _DIGIT,
    b"space": _SPACE,
    b"word": _WORD,
    b"xdigit": frozenset(string.hexdigits.encode()),
}
_CATEGORY = re.compile(
    rb"\^?(?:Any|L&|C[cfnos]?|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?)"
)
_PLAIN = frozenset((string.ascii_letters + string.digits).encode())


def posix_class(name: bytes, *, ignores_case: bool) -> Bytes | None:
    """Return the bytes of ``[:name:]`` or ``[:^name:]``; None for an unknown name."""
    members = _POSIX.get(name.removeprefix(b"^"))
    if members is None:
        return None
    if ignores_case and name.removeprefix(b"^") in (b"lower", b"upper"):
        members = _ALPHA
    return ALL - members if name.startswith(b"^") else members


@lru_cache(maxsize=64)
def category(name: bytes) -> Bytes | None:
    """Return the bytes of a general category, such as ``Lu`` or ``^L``; None for another name."""
    if not _CATEGORY.fullmatch(name):
        return None
    import regex  # only now: that takes 40 ms

    text = name.decode()
    found = regex.compile(rf"\p{{{text.removeprefix('^')}}}")
    members = frozenset(code for code in range(256) if found.match(chr(code)))
    return ALL - members if text.startswith("^") else members


def written_byte(code: int) -> bytes:
    """Return a byte outside of a set as a pattern."""
    if code in _PLAIN or code in b" _":
        return bytes((code,))
    return b"\\" + bytes((code,)) if code in _GRAPH else b"\\x%02x" % code


def written_set(members: Iterable[int], *, is_negated: bool = False) -> bytes:
    """Return a set as a pattern: ``[a-z\\x2e]``."""
    codes = sorted(members)
    if len(codes) == 1 and not is_negated:
        return written_byte(codes[0])
    if not codes:
        return b"[\\x00-\\xff]" if is_negated else b"[^\\x00-\\xff]"
    runs: list[list[int]] = []
    for code in codes:
        if runs and code == runs[-1][1] + 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    parts = (
        _in_set(low) if low == high else _in_set(low) + b"-" + _in_set(high) for low, high in runs
    )
    return (b"[^" if is_negated else b"[") + b"".join(parts) + b"]"


def _in_set(code: int) -> bytes:
    return bytes((code,)) if code in _PLAIN else b"\\x%02x" % code
