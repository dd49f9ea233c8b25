"""The background task of the send service: route suggestions, and the search for sent packets.

The task reads immutable values that other threads replace (the drafts on the screen, the store that
the screen follows, the order to watch), and puts what it finds into the sender's queue.
"""

from __future__ import annotations

from collections.abc import Callable

from core.forge.background_task import BackgroundTask
from core.forge.commands import (
    Command,
    FollowedStore,
    Suggested,
    Tracked,
    TrackingFailed,
    WatchedOrder,
)
from core.forge.compose.route_suggestions import RouteSuggestions
from core.forge.host import ForgeHost
from core.forge.observe.tracker import Tracker
from core.forge.orders import ShownDrafts
from core.store.budget import Budget
from core.wire.model.text import safe

SLICE_S = 0.02  # of comparing captured packets before other threads get the processor


class Lookup:
    """Asks routes and neighbors about drafts, and compares captured packets with sent ones.

    Only its thread writes its attributes. `shown`, `followed` and `watched` return the newest
    values; `put` takes the results.
    """

    def __init__(
        self,
        host: ForgeHost,
        shown: Callable[[], ShownDrafts | None],
        followed: Callable[[], FollowedStore],
        watched: Callable[[], WatchedOrder | None],
        put: Callable[[Command], None],
    ) -> None:
        self.task = BackgroundTask(self._work, "rawscope lookup")
        self._host = host
        self._shown = shown
        self._followed = followed
        self._watched = watched
        self._put = put
        self._suggested: ShownDrafts | None = None
        self._tracked: WatchedOrder | None = None
        self._tracker: Tracker | None = None

    def _work(self) -> bool:
        """Suggest and compare; return False if more captured packets wait."""
        shown = self._shown()
        if shown is not None and shown is not self._suggested:
            self._suggested = shown
            self._put(self._suggest(shown))
        watched, store = self._watched(), self._followed()
        if watched is None or store.snapshot is None or watched.generation != store.generation:
            return True
        try:
            return self._track(watched, store)
        except Exception as fault:  # an internal error: reported, and the task continues
            words = f"{type(fault).__name__}: {safe(str(fault))}"
            self._put(
                TrackingFailed(
                    watched,
                    f"comparing captured packets failed ({words}), so the sent packet and its "
                    "replies cannot be shown",
                )
            )
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

    def _track(self, watched: WatchedOrder, store: FollowedStore) -> bool:
        assert store.snapshot is not None
        if self._tracker is None or watched is not self._tracked:
            self._tracked = watched
            self._tracker = Tracker(watched.packets, watched.method, watched.first, watched.network)
        self._tracker.forget(store.snapshot.first)
        more = self._tracker.extend(store.snapshot, Budget(SLICE_S))
        sent_numbers = watched.earlier | self._tracker.sent_numbers
        self._put(Tracked(watched, self._tracker.outcomes(), sent_numbers, more))
        return not more
