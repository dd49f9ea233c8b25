"""Context managers that close what they have at the end of their block."""

from __future__ import annotations

from typing import Self


class Closing:
    """A context manager that calls `close` at its end, however the block ends."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close everything. Every subclass has its own."""
        raise NotImplementedError
