"""A bounded cache that leaves no garbage behind.

``textual.cache.LRUCache`` links its entries in a circle. Whatever is in one when it is cleared
waits for a full collection of garbage: all strips of a list, with ten objects each, whenever
another packet is shown. Here two dictionaries hold the entries, so that dropped ones are freed at
once. When the newer one is full, it becomes the older one, and what was in that is dropped.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class RecentValues(Generic[Key, Value]):
    """Keeps the `least` values that were used last, and at most twice as many."""

    def __init__(self, least: int) -> None:
        self._least = least
        self._newer: dict[Key, Value] = {}
        self._older: dict[Key, Value] = {}

    def __len__(self) -> int:
        return len(self._newer.keys() | self._older.keys())

    def get(self, key: Key) -> Value | None:
        """Return the value of a key, or None without one."""
        value = self._newer.get(key)
        if value is None and (value := self._older.get(key)) is not None:
            self.put(key, value)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Keep a value, in place of an earlier one of the key."""
        if len(self._newer) >= self._least and key not in self._newer:
            self._older, self._newer = self._newer, {}
        self._newer[key] = value

    def clear(self) -> None:
        """Drop all values."""
        self._newer, self._older = {}, {}
