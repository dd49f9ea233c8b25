"""The tokens of a filter, one after the other, for the parsers.

An error in a token is raised when a parser reaches it, so that a wrong token before it is reported
first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from core.analysis.filter.language.errors import FilterError, TextSpan, nearest
from core.analysis.filter.language.lexer import OPERATORS, QUANTIFIERS, Token, TokenKind, tokens
from core.analysis.filter.language.syntax import Operator

DEPTH = 100
"""The most levels that a filter may nest.

The parsers, the checker, and the evaluation need at most four frames of the stack for each.
"""
MOST_CHARACTERS = 1 << 18
"""The longest text of a filter: a set of 10,000 addresses fits."""

_WORDS = tuple(word for word in OPERATORS if word.isalpha()) + QUANTIFIERS


_OTHER_WORDS = {
    "is": "==", "equals": "==", "equal": "==", "like": "contains or matches", "has": "contains",
    "includes": "contains", "regex": "matches", "between": "in {low .. high}", "within": "in {…}",
}  # fmt: skip
"""Words of other languages, and what to write here."""


def check_length(text: str) -> None:
    """Raise `FilterError` for a text that is too long."""
    if len(text) > MOST_CHARACTERS:
        message = f"a filter has at most {MOST_CHARACTERS:,} characters, not {len(text):,}"
        raise FilterError(message, TextSpan(MOST_CHARACTERS, len(text)))


class TokenStream:
    """A position in the tokens of a text. Raise `FilterError` for a text that is too long."""

    def __init__(self, text: str) -> None:
        check_length(text)
        self._tokens = tokens(text)
        self._token: Token | None = None
        self._error: FilterError | None = None
        self._previous = ""
        self._depth = 0
        self._deepest = 0

    @property
    def token(self) -> Token:
        """The next token. Raise `FilterError` if it is wrong."""
        if self._error is not None:
            raise self._error
        if self._token is None:
            try:
                self._token = next(self._tokens)
            except FilterError as error:
                self._error = error
                raise
        return self._token

    @property
    def kind(self) -> TokenKind:
        """The kind of the next token."""
        return self.token.kind

    def at_end(self) -> bool:
        """Return True if no token is left."""
        return self.token.kind is TokenKind.END

    @property
    def place(self) -> TextSpan:
        """The place of the next token."""
        return self.token.place

    @property
    def operator(self) -> Operator | None:
        """The next token as an operator, or None."""
        value = self.token.value
        return value if isinstance(value, Operator) else None

    def advance(self) -> Token:
        """Return the next token, and go past it."""
        token = self.token
        if token.kind is not TokenKind.END:
            self._token, self._previous = None, token.text
        return token

    def has(self, text: str) -> bool:
        """Return True if the next token is this punctuation."""
        return self.kind is TokenKind.PUNCTUATION and self.token.text == text

    def follows(self, text: str) -> bool:
        """Return True if the token before the next one has this text."""
        return self._previous == text

    def expect(self, text: str, expected: str) -> Token:
        """Go past this punctuation. Raise `FilterError` if something else is next."""
        if not self.has(text):
            raise self.unexpected(expected)
        return self.advance()

    def unexpected(self, expected: str) -> FilterError:
        """Return the error of the next token; `expected` is what could be there instead."""
        token = self.token
        if token.kind is TokenKind.END:
            message = f"unexpected end of the filter; expected {expected}"
            return FilterError(message, token.place, is_incomplete=True)
        message = f'"{token.text}" was unexpected in this context; expected {expected}'
        if token.kind in (TokenKind.IDENTIFIER, TokenKind.WORD):
            if meant := _OTHER_WORDS.get(token.text.lower()):
                message = f'write {meant} in place of "{token.text}"'
            else:
                message += nearest(token.text, _WORDS)
        elif token.text == ")" and not self._depth:
            message += '; no "(" is before it'
        elif token.text == "," and not self._depth:
            message += "; a set of values is written in {80, 443}"
        return FilterError(message, token.place)

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """Count one more level inside. Raise `FilterError` if there are too many."""
        self._depth += 1
        self._reach(self._depth)
        yield
        self._depth -= 1

    @contextmanager
    def operand(self) -> Iterator[None]:
        """Measure the levels of one operand, for `wrap`."""
        outer, self._deepest = self._deepest, self._depth
        yield
        self._deepest = max(outer, self._deepest)

    def wrap(self) -> None:
        """Count one more level around the operand. Raise `FilterError` if it is too deep."""
        self._reach(self._deepest + 1)

    def _reach(self, depth: int) -> None:
        self._deepest = max(self._deepest, depth)
        if depth > DEPTH:
            raise FilterError(f"the filter is nested more than {DEPTH} levels deep", self.place)
