"""The stream panel's commands: which stream it shows, and how.

The stream is read on the analysis thread (`StreamRun`), and its rows are counted there. Each scene
shows what is known by then; while the panel is hidden, nothing is read.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING

from textual.actions import parse
from textual.widget import Widget

from app.bridge import Scene
from app.keymap import KeyContext
from app.screens.follow.display import StreamDisplay
from app.screens.follow.stream_run import StreamRun
from app.screens.follow.stream_search import StreamPanelSearch
from app.screens.side_panels import SideController
from app.textual_bindings import with_keys
from core.analysis.follow.follower import FollowedStream, StreamChoice
from core.analysis.follow.pieces import PROTOCOLS
from core.analysis.tcp.flow_index import index_of
from widgets.follow.panel import StreamPanel
from widgets.follow.stream_view import StreamView

if TYPE_CHECKING:
    from app.screens.main import MainScreen

ID = "stream"
NO_PACKET = "no packet is selected"
NOT_IN_A_STREAM = "packet {:,} has no TCP or UDP stream"
NO_CONVERSATION = "no TCP or UDP conversation is selected"
NO_OTHER = {1: "this is the last stream", -1: "this is the first stream"}


class StreamController(SideController):
    """The stream panel of one main screen."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen, self._workspace = screen, screen.workspace
        view = StreamView(self._fit, self._select_packet, id="stream-rows")
        self.view = with_keys(view, KeyContext.LIST)
        self.panel = self.widget = with_keys(
            StreamPanel(self.view, self._press, id=ID), KeyContext.STREAM
        )
        self.finder = StreamPanelSearch(self.panel, screen.bridge)
        self._run = StreamRun(screen.bridge)
        self.display = StreamDisplay(self.panel, self._run)
        self._store_generation = screen.scene.store_generation
        self._absent = ""  # what to say if no stream is found

    # -- the scene ----------------------------------------------------------------------------

    def basis(self) -> object:
        """Return whether the panel is shown, and how."""
        names = self._workspace.table.rows.shown_names
        return self.panel.display, self.display.basis(), names

    def show(self, scene: Scene) -> None:
        """Read what is new of the stream, and show it. Forget it with its store."""
        if scene.store_generation != self._store_generation:
            self._store_generation = scene.store_generation
            self._run.stop()
            self.finder.close()
            self.view.clear()
        if self.panel.display:
            self.panel.show_names(self._workspace.table.rows.shown_names)
            self._update()

    def close(self) -> bool:
        """Hide the result of a search. Return False if nothing is hidden."""
        return self._workspace.panel == ID and self.finder.close()

    def instead_of(self, path: str) -> Callable[[], object] | None:
        """Return what replaces a method of the screen while the panel has the focus."""
        return {
            "search.open": self.finder.open,
            "search.next": self.finder.next,
            "search.previous": self.finder.previous,
            "saver.open": self.save,
            "table.change_time_format": self.display.change_time,
        }.get(path)

    def copy_choices(self) -> list[tuple[str, str]] | None:
        """Return the line under the cursor, and the sides of the stream."""
        from app.screens.follow.stream_saving import copy_choices

        stream = self._known
        return None if stream is None else copy_choices(stream, self.view.text) or None

    def value_of(self, view: Widget) -> tuple[str, str, str] | None:
        """Return the name, the text, and the filter of the stream, or None."""
        stream = self._known
        if view is not self.view or stream is None:
            return None
        return "Stream", f"{stream.protocol.upper()} {stream.number}", stream.expression

    # -- which stream -------------------------------------------------------------------------

    def open(self) -> None:
        """Follow the stream of the selected packet, or the one that a side panel lists."""
        side = self._screen.sides.get(self._workspace.panel)
        if side is not None and side.lists_streams:
            listed = side.offered_stream()
            if listed is None:
                self._report(NO_CONVERSATION)
            else:
                self.follow(*listed)
            return
        number, shown = self._workspace.table.selected, self._screen.shown
        if number is None:
            self._report(NO_PACKET)
            return
        table = index_of(shown).published
        words = NOT_IN_A_STREAM.format(number)
        if table.through >= number and not any(
            len(table.values(number, protocol)["stream"]) for protocol in PROTOCOLS
        ):
            self._report(words)
        else:
            self._choose(StreamChoice(packet=number), words)

    def follow(self, protocol: str, number: int) -> None:
        """Follow a stream by its number."""
        self._choose(StreamChoice(protocol, number), "")

    def step(self, step: int) -> None:
        """Follow the next stream of the protocol (1), or the previous one (-1)."""
        stream = self._known
        if stream is not None and stream.number is not None:
            self._choose(StreamChoice(stream.protocol, stream.number, step), NO_OTHER[step])

    def _choose(self, choice: StreamChoice, absent: str) -> None:
        self._absent = absent
        self.finder.close()
        self._workspace.open_side(ID)
        self._run.follow(choice)
        self._update()

    def _update(self) -> None:
        if self._run.stream is not None and self._run.update(self._screen.shown):
            self._report(self._absent)
        self.display.update()
        self.finder.update()
        if (error := self._run.failure) is not None:
            words = f"rawscope failed to read the stream ({type(error).__name__}: {error})"
            self.panel.report(words, missed=True)

    def _fit(self) -> None:
        """Fit the rows to another width."""
        self.display.update()

    @property
    def _known(self) -> FollowedStream | None:
        stream = self._run.stream
        return None if stream is None or stream.number is None else stream

    # -- its packets --------------------------------------------------------------------------

    def show_packet(self) -> None:
        """Go to the packet of the line under the cursor."""
        number = self.view.packet
        if number is not None and self._is_held(number):
            self._workspace.show_packet(number)

    def filter_for(self, how: str) -> None:
        """Change the filter by the packets of the stream; `how` names a `Combination`."""
        stream = self._known
        if stream is not None:
            self._screen.filter.combine_by(stream.expression, how)

    def save(self) -> None:
        """Ask what to save of the stream."""
        from app.screens.follow.stream_saving import save_choices

        stream = self._known
        if stream is not None:
            self._screen.menu.open("Save the stream", save_choices(self.panel, stream))

    def _select_packet(self, number: int) -> None:
        """Select the packet of a line that the user clicked; the focus stays."""
        if self._is_held(number):
            self._workspace.table.select(number)

    def _is_held(self, number: int) -> bool:
        shown = self._screen.shown
        if shown.first <= number <= shown.count:
            return True
        self._report(f"packet {number:,} was removed from memory")
        return False

    def _press(self, action: str) -> None:
        """Call the method of a piece that the user clicked: ``display.show_as('hex')``."""
        part, method, arguments = parse(action)
        attrgetter(f"{part}.{method}" if part else method)(self)(*arguments)

    def _report(self, words: str) -> None:
        if words:
            self._workspace.notify(words, severity="warning")
