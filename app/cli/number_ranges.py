"""Kinds of numbers on the command line."""

from __future__ import annotations

import math
from typing import Any

import rich_click as click


class FiniteRange(click.FloatRange):
    """A range of numbers: infinity and what is not a number are in none."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number. Raises `click.BadParameter`."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number
