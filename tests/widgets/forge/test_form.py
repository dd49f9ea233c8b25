"""The form with keys and mouse."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual import events

from core.forge.compose.draft import Draft
from core.forge.compose.templates import TEMPLATES
from core.forge.values import SendMethod
from core.wire.model.field import Span
from tests.widgets.stage import play, screen_text
from widgets.forge.changes import FormState
from widgets.forge.form import ForgeForm
from widgets.forge.rows import HostInfo

SYN = FormState.of(TEMPLATES["tcp-syn"].drafts)


class Form(ForgeForm, inherit_bindings=False):
    """A form with the keys that the application gives it."""

    BINDINGS = [("up", "move('up')", ""), ("down", "move('down')", ""), ("enter", "next", "")]


def form(state: FormState = SYN) -> Form:
    made = Form()
    made.set_reactive(ForgeForm.state, state)
    return made


def line_of(widget: ForgeForm, key: str) -> int:
    return next(line for line, row in enumerate(widget.model.rows) if row.key == key)


def text_at(widget: ForgeForm, key: str) -> str:
    widget.select_field(key)
    return screen_text(widget)[line_of(widget, key) - widget.window.top]


def test_an_empty_field_shows_what_holds_and_follows_the_others():
    async def scene(pilot):
        widget.select_field("ip.len")
        assert widget.model.row.shown == "60"
        widget.select_field("tcp.options")
        await pilot.press("ctrl+u")
        assert widget.model.evaluation.field("ip.len").shown == "40"
        assert widget.model.evaluation.field("tcp.hdr_len").shown == "20"

    widget = form()
    play(widget, scene, (70, 60))


def test_typed_values_are_in_the_bytes_at_once():
    async def scene(pilot):
        widget.select_field("ip.ttl")
        await pilot.press("3")
        assert widget.model.evaluation.data[8] == 3
        await pilot.press("2", "0")
        assert widget.model.row.error == "320: time to live is 0–255"
        assert widget.model.evaluation.data[8] == 64  # in error it counts as open
        await pilot.press("backspace", "backspace", "backspace")
        assert widget.state.draft.text("ip.ttl") == ""

    widget = form()
    play(widget, scene, (70, 30))


def test_letters_are_text_and_no_keys():
    async def scene(pilot):
        widget.select_field("tcp.flags")
        await pilot.press(*"syn,ack")
        assert widget.model.evaluation.field("tcp.flags").shown == "0x012"
        assert widget.check_consume_key("q", "q")
        assert not widget.check_consume_key("ctrl+s", None)

    widget = form(FormState())
    play(widget, scene, (70, 30))


def test_keys_move_and_leave_no_text_behind():
    async def scene(pilot):
        widget.select_field("ip.ttl")
        await pilot.press("down", "9", "up", "up", "7", "down")
        assert dict(widget.state.draft.texts) == {"ip.proto": "9", "ip.frag_offset": "7"}
        await pilot.press("enter")
        assert widget.model.row.key == "ip.proto"

    widget = form(FormState())
    play(widget, scene, (70, 30))


def test_keys_that_arrive_together_are_done_in_their_order():
    async def scene(pilot):
        widget.select_field("ip.frag_offset")
        for key in ("5", "down", "7", "down", "9", "up", "end", "0"):
            character = key if len(key) == 1 else None
            pilot.app.post_message(events.Key(key, character))
        await pilot.pause()
        expected = {"ip.frag_offset": "5", "ip.ttl": "70", "ip.proto": "9"}
        assert dict(widget.state.draft.texts) == expected

    widget = form(FormState())
    play(widget, scene, (70, 30))


def test_typed_text_replaces_the_value_until_the_cursor_is_moved():
    async def scene(pilot):
        for keys, text in (
            ("4", "4"),
            ("42", "42"),
            (("end", "5"), "645"),
            (("left", "5"), "654"),
            (("backspace",), ""),
            (("home", "delete"), "4"),
        ):
            widget.state = widget.state.with_draft(widget.state.draft.with_text("ip.ttl", "64"))
            widget.select_field("ip.id")
            widget.select_field("ip.ttl")
            assert widget._editor.line.selected
            await pilot.press(*keys)
            assert widget.state.draft.text("ip.ttl") == text
            assert not widget._editor.line.selected

    widget = form()
    play(widget, scene, (70, 30))


def test_blanks_at_the_ends_can_be_typed():
    async def scene(pilot):
        widget.select_field("tcp.options")
        await pilot.press(*"nop,", "space", *"nop")
        assert widget._editor.line.text == "nop, nop"
        widget.select_field("payload")
        await pilot.press("a", "space", "b", "space")
        assert widget.state.draft.text("payload") == "a b "

    widget = form(FormState())
    play(widget, scene, (70, 30))


def test_the_field_under_the_cursor_says_its_bytes():
    async def scene(pilot):
        seen = []
        widget.watch(widget, "focused_span", lambda span: seen.append(span), init=False)
        widget.select_field("tcp.dstport")
        assert seen[-1] == Span(22, 24)
        widget.select_byte(8)
        assert widget.model.row.key == "ip.ttl"
        widget.select_byte(33)
        assert widget.model.row.key.startswith("tcp.flags.")

    widget = form()
    play(widget, scene, (70, 30))


def test_choices_by_keys():
    async def scene(pilot):
        widget.move_to_line(line_of(widget, ":transport"))
        await pilot.press("right")
        assert widget.state.draft.layers == ("ip", "udp")
        await pilot.press("left")
        assert widget.state.draft.layers == ("ip", "tcp")
        await pilot.press("right")
        widget.move_to_line(line_of(widget, ":method"))
        await pilot.press("left")
        assert widget.state.settings.method is SendMethod.LINK
        assert widget.state.draft.layers == ("eth", "ip", "udp")

    widget = form()
    play(widget, scene, (70, 30))


def test_layers_can_be_typed_and_wrong_ones_are_reported():
    async def scene(pilot):
        widget.move_to_line(line_of(widget, ":layers"))
        await pilot.press("ctrl+u", *("slash" if c == "/" else c for c in "eth/vlan/vlan/ip/ud"))
        assert widget.model.row.error.startswith("ud: no such layer")
        assert widget._editor.line.text == "eth/vlan/vlan/ip/ud"
        await pilot.press("p")
        assert widget.model.row.error == ""
        assert widget.state.draft.layers == ("eth", "vlan", "vlan", "ip", "udp")
        widget.select_field("vlan.id#2")
        await pilot.press("7")
        assert widget.state.draft.texts["vlan.id#2"] == "7"

    widget = form()
    play(widget, scene, (70, 30))


def test_a_heading_opens_and_closes():
    async def scene(pilot):
        widget.move_to_line(line_of(widget, ":layer.0"))
        count = widget.line_count
        await pilot.press("left")
        assert widget.line_count < count
        await pilot.press("left")  # it is closed already
        assert widget.line_count < count
        await pilot.press("right")
        assert widget.line_count == count
        await pilot.press("right", "left")
        assert widget.line_count < count
        assert widget.model.row.key == ":layer.0"
        widget.select_field("ip.ttl")  # opens it
        assert (widget.model.row.key, widget.line_count) == ("ip.ttl", count)

    widget = form()
    play(widget, scene, (70, 30))


def test_enter_visits_every_row_and_changes_nothing():
    """Also where a heading is closed: the key bar says next."""

    async def scene(pilot):
        widget.move_to_line(line_of(widget, ":layer.0"))
        await pilot.press("left")
        rows, state = widget.model.rows, widget.state
        widget.move_to_line(0)
        visited = [widget.model.row.key]
        for _ in rows[1:]:
            await pilot.press("enter")
            visited.append(widget.model.row.key)
        assert visited == [row.key for row in rows]
        await pilot.press("enter")  # on the last row
        assert (widget.model.rows, widget.state) == (rows, state)
        assert widget.model.row.key == rows[-1].key

    widget = form()
    play(widget, scene, (70, 30))


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (":layer.0", "IPv4 is a heading: ← closes it, → opens it"),
        (":transport", "Transport is a choice: ← and → change it"),
        (":method", "Send method is a choice: ← and → change it"),
    ],
)
def test_text_changes_no_heading_and_no_choice_and_the_form_says_why(key, words):
    async def scene(pilot):
        widget.move_to_line(line_of(widget, key))
        before, rows = widget.state, widget.model.rows
        for character in "192.0.2.7 no tcp, udp verbatim ":
            await pilot.press(
                {".": "full_stop", ",": "comma", " ": "space"}.get(character, character)
            )
            assert widget.model.row.error.startswith(words)
        widget.post_message(events.Paste("udp"))
        await pilot.pause()
        assert widget.model.row.error.startswith(words)
        assert (widget.state, widget.model.rows) == (before, rows)
        await pilot.press("down")
        assert not widget.model.row.error
        await pilot.press("up")
        assert not widget.model.row.error

    widget = form()
    play(widget, scene, (70, 30))


def test_the_fragments_of_a_datagram_get_one_destination():
    async def scene(pilot):
        widget.select_field("ip.dst")
        await pilot.press(*(key if key != "." else "full_stop" for key in "192.0.2.7"))
        assert [draft.text("ip.dst") for draft in widget.state.drafts] == ["192.0.2.7"] * 2
        assert widget.model.obstacle() is None

    widget = form(FormState.of(TEMPLATES["fragment-overlap"].drafts))
    play(widget, scene, (70, 30))


def test_space_switches_a_flag():
    async def scene(pilot):
        assert "[x]" in text_at(widget, "tcp.flags.syn")
        await pilot.press("space")
        assert "[ ]" in text_at(widget, "tcp.flags.syn")
        assert not widget.model.evaluation.data[33] & 2

    widget = form()
    play(widget, scene, (70, 30))


def test_by_mouse_alone():
    async def click(pilot, key, x):
        widget.show_line(line_of(widget, key))
        await pilot.click(widget, offset=(x, line_of(widget, key) - widget.window.top))

    async def scene(pilot):
        value = widget._layout.value
        line = screen_text(widget)[line_of(widget, ":transport")]
        await click(pilot, ":transport", line.index("UDP"))
        assert widget.state.draft.layers == ("ip", "udp")
        await click(pilot, "ip.flags.df", value + 1)
        assert widget.state.draft.texts["ip.flags.df"] == "1"
        await click(pilot, ":layer.1", 1)
        assert all(row.key != "udp.srcport" for row in widget.model.rows)
        await click(pilot, ":layer.1", 1)
        await click(pilot, "ip.ttl", value)
        assert widget.model.row.key == "ip.ttl"
        await pilot.press("1", "2")
        await click(pilot, "ip.ttl", value + 1)
        await pilot.press("0")
        assert widget.state.draft.texts["ip.ttl"] == "102"

    widget = form()
    play(widget, scene, (70, 60))


def test_a_paste_is_one_line():
    async def scene(pilot):
        widget.select_field("payload")
        widget.post_message(events.Paste("GET /\nHost: x\n"))
        await pilot.pause()
        assert widget.state.draft.text("payload") == "GET / Host: x "

    widget = form(FormState())
    play(widget, scene, (70, 30))


def test_no_control_character_reaches_the_terminal():
    async def scene(pilot):
        widget.select_field("payload")
        widget.post_message(events.Paste("a\x1b[31m‮b"))
        await pilot.pause()
        text = "".join(screen_text(widget))
        assert text.isprintable()
        assert widget.model.evaluation.data.endswith("a\x1b[31m‮b".encode())

    widget = form(FormState())
    play(widget, scene, (70, 30))


def test_suggestions_are_grayed_until_something_is_typed():
    async def scene(pilot):
        host = HostInfo(("lo", "eth0"), "eth0")
        widget.suggest([{"ip.src": 0xC0000211}], host)
        widget.select_field("ip.src")
        assert (widget.model.row.shown, widget.model.row.text) == ("192.0.2.17", "")
        assert widget.model.row.explanation.endswith("from the route")
        assert widget.model.evaluations()[0].data[12:16] == bytes((192, 0, 2, 17))
        await pilot.press("0")
        assert widget.model.row.error.startswith("0: source is an IPv4 address")

    widget = form()
    play(widget, scene, (70, 30))


def test_the_first_error_of_all_drafts_is_found():
    async def scene(pilot):
        pair = TEMPLATES["fragment-overlap"].drafts
        bad = pair[1].with_text("ip.ttl", "300")
        widget.state = FormState((pair[0], bad))
        assert widget.model.obstacle() == (1, "ip.ttl", "300: time to live is 0–255")
        widget.state = FormState((Draft(),), settings=replace(FormState().settings, count="0"))
        index, key, _ = widget.model.obstacle()
        assert (index, key) == (0, "send.count")
        widget.state = FormState()
        index, key, words = widget.model.obstacle()
        assert (index, key) == (0, "ip.dst")
        assert words.startswith("no destination: type")
        widget.state = FormState((Draft().with_text("ip.dst", "0.0.0.0"),))
        assert widget.model.obstacle() is None

    widget = form(FormState())
    play(widget, scene, (70, 30))


@pytest.mark.parametrize("width", [12, 30, 53, 120])
def test_any_width(width):
    async def scene(pilot):
        for line in range(widget.line_count):
            widget.move_to_line(line)
            assert all(
                strip.cell_length == width for strip in widget.render_lines(widget.size.region)
            )

    widget = form(
        FormState.of((SYN.draft.with_text("ip.ttl", "300").with_layers(("eth", "ip", "tcp")),))
    )
    play(widget, scene, (width, 12))


def test_a_held_key_goes_to_the_button_and_does_not_press_it():
    """The first press counts, and a press after a pause; the repetitions of a held key do not."""

    async def scene(pilot):
        widget.move_to_line(len(widget.model.rows) - 3)
        at_s = 1000.0
        for gap_s, presses in ((9, 0), (0.5, 0), (0.03, 0), (0.03, 0), (0.3, 1), (0.03, 1), (9, 2)):
            at_s += gap_s
            key = events.Key("enter", "\r")
            key.time = at_s
            widget.on_key(key)
            widget.action_next()
            await pilot.pause()
            assert widget.presses == presses
        assert widget.is_on_button

    class Pressed(Form):
        presses = 0

        def on_forge_form_send_pressed(self) -> None:
            self.presses += 1

    widget = Pressed()
    widget.set_reactive(ForgeForm.state, SYN)
    play(widget, scene, (70, 30))
