"""The help screen: all keys of `app.keymap` by group, signs, terms, and files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import ItemGrid, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from app.config.paths import Paths
from app.keymap import grouped
from app.screens.dialogs.dialog import CTRL_C
from app.screens.dialogs.too_small import TooSmall
from app.textual_bindings import key_label
from core.wire.model.text import safe

SIGNS = {
    "Signs: state": (
        ("●", "live: capturing; in a list: chosen"),
        ("‖", "paused: the view does not change"),
        ("▸", "reading a file or a pipe; the listener that keys act on; a closed row (▾: open)"),
        ("■", "stopped: no more packets are captured"),
        ("–", "idle: nothing captured yet"),
    ),
    "Signs: checksums": (
        ("✓", "good"),
        ("✗", "wrong, or required and missing"),
        ("◌", "offloaded: left for the network card"),
        ("–", "not present, or not checkable"),
    ),
    "Signs: packets": (
        ("!", "malformed: the header contradicts itself"),
        ("?", "rawscope failed to describe it"),
        ("…", "truncated by the snap length"),
        ("·", "a note: unusual, but not an error"),
        ("◆", "marked by you"),
        ("↗", "sent by rawscope; a built-in echo client"),
        ("•", "a field that you typed; the others are computed"),
    ),
    "Signs: lists": (
        ("▲ ▼", "sorted by this column: ascending, descending"),
        ("‹ ›", "more to the left, more to the right"),
        ("○", "not chosen"),
    ),
}
WORDS = {
    "Words: packets": (
        ("dropped", "lost by the kernel, before rawscope could read them"),
        ("evicted", "discarded by rawscope, oldest first, because its memory is full; rows of a "
         "paused view stay and say so"),
        ("follow", "the table shows new packets as they arrive, until you move the cursor"),
    ),
    "Words: epoll": (
        ("level", "reported by every wait while there is something to read or write"),
        ("edge", "reported once for each change: read until EAGAIN, or until a short read"),
        ("short read", "fewer bytes than requested: the buffer is empty. After PRI, RDHUP, HUP or "
         "ERR it may not be, and reading continues until EAGAIN or the end"),
        ("IN", "EPOLLIN: bytes, or the end of the stream, can be read"),
        ("PRI", "EPOLLPRI: an urgent byte has arrived (MSG_OOB); it is echoed in its place"),
        ("OUT", "EPOLLOUT: the send buffer has room; watched only while bytes are pending"),
        ("RDHUP", "EPOLLRDHUP: the peer has sent its FIN"),
        ("HUP, ERR", "broken, or closed in both directions: always reported"),
        ("EXCLUSIVE", "EPOLLEXCLUSIVE: a new connection wakes only one of several epoll sets that "
         "watch a listener. Not used: rawscope has one set"),
    ),
}  # fmt: skip
KEY_WIDTH = 10


class Help(ModalScreen[None]):
    """The help screen. ``escape``, ``?``, ``q``, and ``f1`` close it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,f1", "dismiss", "Close"),
        CTRL_C,
    ]

    def __init__(self, keymap: Mapping[str, str], paths: Paths) -> None:
        super().__init__()
        self._keymap = dict(keymap)
        self._paths = paths

    def _files(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """Return the section about the program's files."""
        config, state = safe(str(self._paths.config)), safe(str(self._paths.state_folder))
        return {
            "Files": (
                ("settings", f"{config}: a TOML file with keys and settings that you write; the "
                 "README has an example"),
                ("sent", f"{state}: sent packets, saved drafts, and approvals"),
            )
        }  # fmt: skip

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog", id="help") as frame:
            frame.border_title = "Keys, signs, and terms"
            frame.border_subtitle = "esc closes"
            with ItemGrid(min_column_width=48, stretch_height=False):
                for group, rows in grouped(self._keymap):
                    labeled = [(key_label(keys), action.help) for keys, action in rows]
                    yield _Section(group.value, labeled)
                for title, signs in (SIGNS | WORDS | self._files()).items():
                    yield _Section(title, list(signs))
        yield TooSmall(id="too-small")

    def on_mount(self) -> None:
        self.query_one("#help").focus()


class _Section(Static):
    """A heading, and keys or signs with their meanings."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"section--title", "section--key"}

    def __init__(self, title: str, rows: list[tuple[str, str]]) -> None:
        super().__init__(markup=False)
        self._title, self._rows = title, rows

    def render(self) -> Group:
        key_style = self.get_component_rich_style("section--key", partial=True)
        table = Table.grid(padding=(0, 1, 0, 0))
        table.add_column(no_wrap=True, width=KEY_WIDTH)
        table.add_column()
        for keys, words in self._rows:
            table.add_row(Text(keys, key_style), Text(words))
        return Group(Text(self._title, self.get_component_rich_style("section--title")), table)
