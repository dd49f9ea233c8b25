"""Regular expressions of ``matches``.

Wireshark has PCRE2; rawscope has the package ``regex``, which has a timeout and lets other threads
run (`core.analysis.filter.evaluation.pattern_search`). Patterns search bytes, ignore the case of
ASCII letters unless ``(?-i)`` says otherwise, and may match anywhere in the field.

`reader` translates PCRE2's syntax (10.42, without UTF). It refuses, with a reason:

* verbs other than ``(*FAIL)``: ``(*ACCEPT)``, ``(*COMMIT)``, ``(*UTF)``, …;
* callouts, ``(?J)``, and conditions on recursion or on the version;
* properties other than general categories, such as ``\\p{Greek}``;
* groups more than `reader.DEPTH` deep, and patterns longer than `MOST_BYTES`.

It accepts more than PCRE2 in one place: a look-behind may have any length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.analysis.filter.language.patterns.reader import PatternReader

if TYPE_CHECKING:
    import regex

MOST_BYTES = 1 << 14


def compile_pattern(pattern: bytes) -> regex.Pattern[bytes]:
    """Return a compiled regular expression. Raise `ValueError` with the reason."""
    if len(pattern) > MOST_BYTES:
        raise ValueError(f"it has {len(pattern):,} bytes, and at most {MOST_BYTES:,} are possible")
    translated = translate(pattern)
    import regex  # only now: that takes 40 ms, and most filters have no pattern

    # Without ASCII, `regex` misses bytes above 0x7f while it ignores the case of letters.
    flags = regex.VERSION1 | regex.IGNORECASE | regex.ASCII
    try:
        return regex.compile(translated, flags)
    except regex.error as error:
        raise ValueError(str(error).partition(" at position")[0]) from error


def translate(pattern: bytes) -> bytes:
    """Return a pattern of PCRE2 as one of ``regex``. Raise `PatternError`."""
    counting = PatternReader(pattern)
    counting.read()
    return PatternReader(pattern, counting.groups).read()
