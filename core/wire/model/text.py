"""Text from the wire or a file, made safe to print.

A terminal obeys control characters: ESC starts sequences that move the cursor, retitle the window,
or answer back; the C1 set (U+0080–U+009F) does the same in one character. Bidirectional controls
reorder text (Unicode TR 9), invisible and unassigned characters hide in it, and a lone surrogate
cannot be encoded. Each is shown as an escape instead (``\\x1b``), so that nothing vanishes.

Terminals draw default-ignorable characters as nothing at all. Those that are not format characters
(which all are escaped) have to be listed: the combining grapheme joiner, fillers of Hangul, vowels
of Khmer that have no glyph, variation selectors.

Combining marks are drawn over the character before them, in no cell of their own; so are Hangul's
vowels and final consonants. Any number of them can pile up, or hide a text. `STACK` of them on one
character are shown as they are, which is all that Thai, Vietnamese or old Korean needs; further
ones, and those without a character below them, are escaped.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

STACK = 2  # combining marks that one character keeps

_DOT = ord("·")  # one byte in Latin-1
_PRINTED = bytes(byte if 0x20 <= byte < 0x7F else _DOT for byte in range(256))
_ESCAPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARK_CATEGORIES = frozenset({"Mn", "Me", "Mc"})
# Default_Ignorable_Code_Point in DerivedCoreProperties.txt of Unicode 16.0, without what the
# categories above have already. unicodedata does not know the property.
_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# Hangul_Syllable_Type V and T in HangulSyllableType.txt: conjoining, without a width.
# And the skin tones of emoji (Emoji_Modifier in emoji-data.txt), drawn into the one before.
_CONJOINING = re.compile("[\u1161-\u11ff\ud7b0-\ud7c6\ud7cb-\ud7fb\U0001f3fb-\U0001f3ff]")
# Blocks, or parts of them, that hold neither marks nor ignorable characters: most text is of
# these alone. `is_plain` also checks that every character is assigned.
_PLAIN = re.compile(
    "[ -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0482\u048a-\u058f\u05d0-\u05f4\u2010-\u2027"
    "\u2030-\u205e\u2070-\u20cf\u2100-\u2bff\u3001-\u3029\u3041-\u3096\u309b-\u3163\u3165-\u9fff\uac00-\ud7a3"
    "\uff01-\uff9f]*"
)


def safe(text: str) -> str:
    """Escape what a terminal would obey, hide or pile up in `text`.

    That is: control, format, private, unassigned, surrogate and ignorable characters, and combining
    marks beyond `STACK`. Backslashes stay as they are. Safe text stays the same when it is made
    safe again.
    """
    return text if is_plain(text) else rewrite(text, _escape)[0]


def is_plain(text: str) -> bool:
    """Return True if the blocks of the characters show that `text` is safe as it is.

    False decides nothing: call `rewrite` then.
    """
    # Python's notion of printable is stricter: it leaves out odd spaces as well.
    return text.isprintable() and (text.isascii() or _PLAIN.fullmatch(text) is not None)


def safe_bytes(data: bytes) -> str:
    """Return UTF-8 bytes as safe text; invalid bytes are shown as ``\\xff``."""
    return safe(data.decode("utf-8", "backslashreplace"))


def ascii_text(data: bytes) -> str:
    """Return one character a byte, as beside a hex dump: printable ASCII is itself, all else a dot.

    It is for bytes that may not be text: whatever they spell, nothing combines or changes
    direction.
    """
    return data.translate(_PRINTED).decode("latin-1")


def is_hidden(character: str) -> bool:
    """Return True if a terminal would obey the character, or draw nothing for it."""
    category = unicodedata.category(character)
    return category in _ESCAPED_CATEGORIES or _IGNORABLE.match(character) is not None


def rewrite(text: str, replace: Callable[[str], str], room: int = 0) -> tuple[str, int]:
    """Replace the hidden characters of `text` and the combining marks beyond `STACK`.

    `replace` returns the text to show for such a character. `room` is the number of marks that the
    character before `text` can still take. Return the new text, and the room after it.
    """
    pieces = []
    for character in text:
        if is_hidden(character):
            pieces.append(replace(character))
            room = 0
        elif not is_stacked(character):
            pieces.append(character)
            room = STACK
        elif room:
            pieces.append(character)
            room -= 1
        else:
            pieces.append(replace(character))
    return "".join(pieces), room


def is_stacked(character: str) -> bool:
    """Return True if a terminal draws the character over the one before."""
    category = unicodedata.category(character)
    return category in _MARK_CATEGORIES or _CONJOINING.match(character) is not None


def _escape(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
