"""What the forge form holds: which layers, and the text typed for each field. Nothing else.

A `Draft` is a value: each change makes a new one, so undo, history and saving are only keeping
them. What it means (bytes, errors, computed values) is worked out by
`core.forge.compose.evaluation`.

Fields go by *key*: Wireshark's name, ``ip.ttl``; in the second layer whose fields have the same
prefix ``ip.ttl#2``, as in the detail tree. The bytes behind a header's tables are
``tcp.options``; ``payload`` and ``trailer`` are what they say. A text that is empty or missing
leaves its field open.
"""

from __future__ import annotations

import json
import reprlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.forge.compose.layer_kinds import KINDS
from core.wire.protocol import LayerKind

PAYLOAD, TRAILER = "payload", "trailer"
LONGEST_TEXT = 200_000  # characters of one input: a payload of 64 KiB in hex


class BadDraftError(ValueError):
    """A saved draft that is none; one line says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Draft:
    """`layers` are names of `KINDS`, outermost first; `texts` what was typed, by key."""

    layers: tuple[str, ...] = ("ip", "tcp")
    texts: Mapping[str, str] = field(default_factory=dict)

    def text(self, key: str) -> str:
        """What was typed for a field; blanks around it count only in bytes. Empty if nothing."""
        typed = self.texts.get(key, "")
        return typed if key in (PAYLOAD, TRAILER) else typed.strip()

    def with_text(self, key: str, text: str) -> Draft:
        """The same with another text; an empty one opens the field."""
        texts = {known: kept for known, kept in self.texts.items() if known != key}
        if text:
            texts[key] = text
        return replace(self, texts=texts)

    def with_texts(self, texts: Mapping[str, str]) -> Draft:
        """The same with several texts changed."""
        return replace(self, texts={**self.texts, **texts})

    def with_layers(self, layers: Sequence[str]) -> Draft:
        """The same texts on other layers; what is typed for a layer that goes is kept.

        Raises `KeyError` for a layer there is not.
        """
        for name in layers:
            KINDS[name]
        return replace(self, layers=tuple(layers))

    def own(self) -> Draft:
        """The same without what was typed for layers that it has no more."""
        prefixes = {f"{kind.prefix}." for kind, _ in self.kinds()}
        kept = {
            key: text
            for key, text in self.texts.items()
            if key in (PAYLOAD, TRAILER) or any(key.startswith(prefix) for prefix in prefixes)
        }
        return replace(self, texts=kept)

    @property
    def network(self) -> str:
        """``ip`` or ``ipv6`` where the packet begins so, whatever version it is given."""
        first = self.layers[:1]
        return first[0] if first and first[0] in ("ip", "ipv6") else ""

    def kinds(self) -> Iterator[tuple[LayerKind, str]]:
        """Each layer with the suffix of its keys: empty, ``#2``, …"""
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

    def to_json(self) -> str:
        """The draft as one line of JSON."""
        return json.dumps({"layers": list(self.layers), "texts": dict(self.texts)})

    @classmethod
    def from_json(cls, text: str) -> Draft:
        """The draft that `to_json` wrote. Raises `BadDraftError`."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:  # the latter for a thousand brackets
            raise BadDraftError(f"not JSON: {error}") from None
        return cls.from_object(found)

    @classmethod
    def from_object(cls, found: Any) -> Draft:
        """A draft of what JSON gave. Raises `BadDraftError`."""
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
