"""The actions of the monitor as data: name, keys, words, and the context in which each works.

The bindings of the screen and its panels (`app.textual_bindings`), the key bar, the help screen,
the command palette, and the names that a configuration file may remap all come from `ACTIONS`, so
they cannot drift apart. This module imports no Textual.

* A configuration file refers to an action by its name: ``[keys]`` ``"view.pause" = "p"``.
* Keys are Textual key names, separated by commas. An action without keys is only in the palette.
* The command is a Textual action. It is resolved on the focused panel for `KeyContext.LIST`,
  `TABLE`, `FILTER`, `DETAIL`, `HEX`, `CLIENTS`, `COUNTS`, `RATE`, `FORM`, and `RESULT`; on the side
  panel for `ECHO`, `FLOWS`, `STATISTICS`, `STREAM`, and `FORGE`; on the workspace for `PANELS`; on
  the screen for `MAIN` and `LAB`; and on the application for `PROGRAM`. ``call('forge.send')``
  calls a method of one of the main screen's parts; see `app.screens.main.MainScreen.action_call`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum


class KeyContext(Enum):
    """The part of the screen in which a key works."""

    LIST = "any panel"
    TABLE = "packet table"
    FILTER = "filter bar"
    DETAIL = "detail tree"
    HEX = "hex view"
    CLIENTS = "echo clients"
    ECHO = "echo panel"
    STATISTICS = "statistics"
    COUNTS = "statistics table"
    RATE = "rate plot"
    FLOWS = "flows panel"
    STREAM = "stream panel"
    FORM = "forge form"
    RESULT = "forge outcome"
    FORGE = "forge"
    LAB = "laboratory"
    PANELS = "table and panels"
    MAIN = "main screen"
    PROGRAM = "program"


class KeyGroup(Enum):
    """The headings of the help screen and the command palette, in order."""

    PACKETS = "Selected packet"
    CAPTURE = "Capture"
    FILTER = "Filter"
    VIEW = "View"
    MOVE = "Move"
    SEARCH = "Search"
    PANELS = "Panels"
    DETAIL = "Detail tree"
    HEX = "Hex view"
    FORGE = "Forge"
    FORM = "Forge form"
    RESULT = "Forge result"
    ECHO = "Echo panel"
    CLIENTS = "Echo clients"
    STATISTICS = "Statistics"
    FLOWS = "Flows panel"
    STREAM = "Stream panel"
    LAB = "Laboratory"
    FILES = "Files"
    PROGRAM = "Program"


@dataclass(frozen=True, slots=True)
class Action:
    """A command that the user can give.

    `label` is the word in the key bar; an action without one is not in the bar. `everywhere` keys
    also work in dialogs and inputs, so they are never plain letters.
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
    """Yield the actions of one group and context from ``(name, keys, command, label, help)``."""
    for row in rows:
        yield Action(*row, group, place)


# The order is that of the key bar, which drops from the end what does not fit.
# fmt: off
ACTIONS: tuple[Action, ...] = (
    *_of(
        KeyGroup.MOVE, KeyContext.LIST,
        ("list.up", "up,k", "move('up')", "", "Up one line"),
        ("list.down", "down,j", "move('down')", "", "Down one line"),
        ("list.page_up", "pageup", "move('page_up')", "", "Up one page"),
        ("list.page_down", "pagedown", "move('page_down')", "", "Down one page"),
        ("list.first", "g,home", "move('first')", "", "Go to the first line"),
        ("list.last", "G,end", "move('last')", "", "Go to the end and follow new packets"),
    ),
    *_of(
        KeyGroup.MOVE, KeyContext.TABLE,
        ("table.left", "left", "shift(-1)", "", "Scroll Info to the left"),
        ("table.right", "right", "shift(1)", "", "Scroll Info to the right"),
        ("table.open", "enter", "screen.call('workspace.focus_panel', 'detail')", "detail",
         "Go to the detail tree"),
    ),
    *_of(
        KeyGroup.FILTER, KeyContext.TABLE,
        ("table.only", "equals_sign", "screen.call('values.of_cell', 'REPLACE')", "",
         "Show only a value of the packet"),
        ("table.hide", "exclamation_mark", "screen.call('values.of_cell', 'AND_NOT')", "",
         "Hide a value of the packet"),
        ("table.and", "ampersand", "screen.call('values.of_cell', 'AND')", "",
         "Narrow the filter by a value (and)"),
        ("table.or", "vertical_line", "screen.call('values.of_cell', 'OR')", "",
         "Widen the filter by a value (or)"),
    ),
    *_of(
        KeyGroup.DETAIL, KeyContext.DETAIL,
        ("detail.only", "equals_sign", "screen.call('values.of_row', 'REPLACE')", "",
         "Show only this value"),
        ("detail.hide", "exclamation_mark", "screen.call('values.of_row', 'AND_NOT')", "",
         "Hide this value"),
        ("detail.and", "ampersand", "screen.call('values.of_row', 'AND')", "",
         "Narrow the filter by this value (and)"),
        ("detail.or", "vertical_line", "screen.call('values.of_row', 'OR')", "",
         "Widen the filter by this value (or)"),
        ("detail.toggle", "enter", "toggle_row", "open/close",
         "Open or close; go to the named packet"),
        ("detail.open", "right,l", "expand", "", "Open a row"),
        ("detail.close", "left,h", "collapse", "", "Close a row, or go to its parent"),
    ),
    *_of(
        KeyGroup.HEX, KeyContext.HEX,
        ("hex.left", "left,h", "step(-1)", "", "Previous byte"),
        ("hex.right", "right,l", "step(1)", "", "Next byte"),
    ),
    *_of(
        KeyGroup.FORGE, KeyContext.FORGE,
        ("forge.send", "ctrl+s", "screen.call('forge.send')", "send",
         "Send the packet in the form"),
    ),
    *_of(
        KeyGroup.FORM, KeyContext.FORM,
        ("form.next", "enter", "next", "next field", "Next field"),
    ),
    *_of(
        KeyGroup.FORGE, KeyContext.FORGE,
        ("forge.drafts", "ctrl+o", "screen.call('forge.drafts.choose')", "templates, drafts",
         "Open a template, draft, or sent packet"),
        ("forge.keep", "ctrl+t", "screen.call('forge.drafts.keep')", "save draft",
         "Save the draft under a name"),
        ("forge.copy", "ctrl+y", "screen.call('copier.choose')", "copy as",
         "Copy as a command, a filter, or bytes"),
        ("forge.new", "ctrl+n", "screen.call('forge.drafts.clear')", "new",
         "Start with an empty form"),
    ),
    *_of(
        KeyGroup.FORM, KeyContext.FORM,
        ("form.up", "up", "move('up')", "", "Previous field"),
        ("form.down", "down", "move('down')", "", "Next field"),
        ("form.page_up", "pageup", "move('page_up')", "", "Up one page"),
        ("form.page_down", "pagedown", "move('page_down')", "", "Down one page"),
        ("form.first", "ctrl+home", "move('first')", "", "Go to the first field"),
        ("form.last", "ctrl+end", "move('last')", "", "Go to the last field"),
    ),
    *_of(
        KeyGroup.RESULT, KeyContext.RESULT,
        ("result.packet", "enter", "show_packet", "show packet", "Go to the packet of this line"),
    ),
    *_of(
        KeyGroup.ECHO, KeyContext.ECHO,
        ("echo.talk", "b", "screen.call('echo.talk')", "send bytes",
         "Send 64 bytes from the built-in client"),
    ),
    *_of(
        KeyGroup.CLIENTS, KeyContext.CLIENTS,
        ("clients.only", "enter", "screen.call('echo.toggle_filter')", "filter",
         "Show this client's packets, or all"),
    ),
    *_of(
        KeyGroup.ECHO, KeyContext.ECHO,
        ("echo.drain", "d", "screen.call('echo.drain')", "read until EAGAIN",
         "Choose when a wake-up stops reading"),
        ("echo.less", "minus", "screen.call('echo.budget', -1)", "read less",
         "Read fewer bytes at a time"),
        ("echo.more", "plus,equals_sign", "screen.call('echo.budget', 1)", "read more",
         "Read more bytes at a time"),
        ("echo.add", "a", "screen.call('echo.add_listener')", "listen",
         "Add a listener (level or edge trigger)"),
        ("echo.next", "v", "screen.call('echo.panel.next_listener')", "next listener",
         "Select the next listener"),
        ("echo.stop", "x", "screen.call('echo.stop_listener')", "stop listener",
         "Stop listening; external clients stay"),
        ("echo.pause", "p", "screen.call('echo.pause_client')", "pause client",
         "Stop or resume reading from the client"),
        ("echo.close", "c,delete", "screen.call('echo.close_client')", "close client",
         "Close the client's connection"),
        ("echo.lab", "L", "app.lab", "lab", "Open the laboratory of I/O models"),
    ),
    *_of(
        KeyGroup.STREAM, KeyContext.STREAM,
        ("stream.packet", "enter", "screen.call('stream.show_packet')", "packet",
         "Go to the packet of the line"),
        ("stream.form", "v", "screen.call('stream.display.change_form')", "text/hex/raw",
         "Show as text, hex, or raw"),
        ("stream.side", "d", "screen.call('stream.display.change_side')", "sides",
         "Show both sides, or one of them"),
        ("stream.next", "right,l", "screen.call('stream.step', 1)", "next stream",
         "Next stream"),
        ("stream.previous", "left,h", "screen.call('stream.step', -1)", "",
         "Previous stream"),
        ("stream.only", "equals_sign", "screen.call('stream.filter_for', 'REPLACE')", "only",
         "Show only the packets of this stream"),
        ("stream.hide", "exclamation_mark", "screen.call('stream.filter_for', 'AND_NOT')", "hide",
         "Hide the packets of this stream"),
    ),
    *_of(
        KeyGroup.FILTER, KeyContext.FILTER,
        ("filter.apply", "enter", "screen.call('filter.submit')", "apply", "Apply the filter"),
        ("filter.complete", "tab", "screen.call('filter.complete')", "complete",
         "Insert the chosen or the first name"),
        ("filter.down", "down", "screen.call('filter.move', 1)", "names",
         "Choose a name, or a newer filter"),
        ("filter.up", "up", "screen.call('filter.move', -1)", "history",
         "Earlier filter, or the name above"),
        ("filter.save", "ctrl+s", "screen.call('saved.keep')", "save",
         "Save the filter under a name"),
        ("filter.saved", "ctrl+o", "screen.call('saved.choose')", "saved",
         "Apply, rename, or delete saved filters"),
    ),
    *_of(
        KeyGroup.LAB, KeyContext.LAB,
        ("lab.run", "r", "run", "run again", "Run all measurements again"),
        ("lab.leave", "escape", "leave", "back", "Cancel the run, or leave the lab"),
        ("lab.up", "up,k", "scroll_up", "", "Scroll up"),
        ("lab.down", "down,j", "scroll_down", "", "Scroll down"),
        ("lab.page_up", "pageup", "page_up", "", "Up one page"),
        ("lab.page_down", "pagedown,space", "page_down", "", "Down one page"),
    ),
    *_of(
        KeyGroup.STATISTICS, KeyContext.COUNTS,
        ("counts.only", "enter,equals_sign", "screen.call('statistics.combine', 'REPLACE')",
         "show only", "Show only these packets"),
        ("counts.hide", "exclamation_mark", "screen.call('statistics.combine', 'AND_NOT')",
         "hide", "Hide these packets"),
        ("counts.and", "ampersand", "screen.call('statistics.combine', 'AND')", "",
         "Narrow the filter by the row (and)"),
        ("counts.or", "vertical_line", "screen.call('statistics.combine', 'OR')", "",
         "Widen the filter by the row (or)"),
        ("counts.next", "right,l", "screen.call('statistics.step_tab', 1)", "next tab",
         "Next statistics"),
        ("counts.previous", "left,h", "screen.call('statistics.step_tab', -1)", "",
         "Previous statistics"),
    ),
    *_of(
        KeyGroup.STATISTICS, KeyContext.RATE,
        ("rate.only", "enter,equals_sign", "screen.call('statistics.combine_range', 'REPLACE')",
         "show only", "Show only the selected times"),
        ("rate.hide", "exclamation_mark", "screen.call('statistics.combine_range', 'AND_NOT')",
         "hide", "Hide the selected times"),
        ("rate.and", "ampersand", "screen.call('statistics.combine_range', 'AND')", "",
         "Narrow the filter by the times (and)"),
        ("rate.or", "vertical_line", "screen.call('statistics.combine_range', 'OR')", "",
         "Widen the filter by the times (or)"),
        ("rate.right", "right,l", "step(1)", "", "Select the next moment"),
        ("rate.left", "left,h", "step(-1)", "", "Select the previous moment"),
        ("rate.extend_right", "shift+right,L", "step(1, True)", "select",
         "Extend the range to the right"),
        ("rate.extend_left", "shift+left,H", "step(-1, True)", "",
         "Extend the range to the left"),
        ("rate.first", "g,home", "end(-1)", "", "Select the first moment"),
        ("rate.last", "G,end", "end(1)", "", "Select the last moment"),
    ),
    *_of(
        KeyGroup.STATISTICS, KeyContext.STATISTICS,
        ("statistics.scope", "a", "screen.call('statistics.toggle_scope')", "all/filter",
         "Count all packets, or what passes"),
        ("statistics.unit", "b", "screen.call('statistics.toggle_unit')", "bits",
         "Plot bits or packets per second"),
        ("statistics.protocols", "1", "screen.call('statistics.tab', 0)", "",
         "Statistics of protocols"),
        ("statistics.lengths", "2", "screen.call('statistics.tab', 1)", "",
         "Statistics of packet lengths"),
        ("statistics.talkers", "3", "screen.call('statistics.tab', 2)", "",
         "Statistics of addresses"),
        ("statistics.rate", "4", "screen.call('statistics.tab', 3)", "",
         "Plot the rate over time"),
    ),
    *_of(
        KeyGroup.CLIENTS, KeyContext.CLIENTS,
        ("clients.sort", "s", "sort_next", "sort", "Sort by the next column"),
        ("clients.reverse", "S", "sort_reverse", "", "Reverse the sort order"),
        ("clients.left", "left,h", "shift(-1)", "", "Scroll the columns to the left"),
        ("clients.right", "right,l", "shift(1)", "", "Scroll the columns to the right"),
    ),
    *_of(
        KeyGroup.FLOWS, KeyContext.FLOWS,
        ("flows.only", "enter", "screen.call('flows.show_only')", "filter",
         "Show only its packets, or all"),
        ("flows.hide", "exclamation_mark", "screen.call('flows.hide')", "hide",
         "Hide the packets of this conversation"),
        ("flows.level", "v", "screen.call('flows.step_level', 1)", "level",
         "Next of Ethernet, IPv4, IPv6, TCP, UDP"),
        ("flows.level_back", "V", "screen.call('flows.step_level', -1)", "",
         "Previous of these levels"),
        ("flows.endpoints", "E", "screen.call('flows.toggle_kind')", "endpoints",
         "List endpoints, or conversations"),
        ("flows.scope", "a", "screen.call('flows.toggle_scope')", "all/filtered",
         "Count filtered packets only, or all"),
        ("flows.text", "c", "screen.call('flows.panel.edit_text')", "contains",
         "List flows that contain a text"),
        ("flows.sort", "s", "screen.call('flows.list.action_sort_next')", "sort",
         "Sort by the next column"),
        ("flows.reverse", "S", "screen.call('flows.list.action_sort_reverse')", "",
         "Reverse the sort order"),
        ("flows.left", "left,h", "screen.call('flows.list.action_shift', -1)", "",
         "Scroll the columns to the left"),
        ("flows.right", "right,l", "screen.call('flows.list.action_shift', 1)", "",
         "Scroll the columns to the right"),
    ),
    *_of(
        KeyGroup.FILTER, KeyContext.MAIN,
        ("filter.edit", "slash", "call('filter.edit')", "filter", "Filter the packets"),
        ("filter.toggle", "backslash", "call('filter.toggle')", "", "Turn the filter off or on"),
    ),
    *_of(
        KeyGroup.VIEW, KeyContext.MAIN,
        ("view.pause", "space", "pause", "pause", "Pause or resume the view, not capture"),
    ),
    *_of(
        KeyGroup.CAPTURE, KeyContext.MAIN,
        ("capture.toggle", "ctrl+e", "call('capture.toggle')", "stop", "Stop or start the capture"),
    ),
    *_of(
        KeyGroup.PACKETS, KeyContext.MAIN,
        ("packets.forge", "f", "call('forge.fill')", "forge",
         "Copy the packet into the forge"),
    ),
    *_of(
        KeyGroup.PANELS, KeyContext.PANELS,
        ("panel.forge", "f2", "side('forge')", "form", "Show or hide the forge"),
        ("panel.next", "tab", "move_panel(1)", "panel", "Next panel"),
        ("panel.previous", "shift+tab", "move_panel(-1)", "", "Previous panel"),
        ("panel.zoom", "z,f4", "zoom", "zoom", "Zoom the panel, or restore the layout"),
        ("panel.echo", "e", "side('echo')", "echo", "Show or hide the echo panel"),
        ("panel.flows", "f7", "side('flows')", "", "Show or hide conversations"),
        ("panel.statistics", "f8", "side('statistics')", "", "Show or hide the statistics"),
        ("panel.split_up", "less_than_sign", "split(-1)", "", "Give the table fewer lines"),
        ("panel.split_down", "greater_than_sign", "split(1)", "", "Give the table more lines"),
    ),
    *_of(
        KeyGroup.PANELS, KeyContext.MAIN,
        ("panel.close", "escape", "close", "",
         "Stop, unzoom, close panel, or unfilter"),
    ),
    *_of(
        KeyGroup.CAPTURE, KeyContext.MAIN,
        ("capture.interface", "i", "call('capture.choose_interfaces')", "interface",
         "Choose interfaces and a capture filter"),
        ("capture.session", "I", "call('capture.toggle_session')", "",
         "Leave out my SSH session, or not"),
    ),
    *_of(
        KeyGroup.FILES, KeyContext.MAIN,
        ("capture.open", "o", "call('capture.open_file')", "open", "Open a capture file"),
        ("packets.save", "w", "call('saver.open')", "save", "Save packets to a capture file"),
    ),
    *_of(
        KeyGroup.PACKETS, KeyContext.MAIN,
        ("packets.mark", "m", "call('table.toggle_mark')", "mark",
         "Mark (◆) or unmark the packet"),
    ),
    *_of(
        KeyGroup.MOVE, KeyContext.MAIN,
        ("packets.next_mark", "right_square_bracket", "call('search.next_of', 'mark')", "",
         "Next marked packet"),
        ("packets.previous_mark", "left_square_bracket", "call('search.previous_of', 'mark')", "",
         "Previous marked packet"),
    ),
    *_of(
        KeyGroup.FILTER, KeyContext.MAIN,
        ("packets.conversation", "C", "call('values.of_conversation')", "",
         "Show only this conversation"),
    ),
    *_of(
        KeyGroup.PACKETS, KeyContext.MAIN,
        ("packets.resend", "r", "call('forge.resend')", "resend",
         "Send the packet again, unchanged"),
        ("packets.copy", "y", "call('copier.choose')", "copy",
         "Copy row, field, bytes, or command"),
        ("packets.comment", "semicolon", "call('comments.edit')", "",
         "Add or change a comment (¶)"),
    ),
    *_of(
        KeyGroup.PACKETS, KeyContext.MAIN,
        ("packets.follow", "F", "call('stream.open')", "",
         "Follow the stream: what both ends sent"),
    ),
    *_of(
        KeyGroup.FORGE, KeyContext.MAIN,
        ("packets.stop_sending", "", "call('forge.stop')", "stop sending", "Stop sending"),
    ),
    *_of(
        KeyGroup.VIEW, KeyContext.MAIN,
        ("packets.time", "t", "call('table.change_time_format')", "time",
         "Cycle time: elapsed, of day, or delta"),
        ("view.colors", "f6", "call('coloring.choose')", "",
         "Show what the colors mean; change them"),
        ("view.columns", "f3", "call('columns.open')", "",
         "Choose and move the columns"),
        ("view.names", "f9", "call('columns.toggle_names')", "",
         "Show names or addresses"),
        ("view.menu", "f10", "call('menu.open_screen')", "",
         "Open the menu"),
        ("packets.color", "", "call('coloring.color_conversation')", "",
         "Color the conversation, for this run"),
        ("packets.time_reference", "T", "call('table.toggle_time_reference')", "",
         "Make the packet time zero, or undo it"),
    ),
    *_of(
        KeyGroup.MOVE, KeyContext.MAIN,
        ("packets.go_to", "colon,ctrl+g", "call('go_to.open')", "go to",
         "Go to a packet number or time"),
        ("packets.next", "J,ctrl+down", "call('table.action_move', 'down')", "",
         "Next packet, from any panel"),
        ("packets.previous", "K,ctrl+up", "call('table.action_move', 'up')", "",
         "Previous packet, from any panel"),
    ),
    *_of(
        KeyGroup.SEARCH, KeyContext.MAIN,
        ("search.open", "ctrl+f", "call('search.open')", "",
         "Search for text, bytes, or a filter"),
        ("search.next", "n", "call('search.next')", "", "Next match"),
        ("search.previous", "N", "call('search.previous')", "", "Previous match"),
        ("search.next_bad_checksum", "right_parenthesis",
         "call('search.next_of', 'bad_checksum')", "", "Next bad checksum"),
        ("search.previous_bad_checksum", "left_parenthesis",
         "call('search.previous_of', 'bad_checksum')", "", "Previous bad checksum"),
        ("search.next_reset", "right_curly_bracket",
         "call('search.next_of', 'reset')", "", "Next TCP reset"),
        ("search.previous_reset", "left_curly_bracket",
         "call('search.previous_of', 'reset')", "", "Previous TCP reset"),
        ("search.next_malformed", "full_stop",
         "call('search.next_of', 'malformed')", "", "Next malformed packet"),
        ("search.previous_malformed", "comma",
         "call('search.previous_of', 'malformed')", "", "Previous malformed packet"),
    ),
    *_of(
        KeyGroup.CAPTURE, KeyContext.MAIN,
        ("capture.record", "W", "call('recording.toggle')", "record",
         "Start or stop recording to a file"),
    ),
    *_of(
        KeyGroup.PROGRAM, KeyContext.PROGRAM,
        ("program.quit", "q", "quit", "quit", "Quit (asks if packets would be lost)"),
        ("program.help", "question_mark,f1", "help", "help", "Show all keys, signs, and settings"),
        ("program.theme", "", "change_theme", "", "Choose a color theme"),
    ),
    Action("program.palette", "ctrl+p", "command_palette", "", "Find any action by name",
           KeyGroup.PROGRAM, KeyContext.PROGRAM, everywhere=True),
    Action("program.leave", "ctrl+q", "quit", "", "Quit, also from a dialog",
           KeyGroup.PROGRAM, KeyContext.PROGRAM, everywhere=True),
    Action("program.redraw", "ctrl+l", "redraw", "", "Redraw the screen",
           KeyGroup.PROGRAM, KeyContext.PROGRAM, everywhere=True),
    Action("program.suspend", "ctrl+z", "suspend_process", "", "Suspend to the shell; fg resumes",
           KeyGroup.PROGRAM, KeyContext.PROGRAM, everywhere=True),
)
# fmt: on

BY_NAME = {action.name: action for action in ACTIONS}

# The contexts that are active together, by focus. Within each of these sets a key has one meaning.
_SCREEN = {KeyContext.MAIN, KeyContext.PROGRAM}
_PANELS = {KeyContext.PANELS, *_SCREEN}
HEARD_TOGETHER: tuple[frozenset[KeyContext], ...] = tuple(
    frozenset(places)
    for places in (
        {KeyContext.TABLE, KeyContext.LIST, *_PANELS},
        {KeyContext.DETAIL, KeyContext.LIST, *_PANELS},
        {KeyContext.HEX, KeyContext.LIST, KeyContext.FORGE, *_PANELS},
        {KeyContext.CLIENTS, KeyContext.LIST, KeyContext.ECHO, *_PANELS},
        {KeyContext.COUNTS, KeyContext.LIST, KeyContext.STATISTICS, *_PANELS},
        {KeyContext.RATE, KeyContext.STATISTICS, *_PANELS},
        {KeyContext.FLOWS, KeyContext.LIST, *_PANELS},
        {KeyContext.STREAM, KeyContext.LIST, *_PANELS},
        {KeyContext.FORM, KeyContext.FORGE, *_PANELS},
        {KeyContext.RESULT, KeyContext.LIST, KeyContext.FORGE, *_PANELS},
        {KeyContext.FILTER, *_SCREEN},
    )
)


def grouped(keymap: Mapping[str, str]) -> Iterator[tuple[KeyGroup, list[tuple[str, Action]]]]:
    """Yield every group of the help screen with its ``(keys, action)``; `keymap` has remapped keys.

    Keys are Textual's names, comma-separated.
    """
    for group in KeyGroup:
        yield (
            group,
            [
                (keymap.get(action.name, action.keys), action)
                for action in ACTIONS
                if action.group is group and action.keys
            ],
        )
