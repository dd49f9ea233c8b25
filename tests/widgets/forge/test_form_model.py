"""The form's content without a screen: rows, the selected row, suggestions, obstacles."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.forge.compose.draft import Draft
from core.forge.compose.payload_file import FileContent
from core.forge.compose.templates import TEMPLATES
from widgets.forge.changes import FormState
from widgets.forge.form_model import FormModel
from widgets.forge.rows import HostInfo

SYN = FormState.of(TEMPLATES["tcp-syn"].drafts)


def keys(model: FormModel) -> list[str]:
    return [row.key for row in model.rows]


def test_the_cursor_stays_in_its_field_when_rows_above_it_appear():
    model = FormModel(SYN)
    model.select_field("tcp.dstport")
    line = model.cursor
    model.set_state(SYN.with_draft(SYN.draft.with_layers(("eth", "ip", "tcp"))))
    assert model.row.key == "tcp.dstport"
    assert model.cursor > line


def test_the_cursor_stays_in_the_form_when_its_field_goes():
    model = FormModel(SYN)
    model.select(len(model.rows) - 1)
    model.set_state(FormState.of((Draft(("ip",)),)))
    assert model.cursor == len(model.rows) - 1


def test_a_closed_heading_hides_its_rows_until_one_of_them_is_selected():
    model = FormModel(SYN)
    before = keys(model)
    model.select_field(":layer.0")
    model.toggle_heading()
    assert "ip.ttl" not in keys(model)
    assert model.row.key == ":layer.0"
    assert model.select_field("ip.ttl")
    assert (model.row.key, keys(model)) == ("ip.ttl", before)
    assert not model.select_field("udp.srcport")
    assert model.row.key == "ip.ttl"


def test_filling_selects_the_missing_destination_or_the_first_row():
    model = FormModel(SYN)
    model.fill(FormState.of((SYN.draft.with_text("ip.dst", ""),)))
    assert model.row.key == "ip.dst"
    model.fill(FormState.of((SYN.draft.with_text("ip.dst", "192.0.2.1"),)))
    assert model.cursor == 0
    model.fill(FormState())
    assert model.cursor == 0  # an empty form has nothing to continue


def test_suggestions_count_where_nothing_is_typed():
    model = FormModel(SYN)
    assert model.suggest([{"ip.src": 0xC0000211}], HostInfo(trouble="no route"))
    assert model.trouble == "no route"
    assert model.evaluation.field("ip.src").shown == "192.0.2.17"
    assert model.evaluations()[0].data[12:16] == bytes((192, 0, 2, 17))
    rows = model.rows
    assert not model.suggest([{"ip.src": 0xC0000211}], HostInfo(trouble="no route"))
    assert model.rows is rows
    model.select_field("ip.src")
    model.type_text("192.0.2.99")
    assert model.evaluation.field("ip.src").shown == "192.0.2.99"


def layers_row(model):
    (row,) = (row for row in model.rows if row.key == ":layers")
    return row


def test_layers_that_the_draft_cannot_have_stay_in_their_row_and_prevent_sending():
    model = FormModel(FormState((Draft().with_text("ip.dst", "192.0.2.1"),)))
    before = model.state
    model.select_field(":layers")
    model.type_text("ip/nothing")
    assert model.row.error.startswith("nothing: no such layer")
    assert model.state == before
    model.select_field("ip.ttl")
    assert (layers_row(model).text, layers_row(model).error[:8]) == ("ip/nothing", "nothing:")
    assert model.obstacle() == (0, ":layers", layers_row(model).error)
    model.type_text("9")
    assert model.obstacle().key == ":layers"
    model.select_field(":layers")
    model.type_text("ip/udp")
    assert (layers_row(model).text, layers_row(model).error) == ("ip/udp", "")
    assert model.obstacle() is None


@pytest.mark.parametrize("change", ["choice", "fill", "packet"])
def test_layers_that_cannot_be_read_belong_to_one_draft_with_its_layers(change):
    pair = (Draft().with_text("ip.dst", "192.0.2.1"), Draft().with_text("ip.dst", "192.0.2.2"))
    model = FormModel(FormState(pair))
    model.select_field(":layers")
    model.type_text("zip")
    if change == "choice":
        model.select_field(":transport")
        model.choose(0)
    elif change == "fill":
        model.fill(FormState((pair[0].with_layers(("ip", "udp")),)))
    else:
        model.set_state(replace(model.state, index=1))
        assert layers_row(model).error == ""
        assert model.obstacle()[:2] == (0, ":layers")
        return
    assert layers_row(model).error == ""
    assert model.obstacle() is None


def test_obstacles_in_the_order_in_which_they_are_reported():
    pair = TEMPLATES["fragment-overlap"].drafts
    model = FormModel(FormState((pair[0], pair[1].with_text("ip.ttl", "300"))))
    assert model.obstacle() == (1, "ip.ttl", "300: time to live is 0–255")
    model.set_state(FormState((Draft(),), settings=replace(FormState().settings, count="0")))
    assert model.obstacle().key == "send.count"
    model.set_state(FormState())
    assert model.obstacle().key == "ip.dst"
    model.set_state(FormState((Draft().with_text("ip.dst", "0.0.0.0"),)))
    assert model.obstacle() is None


def test_a_file_is_shown_as_being_read_then_with_its_size_and_is_not_sent_before():
    state = FormState.of((SYN.draft.with_texts({"ip.dst": "192.0.2.1", "payload": "@a"}),))
    model = FormModel(state)
    model.select_field("payload")
    assert (model.row.meaning, model.row.error) == ("reading …", "")
    assert model.obstacle() == (0, "payload", "@a: reading …")
    assert model.take_files({"a": FileContent(bytes(300))})
    assert (model.row.meaning, model.obstacle()) == ("300 bytes", None)
    assert len(model.evaluation.data) == 360
    assert not model.take_files({"a": FileContent(bytes(300))})
    assert model.take_files({"a": FileContent(error="@a: not a regular file")})
    assert model.row.error == "@a: not a regular file"
    assert model.obstacle() == (0, "payload", "@a: not a regular file")
