"""Display filters: the text of a filter, compiled.

`compile_filter` reads the text (`parser`), looks up its fields and types (`checker`), and returns a
`DisplayFilter`, which selects packets of a chunk (`evaluation`).
"""

from __future__ import annotations

from dataclasses import dataclass

from core.analysis.filter.checker import check
from core.analysis.filter.expressions import Condition
from core.analysis.filter.parser import parse
from core.analysis.filter.types import FieldCatalog


@dataclass(frozen=True, slots=True)
class DisplayFilter:
    """A valid filter. `condition` is None for an empty one, which every packet passes."""

    text: str
    condition: Condition | None


def compile_filter(text: str, catalog: FieldCatalog) -> DisplayFilter:
    """Return the filter of a text. Raise `FilterError`."""
    test = parse(text)
    return DisplayFilter(text, None if test is None else check(test, catalog, len(text.rstrip())))
