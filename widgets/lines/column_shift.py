"""The horizontal offset of long lines. Numbers only: no drawing, no Textual."""

from __future__ import annotations


class ColumnShift:
    """A horizontal offset, moved by steps of `step`; `value` is 0 when nothing is hidden."""

    def __init__(self, step: int = 8) -> None:
        self.step = step
        self.value = 0

    def move(self, steps: int, most: int) -> bool:
        """Move by `steps` steps, to a value from 0 to `most`. Return True if the value changed."""
        before = self.value
        self.value = max(0, min(before + steps * self.step, most))
        return self.value != before
