"""Regular expressions of ``matches``.

Wireshark has PCRE2; rawscope has the package ``regex``, which knows the flags ``(?-i)``, has a
timeout, and lets other threads run (`core.analysis.filter.evaluation.pattern_search`). Patterns
search bytes, ignore the case of ASCII letters unless ``(?-i)`` says otherwise, and may match
anywhere in the field.

The syntax is the same except in sets: inside ``[…]``, ``regex`` (version 1 behavior, which has the
flags of a part of a pattern) would read ``[``, ``--``, ``&&``, ``||``, and ``~~`` as set
operations. `_plain_sets` escapes them, so that they are characters as in PCRE2. Not supported:
``(*VERB)`` except those that ``regex`` has, ``\\C``, callouts, and ``(?J)``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import regex

_SET_PARTS = re.compile(
    rb"\\.|\[(?=[:.=])(?::\^?[a-zA-Z]+:\]|)|[\[\]&|~-]|[^\\\[\]&|~-]+", re.DOTALL
)
_OPENINGS = re.compile(rb"\\Q.*?(?:\\E|$)|\\.|\[\^?\]?", re.DOTALL)


def compile_pattern(pattern: bytes) -> regex.Pattern[bytes]:
    """Return a compiled regular expression. Raise `ValueError` with the reason."""
    import regex  # only now: that takes 40 ms, and most filters have no pattern

    try:
        return regex.compile(_plain_sets(pattern), regex.VERSION1 | regex.IGNORECASE)
    except regex.error as error:
        raise ValueError(str(error)) from error


def _plain_sets(pattern: bytes) -> bytes:
    """Return a pattern in which set operators inside sets are characters."""
    parts: list[bytes] = []
    at = 0
    while (opening := _OPENINGS.search(pattern, at)) is not None:
        parts.append(pattern[at : opening.start()])
        at = opening.end()
        if opening[0][:1] != b"[":
            literal = opening[0]
            if literal.startswith(b"\\Q"):
                literal = re.escape(literal[2:].removesuffix(b"\\E"))
            parts.append(literal)
            continue
        body, at = _set(pattern, at)
        parts.append(opening[0][:-1] + b"\\]" if opening[0].endswith(b"]") else opening[0])
        parts.append(body)
    parts.append(pattern[at:])
    return b"".join(parts)


def _set(pattern: bytes, at: int) -> tuple[bytes, int]:
    """Return the rest of a set, with its operators escaped, and the position after it."""
    body: list[bytes] = []
    while (part := _SET_PARTS.match(pattern, at)) is not None:
        at = part.end()
        text = part[0]
        if text == b"]":
            body.append(text)
            break
        is_doubled = text in (b"&", b"|", b"~", b"-") and pattern[at : at + 1] == text
        if is_doubled and text == b"-" and body:  # a range that ends at "-"
            body.append(b"-\\-")
            at += 1
        else:
            body.append(b"\\" + text if text == b"[" or is_doubled else text)
    return b"".join(body), at
