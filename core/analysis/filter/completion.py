"""Complete the text of a filter: names of fields with their meaning, and words for values.

The word before the cursor is completed: after a comparison of a field that has words
(``ip.proto == "T``) by these, elsewhere by the names that begin with it, then by those that contain
it. After ``$``, macros come first. Inside another string nothing is offered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.language.macros import NO_MACROS, Macros
from core.analysis.filter.types import FilterField, FilterType

_NAME = r"[A-Za-z_][\w.-]*"
_WORD = re.compile(rf"(?:^|[\s({{\[,!&|=<>@+*/%])(?:\$\{{?)?({_NAME})$")
_EQUALITY = r"(?:===?|!==?|\b(?:any_|all_)?(?:eq|ne)\b|\bin\s*\{(?:[^}\"]|\"[^\"]*\")*)"
_VALUE = re.compile(rf"({_NAME})\s*{_EQUALITY}\s*(\"[^\"]*|[A-Za-z][^\s\"]*|)$")


@dataclass(frozen=True, slots=True)
class Completion:
    """A text to insert, and what it means."""

    text: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Completions:
    """The texts that can replace characters `start` … ``stop - 1`` of the filter, best first."""

    start: int = 0
    stop: int = 0
    items: tuple[Completion, ...] = ()

    def inserted(self, text: str, index: int) -> tuple[str, int]:
        """Return the filter with one of the texts inserted, and the cursor behind it."""
        item = self.items[index].text
        return text[: self.start] + item + text[self.stop :], self.start + len(item)


def complete(text: str, cursor: int, macros: Macros = NO_MACROS) -> Completions:
    """Return the texts that can replace the word before the cursor."""
    before = text[:cursor]
    value = _VALUE.search(before)
    if value is not None:
        field = CATALOG.find(value[1])
        if field is not None and field.words:
            return Completions(value.start(2), cursor, tuple(_words(field, value[2])))
    word = _WORD.search(before)
    if word is None or before.count('"') % 2:
        return Completions()
    is_macro = before[: word.start(1)].endswith("$")
    items = (*(_macros(word[1], macros) if is_macro else ()), *_names(word[1]))
    is_done = len(items) == 1 and items[0].text == word[1]
    return Completions(word.start(1), cursor, () if is_done else items)


def _words(field: FilterField, typed: str) -> Iterator[Completion]:
    """Yield the words for values of a field, those that begin with `typed` first."""
    wanted = typed.lstrip('"').lower()
    found = [(word, number) for number, word in field.words.items() if wanted in word.lower()]
    found.sort(key=lambda pair: not pair[0].lower().startswith(wanted))
    for word, number in found:
        shown = hex(number) if field.base == 16 and field.type is not FilterType.BOOLEAN else number
        yield Completion(f'"{word}"', f"{field.name} {shown}")


def _macros(typed: str, macros: Macros) -> Iterator[Completion]:
    """Yield the macros that begin with `typed`, with their texts."""
    for name, text in sorted(macros.items()):
        if name.startswith(typed):
            yield Completion(f"{name}(", text)


def _names(typed: str) -> Iterator[Completion]:
    """Yield the names that begin with `typed`, then those that contain it."""
    wanted = typed.lower()
    found = [name for name in CATALOG.names() if wanted in name.lower()]
    found.sort(key=lambda name: not name.lower().startswith(wanted))
    for name in found:
        field = CATALOG.find(name)
        assert field is not None
        yield Completion(name, field.meaning or field.type.value)
