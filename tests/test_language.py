"""Every comment, docstring, message and document is written in plain American English.

A *phrase* is a group of words that made sentences hard to read. Each has its reason: what to write
instead. A phrase that is sometimes right is not in the list. Phrases are forbidden in docstrings,
comments, string literals, names of tests, and the Markdown documents. A rule about *spelling*
applies to all of the source, names of functions and variables included.

The prose of a file needs no parser: one regular expression matches all strings and comments. To be
fast, `phrases_in` first searches the bare words of a file, and locates only what it finds there.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.helpers.support import ROOT

FOLDERS = ("app", "core", "widgets", "tests", "screenshots")
DOCUMENTS = (
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "tests/bench/RESULTS.md",
)
PROSE = re.compile(
    r'"""(?:\\.|[^\\])*?"""'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'(?:\\.|[^'\\\n])*'"
    r"|#[^\n]*(?:\n[ \t]*#[^\n]*)*"
    r"|\bdef test [a-z0-9 ]+",  # with blanks for underscores; see `in_source`
    re.DOTALL,
)
TEST_NAME = re.compile(r"\bdef test_\w+")
WORD = re.compile(r"\w+")
GAP = r"[\s#*]+"  # between the words of a phrase: also line ends and marks of a comment
GROUP = re.compile(r"\(([^)]*)\)")


class Phrase(NamedTuple):
    """Words that no text may contain, such as ``(is|are) told``. `instead` advises the author.

    `right_before` and `right_after` are regular expressions: before or after one, it is right.
    """

    words: str
    instead: str
    right_before: str = ""
    right_after: str = ""


class Spelling(NamedTuple):
    """A regular expression that no text, in lower case, may match. `instead` advises the author."""

    pattern: str
    instead: str


PHRASES = (
    Phrase("a person", "write 'the user'"),
    Phrase("this machine", "write 'this host'"),
    Phrase("(see|sees|seen) to", "name who does it: 'the engine closes it'", r"be\b"),
    Phrase("(or|and) away with", "write 'hide' or 'remove'"),
    Phrase("in vain", "write 'without success', or what fails"),
    Phrase("(take|takes) note", "write 'record'"),
    # passives without an actor
    Phrase(
        "(is|are|was|were|be|been|being) (asked|told|said)",
        "name the actor: 'the kernel reports …', 'the user chooses …'; or write 'distinguish'",
    ),
    Phrase("(unasked|unsaid|untold)", "name the actor: 'without a request', 'not reported'"),
    # clauses that stand for a thing or an actor
    Phrase(
        "what (came|comes|goes|went|is left|was left|stands)",
        "name it: 'the rest', 'frames'",
        r"wrong\b",
    ),
    Phrase("(those|what) there (is|are|was|were)", "write 'the available …' or 'all …'"),
    Phrase("(whoever|whosoever)", "name the actor: 'a caller that …'"),
    # negated existence
    Phrase("there (is|are|was|were) (none|nothing|nobody)", "write 'no packet …', 'without a …'"),
    Phrase("(is|are|was|were) none", "write 'there is no …', or 'without …'", r"of\b"),
    Phrase(
        "(is|are|was|were) no",
        "write 'is not a …', or a verb",
        right_before=r"(longer|more)\b",
        right_after="there",
    ),
    # private metaphors, and former names
    Phrase("the books", "write 'columns' or 'counters'"),
    Phrase("(way|ways) out", "write 'send method'"),
    Phrase("(departure|departures|rails)", "write 'transmission', 'confirmation'"),
    Phrase("(fate|fates)", "write 'outcome'", r"sharing\b"),
    Phrase("news", "write 'changes' or 'messages'"),
    Phrase("(beat|beats)", "write 'tick' or 'interval'"),
    # words for which the field has its own
    Phrase("(person|persons)", "write 'user'"),
    Phrase(
        "(a|another|any|each|every|the|these|other) (machine|machines)",
        "write 'host'",
        r"(code|instruction|word|readable)",
    ),
    Phrase("(ours|theirs)", "name the owner: 'this host', 'rawscope'"),
    Phrase("(look|looks|looked|looking) at", "write 'inspect', 'read' or 'check'"),
    Phrase("(stand|stands) (in|there|behind|before)", "write 'is in', 'follows', 'replaces'"),
    Phrase("(goes|go|went|going|gone) on", "write 'continue'", r"(the|a|an|to|its|it)\b"),
    Phrase("(give|gives|given|giving|gave) back", "write 'return', 'close' or 'restore'"),
    Phrase("(to|can|could|may) be had", "write 'available' or 'possible'"),
    Phrase("sought", "write 'searched' or 'looked up'"),
    Phrase("shall", "write 'must', or a plain verb"),
    Phrase("so far", "write 'up to now'"),
    Phrase("anew", "write 'again'"),
    Phrase("for ever", "write 'forever'"),
    Phrase("the other way round", "write 'swapped' or 'in reverse'"),
)
# A docstring that begins with one of these is a fragment that states the result but not the act.
FRAGMENT = Spelling(
    r'"""(whether|what|that|who|how|why|when|where)\b(?! to\b)',
    "start with a verb ('Return True if …'), or with a noun for a class or an attribute",
)
SPELLING = (
    Spelling(r"(?<!linux/)(neighb|behavi|col|hon|fav|lab|harb|flav|hum|rum|vap)our(?!ly)", "-or"),
    Spelling(
        r"(?<!is_)(cancel|label|model|travel|signal|tunnel|channel|level|total)l(ed|ing|er)",
        "one l",
    ),
    Spelling(r"(?<![a-z])grey(?!\d)|centre(?!d? ?point)|metres?\b|fibre", "gray, center, fiber"),
    Spelling(
        r"(summar|recogn|organ|normal|serial|initial|optim|minim|maxim|synchron|priorit|random"
        r"|categor|emphas|real|util|visual|author|character|custom|standard|final|capital"
        r"|general|local|special|vector|memor|neutral|token|anonym)is(e|ed|er|es|ing|ation)"
        r"(?![a-z])",
        "write -ize",
    ),
    Spelling(
        r"(anal|paral)ys(ed|ing|e)(?![a-z])|catalogue|artefact|whilst|amongst|(acknowledg|judg)ement",
        "American",
    ),
    Spelling(r"(?<![a-z])(defence|offence|licence|practise|programme)s?(?![a-z])", "American"),
    Spelling(r"(?<![a-z])(to|after|back|up|down|in)wards(?![a-z])", "no s: toward, afterward"),
    Spelling(
        r"(?<=def test )(what|who|whoever|which|whether|why|how|where|so|it|as)(?= )",
        "begin the name of a test with its subject: 'a_cut_frame_stays_cut'",
    ),
)


class Finding(NamedTuple):
    """Forbidden words, printed as ``file:line: 'text': what to write instead``."""

    path: str
    line: int
    text: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text!r}: {self.instead}"


def variants(words: str) -> list[str]:
    """Return each text that a phrase stands for: ``(a|the) b`` is ``a b`` and ``the b``."""
    parts = [part.split("|") for part in GROUP.split(words)]
    return ["".join(choice) for choice in itertools.product(*parts)]


@cache
def _located(phrase: Phrase) -> re.Pattern[str]:
    """Return a pattern that matches a phrase where it is, also across the end of a line.

    Its group `right` is set after words that make the phrase right.
    """
    pattern = GROUP.sub(r"(?:\1)", phrase.words).replace(" ", GAP)
    unless = f"(?!{GAP}{phrase.right_before})" if phrase.right_before else ""
    after = rf"(?P<right>\b{phrase.right_after}{GAP})?" if phrase.right_after else ""
    return re.compile(rf"{after}\b{pattern}\b{unless}")


@cache
def _padded(phrase: Phrase) -> tuple[str, ...]:
    return tuple(f" {words} " for words in variants(phrase.words))


def _finding(path: str, text: str, match: re.Match[str], instead: str) -> Finding:
    line = text.count("\n", 0, match.start()) + 1
    return Finding(path, line, " ".join(match[0].split()), instead)


def phrases_in(
    text: str, spans: Iterable[tuple[int, int]], path: str, phrases: tuple[Phrase, ...]
) -> list[Finding]:
    """Return the phrases that the parts `spans` of a text in lower case contain."""
    prose = [text[start:stop] for start, stop in spans]
    words = f" {' '.join(WORD.findall(' '.join(prose)))} "
    present = [phrase for phrase in phrases if any(variant in words for variant in _padded(phrase))]
    if not present:
        return []
    return [
        _finding(path, text, match, phrase.instead)
        for phrase in present
        for match in _located(phrase).finditer(text)
        if not match.groupdict().get("right")
        and any(start <= match.start() and match.end() <= stop for start, stop in spans)
    ]


@cache
def _all_spellings() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{rule.pattern})" for rule in SPELLING))


def spellings_in(text: str, path: str) -> list[Finding]:
    """Return what the rules about spelling find in a text in lower case."""
    if not _all_spellings().search(text):
        return []
    return [
        _finding(path, text, match, rule.instead)
        for rule in SPELLING
        for match in re.finditer(rule.pattern, text)
    ]


def in_source(text: str, path: str) -> list[Finding]:
    """Return what is wrong in Python source: phrases in its prose, spelling everywhere."""
    text = TEST_NAME.sub(lambda name: name[0].replace("_", " "), text)
    text = text.replace("None", "null").replace("SHALL", "MUST ").lower()  # Python, RFC 2119
    spans = [match.span() for match in PROSE.finditer(text)]
    fragments = [
        _finding(path, text, match, FRAGMENT.instead)
        for match in re.finditer(FRAGMENT.pattern, text)
    ]
    phrases = phrases_in(text, spans, path, PHRASES)
    return spellings_in(text, path) + fragments + phrases


def in_document(text: str, path: str) -> list[Finding]:
    """Return what is wrong in a Markdown document."""
    text = text.lower()
    whole = [(0, len(text))]
    return spellings_in(text, path) + phrases_in(text, whole, path, PHRASES)


def sources() -> Iterator[Path]:
    """Yield every Python file of the project, except for this one, which quotes the phrases."""
    for folder in FOLDERS:
        yield from (
            path for path in sorted((ROOT / folder).rglob("*.py")) if path != Path(__file__)
        )


def _in_file(path: Path) -> list[Finding]:
    name = str(path.relative_to(ROOT))
    return in_source(path.read_text(), name)


@pytest.mark.parametrize("folder", FOLDERS)
def test_source_is_plain_american_english(folder: str) -> None:
    found = [
        finding
        for path in sources()
        if path.is_relative_to(ROOT / folder)
        for finding in _in_file(path)
    ]
    assert not found, "\n" + "\n".join(map(str, sorted(found)))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents_are_plain_american_english(document: str) -> None:
    found = in_document((ROOT / document).read_text(), document)
    assert not found, "\n" + "\n".join(map(str, sorted(found)))


def test_a_finding_names_file_line_and_advice() -> None:
    """A phrase may continue on the next line of a comment or docstring."""
    source = 'x = 1\n# The packet that a\n# person sees.\ny = """One\nin\nvain."""\n'
    assert [str(finding) for finding in sorted(in_source(source, "a.py"))] == [
        "a.py:2: 'a # person': write 'the user'",
        "a.py:3: 'person': write 'user'",
        "a.py:5: 'in vain': write 'without success', or what fails",
    ]


def test_phrases_are_found_in_prose_only_and_spelling_in_names_too() -> None:
    assert in_source("told = who_wants.the_books + the - books\n", "a.py") == []
    assert [finding.text for finding in in_source("def neighbour(): pass\n", "a.py")] == [
        "neighbour"
    ]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("def test_a_fault_is_told(): pass", "is told"),
        ('"""Whether it is one."""', '"""whether'),
        ("def test_what_was_cut_stays_cut(): pass", "what"),
        ("def test_somewhere_else(): pass", ""),
        ('x = "what came"', "what came"),
        ("# it goes on", "goes on"),
        ("# the tag goes on the wire", ""),
        ("# RFC 9293: a TCP SHALL", ""),
        ("# it is None", ""),
        ("# the fate sharing of a host and the machine code in it", ""),
        ("# it means that there is no route", ""),
        ("# a comment in which there\n# are no words", ""),
        ("# it is no longer there, and was no more", ""),
        ("# a file that is no capture", "is no"),
        ("def test_bytes_are_no_database(): pass", "are no"),
        ("# an hour's courses of four", ""),
        ('"""How to start."""', ""),
        ('x = "given_back"', ""),
    ],
)
def test_dialect(source: str, text: str) -> None:
    assert [finding.text for finding in in_source(source, "a.py")] == [text] * bool(text)
