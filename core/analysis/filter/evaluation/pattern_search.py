"""The search for a regular expression in byte strings and texts.

The cost of a search in a short string is that of the call, so few strings are searched one by one:

* a pattern that is only text is a search for bytes in the whole buffer (`byte_search`);
* if every match contains a certain text (`pattern_shape`), only the strings with it are searched;
* a pattern whose matches depend on their own bytes alone searches a run of strings in one call. A
  match inside a string counts; behind one that crosses the end of a string, the search of this
  string is repeated alone.

Every call has a time limit, except those that are known to be quick, for which the limit costs more
than the search. A run of strings that takes long is searched string by string, so the limit is that
of one packet.
"""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
import regex
from numpy.typing import NDArray

from core.analysis.filter.evaluation.byte_search import compacted, contains
from core.analysis.filter.evaluation.byte_strings import lengths, spans_of
from core.analysis.filter.evaluation.pattern_shape import PatternShape, shape_of
from core.analysis.filter.types import Spans, Values

MOST_S = 2.0
"""The longest time that the search in one field of one packet may take."""

_RUN_BYTES = 1 << 17  # strings that one call searches
_RUN_S = 0.05  # a run of strings that takes longer is searched string by string
_QUICK_BYTES = 1 << 11  # the longest string that is searched without a time limit
_FEWEST = 64  # strings for which a run is worth it
_STRINGS_PER_CALL = 4

Mask = NDArray[np.bool_]
Pattern = regex.Pattern[bytes]


class SlowPatternError(Exception):
    """A regular expression that takes too long for some packet."""


def search(pattern: Pattern, values: Values) -> Mask:
    """Return a mask (k,) of the byte strings or texts in which a pattern matches.

    Raise `SlowPatternError` if one search takes longer than `MOST_S`.
    """
    if not isinstance(values, Spans) and values.dtype == object:
        return _search_texts(pattern, values)
    spans, shape = spans_of(values), shape_of(pattern.pattern)
    if shape.literal is not None:
        return contains(spans, shape.literal, ignores_case=shape.ignores_case)
    if not shape.required:
        return _search_strings(pattern, shape, spans)
    found = np.zeros(len(spans), dtype=np.bool_)
    for literal in shape.required:
        found |= contains(spans, literal, ignores_case=shape.ignores_case)
    index = np.flatnonzero(found)
    found[index] = _search_strings(pattern, shape, spans.take(index))
    return found


def _search_texts(pattern: Pattern, texts: NDArray[np.object_]) -> Mask:
    """Search each different text once."""
    answers: dict[str, bool] = {}
    for text in texts.tolist():
        if text not in answers:
            answers[text] = _matches(pattern, text.encode(errors="surrogateescape"))
    return np.fromiter((answers[text] for text in texts.tolist()), np.bool_, len(texts))


def _search_strings(pattern: Pattern, shape: PatternShape, spans: Spans) -> Mask:
    """Return a mask (k,) of the strings in which a pattern matches."""
    if not shape.is_local or len(spans) < _FEWEST:
        return _one_by_one(pattern, shape, spans)
    order = np.argsort(spans.starts, kind="stable")
    ascending = spans.take(order)
    if bool((ascending.ends[:-1] > ascending.starts[1:]).any()):  # a string inside another
        return _one_by_one(pattern, shape, spans)
    ascending = compacted(ascending)
    found = np.zeros(len(spans), dtype=np.bool_)
    begun = 0
    while begun < len(spans):
        limit = int(ascending.starts[begun]) + _RUN_BYTES
        after = max(begun + 1, int(np.searchsorted(ascending.ends, limit, "right")))
        run = _search_run(pattern, ascending.take(np.arange(begun, after)))
        if run is None:
            found[order[begun:]] = _one_by_one(pattern, shape, spans.take(order[begun:]))
            break
        found[order[begun:after]] = run
        begun = after
    return found


def _search_run(pattern: Pattern, spans: Spans) -> Mask | None:
    """Search ascending strings in one call for each match, (k,).

    Return None if it would take more time than one call for each string: if there are many matches,
    or the pattern is slow in some string, or in many at once.
    """
    starts, ends = spans.starts.tolist(), spans.ends.tolist()
    data = np.ascontiguousarray(spans.data).data
    found = np.zeros(len(starts), dtype=np.bool_)
    at, stop = starts[0], ends[-1]
    try:
        for _ in range(8 + len(starts) // _STRINGS_PER_CALL):
            match = pattern.search(data, at, stop, concurrent=True, timeout=_RUN_S)
            if match is None:
                return found
            begin, end = match.span()
            index = bisect_right(starts, begin) - 1
            if end > ends[index] >= begin:  # the first match inside may begin later
                match = pattern.search(
                    data, starts[index], ends[index], concurrent=True, timeout=_RUN_S
                )
            found[index] = match is not None and begin <= ends[index]
            if index + 1 == len(starts):
                return found
            at = starts[index + 1]
    except TimeoutError:
        pass
    return None


def _one_by_one(pattern: Pattern, shape: PatternShape, spans: Spans) -> Mask:
    """Search each string alone."""
    found = np.zeros(len(spans), dtype=np.bool_)
    data = np.ascontiguousarray(spans.data).data
    is_quick = shape.is_quick & (lengths(spans) <= _QUICK_BYTES)
    bounds = (spans.starts.tolist(), spans.ends.tolist(), is_quick.tolist())
    for index, (start, end, quick) in enumerate(zip(*bounds, strict=True)):
        if quick:
            found[index] = pattern.search(data[start:end]) is not None
        else:
            found[index] = _matches(pattern, data[start:end])
    return found


def _matches(pattern: Pattern, data: bytes | memoryview) -> bool:
    try:
        return pattern.search(data, concurrent=True, timeout=MOST_S) is not None
    except TimeoutError:
        message = f"the regular expression took longer than {MOST_S:g} s in one packet"
        raise SlowPatternError(message) from None
