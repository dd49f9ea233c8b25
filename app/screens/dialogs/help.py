"""The help screen: all keys of `app.keymap` by group, signs, terms, and files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import ClassVar

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
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
        ("?", "rawscope failed to decode the packet, by an error of its own"),
        ("…", "truncated by the snap length"),
        ("·", "a note: unusual, but not an error"),
        ("◆", "marked by you"),
        ("¶", "commented: its detail has the text"),
        ("↗", "sent by rawscope; a built-in echo client"),
        ("•", "a field that you typed; the others are computed"),
    ),
    "Signs: lists": (
        ("▲ ▼", "sorted by this column: ascending, descending"),
        ("→ ←", "in a stream: sent by the client, by the server"),
        ("⇄", "the two ends of a conversation"),
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
# Two settings of the configuration file, each a line of TOML.
CONFIG_EXAMPLE = ('keys."view.pause" = "f11"', "forge.audit = false")
KEY_WIDTH = 10
_LEAST_WIDTH, _GAP = 48, 2  # of a column, and between columns

Section = tuple[str, tuple[tuple[str, str], ...]]  # a title; keys or signs with their meanings


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
            "Files of rawscope": (
                ("settings", f"{config}: a TOML file with keys and settings that you write"),
                *(("" if index else "example", line) for index, line in enumerate(CONFIG_EXAMPLE)),
                ("sent", f"{state}: sent packets, saved drafts, and approvals"),
            )
        }  # fmt: skip

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog", id="help") as frame:
            frame.border_title = "Keys, signs, and terms"
            frame.border_subtitle = "esc closes"
            yield _Sheet(tuple(self._sections()))
        yield TooSmall(id="too-small")

    def _sections(self) -> Iterator[Section]:
        for group, rows in grouped(self._keymap):
            yield group.value, tuple((key_label(keys), action.help) for keys, action in rows)
        yield from (SIGNS | WORDS | self._files()).items()

    def on_mount(self) -> None:
        self.query_one("#help").focus()


class _Sheet(Static):
    """All sections, in as many columns as there is room for."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"section--title", "section--key"}

    def __init__(self, sections: tuple[Section, ...]) -> None:
        super().__init__(markup=False)
        self._sections = sections

    def render(self) -> RenderableType:
        title = self.get_component_rich_style("section--title")
        key = self.get_component_rich_style("section--key", partial=True)
        return _Columns(self._sections, title, key)


@dataclass(frozen=True)
class _Columns:
    """Sections one below the other, in columns of nearly the same height."""

    sections: tuple[Section, ...]
    title: Style
    key: Style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        count = max(1, (options.max_width + _GAP) // (_LEAST_WIDTH + _GAP))
        width = (options.max_width + _GAP) // count - _GAP
        sheet = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
        columns = packed(self.sections, count, width - KEY_WIDTH - 1)
        for _ in columns:
            sheet.add_column(width=width)
        sheet.add_row(*(Group(*map(self._section, column)) for column in columns))
        yield sheet

    def _section(self, section: Section) -> RenderableType:
        """Return a heading, and keys or signs with their meanings."""
        title, rows = section
        table = Table.grid(padding=(0, 1, 0, 0))
        table.add_column(no_wrap=True, width=KEY_WIDTH)
        table.add_column()
        for keys, words in rows:
            table.add_row(Text(keys, self.key), Text(words))
        return Group(Text(title, self.title), table, Text())


def packed(sections: Sequence[Section], columns: int, width: int) -> list[list[Section]]:
    """Divide the sections, in order, among so many columns: the highest is as low as possible.

    `width` is the room of the meanings in cells.
    """
    heights = [_height(section, width) for section in sections]
    most = max(heights, default=0)
    while len(divided := _divided(sections, heights, most)) > columns:
        most += 1
    return divided


def _divided(sections: Sequence[Section], heights: Sequence[int], most: int) -> list[list[Section]]:
    """Fill columns of at most `most` lines one after the other."""
    filled: list[list[Section]] = [[]]
    room = most
    for section, height in zip(sections, heights, strict=True):
        if height > room:
            filled.append([])
            room = most
        filled[-1].append(section)
        room -= height
    return filled


def _height(section: Section, width: int) -> int:
    """Return the lines of a section, with its heading and the blank line below."""
    _, rows = section
    return 2 + sum(max(1, len(wrap(words, max(1, width)))) for _, words in rows)
