"""Read what the terminal sends, in a thread: keys, mouse, pastes, and its answers to questions.

Textual (8.2) decodes this strictly as UTF-8, so one byte of another encoding ends the program: a
letter typed on a terminal set to ISO-8859-1, a pasted file name, or an alt key that sets the eighth
bit. Here such a byte becomes U+FFFD.
"""

from __future__ import annotations

import codecs
import os
import select
from collections.abc import Iterator
from contextlib import suppress
from threading import Event

from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.message import Message

_LONGEST_WAIT_S = 0.1  # then the parser decides whether an escape byte is the escape key
_PIECE = 4096


def read_messages(
    descriptor: int, ended: Event, encoding: str, *, debug: bool = False
) -> Iterator[Message]:
    """Yield what the terminal sends until `ended` is set. Raises `OSError` if it is gone."""
    parser = XTermParser(debug)
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    terminal = select.poll()
    terminal.register(descriptor, select.POLLIN)
    is_last = False
    while not is_last:
        is_last = ended.is_set()  # then read once more what has already arrived
        if terminal.poll(_LONGEST_WAIT_S * 1000):
            data = os.read(descriptor, _PIECE)
            if text := decoder.decode(data, final=is_last):
                yield from parser.feed(text)
            elif not data:
                ended.wait(_LONGEST_WAIT_S)  # the other end is closed
        yield from parser.tick()
    with suppress(EOFError, ParseError):
        yield from parser.feed("")
