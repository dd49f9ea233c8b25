"""The form in which the rows of the state database hold drafts and text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from core.forge.compose.draft import BadDraftError, Draft


def encoded(content: Any) -> str:
    """Return `content` as JSON, in ASCII. Raises `ValueError` and `RecursionError`."""
    return json.dumps(content, separators=(",", ":"))


def drafts_to_objects(drafts: Sequence[Draft]) -> list[Any]:
    """Return drafts as JSON objects, without text of layers that they no longer have."""
    return [draft.own().to_object() for draft in drafts]


def drafts_of(content: str) -> tuple[Draft, ...]:
    """Return the drafts of a row. Raises `BadDraftError` if this version cannot parse them."""
    entry = content_of(content)
    if not isinstance(entry, list):
        raise BadDraftError("a list of drafts is expected")
    return tuple(Draft.from_object(one) for one in entry)


def content_of(content: str) -> Any:
    """Return what `encoded` encoded; None for other text."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def to_blob(text: str) -> bytes:
    """Encode text that may hold surrogates, as a name that is not UTF-8 on the command line."""
    return text.encode("utf-8", "surrogatepass")


def from_blob(data: bytes) -> str:
    """Return the text that `to_blob` encoded, with replacement characters for damaged bytes."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")
