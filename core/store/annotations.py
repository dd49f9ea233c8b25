"""The results of analyses of one store's packets, shared by all its snapshots."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Annotations:
    """One object of each kind that a reader of the store asked for. Methods are for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[Callable[[], Any], Any] = {}

    def of(self, kind: Callable[[], T]) -> T:
        """Return the store's own `kind`, which the first call makes."""
        with self._lock:
            if kind not in self._found:
                self._found[kind] = kind()
            found: T = self._found[kind]
            return found
