"""Keys, pasted text and clicks on the selected row, without a screen."""

from __future__ import annotations

import pytest

from core.forge.compose.draft import LONGEST_TEXT
from core.forge.compose.templates import TEMPLATES
from widgets.forge.changes import FormState
from widgets.forge.form_model import FormModel
from widgets.forge.paint import choices_shown
from widgets.forge.row_editor import RowEditor
from widgets.forge.rows import SEND, HostInfo

SYN = FormState.of(TEMPLATES["tcp-syn"].drafts)
ROOM = 40


def editing(key: str, state: FormState = SYN) -> tuple[FormModel, RowEditor]:
    model = FormModel(state)
    assert model.select_field(key)
    return model, RowEditor(model)


def type_all(editor: RowEditor, text: str) -> None:
    for character in text:
        assert editor.press(character, character)


def test_the_first_character_replaces_the_text_and_later_ones_are_added():
    state = SYN.with_draft(SYN.draft.with_text("ip.ttl", "64"))
    model, editor = editing("ip.ttl", state)
    type_all(editor, "12")
    assert model.state.draft.text("ip.ttl") == "12"
    editor.begin()
    assert editor.press("end", None)
    type_all(editor, "8")
    assert model.state.draft.text("ip.ttl") == "128"


def test_keys_that_edit_nothing_are_left_to_others():
    _, editor = editing("ip.ttl")
    assert not editor.press("f5", None)
    assert not editor.press("ctrl+s", None)
    _, editor = editing(":transport")
    assert not editor.press("up", None)
    _, editor = editing(":layer.0")
    assert not editor.press("up", None)
    assert editor.press("x", "x")  # the screen gets no text as a key, not even on a heading
    model, editor = editing(SEND)
    assert not editor.press("right", None)
    assert editor.press(" ", " ")
    editor.paste("udp")
    assert model.row.error == "this is a button: enter sends the packet"
    assert model.state == SYN


def test_typed_text_stays_as_typed_when_something_else_changes():
    """Suggestions arrive while the user types; they leave the text under the cursor alone."""
    model, editor = editing(":layers")
    editor.press("ctrl+u", None)
    type_all(editor, "eth/ip/ud")
    model.suggest([{"ip.src": 0xC0000211}], HostInfo(("eth0",)))
    editor.refresh()
    assert editor.line.text == "eth/ip/ud"
    type_all(editor, "p")
    assert model.state.draft.layers == ("eth", "ip", "udp")


def test_text_that_changes_otherwise_is_edited_from_its_new_value():
    model, editor = editing("ip.ttl")
    type_all(editor, "12")
    model.set_state(model.state.with_draft(model.state.draft.with_text("ip.ttl", "99")))
    editor.refresh()
    assert (editor.line.text, editor.line.selected) == ("99", True)


@pytest.mark.parametrize(
    ("key", "character", "layers"),
    [
        ("right", None, ("ip", "udp")),
        ("left", None, ("ip", "igmp")),
        ("space", " ", ("ip", "tcp")),
        ("u", "u", ("ip", "tcp")),
        ("U", "U", ("ip", "tcp")),
        ("z", "z", ("ip", "tcp")),
    ],
)
def test_choices_by_key(key, character, layers):
    model, editor = editing(":transport")
    assert editor.press(key, character)
    assert model.state.draft.layers == layers


def test_arrows_open_and_close_a_heading():
    model, editor = editing(":layer.0")
    count = len(model.rows)
    assert editor.press("left", None)
    assert len(model.rows) < count
    assert editor.press("left", None)
    assert len(model.rows) < count
    assert editor.press("right", None)
    assert editor.press("right", None)
    assert len(model.rows) == count


def test_space_switches_a_flag():
    model, editor = editing("tcp.flags.syn")
    for is_set in (False, True, False):
        assert editor.press("space", " ")
        assert bool(model.evaluation.data[33] & 2) is is_set


@pytest.mark.parametrize("erased", [False, True])
def test_a_blank_in_a_phrase_switches_no_flag(erased: bool):
    model, editor = editing("tcp.flags.ack")
    type_all(editor, "no tcp")
    assert (editor.line.text, model.row.is_set) == ("no tcp", False)
    assert model.row.error
    editor.press("ctrl+u", None)
    if erased:
        type_all(editor, " ")
        assert model.row.is_set
    else:
        editor.paste("1")
        type_all(editor, " ")
        assert editor.line.text == "1 "


@pytest.mark.parametrize("key", [":transport", ":network", ":method", ":layer.0", ":section.send"])
def test_a_phrase_on_a_choice_or_heading_changes_nothing(key: str):
    model, editor = editing(key)
    rows = model.rows
    for character in " no tcp udp ":
        assert editor.press("space" if character == " " else character, character)
        assert "←" in model.row.error
        assert "→" in model.row.error
        assert (model.state, model.rows) == (SYN, rows)


def test_a_paste_is_one_line_of_bounded_length():
    model, editor = editing("payload")
    editor.paste("GET /\nHost: x\r\n")
    assert model.state.draft.text("payload") == "GET / Host: x\r "
    editor.paste("x" * (LONGEST_TEXT + 5))
    assert len(model.state.draft.text("payload")) == LONGEST_TEXT
    model, editor = editing(":transport")
    editor.paste("udp")
    assert model.state == SYN
    assert model.row.error == "Transport is a choice: ← and → change it"


def test_a_refusal_lasts_until_the_row_is_used_or_left():
    model, editor = editing(":layer.0")
    type_all(editor, "7")
    assert model.row.error.startswith("IPv4 is a heading")
    editor.press("left", None)
    assert not model.row.error
    model, editor = editing(":transport")
    type_all(editor, "u")
    model.suggest([{}], HostInfo(("eth0",)))  # changes nothing that the user did
    assert model.row.error.startswith("Transport is a choice")
    editor.press("right", None)
    assert not model.row.error


def test_clicks():
    model, editor = editing(":transport")
    udp = next(choice for choice in choices_shown(model.row, ROOM) if "UDP" in choice.text)
    editor.click(udp.start, ROOM, was_selected=False)
    assert model.state.draft.layers == ("ip", "udp")
    editor.click(-3, ROOM, was_selected=True)  # on the label
    assert model.state.draft.layers == ("ip", "udp")
    model, editor = editing("ip.flags.df")
    editor.click(1, ROOM, was_selected=False)
    assert model.row.is_set
    model, editor = editing("ip.ttl", SYN.with_draft(SYN.draft.with_text("ip.ttl", "12")))
    editor.click(1, ROOM, was_selected=False)
    type_all(editor, "0")
    assert model.state.draft.text("ip.ttl") == "102"
    count = len(model.rows)
    model.select_field(":layer.1")
    editor.begin()
    editor.click(0, ROOM, was_selected=False)
    assert len(model.rows) < count
