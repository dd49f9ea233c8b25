"""Keys typed in one burst: none is lost, and each reaches the dialog that an earlier one opened."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.keys import _character_to_key
from textual.screen import ModalScreen, Screen
from textual.widgets import DataTable, Input, OptionList
from textual_fspicker.base_dialog import Dialog as Frame

import app.screens
from app.config.paths import Paths
from app.key_queue import PATIENCE_S, KeyQueue, OrderedKeysApp
from app.screens.dialogs.add_listener import AddListener
from app.screens.dialogs.color_rule import EditRule
from app.screens.dialogs.colors import ColorRules
from app.screens.dialogs.columns import AddColumn, Columns
from app.screens.dialogs.comments import EditComments
from app.screens.dialogs.copy import Copy
from app.screens.dialogs.dialog import Confirm, Dialog, Hint
from app.screens.dialogs.drafts import Drafts
from app.screens.dialogs.filter_menu import FilterMenu
from app.screens.dialogs.go_to import GoTo
from app.screens.dialogs.help import Help
from app.screens.dialogs.interfaces import Interfaces
from app.screens.dialogs.name import AskName
from app.screens.dialogs.open_file import HINT, OpenFile
from app.screens.dialogs.palette import Palette
from app.screens.dialogs.record import RecordTo
from app.screens.dialogs.save_capture import SaveCapture
from app.screens.dialogs.save_text import SaveText
from app.screens.dialogs.saved_filters import SavedFilterList
from app.screens.dialogs.search import SearchDialog
from app.screens.forge.interface_dialog import SendInterface
from app.screens.lab import LabScreen
from app.screens.saving.new_file_dialog import NewFileDialog
from core.engine.snapshot import EngineSnapshot, EngineState
from tests.helpers.idle import eventually
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_forge import ScriptedHost
from tests.helpers.scripted_lab import scripted_lab
from tests.helpers.scripted_monitor import ScriptedEngine, filled, main, scripted_monitor

PRINTABLE = "".join(map(chr, range(0x20, 0x7F))) + "éß東"


def key(name: str) -> events.Key:
    """Return a key event as the terminal's parser makes it."""
    if len(name) == 1:
        return events.Key(_character_to_key(name), name)
    return events.Key(name, {"enter": "\r", "escape": "\x1b", "tab": "\t"}.get(name))


def burst(application: App, *keys: str) -> None:
    """Put keys into the application's queue, with nothing handled in between."""
    for name in keys:
        application.post_message(key(name))


@asynccontextmanager
async def running(tmp_path: Path, dialog: type[Screen[Any]] | None = None):
    """Run the monitor with an empty state directory, so that `dialog` can be opened."""
    paths = Paths(tmp_path / "config.toml", tmp_path / "state.json")
    of_file = EngineSnapshot(EngineState.DONE, file="/tmp/day.pcap", progress=1.0)
    engine = ScriptedEngine(of_file) if dialog is SendInterface else ScriptedEngine()
    monitor = scripted_monitor(scripted_store(), engine, paths=paths, forge_host=ScriptedHost())
    async with monitor.run_test(size=(160, 45)) as pilot:
        await filled(pilot)
        yield pilot


def value(pilot, selector: str = "Input") -> str | None:
    """Return the text of an input; None before it is mounted."""
    return next((field.value for field in pilot.app.screen.query(selector)), None)


def highlighted(pilot) -> int | None:
    """Return the highlighted row of a list; None before it is mounted."""
    return next((one.highlighted for one in pilot.app.screen.query(OptionList)), None)


# dialog → the keys that open it, the keys typed after them, and what shows that they arrived
TYPED_AHEAD = {
    GoTo: ([":"], [*"5.09"], lambda p: value(p) == "5.09"),
    Columns: (["f3"], [*"jjj"], lambda p: highlighted(p) == 3),
    AddColumn: (["f3", "a"], [*"ttl"], lambda p: value(p) == "ttl"),
    SearchDialog: (["ctrl+f"], [*"get /"], lambda p: value(p) == "get /"),
    OpenFile: (["o"], [*"/tmp/a.pcap"], lambda p: value(p) == "/tmp/a.pcap"),
    AddListener: (["e", "a"], [*"7007"], lambda p: value(p, "#port") == "7007"),
    AskName: (["f2", "ctrl+t"], [*"a syn"], lambda p: value(p) == "a syn"),
    Palette: (["ctrl+p"], [*"mark"], lambda p: value(p) == "mark"),
    Interfaces: (
        ["i"],
        [*"kkkkjjj"],
        lambda p: [table.cursor_row for table in p.app.screen.query(DataTable)] == [3],
    ),
    Drafts: (
        ["f2", "ctrl+o"],
        ["j", "j"],
        lambda p: highlighted(p) == 3,
    ),
    ColorRules: (
        ["f6"],
        ["j", "j"],
        lambda p: [table.cursor_row for table in p.app.screen.query(DataTable)] == [2],
    ),
    EditRule: (["f6", "e"], [*"s"], lambda p: value(p, "#name") == "Bad checksums"),
    SavedFilterList: (
        ["/", "ctrl+o"],
        ["u"],
        lambda p: any(one.content == "nothing to undo" for one in p.app.screen.query(Hint)),
    ),
    RecordTo: (["W", "ctrl+u"], [*"a b.pcapng"], lambda p: value(p) == "a b.pcapng"),
    FilterMenu: (["="], ["down"], lambda p: highlighted(p) == 1),
    SaveCapture: (["w"], [*"a.pcap"], lambda p: value(p, "#path").endswith("a.pcap")),
    EditComments: ([";"], [*"odd"], lambda p: value(p) == "odd"),
    SaveText: (["y", "s", "enter"], [*"a.txt"], lambda p: value(p) == "a.txt"),
    Copy: (["y"], ["down"], lambda p: highlighted(p) == 1),
    SendInterface: (["r"], ["j"], lambda p: highlighted(p) == 1),
    Help: (
        ["?"],
        ["end"],
        lambda p: any(one.scroll_target_y for one in p.app.screen.query("#help")),
    ),
}


@pytest.mark.parametrize("dialog", TYPED_AHEAD, ids=lambda dialog: dialog.__name__)
async def test_keys_typed_while_a_dialog_closes_or_opens_reach_their_screen(dialog, tmp_path):
    """Those after ``escape`` reach the screen below, and those after its own keys the dialog."""
    opening, typed, arrived = TYPED_AHEAD[dialog]
    async with running(tmp_path, dialog) as pilot:
        burst(pilot.app, *opening, "escape", "escape", "g", "m")
        table = main(pilot).table
        await eventually(lambda: table.marks == {1}, "the mark")
        assert pilot.app.screen is main(pilot)
        burst(pilot.app, *opening, *typed)
        await eventually(lambda: isinstance(pilot.app.screen, dialog), f"{dialog.__name__}")
        await eventually(lambda: arrived(pilot), f"the arrival of {''.join(typed)}")


async def test_a_whole_session_in_one_burst(tmp_path):
    async with running(tmp_path) as pilot:
        burst(pilot.app, *":103", "backspace", "backspace", "backspace", "9", "enter", "k", "m")
        burst(pilot.app, *":2", "enter", "m", "?", "q", "i", "escape", "j", "m")
        table = main(pilot).table
        await eventually(lambda: table.marks == {8, 2, 3}, "the marks")


async def test_the_laboratory_gets_what_is_typed_while_it_opens(tmp_path, monkeypatch):
    monkeypatch.setattr("app.screens.lab.LabScreen", lambda **given: scripted_lab())
    async with running(tmp_path) as pilot:
        burst(pilot.app, "e", "L", "escape", "f2")
        await eventually(lambda: main(pilot).workspace.panel == "forge", "the forge")
        assert pilot.app.screen is main(pilot)


async def test_a_question_takes_no_key_from_before_it(tmp_path):
    async with running(tmp_path) as pilot:
        burst(pilot.app, "q", "y", "enter", "right", "enter")
        await eventually(lambda: isinstance(pilot.app.screen, Confirm), "the question")
        await eventually(lambda: pilot.app.screen.accepts_keys, "its first picture")
        await pilot.press("n")
        assert pilot.app.screen is main(pilot)


async def test_a_paste_waits_for_its_dialog_too(tmp_path):
    async with running(tmp_path) as pilot:
        burst(pilot.app, "o")
        pilot.app.post_message(events.Paste("/tmp/pasted.pcap"))
        burst(pilot.app, "n", "g")
        await eventually(lambda: isinstance(pilot.app.screen, OpenFile), "the picker")
        await eventually(lambda: value(pilot) == "/tmp/pasted.pcapng", "the paste")


def _windows() -> set[type]:
    """Return every dialog and other screen over the main one that `app.screens` defines."""
    names = [module.name for module in pkgutil.walk_packages(app.screens.__path__, "app.screens.")]
    classes = {
        one
        for name in names
        for one in vars(importlib.import_module(name)).values()
        if isinstance(one, type) and one.__module__ == name
    }
    return {one for one in classes if issubclass(one, ModalScreen | LabScreen)}


def test_every_window_is_tried():
    tried_apart = {Confirm, LabScreen}  # in tests of their own, above
    assert _windows() - {Dialog, NewFileDialog} - tried_apart == set(TYPED_AHEAD)


@pytest.mark.parametrize(
    ("opening", "field"),
    [([":"], "Input"), (["f2", "ctrl+t"], "Input"), (["o"], "Input"),
     (["e", "a"], "#port"), (["e", "a", "tab"], "#address")],
)  # fmt: skip
async def test_a_field_keeps_every_character(opening, field, tmp_path):
    async with running(tmp_path) as pilot:
        burst(pilot.app, *opening, *PRINTABLE)
        wanted = PRINTABLE if field != "#address" else "127.0.0.1" + PRINTABLE
        await eventually(
            lambda: (value(pilot, field) or "").endswith("東"),
            "the last character",
        )
        assert value(pilot, field) in (wanted, PRINTABLE)


@pytest.mark.parametrize(
    ("opening", "typed", "words"),
    [
        ([":"], "5.09x", "'5.09x' is not a packet number"),
        ([":"], "22-39", "'22-39' is not a packet number"),
        ([":"], "999", "no packet 999"),
        ([":"], "9" * 30, "no packet 9999"),
        (["e", "a"], "70x", "no port '70x'"),
        (["e", "a"], "70000", "no port '70000'"),
        (["f2", "ctrl+t"], "n" * 61, "too long by 1"),
    ],
)
async def test_wrong_input_is_refused_with_a_reason(opening, typed, words, tmp_path):
    """The reason is shown while the user types, and after enter."""
    async with running(tmp_path) as pilot:
        burst(pilot.app, *opening, *typed)
        await eventually(lambda: bool(pilot.app.screen.query(".-wrong")), "the reason")
        await eventually(lambda: value(pilot) == typed, "all that was typed")
        screen = pilot.app.screen
        assert words in str(screen.query_one(".-wrong").content)
        await pilot.press("enter")
        assert pilot.app.screen is screen
        assert words in str(screen.query_one(".-wrong").content)


def test_no_field_drops_characters():
    """Textual's Input drops what `restrict`, `type` and `max_length` exclude, without a message."""
    root = Path(app.__file__).parent.parent
    dropping = [
        f"{path.relative_to(root)}:{call.lineno}"
        for folder in ("app", "widgets")
        for path in (root / folder).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and {"restrict", "max_length", "type"} & {keyword.arg for keyword in call.keywords}
        and getattr(call.func, "id", getattr(call.func, "attr", "")) in ("Input", "MaskedInput")
    ]
    assert dropping == []


class Bare(OrderedKeysApp[None]):
    """One field behind a queue."""

    def compose(self) -> ComposeResult:
        yield Input()


async def test_a_probe_that_is_lost_holds_keys_back_for_a_while_only(monkeypatch):
    delivered, now_s = [], 0.0

    async def deliver(event: events.Key) -> None:
        delivered.append(event.key)

    queue = KeyQueue(SimpleNamespace(focused=None, screen=None), deliver, lambda: now_s)
    monkeypatch.setattr(queue, "_send_probe", lambda *_: None)
    for name in "abc":
        await queue.put(key(name))
    assert delivered == ["a"]
    now_s = PATIENCE_S
    await queue.put(key("d"))
    assert delivered == ["a", "b"]


async def test_keys_are_held_until_they_are_released(monkeypatch):
    delivered = []

    async def deliver(event: events.Key) -> None:
        delivered.append(event.key)

    queue = KeyQueue(SimpleNamespace(focused=None, screen=None), deliver)
    monkeypatch.setattr(queue, "_send_probe", lambda *_: None)
    queue.hold()
    for name in ("a", "ctrl+j"):  # enter, before the terminal was in raw mode
        await queue.put(key(name))
    assert delivered == []
    await queue.release()
    assert delivered == ["a"]
    await queue._deliver_next()
    assert delivered == ["a", "enter"]


async def test_a_thousand_keys_arrive_in_order():
    text = "".join(chr(0x21 + number % 94) for number in range(1000))
    async with Bare().run_test() as pilot:
        burst(pilot.app, *text)
        await eventually(lambda: value(pilot) == text, "the thousandth key")


@pytest.mark.parametrize("typed", ["a**", "**", "x" * 300, "a\0b", "~nobody-here/a", "[", "loop"])
async def test_no_path_ends_the_picker(typed, tmp_path, monkeypatch):
    """The dialog shows what the file system or the completion refuses; the user can correct it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    async with running(tmp_path) as pilot:
        burst(pilot.app, "o")
        pilot.app.post_message(events.Paste(typed))
        await eventually(lambda: value(pilot) == typed, "the paste")
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, OpenFile)
        assert str(pilot.app.screen.query_one(Frame).border_subtitle) not in ("", HINT)
