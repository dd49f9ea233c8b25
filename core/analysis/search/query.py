"""A query, which the user types: a text and its kind, and the criterion that they make."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from core.analysis.filter.language.macros import NO_MACROS, Macros
from core.analysis.filter.packet_filter import PacketFilter
from core.analysis.filter.types import FieldValues
from core.analysis.search.criteria import ByteCriterion, Criterion, FilterCriterion
from core.analysis.search.text_criterion import TextCriterion
from core.analysis.tcp.flow_table import NO_FLOWS, FlowTable

_BETWEEN = re.compile(r"0x|[\s:.,-]", re.IGNORECASE)
_NOT_HEX = re.compile(r"[^0-9a-fA-F]")


class SearchKind(Enum):
    """The kind of the text of a query. The value names it on the screen."""

    TEXT = "text"
    HEX = "hex bytes"
    FILTER = "filter"


class QueryError(ValueError):
    """A query that is refused; the text says why.

    `is_incomplete` is True if more text could make the query valid.
    """

    def __init__(self, message: str, *, is_incomplete: bool = False) -> None:
        super().__init__(message)
        self.is_incomplete = is_incomplete


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A text to search for. `ignores_case` matters for the kind TEXT only."""

    text: str
    kind: SearchKind = SearchKind.TEXT
    ignores_case: bool = True

    def criterion(
        self,
        flows: FlowTable = NO_FLOWS,
        selected: FieldValues | None = None,
        macros: Macros = NO_MACROS,
    ) -> Criterion:
        """Return the criterion of the query.

        In rows, TCP numbers are relative, as far as `flows` knows them. `selected` has the values
        of one packet, for references in a filter, which may use `macros`. Raise `QueryError`, or
        `core.analysis.filter.language.errors.FilterError`.
        """
        if not self.text.strip():
            raise QueryError("type what to search for", is_incomplete=True)
        match self.kind:
            case SearchKind.TEXT:
                return TextCriterion(self.text, ignores_case=self.ignores_case, flows=flows)
            case SearchKind.HEX:
                return ByteCriterion(hex_bytes(self.text))
            case SearchKind.FILTER:
                return FilterCriterion(PacketFilter.compile(self.text, selected, macros))

    @property
    def title(self) -> str:
        """The words that name the query: ``'GET'``, ``tcp.port == 80``."""
        return repr(self.text) if self.kind is SearchKind.TEXT else self.text.strip()

    @property
    def phrase(self) -> str:
        """The words for what no packet has: ``contains 'GET'``, ``passes tcp.port == 80``."""
        match self.kind:
            case SearchKind.TEXT:
                return f"contains {self.title}"
            case SearchKind.HEX:
                return f"contains the bytes {self.title}"
            case SearchKind.FILTER:
                return f"passes {self.title}"


def hex_bytes(text: str) -> bytes:
    """Return the bytes that pairs of hex digits name, with or without separators.

    ``47 45 54``, ``47:45:54``, and ``0x474554`` are the same. Raise `QueryError`.
    """
    digits = _BETWEEN.sub("", text)
    wrong = _NOT_HEX.search(digits)
    if wrong:
        raise QueryError(f"{wrong.group()!r} is not a hex digit; type pairs: 47 45 54")
    if not digits or len(digits) % 2:
        raise QueryError("type pairs of hex digits: 47 45 54", is_incomplete=True)
    return bytes.fromhex(digits)
