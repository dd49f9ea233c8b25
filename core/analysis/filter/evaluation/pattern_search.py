"""The search for a regular expression in byte strings and texts.

The cost of a search in a short string is that of the call, so few strings are searched one by one:

* a pattern that is only text is a search for bytes in the whole buffer (`byte_search`);
* if every match contains a certain text (`pattern_shape`), only the strings with it are searched;
* a pattern whose matches depend on their own bytes alone searches a run of strings in one call. A
  match inside a string counts; behind one that crosses the end of a string, the search of this
  string is repeated alone.

Every call has a time limit, except those that are known to be quick, for which the limit costs more
than the search. A run of strings that takes long is searched string by string, so the limit is that
of one packet. A string that takes longer counts as one without a match, and is reported.

A caller that has to end asks for that with `is_spent`: the search then stops after the current
string, and answers for the strings before it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.evaluation.byte_search import compacted, contains
from core.analysis.filter.evaluation.byte_strings import lengths, spans_of
from core.analysis.filter.evaluation.pattern_shape import PatternShape, shape_of
from core.analysis.filter.types import Spans, Values

if TYPE_CHECKING:  # the compiled pattern brings the module along; its import takes 40 ms
    import regex

    Pattern = regex.Pattern[bytes]

PACKET_S = 0.1
"""The longest time that the search in one field of one packet may take."""

_RUN_BYTES = 1 << 17  # strings that one call searches
_RUN_S = 0.05  # a run of strings that takes longer is searched string by string
_QUICK_BYTES = 1 << 11  # the longest string that is searched without a time limit
_FEWEST = 64  # strings for which a run is worth it
_STRINGS_PER_CALL = 4
_QUICK_STRINGS = 8  # quick ones between two questions whether the time is spent

_NOWHERE = np.zeros(0, dtype=np.int64)

Mask = NDArray[np.bool_]
Index = NDArray[np.int64]


class Searched(NamedTuple):
    """The answer of a search for the first m strings: all, unless it had to stop.

    ``found`` (m,) is a mask of those in which the pattern matches, ``slow`` the places of those
    that took longer than `PACKET_S`, and therefore count as without a match.
    """

    found: Mask
    slow: Index


def never() -> bool:
    """Return False: a search may take any time."""
    return False


def search(
    pattern: Pattern, values: Values, is_spent: Callable[[], bool] = never, least: int = 1
) -> Searched:
    """Search k byte strings or texts.

    After `is_spent` returns True, search no more strings than the first `least`.
    """
    if not isinstance(values, Spans) and values.dtype == object:
        return _search_texts(pattern, values, is_spent, least)
    spans, shape = spans_of(values), shape_of(pattern.pattern)
    if shape.literal is not None:
        found = contains(spans, shape.literal, ignores_case=shape.ignores_case)
        return Searched(found, _NOWHERE)
    if not shape.required:
        return _Search(pattern, shape, is_spent).strings(spans, least)
    found = np.zeros(len(spans), dtype=np.bool_)
    for literal in shape.required:
        found |= contains(spans, literal, ignores_case=shape.ignores_case)
    index = np.flatnonzero(found)
    searched = _Search(pattern, shape, is_spent).strings(
        spans.take(index), int(np.searchsorted(index, least))
    )
    checked = len(searched.found)
    found[index[:checked]] = searched.found
    stop = len(spans) if checked == len(index) else int(index[checked])
    return Searched(found[:stop], index[searched.slow])


def _search_texts(
    pattern: Pattern, texts: NDArray[np.object_], is_spent: Callable[[], bool], least: int
) -> Searched:
    """Search each different text once."""
    answers: dict[str, bool | None] = {}
    hits: list[bool | None] = []
    for text in texts.tolist():
        if text not in answers:
            if len(hits) >= least and is_spent():
                break
            answers[text] = _matches(pattern, text.encode(errors="surrogateescape"))
        hits.append(answers[text])
    slow = np.array([index for index, hit in enumerate(hits) if hit is None], dtype=np.int64)
    return Searched(np.array([bool(hit) for hit in hits], dtype=np.bool_), slow)


class _Search:
    """Searches byte strings for one pattern. `slow` are the places of those that took too long."""

    def __init__(self, pattern: Pattern, shape: PatternShape, is_spent: Callable[[], bool]) -> None:
        self._pattern = pattern
        self._shape = shape
        self._is_spent = is_spent

    def strings(self, spans: Spans, least: int) -> Searched:
        """Search the strings, or at least the first `least`."""
        if not self._shape.is_local or len(spans) < _FEWEST:
            return self._one_by_one(spans, least)
        order = np.argsort(spans.starts, kind="stable")
        ascending = spans.take(order)
        if bool((ascending.ends[:-1] > ascending.starts[1:]).any()):  # a string inside another
            return self._one_by_one(spans, least)
        found, begun = self._in_runs(compacted(ascending))
        hits = np.zeros(len(spans), dtype=np.bool_)
        hits[order[:begun]] = found
        if begun == len(spans):
            return Searched(hits, _NOWHERE)
        # From the first string on that no run has, each is searched alone.
        first = int(order[begun:].min())
        rest = self._one_by_one(spans.take(np.arange(first, len(spans))), least - first)
        stop = first + len(rest.found)
        hits[first:stop] = rest.found
        return Searched(hits[:stop], rest.slow + first)

    def _in_runs(self, spans: Spans) -> tuple[Mask, int]:
        """Search ascending strings; return a mask of those before a slow run, and their number."""
        found = np.zeros(len(spans), dtype=np.bool_)
        begun = 0
        while begun < len(spans) and not self._is_spent():
            limit = int(spans.starts[begun]) + _RUN_BYTES
            after = max(begun + 1, int(np.searchsorted(spans.ends, limit, "right")))
            run = self._in_run(spans.take(np.arange(begun, after)))
            found[begun : begun + len(run)] = run
            begun += len(run)
            if begun < after:
                break
        return found[:begun], begun

    def _in_run(self, spans: Spans) -> Mask:
        """Search ascending strings in one call for each match; return a mask of the first ones.

        Stop if it would take more time than one call for each string: if there are many matches,
        or the pattern is slow in some string, or in many at once.
        """
        starts, ends = spans.starts.tolist(), spans.ends.tolist()
        data = np.ascontiguousarray(spans.data).data
        find = self._pattern.search
        found = np.zeros(len(starts), dtype=np.bool_)
        at, stop, checked = starts[0], ends[-1], 0
        try:
            for _ in range(8 + len(starts) // _STRINGS_PER_CALL):
                match = find(data, at, stop, concurrent=True, timeout=_RUN_S)
                if match is None:
                    return found
                begin, end = match.span()
                index = bisect_right(starts, begin) - 1
                if end > ends[index] >= begin:  # the first match inside may begin later
                    bounds = starts[index], ends[index]
                    match = find(data, *bounds, concurrent=True, timeout=_RUN_S)
                found[index] = match is not None and begin <= ends[index]
                checked = index + 1
                if checked == len(starts) or self._is_spent():
                    break
                at = starts[checked]
        except TimeoutError:
            pass
        return found[:checked]

    def _one_by_one(self, spans: Spans, least: int) -> Searched:
        """Search each string alone."""
        found = np.zeros(len(spans), dtype=np.bool_)
        slow: list[int] = []
        data = np.ascontiguousarray(spans.data).data
        is_quick = self._shape.is_quick & (lengths(spans) <= _QUICK_BYTES)
        bounds = (spans.starts.tolist(), spans.ends.tolist(), is_quick.tolist())
        for index, (start, end, quick) in enumerate(zip(*bounds, strict=True)):
            if index >= least and not (quick and index % _QUICK_STRINGS) and self._is_spent():
                return Searched(found[:index], np.array(slow, dtype=np.int64))
            if quick:
                found[index] = self._pattern.search(data[start:end]) is not None
                continue
            hit = _matches(self._pattern, data[start:end])
            found[index] = bool(hit)
            if hit is None:
                slow.append(index)
        return Searched(found, np.array(slow, dtype=np.int64))


def _matches(pattern: Pattern, data: bytes | memoryview) -> bool | None:
    """Return True if the pattern matches; None if that takes too long to know."""
    try:
        return pattern.search(data, concurrent=True, timeout=PACKET_S) is not None
    except TimeoutError:
        return None
