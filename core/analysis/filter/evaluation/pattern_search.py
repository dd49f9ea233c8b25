"""The search for a regular expression in byte strings and texts.

Each search has a time limit. A pattern without operators is a search for bytes in the whole buffer
(`byte_search`).
"""

from __future__ import annotations

import re

import numpy as np
import regex
from numpy.typing import NDArray

from core.analysis.filter.evaluation.byte_search import contains
from core.analysis.filter.evaluation.byte_strings import spans_of
from core.analysis.filter.types import Spans, Values

MOST_S = 2.0
"""The longest time that the search in one field of one packet may take."""


class SlowPatternError(Exception):
    """A regular expression that takes too long for some packet."""


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
