"""Number types of command-line options."""

from __future__ import annotations

import math
from typing import Any

import rich_click as click


class FiniteRange(click.FloatRange):
    """A range of finite numbers: infinity and NaN are outside every range."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number. Raise `click.BadParameter`."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


POSITIVE = FiniteRange(min=0, min_open=True)
