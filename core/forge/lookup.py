"""The background task that suggests values for the drafts on the screen, from routes and neighbors.

The task reads the drafts, an immutable value that the screen replaces, and puts the suggestions
into the sender's queue.
"""

from __future__ import annotations

from collections.abc import Callable

from core.forge.background_task import BackgroundTask
from core.forge.commands import Command, Suggested
from core.forge.compose.route_suggestions import RouteSuggestions
from core.forge.host import ForgeHost
from core.forge.orders import ShownDrafts
from core.wire.model.text import safe


class Lookup:
    """Asks routes and neighbors about drafts, and puts what they suggest into the sender's queue.

    Only its thread writes its attributes. `shown` returns the drafts on the screen.
    """

    def __init__(
        self,
        host: ForgeHost,
        shown: Callable[[], ShownDrafts | None],
        put: Callable[[Command], None],
    ) -> None:
        self.task = BackgroundTask(self._work, "rawscope lookup")
        self._host = host
        self._shown = shown
        self._put = put
        self._suggested: ShownDrafts | None = None

    def _work(self) -> bool:
        """Look up the drafts, unless that is done; return True."""
        shown = self._shown()
        if shown is not None and shown is not self._suggested:
            self._suggested = shown
            self._put(self._suggest(shown))
        return True

    def _suggest(self, shown: ShownDrafts) -> Suggested:
        try:
            suggestions = tuple(
                self._host.suggest_from_routes(draft, shown.interface) for draft in shown.drafts
            )
            return Suggested(shown, suggestions, self._host.interfaces())
        except OSError as error:  # of netlink
            trouble = f"no routes: {error.strerror}"
        except Exception as fault:  # an internal error: reported, and the task continues
            trouble = f"no routes: internal error ({type(fault).__name__}: {safe(str(fault))})"
        return Suggested(shown, (RouteSuggestions(trouble=trouble),), None)
