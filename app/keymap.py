"""Every action of the monitor, once: name, keys, words, and where it works.

The bindings of the screen and of its panels, the key bar at the bottom, the help screen,
the command palette and the names a configuration file may remap are all drawn from
`ACTIONS`, so none of them can drift from the others. What is not here has no key, and what
does not exist yet is not here.

* The name is what a configuration file calls it: ``[keys]`` ``"view.pause" = "p"``.
* Keys are Textual key names, comma-separated; none means palette only.
* The command is a Textual action, resolved where the binding is: on the focused panel for
  `KeyContext.LIST`, `TABLE`, `DETAIL`, `HEX`, `CLIENTS`, `FORM` and `RESULT`, on the side panel for
  `ECHO` and `FORGE`, on the workspace for `PANELS`, on the screen for `MAIN`, on the app for
  `PROGRAM`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from textual.binding import Binding, BindingType
from textual.keys import format_key


class KeyContext(Enum):
    """Where a key works."""

    LIST = "any panel"
    TABLE = "packet table"
    DETAIL = "detail tree"
    HEX = "hex view"
    CLIENTS = "echo clients"
    ECHO = "echo panel"
    FORM = "forge form"
    RESULT = "forge outcome"
    FORGE = "forge"
    LAB = "laboratory"
    PANELS = "table and panels"
    MAIN = "main screen"
    PROGRAM = "program"


class KeyGroup(Enum):
    """The headings of the help screen, in its order."""

    MOVE = "Move"
    PACKETS = "Packets"
    CAPTURE = "Capture"
    PANELS = "Panels"
    DETAIL = "Detail and hex"
    FORGE = "Forge"
    ECHO = "Echo"
    PROGRAM = "Program"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do.

    `label` is for the key bar, empty where it stays out. `everywhere` keys work over a dialog
    and in an input too, so they are never plain letters.
    """

    name: str
    keys: str
    command: str
    label: str
    help: str
    group: KeyGroup
    place: KeyContext
    everywhere: bool = False


def _of(
    group: KeyGroup, place: KeyContext, *rows: tuple[str, str, str, str, str]
) -> Iterator[Action]:
    """Actions of one group and place from ``(name, keys, command, label, help)``."""
    for row in rows:
        yield Action(*row, group, place)


# The order is that of the key bar, which drops from the end what does not fit.
# fmt: off
ACTIONS: tuple[Action, ...] = (
    *_of(
        KeyGroup.MOVE, KeyContext.LIST,
        ("list.up", "up,k", "up", "", "One line up"),
        ("list.down", "down,j", "down", "", "One line down"),
        ("list.page_up", "pageup", "page_up", "", "One page up"),
        ("list.page_down", "pagedown", "page_down", "", "One page down"),
        ("list.first", "g,home", "first", "", "To the first"),
        ("list.last", "G,end", "last", "", "To the last; the table follows"),
    ),
    *_of(
        KeyGroup.MOVE, KeyContext.TABLE,
        ("table.left", "left", "shift_left", "", "Show what is further left in Info"),
        ("table.right", "right", "shift_right", "", "Show what is further right in Info"),
        ("table.open", "enter", "screen.focus_panel('detail')", "detail", "Into the detail tree"),
    ),
    *_of(
        KeyGroup.DETAIL, KeyContext.DETAIL,
        ("detail.toggle", "enter", "toggle", "open/close", "Open or close a row of the tree"),
        ("detail.open", "right,l", "expand", "", "Open a row"),
        ("detail.close", "left,h", "collapse", "", "Close a row, or go to its parent"),
    ),
    *_of(
        KeyGroup.DETAIL, KeyContext.HEX,
        ("hex.left", "left,h", "left", "", "The byte before"),
        ("hex.right", "right,l", "right", "", "The byte after"),
    ),
    *_of(
        KeyGroup.FORGE, KeyContext.FORGE,
        ("forge.send", "ctrl+s", "send", "send", "Send what the form holds"),
        ("forge.drafts", "ctrl+o", "drafts", "drafts", "Templates, kept drafts, what was sent"),
        ("forge.keep", "ctrl+t", "keep", "keep", "Keep the draft under a name"),
        ("forge.copy", "ctrl+y", "screen.copy", "copy as", "Copy it as a command, a filter, bytes"),
        ("forge.new", "ctrl+n", "new", "new", "Begin with an empty form"),
    ),
    *_of(
        KeyGroup.FORGE, KeyContext.FORM,
        ("form.next", "enter", "next", "next", "The next field; fold a heading"),
        ("form.up", "up", "up", "", "The field above"),
        ("form.down", "down", "down", "", "The field below"),
        ("form.page_up", "pageup", "page_up", "", "One page up"),
        ("form.page_down", "pagedown", "page_down", "", "One page down"),
        ("form.first", "ctrl+home", "first", "", "To the first field"),
        ("form.last", "ctrl+end", "last", "", "To the last field"),
    ),
    *_of(
        KeyGroup.FORGE, KeyContext.RESULT,
        ("result.packet", "enter", "show_packet", "packet", "To the packet of the line"),
    ),
    *_of(
        KeyGroup.ECHO, KeyContext.ECHO,
        ("echo.talk", "b", "talk", "send bytes", "The built-in client sends 64 bytes"),
        ("echo.less", "minus", "budget(-1)", "less", "A read takes fewer bytes"),
        ("echo.more", "plus,equals_sign", "budget(1)", "more", "A read takes more bytes"),
        ("echo.drain", "d", "drain", "drain", "Read until EAGAIN, short read, or once"),
        ("echo.add", "a", "add_listener", "listen", "Add a listener, level or edge"),
        ("echo.next", "v", "next_listener", "next", "Keys act on the next listener"),
        ("echo.stop", "x", "stop_listener", "stop", "Stop the listener; real clients stay"),
        ("echo.pause", "p", "pause_client", "pause", "Stop reading from the client, or go on"),
        ("echo.close", "c,delete", "close_client", "close", "Close the client's connection"),
        ("echo.lab", "L", "app.lab", "lab", "The laboratory of I/O models"),
    ),
    *_of(
        KeyGroup.ECHO, KeyContext.LAB,
        ("lab.run", "r", "run", "run again", "Measure everything again"),
        ("lab.leave", "escape", "leave", "back", "Cancel the run; leave the laboratory"),
        ("lab.up", "up,k", "scroll_up", "", "Show what is further up"),
        ("lab.down", "down,j", "scroll_down", "", "Show what is further down"),
        ("lab.page_up", "pageup", "page_up", "", "One page up"),
        ("lab.page_down", "pagedown,space", "page_down", "", "One page down"),
    ),
    *_of(
        KeyGroup.ECHO, KeyContext.CLIENTS,
        ("clients.only", "enter", "screen.only_client", "only", "All packets, or only its"),
        ("clients.sort", "s", "sort_next", "sort", "Sort by the next column"),
        ("clients.reverse", "S", "sort_reverse", "", "Sort the other way round"),
        ("clients.left", "left,h", "shift_left", "", "Show the columns further left"),
        ("clients.right", "right,l", "shift_right", "", "Show the columns further right"),
    ),
    *_of(
        KeyGroup.CAPTURE, KeyContext.MAIN,
        ("view.pause", "space", "pause", "pause", "Freeze the view; the capture goes on"),
        ("capture.toggle", "ctrl+e", "app.toggle_capture", "stop", "Stop or start the capture"),
    ),
    *_of(
        KeyGroup.PACKETS, KeyContext.MAIN,
        ("packets.forge", "f", "forge", "forge", "Forge: fill the form from the packet"),
    ),
    *_of(
        KeyGroup.PANELS, KeyContext.PANELS,
        ("panel.next", "tab", "move_panel(1)", "panel", "The next panel"),
        ("panel.previous", "shift+tab", "move_panel(-1)", "", "The panel before"),
        ("panel.zoom", "z,f4", "zoom", "zoom", "All the room for the panel, or back"),
        ("panel.forge", "f2", "screen.show_forge", "", "The forge, or away with it"),
        ("panel.echo", "e", "side('echo')", "echo", "The echo server, or away with it"),
    ),
    *_of(
        KeyGroup.PANELS, KeyContext.MAIN,
        ("panel.close", "escape", "close", "", "Stop sending; unzoom, show all packets"),
    ),
    *_of(
        KeyGroup.CAPTURE, KeyContext.MAIN,
        ("capture.interface", "i", "app.interfaces", "interface", "Choose interfaces"),
        ("capture.open", "o", "app.open_file", "open", "Open a capture file"),
    ),
    *_of(
        KeyGroup.PACKETS, KeyContext.MAIN,
        ("packets.mark", "m", "on_table('toggle_mark')", "mark", "Mark ◆ the packet, or unmark it"),
        ("packets.next_mark", "right_square_bracket", "on_table('next_mark')", "",
         "The next marked packet"),
        ("packets.previous_mark", "left_square_bracket", "on_table('previous_mark')", "",
         "The marked packet before"),
        ("packets.resend", "r", "resend", "resend", "Send the packet again, as it was"),
        ("packets.stop_sending", "", "stop_sending", "", "Send no more of what is on its way"),
        ("packets.copy", "y", "copy", "copy", "Copy row, field, bytes, a command"),
        ("packets.time", "t", "on_table('cycle_time_format')", "time",
         "Time: since the first, of day, delta"),
        ("packets.go_to", "colon,ctrl+g", "go_to", "go to", "Go to a packet by its number"),
        ("packets.next", "J,ctrl+down", "on_table('action_down')", "",
         "The next packet, from any panel"),
        ("packets.previous", "K,ctrl+up", "on_table('action_up')", "",
         "The packet before, from any panel"),
    ),
    *_of(
        KeyGroup.PROGRAM, KeyContext.PROGRAM,
        ("program.quit", "q", "quit", "quit", "Leave; asks before packets are lost"),
        ("program.help", "question_mark,f1", "help", "help", "All keys"),
        ("program.theme", "", "change_theme", "", "Choose the color theme; remembered"),
    ),
    Action("program.palette", "ctrl+p", "command_palette", "", "Every action by its name",
           KeyGroup.PROGRAM, KeyContext.PROGRAM, everywhere=True),
    Action("program.leave", "ctrl+q", "quit", "", "Leave, also from a dialog",
           KeyGroup.PROGRAM, KeyContext.PROGRAM, everywhere=True),
    Action("program.redraw", "ctrl+l", "redraw", "", "Redraw the screen",
           KeyGroup.PROGRAM, KeyContext.PROGRAM, everywhere=True),
    Action("program.suspend", "ctrl+z", "suspend_process", "", "To the shell; fg comes back",
           KeyGroup.PROGRAM, KeyContext.PROGRAM, everywhere=True),
)
# fmt: on

BY_NAME = {action.name: action for action in ACTIONS}

# Which places hear a key, by what has the focus: within one of these a key has one meaning.
_EVERYWHERE = {KeyContext.PANELS, KeyContext.MAIN, KeyContext.PROGRAM}
HEARD_TOGETHER: tuple[frozenset[KeyContext], ...] = tuple(
    frozenset(places | _EVERYWHERE)
    for places in (
        {KeyContext.TABLE, KeyContext.LIST},
        {KeyContext.DETAIL, KeyContext.LIST},
        {KeyContext.HEX, KeyContext.LIST, KeyContext.FORGE},
        {KeyContext.CLIENTS, KeyContext.LIST, KeyContext.ECHO},
        {KeyContext.FORM, KeyContext.FORGE},
        {KeyContext.RESULT, KeyContext.LIST, KeyContext.FORGE},
    )
)


def bindings(*places: KeyContext) -> list[BindingType]:
    """The Textual bindings of these places, each under its action's name for remapping."""
    return [
        Binding(
            action.keys,
            action.command,
            action.label or action.help,
            id=action.name,
            priority=action.everywhere,
        )
        for action in ACTIONS
        if action.place in places and action.keys
    ]


def key_label(keys: str) -> str:
    """Textual key names as a person reads them: ``up,k`` → ``↑ k``, ``ctrl+e`` → ``^e``."""
    return " ".join(_one_key(key) for key in keys.split(",") if key)


def _one_key(key: str) -> str:
    *modifiers, name = key.split("+")
    shown = format_key(name)
    for modifier in reversed(modifiers):
        shown = f"^{shown}" if modifier == "ctrl" else f"{modifier}+{shown}"
    return shown


def grouped(keymap: Mapping[str, str]) -> Iterator[tuple[KeyGroup, list[tuple[str, Action]]]]:
    """For the help screen: every group with its ``(keys, action)``, remapped keys in place."""
    for group in KeyGroup:
        yield (
            group,
            [
                (key_label(keymap.get(action.name, action.keys)), action)
                for action in ACTIONS
                if action.group is group and action.keys
            ],
        )
