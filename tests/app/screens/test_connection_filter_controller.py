"""The filter of the packet table by an echo client, without a screen."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from app.screens.connection_filter_controller import ConnectionFilterController
from tests.helpers.scripted_echo import echo_snapshot, echo_store

ECHO = echo_snapshot()
SHOWN = echo_store().snapshot()


class Table:
    """Holds seven packets."""

    display = True
    rows = SimpleNamespace(held_count=7)


class Analysis:
    """Records the filters that it gets."""

    latest = SimpleNamespace(progress=None)
    is_filtering = False

    def __init__(self) -> None:
        self.predicates: list[object] = []

    def keep_only(self, predicate: object) -> None:
        self.predicates.append(predicate)
        self.is_filtering = predicate is not None


class Line:
    """Records what it shows."""

    display = False
    shown: tuple[object, ...] | None = None

    def show(self, *shown: object) -> None:
        self.shown = shown


@pytest.fixture
def table():
    return Table()


@pytest.fixture
def line():
    return Line()


@pytest.fixture
def analysis():
    return Analysis()


@pytest.fixture
def updates():
    """The number of times that the controller had the table shown."""
    return []


@pytest.fixture
def controller(table, line, analysis, updates):
    return ConnectionFilterController(table, line, analysis, lambda: updates.append("table"))


def test_a_client_is_filtered_for_with_the_next_scene(controller, analysis, line, updates):
    controller.filter_soon(1)
    controller.filter_soon(2)
    assert analysis.predicates == []
    before = controller.basis()
    controller.show(ECHO, SHOWN)
    assert controller.basis() != before
    assert [controller.current.connection] == analysis.predicates
    assert (controller.current.client, line.display) == (2, True)
    assert line.shown == (controller.current.name, 7, SHOWN.count, None)
    controller.show(ECHO, SHOWN)
    assert len(analysis.predicates) == len(updates) == 1


def test_a_client_that_is_gone_changes_nothing(controller, analysis):
    controller.filter_soon(99)
    controller.show(ECHO, SHOWN)
    assert (controller.current, analysis.predicates) == (None, [])


def test_toggle_filters_at_once_and_shows_all_again(controller, analysis):
    controller.show(ECHO, SHOWN)
    controller.toggle(3)
    assert controller.current.client == 3
    controller.toggle(4)
    assert controller.current.client == 4
    controller.toggle(4)
    assert controller.current is None
    assert [predicate is None for predicate in analysis.predicates] == [False, False, True]


def test_toggle_without_a_client_changes_nothing(controller, analysis):
    controller.show(ECHO, SHOWN)
    controller.toggle(None)
    assert analysis.predicates == []


def test_a_filter_that_failed_names_no_client(controller, analysis, line):
    """All packets are shown then; the client can be filtered for again."""
    controller.filter_soon(1)
    controller.show(ECHO, SHOWN)
    analysis.is_filtering = False
    controller.show(ECHO, SHOWN)
    assert (controller.current, line.display) == (None, False)
    assert line.shown[0] == ""
    controller.toggle(1)
    assert (controller.current.client, len(analysis.predicates)) == (1, 2)


def test_clear_reports_whether_there_was_a_filter(controller, analysis):
    assert not controller.clear()
    controller.filter_soon(1)
    controller.show(ECHO, SHOWN)
    assert controller.clear()
    assert not controller.clear()
    assert analysis.predicates[-1] is None


@pytest.mark.parametrize(
    ("is_offered", "has_table", "is_filtered", "display"),
    [
        (False, True, False, False),
        (True, True, False, True),
        (True, False, False, False),
        (False, False, True, True),
    ],
)
def test_the_line_is_shown_while_it_is_of_use(
    controller, table, line, is_offered, has_table, is_filtered, display
):
    table.display, controller.is_offered = has_table, is_offered
    if is_filtered:
        controller.filter_soon(1)
    controller.show(ECHO, SHOWN)
    assert line.display is display
