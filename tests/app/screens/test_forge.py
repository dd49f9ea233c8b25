"""The forge on the screen, by keyboard and by mouse, on a host that sends nothing."""

from __future__ import annotations

import errno
import ipaddress
import sys
import threading
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import numpy as np
import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from app.config.paths import Paths
from app.screens.dialogs.copy import Copy
from app.screens.dialogs.dialog import Confirm
from app.screens.dialogs.drafts import Drafts, _summary
from app.screens.forge.explanation import Explanation
from app.screens.forge.interface_dialog import SendInterface
from app.screens.forge.panel import EARLIER, ForgePanel
from app.screens.main import MainScreen
from core.decode.batch import CaptureInterface
from core.engine.snapshot import EngineSnapshot, EngineState
from core.files.private_folder import PrivateFolder
from core.files.reader import open_capture
from core.forge import payload_reader
from core.forge.compose import route_suggestions
from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.compose.payload_file import read_file
from core.forge.compose.route_suggestions import suggest_from_routes
from core.forge.compose.templates import TEMPLATES
from core.forge.journal.database import FILE
from core.forge.review.confirmation import REMEMBERED
from core.forge.send_errors import Circumstances, refused
from core.forge.service import ForgeService
from core.forge.values import SendMethod
from core.store.packet_store import PacketStore
from core.wire.link.link_types import LinkType
from tests.core.wire import frames as made
from tests.helpers.idle import eventually
from tests.helpers.scripted import HOST, SERVER, Frame, batch, scripted_store
from tests.helpers.scripted_forge import ETH0, NO_ROUTE, Neighbor, ScriptedHost, Wire
from tests.helpers.scripted_monitor import ScriptedEngine, filled, main, scripted_monitor
from tests.helpers.support import remarks_of
from widgets.forge.changes import FormState
from widgets.forge.outcome import ForgeOutcome
from widgets.forge.settings import SendSettings
from widgets.hex.hex_view import HexView
from widgets.lines.line_view import LineView

SIZES = {"wide": (160, 45), "medium": (120, 36), "small": (80, 24)}
SYN = 5  # number of a packet that begins a connection


@dataclass
class Stage:
    """The objects that a test needs."""

    pilot: Pilot[None]
    screen: MainScreen
    host: ScriptedHost
    store: PacketStore
    paths: Paths

    @property
    def forge(self) -> ForgePanel:
        return self.screen.sides["forge"].panel

    @property
    def service(self) -> ForgeService:
        return self.screen.sides["forge"].service

    @property
    def report_text(self) -> str:
        return "\n".join(line.text for line in self.forge.query_one(ForgeOutcome)._lines)

    async def asked(self) -> None:
        """Wait for a question that accepts keys."""
        app = self.pilot.app
        await self.until(lambda: isinstance(app.screen, Confirm) and app.screen.accepts_keys)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for a condition; have the screen poll meanwhile."""
        await eventually(condition, ask=self.screen.poll)

    async def type(self, key: str, text: str) -> None:
        """Type text into a field; it replaces the old text."""
        self.forge.form.select_field(key)
        await self.pilot.press(*("full_stop" if c == "." else c for c in text))


@asynccontextmanager
async def forging(tmp_path, size="wide", engine=None, config="", host=None):
    paths = Paths(tmp_path / "config.toml", tmp_path / "state" / "state.json")
    paths.config.write_text(config)
    store = scripted_store()
    host = host or ScriptedHost(Wire(store))
    monitor = scripted_monitor(store, engine or ScriptedEngine(), paths=paths, forge_host=host)
    async with monitor.run_test(size=SIZES[size]) as pilot:
        screen = await filled(pilot)
        yield Stage(pilot, screen, host, store, paths)


@pytest.mark.parametrize("size", ["wide", "small"])
async def test_by_keyboard_alone(tmp_path, size):
    async with forging(tmp_path, size) as stage:
        table = stage.screen.table
        await stage.pilot.press("g")
        while table.selected != SYN:
            await stage.pilot.press("down")
        await stage.pilot.press("f")
        assert stage.screen.focused is stage.forge.form
        while stage.forge.form.model.row.key != "ip.ttl":
            await stage.pilot.press("down")
        await stage.pilot.press("ctrl+u", "7", "ctrl+s")
        await stage.asked()
        assert stage.host.sent == []
        await stage.pilot.press("y")
        await stage.until(lambda: "↗ packet" in stage.report_text)
        (sent,) = stage.host.sent
        assert sent[8] == 7
        assert "RST, ACK" in stage.report_text
        assert "0.420 ms" in stage.report_text
        ours = stage.store.snapshot().count - 1
        assert table.sent_numbers == {ours}
        while stage.screen.focused is not table:
            await stage.pilot.press("escape")
        await stage.pilot.press("G")
        await stage.until(
            lambda: any("↗" in strip.text for strip in table.render_lines(table.size.region))
        )


@pytest.mark.parametrize("size", ["wide", "small"])
async def test_by_mouse_alone(tmp_path, size):
    async with forging(tmp_path, size) as stage:
        pilot, form = stage.pilot, stage.forge.form
        await click_packet(stage, SYN)
        await click_key(stage, "f")
        assert stage.screen.focused is form
        await click_row(stage, ":transport", "UDP")
        assert form.state.draft.layers == ("ip", "udp")
        await click_row(stage, "ip.flags.df", "[x]")
        assert form.model.evaluation.data[6] == 0
        await click_key(stage, "^s")
        await stage.asked()
        await pilot.click("#yes")
        await stage.until(lambda: stage.host.sent and "sent 1 of 1" in stage.report_text)
        assert stage.host.sent[0][9] == 17


async def click_key(stage: Stage, shown: str) -> None:
    """Click a key in the bar at the bottom."""
    bar = stage.screen.query_one("#keys")
    await stage.until(lambda: any(entry[1] == shown for entry in bar.entries()))
    await stage.pilot.pause()
    x = 1
    for _, key, label in bar.entries():
        if key == shown:
            await stage.pilot.click("#keys", offset=(x, 0))
            return
        x += len(key) + 1 + len(label) + 2


async def click_row(stage: Stage, key: str, word: str) -> None:
    """Click a word in a row of the form."""
    form = stage.forge.form
    line = next(line for line, row in enumerate(form.model.rows) if row.key == key)
    await wheel_to(stage, form, line)
    x = form.build_line(line).text.index(word) + 1
    await stage.pilot.click(form, offset=(x, line - form.window.top))


async def click_packet(stage: Stage, number: int) -> None:
    """Click a packet in the table."""
    table = stage.screen.table
    line = table.rows.row_of(number)
    await wheel_to(stage, table, line)
    await stage.pilot.click(table, offset=(10, line - table.window.top + table.HEADER_LINES))
    assert table.selected == number


async def wheel_to(stage: Stage, view: LineView, line: int) -> None:
    """Turn the wheel over a view until it shows a line. (The pilot has no wheel.)"""
    await stage.pilot.pause()
    while line not in view.window.lines:
        before = view.window.top
        turn = events.MouseScrollUp if line < before else events.MouseScrollDown
        await stage.pilot._post_mouse_events([turn], view, (5, 2))
        await stage.pilot.pause()
        assert view.window.top != before, "the wheel turns and nothing scrolls"


async def test_no_sends_nothing_and_the_next_order_asks_again(tmp_path):
    async with forging(tmp_path) as stage:
        stage.screen.table.select(SYN)
        await stage.pilot.press("f", "ctrl+s")
        await stage.asked()
        await stage.pilot.press("n")
        await stage.until(lambda: not stage.service.snapshot().sending)
        assert stage.host.sent == []
        await stage.pilot.press("ctrl+s")
        await stage.asked()


async def test_the_user_approves_a_destination_once(tmp_path):
    async with forging(tmp_path) as stage:
        stage.screen.table.select(SYN)
        await stage.pilot.press("f", "ctrl+s")
        await stage.asked()
        await stage.pilot.press("y")
        await stage.until(
            lambda: len(stage.host.sent) == 1 and not stage.service.snapshot().sending
        )
        await stage.pilot.press("ctrl+s")
        await stage.until(lambda: len(stage.host.sent) == 2)
        await stage.until(lambda: len(stage.screen.table.sent_numbers) == 2)


async def test_send_goes_to_the_first_error(tmp_path):
    async with forging(tmp_path) as stage:
        await stage.pilot.press("f")
        await stage.type("ip.ttl", "300")
        await stage.pilot.press("down", "down", "ctrl+s")
        assert stage.forge.form.model.row.key == "ip.ttl"
        assert stage.forge.query_one("#explanation").row.error == "300: time to live is 0–255"
        assert stage.forge.query_one(Explanation).message.startswith("not sent: 300: time to live")
        assert not stage.service.snapshot().sending


async def test_the_bytes_of_the_field_are_highlighted_and_select_it(tmp_path):
    async with forging(tmp_path) as stage:
        stage.screen.table.select(SYN)
        await stage.pilot.press("f")
        view = stage.forge.query_one("#bytes", HexView)
        stage.forge.form.select_field("tcp.dstport")
        span = view.highlighted
        assert stage.forge.evaluation.data[span.start : span.stop] == b"\0\x50"
        view.focus()
        await stage.pilot.press("left", "left")
        assert stage.forge.form.model.row.key == "tcp.srcport"
        assert stage.screen.workspace.panel == "forge"


async def test_suggestions_come_while_typing(tmp_path):
    async with forging(tmp_path) as stage:
        await stage.pilot.press("f2")
        form = stage.forge.form
        await stage.type("ip.dst", SERVER)
        await stage.until(lambda: form.model.evaluation.field("ip.src").shown == HOST)
        assert "leaves on eth0" in stage.forge.query_one("#bytes", HexView).border_title
        await stage.type("ip.dst", "203.0.113.9")
        await stage.until(
            lambda: NO_ROUTE[:30] in stage.forge.query_one("#bytes", HexView).border_title
        )


class Unrouted(ScriptedHost):
    """A host that reads its routing table as the real one does, and finds no route."""

    def suggest_from_routes(self, draft, interface="", *, resolve=False):
        return suggest_from_routes(draft, interface, resolve=resolve)


@pytest.fixture
def unrouted(monkeypatch):
    def fail(_destination):
        raise OSError(errno.ENETUNREACH, "no route")

    monkeypatch.setattr(route_suggestions, "find_route", fail)
    monkeypatch.setattr(route_suggestions, "find_interface", lambda _name: ETH0)
    return Unrouted()


MDNS = {
    "eth.dst": "01:00:5e:00:00:fb",
    "ip.src": HOST,
    "ip.dst": "224.0.0.251",
    "udp.dstport": "5353",
}


@pytest.mark.parametrize("computed", [False, True])
async def test_a_verbatim_frame_needs_no_route(tmp_path, unrouted, computed):
    texts = {key: text for key, text in MDNS.items() if not computed or key != "eth.dst"}
    state = FormState.of((Draft(("eth", "ip", "udp"), texts),))
    async with forging(tmp_path, host=unrouted) as stage:
        await stage.pilot.press("f2")
        stage.forge.form.state = state
        await stage.until(lambda: "choose its interface" in stage.forge.form.model.trouble)
        await stage.pilot.press("ctrl+s")
        await stage.until(lambda: "choose the interface that the frame" in stage.report_text)
        settings = replace(state.settings, interface="eth0")
        stage.forge.form.state = replace(state, settings=settings)
        await stage.until(lambda: not stage.forge.form.model.trouble)
        await stage.pilot.press("ctrl+s")
        await stage.asked()
        await stage.pilot.press("y")
        await stage.until(lambda: "sent 1 of 1" in stage.report_text)
        (frame,) = stage.host.sent
        assert frame[:6].hex() == "01005e0000fb"
        assert stage.host.prepared[-1] == (SendMethod.LINK, "eth0")


@pytest.mark.parametrize(
    ("number", "name"),
    [(errno.EMSGSIZE, "EMSGSIZE"), (errno.EPERM, "EPERM"), (errno.ENOBUFS, "ENOBUFS")],
)
async def test_an_error_of_the_kernel_is_shown_by_name(tmp_path, number, name):
    async with forging(tmp_path) as stage:
        stage.host.error = refused(number, Circumstances(SERVER, "eth0", 1500, 2000))
        stage.screen.table.select(SYN)
        await stage.pilot.press("f", "ctrl+s")
        await stage.asked()
        await stage.pilot.press("y")
        await stage.until(lambda: name in stage.report_text)
        assert "sent 0 of 1" in stage.report_text
        assert stage.host.closed == 1


async def test_escape_stops_sending(tmp_path):
    async with forging(tmp_path) as stage:
        await stage.pilot.press("f2")
        await stage.type("ip.dst", SERVER)
        await stage.type("send.count", "20000")
        await stage.type("send.rate", "100")
        await stage.pilot.press("ctrl+s")
        await stage.asked()
        _, amount = stage.service.snapshot().question.sentences
        assert amount == "20,000 packets at 100 a second take about 3 min 20 s to send."
        await stage.pilot.press("y")
        await stage.until(lambda: len(stage.host.sent) > 2)
        await stage.pilot.press("ctrl+s")  # a second order has to wait
        assert any("send is not finished" in n.message for n in stage.pilot.app._notifications)
        await stage.pilot.press("escape")
        await stage.until(lambda: "stopped: sent" in stage.report_text)
        assert len(stage.host.sent) < 20000
        assert stage.screen.workspace.panel == "forge"


async def test_a_packet_is_resent_unchanged(tmp_path):
    async with forging(tmp_path) as stage:
        stage.screen.table.select(SYN)
        data = stage.screen.panels.selected.packet.data
        await stage.pilot.press("r")
        await stage.asked()
        await stage.pilot.press("y")
        await stage.until(lambda: stage.host.sent == [data])
        assert stage.host.prepared[-1] == (SendMethod.LINK, "eth0")
        await stage.until(lambda: stage.screen.table.sent_numbers)


async def test_a_dialog_asks_on_which_interface_to_resend_a_packet_of_a_file(tmp_path):
    engine = ScriptedEngine(EngineSnapshot(EngineState.DONE, file="/tmp/day.pcap", progress=1.0))
    async with forging(tmp_path, engine=engine) as stage:
        stage.screen.table.select(SYN)
        data = stage.screen.panels.selected.packet.data
        assert await interfaces_offered(stage) == ["lo", "eth0", "tun7"]
        await stage.pilot.press("escape")
        assert (stage.host.prepared, stage.host.sent) == ([], [])
        await interfaces_offered(stage)
        await stage.pilot.press("down", "enter")
        await stage.asked()
        await stage.pilot.press("y")
        await stage.until(lambda: stage.host.sent == [data])
        assert stage.host.prepared[-1] == (SendMethod.LINK, "eth0")
        await stage.until(lambda: not stage.service.snapshot().sending)
        await interfaces_offered(stage)
        await stage.pilot.press("enter")  # the cursor is on the interface chosen before
        await stage.until(lambda: stage.host.sent == [data, data])


@pytest.mark.parametrize(("size", "error"), [("small", False), ("small", True), ("wide", False)])
async def test_the_end_of_a_resend_is_shown_where_the_panel_is_hidden(tmp_path, size, error):
    async with forging(tmp_path, size) as stage:
        if error:
            stage.host.error = refused(errno.EPERM, Circumstances(SERVER, "eth0", 1500, 60))
        stage.screen.table.select(SYN)
        await stage.pilot.press("r")
        await stage.asked()
        await stage.pilot.press("n")
        await stage.until(lambda: stage.service.snapshot().report.declined)
        stage.screen.poll()
        await stage.pilot.press("r")
        await stage.asked()
        await stage.pilot.press("y")
        await stage.until(lambda: not stage.service.snapshot().sending)
        stage.screen.poll()
        await stage.pilot.pause()
        shown = [(one.title, one.message) for one in stage.pilot.app._notifications]
        if size == "wide":
            assert shown == []
        else:
            ((title, message),) = shown
            assert title == f"packet {SYN}, unchanged"
            assert ("EPERM" in message) is error
            assert f"sent {1 - error} of 1 (verbatim) on eth0" in message


async def interfaces_offered(stage: Stage) -> list[str]:
    """Press `r`, and return the interfaces that the dialog offers once it has them."""
    await stage.pilot.press("r")
    dialog = stage.pilot.app.screen
    assert isinstance(dialog, SendInterface)
    options = dialog.query_one(OptionList)
    await stage.until(lambda: options.option_count)
    return [str(option.prompt) for option in options.options]


async def test_a_failed_list_of_interfaces_is_shown_in_the_dialog(tmp_path):
    engine = ScriptedEngine(EngineSnapshot(EngineState.DONE, file="/tmp/day.pcap", progress=1.0))
    async with forging(tmp_path, engine=engine) as stage:
        stage.host.interfaces = lambda: full("", ())
        stage.screen.table.select(SYN)
        await stage.pilot.press("r")
        hint = stage.pilot.app.screen.query_one(".dialog-hint", Static)
        await stage.until(lambda: "no list of interfaces: No space" in str(hint.content))
        await stage.pilot.press("enter", "escape")
        assert stage.host.prepared == []


@pytest.mark.parametrize("size", SIZES)
async def test_the_key_bar_shows_how_to_leave_the_form(tmp_path, size):
    async with forging(tmp_path, size) as stage:
        bar, workspace = stage.screen.query_one("#keys"), stage.screen.workspace
        leave = ("escape", "esc", "back")
        assert leave not in bar.entries()
        await stage.pilot.press("f2")
        assert leave in bar.entries()
        while workspace.panel == "forge":
            assert leave in bar.entries()
            await stage.pilot.press("escape")
        assert stage.screen.focused is stage.screen.table
        assert leave not in bar.entries()


@pytest.mark.parametrize("size", ["wide", "small"])
async def test_typing_on_a_heading_or_a_choice_is_answered_below_the_form(tmp_path, size):
    async with forging(tmp_path, size) as stage:
        await stage.pilot.press("f2")
        form, words = stage.forge.form, stage.forge.query_one(Explanation)
        stage.forge.say("kept as mine")
        for key, answer in ((":layer.0", "IPv4 is a heading"), (":network", "is a choice")):
            form.select_field(key)
            before = form.state
            await stage.pilot.press("6")
            assert answer in str(words.render())
            assert form.state == before


async def test_without_a_capture_it_waits_for_no_reply(tmp_path):
    engine = ScriptedEngine(EngineSnapshot(EngineState.STOPPED, interfaces=("eth0",)))
    async with forging(tmp_path, engine=engine) as stage:
        stage.host.wire = lambda packet: None
        stage.screen.table.select(SYN)
        await stage.pilot.press("f", "ctrl+s")
        await stage.asked()
        await stage.pilot.press("y")
        await stage.until(lambda: "capture is stopped" in stage.report_text)


async def test_templates_kept_drafts_and_history(tmp_path):
    async with forging(tmp_path) as stage:
        pilot, form = stage.pilot, stage.forge.form
        await pilot.press("f2", "ctrl+o")
        await pilot.pause()
        options = pilot.app.screen.query_one(OptionList)
        titles = [str(option.prompt).strip() for option in options.options]
        assert titles[0] == "Templates"
        assert titles[1].startswith("TCP SYN")
        await pilot.press("enter")
        await pilot.pause()
        assert form.state.draft.texts["tcp.flags.syn"] == "1"
        await pilot.press("ctrl+t", "m", "i", "n", "e", "enter")
        explanation = stage.forge.query_one(Explanation)
        await stage.until(lambda: explanation.message.startswith("saved as mine"))
        await pilot.press("ctrl+n")
        assert form.state.draft.texts == {}
        await pilot.press("ctrl+o")
        await pilot.pause()
        screen = pilot.app.screen
        assert isinstance(screen, Drafts)
        kept = [entry for entry in screen._entries if entry[0] == "Saved"]
        assert [name for _, name, _ in kept] == ["mine"]
        await pilot.press("down", "enter")  # below the drafts that were in the form before
        await pilot.pause()
        assert form.state.draft.texts["tcp.flags.syn"] == "1"


@pytest.mark.parametrize("key", ["send.count", "send.rate", "send.interval"])
async def test_letters_do_not_spoil_the_amounts_while_sending(tmp_path, key):
    """`q` neither quits nor becomes text of a number; `escape` stops sending."""
    async with forging(tmp_path) as stage:
        await stage.pilot.press("f2")
        stage.forge.form.state = FormState.of((Draft(("ip", "udp"), {"ip.dst": HOST}),))
        await stage.type("send.count", "100000")
        await stage.type("send.rate", "10")
        await stage.pilot.press("ctrl+s")
        await stage.asked()
        await stage.pilot.press("y")
        await stage.until(lambda: stage.screen.sides["forge"].is_sending)
        stage.forge.form.select_field(key)
        settings = stage.forge.form.state.settings
        await stage.pilot.press("q", "Q", "space", "z")
        assert stage.pilot.app.is_running
        assert stage.screen.sides["forge"].is_sending
        assert stage.forge.form.state.settings == settings
        label = {"send.count": "Count", "send.rate": "Rate", "send.interval": "Interval"}[key]
        assert stage.forge.form.model.row.error == f"{label} takes numbers only"
        await stage.pilot.press("2")
        assert stage.forge.form.state.settings.text(key) == "2"
        assert stage.forge.form.model.row.error == ""
        await stage.pilot.press("escape")
        await stage.until(lambda: not stage.service.snapshot().sending)


async def test_a_damaged_database_is_reported_when_the_user_saves(tmp_path):
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    (folder / FILE).write_bytes(b"garbage" * 100)
    async with forging(tmp_path) as stage:
        await stage.pilot.press("f2", "ctrl+t", "m", "i", "n", "e", "enter")
        await stage.until(
            lambda: any("unreadable-" in one.message for one in stage.pilot.app._notifications)
        )
        assert list(stage.service.journal.drafts.drafts()) == ["mine"]


async def test_u_restores_a_deleted_draft(tmp_path, monkeypatch):
    async with forging(tmp_path) as stage:
        pilot, store = stage.pilot, stage.service.journal.drafts
        await pilot.press("f2", "ctrl+t", "m", "i", "n", "e", "enter")
        await eventually(store.drafts)
        kept = store.drafts()
        await pilot.press("ctrl+o")
        await pilot.pause()
        hint = pilot.app.screen.query_one(".dialog-hint", Static)
        await pilot.press("d")
        await pilot.pause()
        assert store.drafts() == {}
        assert str(hint.content) == "mine is deleted · u restores it"
        with monkeypatch.context() as patch:
            patch.setattr(PrivateFolder, "replacement", lambda *_: full("", ()))
            await pilot.press("u")
            await pilot.pause()
            assert "No space left" in str(hint.content)
        await pilot.press("u", "u")
        await pilot.pause()
        assert store.drafts() == kept
        assert str(hint.content) == "mine is restored"
        with monkeypatch.context() as patch:
            patch.setattr(PrivateFolder, "replacement", lambda *_: full("", ()))
            await pilot.press("d")
            await pilot.pause()
            assert "No space left" in str(hint.content)
        await pilot.press("u")
        assert str(hint.content).startswith("nothing changed"), "nothing was deleted"
        store.delete("mine")  # by another program
        await pilot.press("d")
        await pilot.pause()
        assert str(hint.content) == "another program deleted it already"


async def test_d_on_a_template_says_that_it_cannot_be_deleted(tmp_path):
    async with forging(tmp_path) as stage:
        await stage.pilot.press("f2", "ctrl+o")
        await stage.pilot.pause()
        await stage.pilot.press("d")
        await stage.pilot.pause()
        hint = stage.pilot.app.screen.query_one(".dialog-hint", Static)
        assert str(hint.content) == "templates cannot be deleted"


def test_the_line_of_a_draft_names_its_destination_first():
    draft = Draft(("ip", "udp"), {"ip.ttl": "3", "udp.dstport": "9", "ip.dst": "192.0.2.1"})
    assert _summary((draft,)) == "ip/udp  dst=192.0.2.1  ttl=3  dstport=9"


async def test_after_the_last_kept_draft_was_deleted_another_is_marked(tmp_path):
    """The heading that takes its place is not."""
    async with forging(tmp_path) as stage:
        pilot, store = stage.pilot, stage.service.journal.drafts
        for name in ("one", "two"):
            store.save(name, stage.forge.form.state.drafts)
        await pilot.press("f2", "ctrl+o", "down", "d")
        await pilot.pause()
        options = pilot.app.screen.query_one(OptionList)
        assert list(store.drafts()) == ["one"]
        assert str(options.highlighted_option.prompt).strip().startswith("one")
        await pilot.press("d")
        await pilot.pause()
        assert store.drafts() == {}
        assert str(options.highlighted_option.prompt).strip().startswith("TCP SYN")


async def test_a_draft_that_another_replaces_is_kept(tmp_path):
    async with forging(tmp_path) as stage:
        pilot, store = stage.pilot, stage.service.journal.drafts
        await pilot.press("f2", "ctrl+t", "m", "i", "n", "e", "enter")
        await eventually(store.drafts)
        before = store.drafts()["mine"]
        await stage.type("ip.ttl", "9")
        await pilot.press("ctrl+t", "m", "i", "n", "e")
        await pilot.pause()
        hint = pilot.app.screen.query_one(".dialog-hint", Static)
        assert "replaces the draft" in str(hint.content)
        await pilot.press("enter")
        said = stage.forge.query_one(Explanation)
        await eventually(lambda: "the former draft is now mine, before" in said.message, "saved")
        assert store.drafts()["mine"][0].texts["ip.ttl"] == "9"
        assert store.drafts()["mine, before"] == before


async def test_undo_replaces_no_newer_draft(tmp_path):
    """It was saved meanwhile under the name of the deleted one."""
    async with forging(tmp_path) as stage:
        pilot, store = stage.pilot, stage.service.journal.drafts
        drafts = stage.forge.form.state.drafts
        store.save("mine", drafts)
        await pilot.press("f2", "ctrl+o", "d")
        await pilot.pause()
        assert store.drafts() == {}
        store.save("mine", (drafts[0].with_text("ip.ttl", "9"),))
        await pilot.press("u")
        await pilot.pause()
        hint = pilot.app.screen.query_one(".dialog-hint", Static)
        assert str(hint.content) == "not restored: another draft is saved as mine now"
        assert store.drafts()["mine"][0].texts["ip.ttl"] == "9"


def full(name, content):
    raise OSError(errno.ENOSPC, "No space left on device")


async def test_the_title_says_that_the_outcome_is_of_an_earlier_packet(tmp_path):
    """The form has changed since. The question says what a yes means."""
    async with forging(tmp_path) as stage:
        outcome = stage.forge.query_one(ForgeOutcome)
        stage.screen.table.select(SYN)
        await stage.pilot.press("f", "ctrl+s")
        await stage.asked()
        assert REMEMBERED in stage.pilot.app.screen._question
        await stage.pilot.press("y")
        await stage.until(lambda: "↗ packet" in stage.report_text)
        assert outcome.border_title == "Outcome"
        await stage.pilot.press("f4")
        await stage.type("ip.ttl", "9")
        await stage.pilot.pause()
        assert outcome.display
        assert outcome.border_title == EARLIER
        await stage.pilot.press("ctrl+s")
        await stage.until(lambda: outcome.border_title == "Outcome")


class Rerouted(ScriptedHost):
    """A host whose route gives `source`; it answers a look-up when the test lets it."""

    def __init__(self):
        super().__init__()
        self.source = HOST
        self.may_answer = threading.Event()
        self.may_answer.set()

    def suggest_from_routes(self, draft, interface="", *, resolve=False):
        self.may_answer.wait()
        found = super().suggest_from_routes(draft, interface, resolve=resolve)
        source = int(ipaddress.ip_address(self.source))
        return replace(found, values={**found.values, "ip.src": source})


@pytest.fixture
def evaluated(monkeypatch):
    """The drafts that were evaluated, wherever that is done."""
    drafts = []

    def counting(draft, *arguments, **options):
        drafts.append(draft)
        return evaluate(draft, *arguments, **options)

    for module in list(sys.modules.values()):
        name = getattr(module, "__name__", "").partition(".")[0]
        if name in ("app", "core", "widgets") and vars(module).get("evaluate") is evaluate:
            monkeypatch.setattr(module, "evaluate", counting)
    return drafts


async def send_and_approve(stage: Stage) -> None:
    """Send what is in the form, and wait until it left."""
    before = len(stage.host.sent)
    await stage.pilot.press("ctrl+s")
    await stage.asked()
    await stage.pilot.press("y")
    await stage.until(lambda: len(stage.host.sent) > before)
    await stage.until(lambda: not stage.service.snapshot().sending)


async def test_the_bytes_shown_are_the_bytes_sent(tmp_path, evaluated):
    host = Rerouted()
    async with forging(tmp_path, host=host) as stage:
        form = stage.forge.form
        await stage.pilot.press("f2")
        form.state = FormState.of((Draft(("ip", "udp"), {"ip.dst": SERVER, "payload": "a"}),))
        await stage.until(lambda: form.model.evaluation.field("ip.src").shown == HOST)
        evaluated.clear()
        await send_and_approve(stage)
        assert host.sent == [stage.forge.evaluation.data] == [stage.forge.bytes.dump.data]
        host.source = "192.0.2.99"
        await stage.pilot.press("ctrl+s")
        await stage.until(lambda: "the route changed" in stage.report_text)
        assert len(host.sent) == 1
        assert evaluated == [form.state.draft]  # once: the new bytes are shown
        assert form.model.evaluation.field("ip.src").shown == "192.0.2.99"
        await send_and_approve(stage)
        assert host.sent[1] == stage.forge.evaluation.data == stage.forge.bytes.dump.data
        assert evaluated == [form.state.draft]


async def test_all_packets_are_evaluated_once(tmp_path, evaluated):
    async with forging(tmp_path) as stage:
        form = stage.forge.form
        await stage.pilot.press("f2")
        drafts = TEMPLATES["fragment-overlap"].drafts
        form.state = FormState.of([draft.with_text("ip.dst", SERVER) for draft in drafts])
        await stage.until(lambda: form.model.evaluation.field("ip.src").shown == HOST)
        evaluated.clear()
        await send_and_approve(stage)
        await stage.until(lambda: len(stage.host.sent) == 2)
        assert evaluated == [form.state.drafts[1]]  # the first was evaluated to be shown


async def test_a_typed_character_costs_one_evaluation(tmp_path, evaluated):
    async with forging(tmp_path) as stage:
        await stage.pilot.press("f2")
        await stage.type("ip.dst", SERVER)
        await stage.until(lambda: stage.forge.evaluation.field("ip.src").shown == HOST)
        await stage.type("payload", "a")
        evaluated.clear()
        await stage.pilot.press(*"bcdefgh")
        assert [draft.text("payload") for draft in evaluated] == [
            "abcdefgh"[:length] for length in range(2, 9)
        ]


async def test_a_form_is_sent_when_the_route_of_its_drafts_is_shown(tmp_path):
    host = Rerouted()
    host.may_answer.clear()
    async with forging(tmp_path, host=host) as stage:
        try:
            await stage.pilot.press("f2")
            stage.forge.form.state = FormState.of((Draft(("ip", "udp"), {"ip.dst": SERVER}),))
            await stage.pilot.press("ctrl+s")
            assert not stage.service.snapshot().sending
            assert stage.forge.evaluation.field("ip.src").shown == "0.0.0.0"
        finally:
            host.may_answer.set()
        await stage.asked()
        assert stage.forge.evaluation.field("ip.src").shown == HOST
        await stage.pilot.press("y")
        await stage.until(lambda: host.sent)
        assert host.sent == [stage.forge.evaluation.data]


async def test_several_packets_that_belong_together_are_all_sent(tmp_path):
    async with forging(tmp_path) as stage:
        pilot, form = stage.pilot, stage.forge.form
        await pilot.press("f2", "ctrl+o")
        await pilot.pause()
        await pilot.press("end", "enter")
        await pilot.pause()
        assert len(form.state.drafts) == 2
        assert form.model.row.key == "ip.dst"
        await stage.type("ip.dst", SERVER)
        await pilot.press("ctrl+s")
        await stage.asked()
        await pilot.press("y")
        await stage.until(lambda: len(stage.host.sent) == 2)
        assert [packet[6:8] for packet in stage.host.sent] == [b"\x20\x00", b"\x00\x02"]


async def test_recipes_of_a_packet_and_of_a_draft(tmp_path):
    async with forging(tmp_path) as stage:
        pilot = stage.pilot
        stage.screen.table.select(SYN)
        await pilot.press("y")
        await pilot.pause()
        names = [name for name, _ in pilot.app.screen.choices]
        assert names[0] == "Row"
        assert {"scapy expression", "hping3 command", "tcpdump filter", "C array"} <= set(names)
        await pilot.press("escape", "f")
        await stage.type("ip.ttl", "3")
        await pilot.press("ctrl+y")
        await pilot.pause()
        screen = pilot.app.screen
        assert isinstance(screen, Copy)
        name, text = screen.choices[0]
        assert (name, text.startswith("rawscope send")) == ("rawscope command", True)
        assert "--ip.ttl 3" in text


async def test_an_address_found_on_the_link_may_need_a_second_question(tmp_path):
    """The next hop's address is found after the first yes, and is the broadcast address."""
    host = Neighbor()
    async with forging(tmp_path, host=host) as stage:
        await stage.pilot.press("f2")
        stage.forge.form.state = FormState.of(
            (Draft(("eth", "ip", "udp"), {"ip.dst": SERVER}),), "eth0"
        )
        await stage.pilot.press("ctrl+s")
        await stage.asked()
        first = stage.pilot.app.screen
        await stage.pilot.press("y")
        await stage.until(lambda: stage.pilot.app.screen is not first)
        await stage.asked()
        assert "broadcast" in stage.pilot.app.screen._question
        await stage.pilot.press("escape")
        await stage.until(lambda: "you declined" in stage.report_text)
        assert host.sent == []
        assert not stage.service.snapshot().sending


async def test_a_sent_packet_is_recorded(tmp_path):
    async with forging(tmp_path) as stage:
        stage.screen.table.select(SYN)
        await stage.pilot.press("f", "ctrl+s")
        await stage.asked()
        await stage.pilot.press("y")
        path = tmp_path / "state" / "sent.pcapng"
        await stage.until(lambda: "recorded in" in stage.report_text)
        with open_capture(path) as reader:
            batches = list(reader.batches())
        words = [text for batch in batches for said in batch.comments.values() for text in said]
        assert words[0].startswith("sending 1 (IP_HDRINCL) by: rawscope send")
        assert (words[1:], remarks_of(path)) == ([], ["sent 1 of 1"])
        assert stage.service.journal.history.entries()[0] == (stage.forge.form.state.draft.own(),)


async def test_the_audit_can_be_switched_off(tmp_path):
    async with forging(tmp_path, config="[forge]\naudit = false\n") as stage:
        stage.screen.table.select(SYN)
        await stage.pilot.press("f", "ctrl+s")
        await stage.asked()
        await stage.pilot.press("y")
        await stage.until(lambda: "sent 1 of 1" in stage.report_text)
        assert not (tmp_path / "state" / "sent.pcapng").exists()


async def test_no_packet_leaves_if_it_cannot_be_recorded(tmp_path):
    async with forging(tmp_path) as stage:
        (tmp_path / "state").write_text("a file in the place of the folder")
        stage.screen.table.select(SYN)
        await stage.pilot.press("f", "ctrl+s")
        await stage.asked()
        await stage.pilot.press("y")
        await stage.until(lambda: "[forge] audit = false" in " ".join(stage.report_text.split()))
        assert stage.host.sent == []


async def test_an_internal_error_while_sending_is_shown(tmp_path):
    async with forging(tmp_path) as stage:

        def broken(packet: bytes) -> None:
            raise ZeroDivisionError

        stage.host.wire = broken
        stage.screen.table.select(SYN)
        await stage.pilot.press("f", "ctrl+s")
        await stage.asked()
        await stage.pilot.press("y")
        await stage.until(lambda: "sending failed (ZeroDivisionError" in stage.report_text)
        assert not stage.service.snapshot().sending


async def test_a_reply_leads_to_its_packet(tmp_path):
    async with forging(tmp_path) as stage:
        stage.screen.table.select(SYN)
        await stage.pilot.press("f", "ctrl+s")
        await stage.asked()
        await stage.pilot.press("y")
        await stage.until(lambda: "RST, ACK" in stage.report_text)
        result = stage.forge.query_one(ForgeOutcome)
        result.focus()
        line = next(i for i, one in enumerate(result._lines) if "RST, ACK" in one.text)
        result.move_to_line(line)
        await stage.pilot.press("enter")
        assert stage.screen.table.selected == stage.store.snapshot().count
        assert stage.screen.focused is stage.screen.table


async def test_letters_stay_in_the_form(tmp_path):
    async with forging(tmp_path) as stage:
        await stage.pilot.press("f2")
        stage.forge.form.select_field("payload")
        await stage.pilot.press("q", "f", "r", "e", "z", "y")
        assert stage.forge.form.state.draft.texts["payload"] == "qfrezy"
        assert stage.screen.focused is stage.forge.form
        keys = {key for _, key, _ in stage.screen.query_one("#keys").entries()}
        assert "q" not in keys
        assert "^s" in keys


async def test_keeping_a_draft_asks_for_its_name(tmp_path):
    async with forging(tmp_path) as stage:
        await stage.pilot.press("f2", "ctrl+t")
        await stage.pilot.pause()
        assert isinstance(stage.pilot.app.screen.focused, Input)
        await stage.pilot.press("escape")
        assert stage.screen.focused is stage.forge.form
        assert stage.service.journal.drafts.drafts() == {}


@pytest.mark.parametrize("size", [(160, 45), (120, 36), (80, 24), (60, 24)])
async def test_the_bytes_have_the_room_that_their_lines_need(size):
    """Also if the first width of the view changes how many bytes are on a line."""
    monitor = scripted_monitor(scripted_store(), forge_host=ScriptedHost())
    async with monitor.run_test(size=size) as pilot:
        await filled(pilot)
        await pilot.press("f2")
        await pilot.pause()
        view = main(pilot).sides["forge"].panel.query_one("#bytes", HexView)
        height, lines = view.styles.height, view.line_count
        main(pilot).sides["forge"].panel._arrange()
        await pilot.pause()
        assert (view.styles.height, view.line_count) == (height, lines)


async def test_a_slow_file_never_stops_the_form(tmp_path, monkeypatch):
    """The keys work while the file system does not answer; then the file's bytes are sent."""
    asked, may_answer = threading.Event(), threading.Event()

    def read_slowly(name):
        asked.set()
        may_answer.wait()
        return read_file(name)

    monkeypatch.setattr(payload_reader, "read_file", read_slowly)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p").write_bytes(b"from a file")
    try:
        async with forging(tmp_path) as stage:
            await stage.pilot.press("f")
            await stage.type("payload", "@p")
            await stage.until(asked.is_set)
            await stage.type("ip.ttl", "7")
            assert stage.forge.evaluation.data[8] == 7
            await stage.pilot.press("ctrl+s")
            assert stage.forge.query_one(Explanation).message == "not sent: @p: reading …"
            may_answer.set()
            await stage.until(lambda: stage.forge.evaluation.data.endswith(b"from a file"))
            await stage.pilot.press("ctrl+s")
            await stage.asked()
            await stage.pilot.press("y")
            await stage.until(lambda: stage.host.sent)
            assert stage.host.sent[0].endswith(b"from a file")
    finally:
        may_answer.set()


async def test_the_command_of_a_packet_without_a_link_header_names_its_interface(tmp_path):
    async with forging(tmp_path) as stage:
        await stage.pilot.press("f2")
        form = stage.forge.form
        await stage.type("ip.dst", SERVER)
        await stage.until(lambda: stage.forge.snapshot.interfaces)
        form.select_field(":method")
        await stage.pilot.press("left")
        form.select_field(":interface")
        await stage.pilot.press("left", "left")  # past gre1
        assert form.state.settings == SendSettings(SendMethod.PACKET, "tun7")
        recipes = dict(stage.screen.sides["forge"].copy_choices())
        assert "--link tun7" in recipes["rawscope command"]
        await stage.pilot.press("ctrl+s")
        await stage.asked()
        await stage.pilot.press("y")
        await stage.until(lambda: stage.host.sent)
        assert stage.host.prepared[-1] == (SendMethod.PACKET, "tun7")
        assert stage.host.sent[0][0] == 0x45


@pytest.mark.parametrize(
    ("interface", "leaves"),
    [("tun7", (SendMethod.PACKET, "tun7")), ("gre1", (SendMethod.IP, "")),
     ("gone", (SendMethod.IP, ""))],
)  # fmt: skip
async def test_a_live_packet_without_a_link_header_is_resent_as_its_interface_allows(
    tmp_path, interface, leaves
):
    packet = made.ipv4(made.udp(b"x"), 17)
    async with forging(tmp_path) as stage:
        number = stage.store.add_interface(CaptureInterface(interface, LinkType.RAW))
        frames = batch([Frame(packet, 0)])
        stage.store.append(replace(frames, interface=np.full(1, number, dtype=np.uint16)))
        await stage.until(lambda: stage.screen.table.select(stage.store.snapshot().count))
        await stage.pilot.press("r")
        await stage.asked()
        await stage.pilot.press("y")
        await stage.until(lambda: stage.host.sent == [packet])
        assert stage.host.prepared[-1] == leaves
