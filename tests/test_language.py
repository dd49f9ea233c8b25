"""Every comment, docstring, message and document is written in plain American English.

Each rule is a phrase that made sentences hard to read, with what to write instead. A rule about
*phrases* reads docstrings, comments, string literals and the Markdown documents; a rule about
*spelling* reads all of the source, names of functions and variables included. To read only what
is prose needs no parser: one regular expression finds all strings and comments of a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support import ROOT

FOLDERS = ("app", "core", "widgets", "tests", "screenshots")
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")
PROSE = re.compile(
    r'"""(?:\\.|[^\\])*?"""'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'(?:\\.|[^'\\\n])*'"
    r"|#[^\n]*(?:\n[ \t]*#[^\n]*)*",
    re.DOTALL,
)


class Rule(NamedTuple):
    """A regular expression that no text, in lower case, may match. `instead` advises the author.

    A blank in `pattern` matches line ends and the marks of a comment, too.
    """

    pattern: str
    instead: str


PHRASES = (
    Rule(r'"""whether\b', "write 'Return True if …', or 'True if …' for an attribute"),
    Rule(r"\ba person\b", "write 'the user'"),
    Rule(r"\bthis machine\b", "write 'this host'"),
    Rule(r"\bse(e|es|en) to\b(?! be\b)", "name who does it: 'the engine closes it'"),
    Rule(r"\b(or|and) away with\b", "write 'hide' or 'remove'"),
    Rule(r"\bin vain\b", "write 'without success', or what fails"),
    Rule(r"\btakes? note\b", "write 'record'"),
    Rule(r"\bthe \w+ there (is|are)\b(?= ?[.;:,\"'])", "write 'the available …' or 'all …'"),
)
SPELLING = (
    Rule(r"(?<!linux/)(neighb|behavi|col|hon|fav|lab|harb|flav|hum|rum|vap)our(?!ly)", "write -or"),
    Rule(
        r"(?<!is_)(cancel|label|model|travel|signal|tunnel|channel|level|total)l(ed|ing|er)",
        "one l",
    ),
    Rule(r"(?<![a-z])grey(?!\d)|centre(?!d? ?point)|metres?\b|fibre", "write gray, center, fiber"),
    Rule(
        r"(summar|recogn|organ|normal|serial|initial|optim|minim|maxim|synchron|priorit|random"
        r"|categor|emphas|real|util|visual|author|character|custom|standard|final|capital"
        r"|general|local|special|vector|memor|neutral|token|anonym)is(e|ed|er|es|ing|ation)"
        r"(?![a-z])",
        "write -ize",
    ),
    Rule(
        r"(anal|paral)ys(ed|ing|e)(?![a-z])|catalogue|artefact|whilst|amongst|(acknowledg|judg)ement",
        "American",
    ),
    Rule(r"(?<![a-z])(defence|offence|licence|practise|programme)s?(?![a-z])", "American"),
)


class Finding(NamedTuple):
    """A match of a rule, printed as ``file:line: 'text': what to write instead``."""

    path: str
    line: int
    text: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text!r}: {self.instead}"


@cache
def _compiled(rules: tuple[Rule, ...]) -> tuple[re.Pattern[str], tuple[re.Pattern[str], ...]]:
    """Return one pattern for all rules, and each rule's own."""
    patterns = [rule.pattern.replace(" ", r"[\s#*]+") for rule in rules]
    every = re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
    return every, tuple(re.compile(pattern) for pattern in patterns)


def findings(text: str, path: str, rules: tuple[Rule, ...], first_line: int = 1) -> list[Finding]:
    """Return what the rules find in `text`, whose first line has the number `first_line`."""
    every, each = _compiled(rules)
    text = text.lower()
    if not every.search(text):
        return []
    return [
        Finding(
            path,
            first_line + text.count("\n", 0, match.start()),
            " ".join(match[0].split()),
            rule.instead,
        )
        for rule, pattern in zip(rules, each, strict=True)
        for match in pattern.finditer(text)
    ]


def in_source(text: str, path: str) -> list[Finding]:
    """Return what the rules find in Python source: phrases in its prose, spelling everywhere."""
    found = findings(text, path, SPELLING)
    if _compiled(PHRASES)[0].search(text.lower()):
        for prose in PROSE.finditer(text):
            first_line = text.count("\n", 0, prose.start()) + 1
            found += findings(prose[0], path, PHRASES, first_line)
    return found


def in_document(text: str, path: str) -> list[Finding]:
    """Return what the rules find in a Markdown document."""
    return findings(text, path, SPELLING) + findings(text, path, PHRASES)


def sources() -> Iterator[Path]:
    """Yield every Python file of the project, except for this one, which quotes the phrases."""
    for folder in FOLDERS:
        yield from (
            path for path in sorted((ROOT / folder).rglob("*.py")) if path != Path(__file__)
        )


@pytest.mark.parametrize("folder", FOLDERS)
def test_source_is_plain_american_english(folder: str) -> None:
    found = [
        finding
        for path in sources()
        if path.is_relative_to(ROOT / folder)
        for finding in in_source(path.read_text(), str(path.relative_to(ROOT)))
    ]
    assert not found, "\n" + "\n".join(map(str, sorted(found)))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents_are_plain_american_english(document: str) -> None:
    found = in_document((ROOT / document).read_text(), document)
    assert not found, "\n" + "\n".join(map(str, sorted(found)))


def test_a_finding_names_file_line_and_advice() -> None:
    """A phrase may continue on the next line of a comment or docstring."""
    source = 'x = 1\n# The packet that a\n# person sees.\ny = """One\nin\nvain."""\n'
    assert [str(finding) for finding in in_source(source, "a.py")] == [
        "a.py:2: 'a # person': write 'the user'",
        "a.py:5: 'in vain': write 'without success', or what fails",
    ]


def test_phrases_are_sought_in_prose_and_spelling_in_names_too() -> None:
    assert in_source("told = who_wants.the_books + the - books\n", "a.py") == []
    assert [finding.text for finding in in_source("def neighbour(): pass\n", "a.py")] == [
        "neighbour"
    ]
