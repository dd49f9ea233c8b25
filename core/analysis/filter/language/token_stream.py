"""The tokens of a filter, one after the other, for the parsers.

An error in a token is raised when a parser reaches it, so that a wrong token before it is reported
first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from core.analysis.filter.language.errors import FilterError, Place, nearest
from core.analysis.filter.language.lexer import OPERATORS, QUANTIFIERS, Token, TokenKind, tokens
from core.analysis.filter.language.syntax import Operator

DEPTH = 100  # of nested brackets

_WORDS = tuple(word for word in OPERATORS if word.isalpha()) + QUANTIFIERS


class TokenStream:
    """A position in the tokens of a text."""

    def __init__(self, text: str) -> None:
        self._tokens: list[Token] = []
        self._error: FilterError | None = None
        try:
            for token in tokens(text):
                self._tokens.append(token)
        except FilterError as error:
            self._error = error
        self._at = 0
        self._depth = 0

    @property
    def token(self) -> Token:
        """The next token. Raise `FilterError` if it is wrong."""
        if self._at == len(self._tokens) and self._error is not None:
            raise self._error
        return self._tokens[self._at]

    @property
    def kind(self) -> TokenKind:
        """The kind of the next token."""
        return self.token.kind

    def at_end(self) -> bool:
        """Return True if no token is left."""
        return self.token.kind is TokenKind.END

    @property
    def place(self) -> Place:
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
        self._at += 1
        return token

    def has(self, text: str) -> bool:
        """Return True if the next token is this punctuation."""
        return self.kind is TokenKind.PUNCTUATION and self.token.text == text

    def follows(self, text: str) -> bool:
        """Return True if the token before the next one has this text."""
        return self._at > 0 and self._tokens[self._at - 1].text == text

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
            message += nearest(token.text, _WORDS)
        return FilterError(message, token.place)

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """Count one more level of brackets. Raise `FilterError` if there are too many."""
        self._depth += 1
        if self._depth > DEPTH:
            raise FilterError(f"more than {DEPTH} nested brackets", self.place)
        yield
        self._depth -= 1
