"""The content of the forge form: its layers, and the text typed for each field.

A `Draft` is an immutable value: each change makes a new one, so undo, history, and saving only keep
drafts. `core.forge.compose.evaluation` works out its bytes, errors, and computed values.

A field's *key* is Wireshark's name, ``ip.ttl``; in the second layer whose fields have the same
prefix it is ``ip.ttl#2``, as in the detail tree. The bytes after a header's tables are
``tcp.options``; the other keys are ``payload`` and ``trailer``. A field without text, or with an
empty one, is open.
"""

from __future__ import annotations

import reprlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.forge.compose.layer_kinds import KINDS, PROTOCOL_OF
from core.wire.protocol import LayerKind

PAYLOAD, TRAILER = "payload", "trailer"
LONGEST_TEXT = 200_000  # characters of one input: a payload of 64 KiB in hex


class BadDraftError(ValueError):
    """A saved draft is invalid; the text is one line that says what is wrong."""


@dataclass(frozen=True, slots=True)
class Draft:
    """`layers` are names of `KINDS`, outermost first; `texts` is what the user typed, by key."""

    layers: tuple[str, ...] = ("ip", "tcp")
    texts: Mapping[str, str] = field(default_factory=dict)

    def text(self, key: str) -> str:
        """Return the text typed for a field, or an empty one.

        Blanks around it count only in payload and trailer.
        """
        typed = self.texts.get(key, "")
        return typed if key in (PAYLOAD, TRAILER) else typed.strip()

    def with_text(self, key: str, text: str) -> Draft:
        """Return the draft with another text for one field; an empty text opens the field."""
        texts = {known: kept for known, kept in self.texts.items() if known != key}
        if text:
            texts[key] = text
        return replace(self, texts=texts)

    def with_texts(self, texts: Mapping[str, str]) -> Draft:
        """Return the draft with several texts changed."""
        return replace(self, texts={**self.texts, **texts})

    def with_layers(self, layers: Sequence[str]) -> Draft:
        """Return the draft with other layers; it keeps the texts of removed layers.

        Raises `KeyError` for an unknown layer.
        """
        for name in layers:
            KINDS[name]
        return replace(self, layers=tuple(layers))

    def own(self) -> Draft:
        """Return the draft without the texts of layers that it does not have."""
        prefixes = {f"{kind.prefix}." for kind, _ in self.kinds()}
        kept = {
            key: text
            for key, text in self.texts.items()
            if key in (PAYLOAD, TRAILER) or any(key.startswith(prefix) for prefix in prefixes)
        }
        return replace(self, texts=kept)

    @property
    def network(self) -> str:
        """``ip`` or ``ipv6`` if the packet begins with that layer, whatever its version is."""
        first = self.layers[0] if self.layers else ""
        return first if first and PROTOCOL_OF[first].has_pseudo_header else ""

    def kinds(self) -> Iterator[tuple[LayerKind, str]]:
        """Yield each layer with the suffix of its keys: empty, ``#2``, …"""
        seen: Counter[str] = Counter()
        for name in self.layers:
            kind = KINDS[name]
            seen[kind.prefix] += 1
            number = seen[kind.prefix]
            yield kind, "" if number == 1 else f"#{number}"

    @property
    def has_link(self) -> bool:
        """True if the bytes begin with a link header."""
        return bool(self.layers) and KINDS[self.layers[0]].place == 0

    def to_object(self) -> dict[str, Any]:
        """Return the draft as an object that JSON can hold."""
        return {"layers": list(self.layers), "texts": dict(self.texts)}

    @classmethod
    def from_object(cls, found: Any) -> Draft:
        """Return the draft that `to_object` described. Raises `BadDraftError`."""
        layers = found.get("layers") if isinstance(found, dict) else None
        texts = found.get("texts") if isinstance(found, dict) else None
        if not isinstance(layers, list) or not isinstance(texts, dict):
            raise BadDraftError("a draft has 'layers' (a list) and 'texts' (an object)")
        unknown = [name for name in layers if not isinstance(name, str) or name not in KINDS]
        if unknown:
            shown = reprlib.repr(unknown[0])
            raise BadDraftError(f"no layer is named {shown}; there are {', '.join(KINDS)}")
        if not all(isinstance(text, str) and len(text) <= LONGEST_TEXT for text in texts.values()):
            raise BadDraftError(f"each text is a string of at most {LONGEST_TEXT} characters")
        return cls(tuple(layers), texts)
