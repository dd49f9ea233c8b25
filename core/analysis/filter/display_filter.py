"""Display filters: the text of a filter, compiled.

`compile_filter` reads the text (`macros`, `parser`), looks up its fields and types (`checker`), and
returns a `DisplayFilter`, which selects packets of a chunk (`evaluation`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.evaluation.evaluation import Evaluation, Passing
from core.analysis.filter.evaluation.pattern_search import never
from core.analysis.filter.language.capture_syntax import display_filter_of
from core.analysis.filter.language.checker import check
from core.analysis.filter.language.errors import FilterError, TextSpan
from core.analysis.filter.language.expressions import Condition, fields_of
from core.analysis.filter.language.macros import NO_MACROS, Macros, expand
from core.analysis.filter.language.parser import parse
from core.analysis.filter.types import FieldCatalog, FieldValues


@dataclass(frozen=True, slots=True)
class DisplayFilter:
    """A valid filter. `condition` is None for an empty one, which every packet passes."""

    text: str
    condition: Condition | None

    @property
    def fields(self) -> frozenset[str]:
        """The names of the fields that the filter reads from each packet."""
        if self.condition is None:
            return frozenset()
        return frozenset(each.field.name for each in fields_of(self.condition))

    def passing(
        self,
        values: FieldValues,
        selected: FieldValues | None = None,
        is_spent: Callable[[], bool] = never,
    ) -> Passing:
        """Return which packets of a chunk pass, without the rest of them after `is_spent`.

        `selected` has the values of one packet, for references (``${ip.src}``).
        """
        return Evaluation(values, selected, is_spent).passing(self.condition)

    def passes(self, values: FieldValues, selected: FieldValues | None = None) -> NDArray[np.bool_]:
        """Return a mask (n,) of the packets of a chunk that pass."""
        return self.passing(values, selected).mask


def compile_filter(text: str, catalog: FieldCatalog, macros: Macros = NO_MACROS) -> DisplayFilter:
    """Return the filter of a text. Raise `FilterError`."""
    try:
        return _compiled(text, catalog, macros)
    except FilterError as error:
        meant = "" if error.is_incomplete else display_filter_of(text)
        if not meant or not _is_valid(meant, catalog):
            raise
        start = len(text) - len(text.lstrip())
        message = f"this is a capture filter; a similar display filter is: {meant}"
        raise FilterError(message, TextSpan(start, len(text.rstrip()))) from None


def _is_valid(text: str, catalog: FieldCatalog) -> bool:
    try:
        _compiled(text, catalog, NO_MACROS)
    except FilterError:
        return False
    return True


def _compiled(text: str, catalog: FieldCatalog, macros: Macros) -> DisplayFilter:
    test, expansion = parse(text, macros), expand(text, macros)
    try:
        length = len(expansion.text.rstrip())
        return DisplayFilter(text, None if test is None else check(test, catalog, length))
    except FilterError as error:
        raise expansion.located(error) from None
