"""The form of rows in the state database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.forge.compose.draft import BadDraftError, Draft
from core.forge.journal.encoding import (
    content_of,
    drafts_of,
    drafts_to_objects,
    encoded,
    from_blob,
    to_blob,
)

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # also surrogates


@given(ANY_TEXT)
def test_a_blob_holds_any_text(text: str) -> None:
    assert from_blob(to_blob(text)) == text


def test_a_damaged_blob_gives_replacement_characters() -> None:
    assert from_blob(b"a\xffb") == "a\ufffdb"


@given(ANY_TEXT)
def test_encoded_drafts_are_ascii_and_decoded_as_they_were(text: str) -> None:
    drafts = (Draft(("ip",), {"payload": text}), Draft(("eth", "arp")))
    row = encoded(drafts_to_objects(drafts))
    assert row.isascii()
    assert drafts_of(row) == drafts


@pytest.mark.parametrize("row", ["", "{", "7", "{}", "null", '["a"]', "[" * 100_000])
def test_other_text_is_a_bad_draft(row: str) -> None:
    with pytest.raises(BadDraftError):
        drafts_of(row)


def test_text_that_is_not_json_has_no_content() -> None:
    assert content_of("{") is None
    assert content_of("[1]") == [1]
