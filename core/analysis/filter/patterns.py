"""Regular expressions of ``matches``.

Wireshark has PCRE2; rawscope has the package ``regex``, which knows the flags ``(?-i)``, has a
timeout, and lets other threads run. Patterns search bytes, ignore the case of ASCII letters unless
``(?-i)`` says otherwise, and may match anywhere in the field.

The syntax is the same except in sets: inside ``[…]``, ``regex`` (version 1 behavior, which has the
flags of a part of a pattern) would read ``[``, ``--``, ``&&``, ``||``, and ``~~`` as set
operations. `_plain_sets` escapes them, so that they are characters as in PCRE2. Not supported:
``(*VERB)`` except those that ``regex`` has, ``\\C``, callouts, and ``(?J)``.
"""

from __future__ import annotations

import re

import numpy as np
import regex
from numpy.typing import NDArray

from core.analysis.filter.byte_search import contains
from core.analysis.filter.byte_strings import spans_of
from core.analysis.filter.types import Spans, Values

MOST_S = 2.0
"""The longest time that the search in one field of one packet may take."""


class SlowPatternError(Exception):
    """A regular expression that takes too long for some packet."""


_SET_PARTS = re.compile(
    rb"\\.|\[(?=[:.=])(?::\^?[a-zA-Z]+:\]|)|[\[\]&|~-]|[^\\\[\]&|~-]+", re.DOTALL
)
_OPENINGS = re.compile(rb"\\Q.*?(?:\\E|$)|\\.|\[\^?\]?", re.DOTALL)


def compile_pattern(pattern: bytes) -> regex.Pattern[bytes]:
    """Return a compiled regular expression. Raise `ValueError` with the reason."""
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


_LITERAL = re.compile(rb"(\(\?-i\))?((?:[A-Za-z0-9 _/:=,;<>@%'\"!~&-]|\\[.\-+*?()/\[\]{}|^$\\])+)")


def search(pattern: regex.Pattern[bytes], values: Values) -> NDArray[np.bool_]:
    """Return a mask (k,) of the byte strings or texts in which a pattern matches.

    Raise `SlowPatternError` if one search takes longer than `MOST_S`.
    """
    if not isinstance(values, Spans) and values.dtype == object:
        return _search_texts(pattern, values)
    spans = spans_of(values)
    literal = _LITERAL.fullmatch(pattern.pattern)
    if literal is not None:  # all of the text is characters: no search per packet is needed
        needle = re.sub(rb"\\(.)", rb"\1", literal[2])
        return contains(spans, needle, ignores_case=literal[1] is None)
    found = np.zeros(len(spans), dtype=np.bool_)
    data = np.ascontiguousarray(spans.data).data
    bounds = zip(spans.starts.tolist(), spans.ends.tolist(), strict=True)
    for index, (start, end) in enumerate(bounds):
        found[index] = _matches(pattern, data[start:end])
    return found


def _search_texts(pattern: regex.Pattern[bytes], texts: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Search each different text once."""
    answers: dict[str, bool] = {}
    for text in texts.tolist():
        if text not in answers:
            answers[text] = _matches(pattern, text.encode(errors="surrogateescape"))
    return np.fromiter((answers[text] for text in texts.tolist()), np.bool_, len(texts))


def _matches(pattern: regex.Pattern[bytes], data: bytes | memoryview) -> bool:
    try:
        return pattern.search(data, concurrent=True, timeout=MOST_S) is not None
    except TimeoutError:
        message = f"the regular expression took longer than {MOST_S:g} s in one packet"
        raise SlowPatternError(message) from None
