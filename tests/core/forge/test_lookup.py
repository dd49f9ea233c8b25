"""The look-up of routes and neighbors for the drafts on the screen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.forge.commands import Command, Suggested
from core.forge.compose.draft import Draft
from core.forge.compose.route_suggestions import RouteSuggestions
from core.forge.lookup import Lookup
from core.forge.orders import ShownDrafts
from tests.helpers.scripted_forge import ScriptedHost
from tests.helpers.waiting import until


class Host(ScriptedHost):
    """Suggests nothing, or fails with `error`."""

    error: Exception | None = None

    def suggest_from_routes(
        self, draft: Draft, interface: str = "", *, resolve: bool = False
    ) -> RouteSuggestions:
        if self.error is not None:
            raise self.error
        return RouteSuggestions(trouble=draft.texts["payload"])


class LookingUp:
    """A lookup for `shown`, and what it has put."""

    def __init__(self) -> None:
        self.host = Host()
        self.shown: ShownDrafts | None = None
        self.put: list[Command] = []
        self.lookup = Lookup(self.host, lambda: self.shown, self.put.append)
        self.lookup.task.start()

    def result(self, *payloads: str) -> Suggested:
        """Show one draft for each payload; return what is suggested."""
        count = len(self.put)
        self.shown = ShownDrafts(tuple(Draft(("ip",), {"payload": each}) for each in payloads))
        self.lookup.task.wake()
        until(lambda: len(self.put) > count, "the suggestions")
        (found,) = self.put[count:]
        assert isinstance(found, Suggested)
        assert found.shown is self.shown
        return found


@pytest.fixture
def looking_up() -> Iterator[LookingUp]:
    made = LookingUp()
    yield made
    made.lookup.task.close()


def test_every_draft_gets_its_suggestions_and_the_interfaces_are_listed(
    looking_up: LookingUp,
) -> None:
    found = looking_up.result("first", "second")
    assert [one.trouble for one in found.suggestions] == ["first", "second"]
    assert found.interfaces == looking_up.host.interfaces()


def test_the_same_drafts_are_looked_up_once(looking_up: LookingUp) -> None:
    looking_up.result("first")
    for _ in range(100):
        looking_up.lookup.task.wake()
    looking_up.result("second")
    assert len(looking_up.put) == 2


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(1, "Operation not permitted"), "no routes: Operation not permitted"),
        (RuntimeError("a\x1bfault"), "no routes: internal error (RuntimeError: a"),
    ],
)
def test_a_failure_is_a_sentence_and_the_next_drafts_are_looked_up(
    looking_up: LookingUp, error: Exception, words: str
) -> None:
    looking_up.host.error = error
    found = looking_up.result("first")
    assert found.suggestions[0].trouble.startswith(words)
    assert "\x1b" not in found.suggestions[0].trouble
    assert found.interfaces is None
    looking_up.host.error = None
    assert looking_up.result("second").suggestions[0].trouble == "second"
