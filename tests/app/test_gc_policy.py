"""Freezes are rare, and never include garbage or objects that will soon be garbage."""

from __future__ import annotations

import gc
import importlib
import pkgutil
import weakref
from functools import partial
from pathlib import Path

import pytest
from rich.style import Style
from textual._styles_cache import StylesCache
from textual.screen import Screen
from textual.widget import Widget

import app.screens
from app import gc_policy
from app.config.filter_history import FilterHistory
from app.config.schema import FilterSettings
from app.gc_policy import (
    CLIENTS_MORE,
    FULL_COLLECTION_EACH,
    GROWTH,
    LONGEST_DELAY_TICKS,
    QUIET_TICKS,
    YOUNG_OBJECTS,
    GcPolicy,
    collect_all,
)
from app.screens.dialogs.add_listener import AddListener
from app.screens.dialogs.color_rule import EditRule
from app.screens.dialogs.colors import ColorRules
from app.screens.dialogs.columns import AddColumn, Columns
from app.screens.dialogs.comments import EditComments
from app.screens.dialogs.copy import Copy
from app.screens.dialogs.dialog import Confirm
from app.screens.dialogs.drafts import Drafts
from app.screens.dialogs.filter_menu import FilterChoice, FilterMenu
from app.screens.dialogs.go_to import GoTo
from app.screens.dialogs.help import Help
from app.screens.dialogs.interfaces import Interfaces
from app.screens.dialogs.name import AskName
from app.screens.dialogs.open_file import open_dialog
from app.screens.dialogs.palette import Palette
from app.screens.dialogs.record import RecordTo
from app.screens.dialogs.save_capture import Savable, SaveCapture
from app.screens.dialogs.save_text import SaveText
from app.screens.dialogs.saved_filters import SavedFilterList
from app.screens.dialogs.search import SearchDialog
from app.screens.filter.capture_filter_field import CaptureFilterField
from app.screens.filter.saved_filters import SavedFilters
from app.screens.forge.interface_dialog import SendInterface
from app.screens.go_to_target import TargetContext
from app.screens.lab import LabScreen
from app.screens.main import MainScreen
from core.analysis.color_rules.rule import DEFAULT_RULES
from core.forge.journal.send_journal import SendJournal
from tests.helpers.idle import eventually
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import INTERFACES, NOWHERE, filled, scripted_monitor
from widgets.packets.column_choice import DEFAULT_CHOICE

NO_STATE = SendJournal(Path("/dev/null/none"), audits=False)


def filter_field() -> CaptureFilterField:
    return CaptureFilterField(None, FilterHistory(NOWHERE.state), lambda: ())


WINDOWS = {
    "AddColumn": AddColumn,
    "AddListener": AddListener,
    "ColorRules": lambda: ColorRules(DEFAULT_RULES, print, lambda rule: Style()),
    "Columns": lambda: Columns(DEFAULT_CHOICE, lambda choice: None, lambda column: None),
    "Confirm": lambda: Confirm("Sure?", "Leave", "Stay"),
    "Copy": lambda: Copy([("Row", "1")]),
    "Drafts": lambda: Drafts(NO_STATE, ()),
    "EditRule": lambda: EditRule(DEFAULT_RULES[0], lambda rule: Style()),
    "FilterMenu": lambda: FilterMenu("Source", (FilterChoice("y", "Copy value", "1"),)),
    "GoTo": lambda: GoTo(TargetContext(1, 9, 0, "since the first packet", 0, 1)),
    "Help": lambda: Help({}, NOWHERE),
    "Interfaces": lambda: Interfaces(lambda: INTERFACES, filter_field=filter_field()),
    "AskName": lambda: AskName("Save", (), ""),
    # With results: the thread of a run remembers the last screen that it worked for, and only it.
    "LabScreen": lambda: LabScreen(before=([], [])),
    "OpenFile": open_dialog,
    "Palette": Palette,
    "SavedFilterList": lambda: SavedFilterList(SavedFilters(FilterSettings(), print), {}),
    "EditComments": lambda: EditComments(1, ("odd",), "w"),
    "SaveCapture": lambda: SaveCapture(Savable(scripted_store().snapshot(), "a.pcapng")),
    "RecordTo": lambda: RecordTo("a.pcapng"),
    "SaveText": lambda: SaveText("a.txt", lambda: b"1"),
    "SearchDialog": SearchDialog,
    "SendInterface": lambda: SendInterface("Send packet 1 again", lambda: ("lo", "eth0"), "lo"),
}
BASES = {"Dialog", "MainScreen", "NewFileDialog"}
LONGEST_WAIT = 200  # turns of the event loop


@pytest.fixture
def policy():
    made = GcPolicy()
    yield made
    made.close()


def note(policy: GcPolicy, clients: int) -> bool:
    """Tick until a freeze is due, with `clients` connected; return True if one happened."""
    return any(policy.tick(clients, quiet=True) for _ in range(QUIET_TICKS))


class Node:
    """An object that can be in a cycle."""


def cycle() -> weakref.ref[Node]:
    """Return a weak reference into an unreachable cycle."""
    one, other = Node(), Node()
    one.other, other.other = other, one
    return weakref.ref(one)


def test_the_policy_freezes_at_the_start_and_as_clients_become_more(policy):
    large = GROWTH * CLIENTS_MORE * 4
    steps = [
        (0, True),
        (CLIENTS_MORE - 1, False),
        (CLIENTS_MORE, True),
        (0, False),
        (2 * CLIENTS_MORE - 1, False),
        (large, True),
        (large + CLIENTS_MORE, False),
        (large + large // GROWTH, True),
        (large, False),
    ]
    assert [note(policy, clients) for clients, _ in steps] == [froze for _, froze in steps]


def test_the_policy_waits_until_nothing_was_open_for_a_while(policy):
    assert not any(policy.tick(0, quiet=False) for _ in range(3 * QUIET_TICKS))
    for _ in range(QUIET_TICKS - 1):
        assert not policy.tick(0, quiet=True)
    assert not policy.tick(0, quiet=False)
    for _ in range(QUIET_TICKS - 1):
        assert not policy.tick(0, quiet=True)
    assert policy.tick(0, quiet=True)


def test_clients_that_come_and_go_freeze_nothing_more(policy):
    note(policy, 0)
    before = gc.get_freeze_count()
    assert not any(note(policy, clients) for clients in [300, 0, 290, 5] * 1_000)
    assert gc.get_freeze_count() <= before


@pytest.mark.parametrize("clients", [0, CLIENTS_MORE])
def test_garbage_is_not_frozen(policy, clients):
    if clients:
        note(policy, 0)
    gc.disable()  # so that the cycle is still there
    try:
        garbage = cycle()
        assert garbage() is not None
        assert note(policy, clients)
    finally:
        gc.enable()
    assert garbage() is None


def test_frozen_objects_are_still_freed(policy):
    client = Node()
    gone = weakref.ref(client)
    before = gc.get_freeze_count()
    assert note(policy, 0)
    assert gc.get_freeze_count() > before
    del client
    assert gone() is None


def test_close_unfreezes_everything():
    policy = GcPolicy()
    note(policy, 0)
    assert not gc.isenabled()
    policy.close()
    assert (gc.isenabled(), gc.get_freeze_count()) == (True, 0)
    policy.close()  # closing twice, and without a freeze, is allowed
    GcPolicy().close()
    assert gc.isenabled()


@pytest.mark.parametrize("is_old", [False, True])
def test_ticks_collect_in_place_of_python(policy, is_old):
    """Also objects that were in use during the last collections."""
    assert note(policy, 0)
    gone = cycle()
    kept = gone() if is_old else None
    for _ in range(FULL_COLLECTION_EACH + 1 if is_old else 0):
        gc.collect(1)
    del kept
    new = []
    for _ in range(FULL_COLLECTION_EACH + 1):
        new += [[] for _ in range(YOUNG_OBJECTS)]
        policy.tick(0, quiet=True)
    assert gone() is None


def collections_of(policy: GcPolicy, ticks: int, *, typing: bool) -> list[int]:
    """Return the generations that are collected in some ticks with much to collect at each."""
    collected: list[int] = []
    new = []

    def note_start(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            collected.append(info["generation"])

    gc.callbacks.append(note_start)
    try:
        for _ in range(ticks):
            new += [[] for _ in range(2 * YOUNG_OBJECTS)]
            policy.tick(0, quiet=True, typing=typing)
    finally:
        gc.callbacks.remove(note_start)
    return collected


def test_no_full_collection_delays_keys(policy, monkeypatch):
    """Nor a freeze, which collects before: they wait until the user pauses."""
    monkeypatch.setattr(gc_policy, "MOST_NEW_OBJECTS", 1 << 30)  # the delay alone
    policy.tick(0, quiet=True, typing=True)  # from now on Python collects nothing by itself
    typed = collections_of(policy, QUIET_TICKS + FULL_COLLECTION_EACH, typing=True)
    assert typed == [1] * len(typed)
    assert not gc.isenabled()
    assert policy.tick(0, quiet=True)  # the freeze that was due
    typed = collections_of(policy, FULL_COLLECTION_EACH + 5, typing=True)
    assert typed == [1] * len(typed)
    assert collections_of(policy, 1, typing=False) == [2]


def test_keys_do_not_delay_full_collections_forever(policy, monkeypatch):
    monkeypatch.setattr(gc_policy, "MOST_NEW_OBJECTS", 1 << 30)  # the delay alone
    assert note(policy, 0)
    typed = collections_of(policy, LONGEST_DELAY_TICKS + 1, typing=True)
    assert typed == [1] * LONGEST_DELAY_TICKS + [2]
    assert collections_of(policy, LONGEST_DELAY_TICKS, typing=True).count(2) <= 1


def test_many_new_objects_are_collected_even_between_keys(policy, monkeypatch):
    assert note(policy, 0)
    monkeypatch.setattr(gc_policy, "MOST_NEW_OBJECTS", 20 * YOUNG_OBJECTS)
    typed = collections_of(policy, 40, typing=True)  # twice YOUNG_OBJECTS at each tick
    assert typed.count(2) == 4
    assert typed.index(2) == 9


def screens_of(kind: type) -> set[str]:
    """Return the names of the program's own screen classes."""
    names = {kind.__name__} if kind.__module__.startswith("app.") else set()
    return names.union(*(screens_of(below) for below in kind.__subclasses__()))


def test_every_window_is_in_the_list():
    for module in pkgutil.walk_packages(app.screens.__path__, "app.screens."):
        importlib.import_module(module.name)
    assert screens_of(Screen) - BASES == set(WINDOWS)


def is_gone(opened: weakref.ref[Screen]) -> bool:
    collect_all()
    return opened() is None


def drawn_by(window: Screen) -> list[weakref.ref[StylesCache]]:
    """Return the caches of lines of all widgets of a window."""
    widgets = window.walk_children(with_self=True)
    return [weakref.ref(widget._styles_cache) for widget in widgets if isinstance(widget, Widget)]


def names_kept(drawn: list[tuple[str, list[weakref.ref[StylesCache]]]]) -> set[str]:
    """Return the names of the windows of which a cache of lines is left."""
    collect_all()
    return {name for name, caches in drawn if any(cache() for cache in caches)}


def tick(screen: MainScreen) -> None:
    """Tick until a freeze is due."""
    for _ in range(QUIET_TICKS):
        screen._tick()


async def test_no_closed_window_is_kept(monkeypatch):
    """Open and close each in one monitor, with a freeze due at every moment.

    No drawn line is kept, either, but by the threads that list folders: each remembers its last.
    """
    drawn: list[tuple[str, list[weakref.ref[StylesCache]]]] = []
    monkeypatch.setattr(gc_policy, "CLIENTS_MORE", 0)
    async with scripted_monitor(scripted_store()).run_test(size=(120, 40)) as pilot:
        screen = await filled(pilot)
        for name in [*WINDOWS, *WINDOWS]:
            tick(screen)
            window = WINDOWS[name]()
            await pilot.app.push_screen(window)
            await pilot.pause()
            tick(screen)
            opened = weakref.ref(window)
            drawn.append((name, drawn_by(window)))
            await window.dismiss(None)
            del window
            await eventually(lambda: pilot.app.screen is screen, f"the end of {name}")
            screen._tick()
            await eventually(partial(is_gone, opened), f"the release of {name}")
        await eventually(lambda: names_kept(drawn) <= {"OpenFile"}, "the release of their lines")


def test_the_policy_freezes_again_when_there_are_many_more_objects(policy, monkeypatch):
    """As those of the filter language, which is imported after the first freeze."""
    monkeypatch.setattr(gc_policy, "BLOCKS_MORE", 2_000)
    assert note(policy, 0)
    assert not note(policy, 0)
    kept = [[] for _ in range(2_100)]
    before = gc.get_freeze_count()
    assert note(policy, 0)
    assert gc.get_freeze_count() >= before + len(kept)
    assert not note(policy, 0)
