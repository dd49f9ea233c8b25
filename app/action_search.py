"""Find actions by the words that a user types in the command palette. Imports no Textual.

An action is found by the words of its help text, label, group, and keys, and by other words for the
same thing (`OTHER_WORDS`). All words of the query must begin one of these words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import IntEnum

from app.keymap import ACTIONS, Action, KeyGroup

# Words that are not in the help text, by action name.
OTHER_WORDS = {
    "list.first": "top beginning start home oldest",
    "list.last": "tail bottom newest live autoscroll",
    "table.open": "details dissect fields headers inspect",
    "table.only": "filter apply selected",
    "table.hide": "filter exclude not without",
    "table.and": "add also combine",
    "table.or": "add also combine",
    "detail.only": "filter apply selected",
    "detail.hide": "filter exclude not without",
    "detail.and": "add also combine",
    "detail.or": "add also combine",
    "forge.send": "transmit inject",
    "forge.drafts": "load history templates",
    "forge.keep": "store",
    "forge.copy": "clipboard scapy hping nping hex export",
    "forge.new": "clear reset blank",
    "echo.talk": "test connect start server",
    "echo.drain": "drain short once level edge",
    "echo.add": "port server start bind",
    "echo.stop": "server",
    "echo.pause": "back pressure",
    "echo.close": "disconnect kill drop",
    "echo.lab": "benchmark measure select poll uring iolab",
    "clients.only": "follow connection conversation only",
    "view.pause": "freeze hold stop scrolling continue",
    "capture.toggle": "end restart record listen sniff",
    "capture.interface": "device network card adapter sniff bpf tcpdump",
    "capture.session": "exclude hide own terminal mosh",
    "capture.open": "load read pcap pcapng import",
    "packets.forge": "edit modify craft change build send",
    "packets.mark": "bookmark flag tag",
    "filter.save": "store keep",
    "filter.saved": "load open manage bookmarks",
    "filter.toggle": "undo restore again back",
    "packets.conversation": "filter follow stream connection flow both directions",
    "packets.resend": "repeat replay inject transmit retransmit",
    "packets.stop_sending": "cancel abort",
    "packets.copy": "clipboard yank export hex scapy hping nping",
    "packets.color": "colorize highlight temporary",
    "view.menu": "context mouse actions more",
    "view.columns": "fields headings table width",
    "view.colors": "legend coloring highlight rules",
    "packets.time": "timestamp format relative absolute clock",
    "packets.time_reference": "timestamp reference relative set",
    "packets.go_to": "jump find line row",
    "search.open": "find string pattern hex grep lookup",
    "search.next": "find again repeat",
    "search.previous": "find again backward",
    "search.next_bad_checksum": "jump wrong error",
    "search.previous_bad_checksum": "jump wrong error",
    "search.next_reset": "jump rst",
    "search.previous_reset": "jump rst",
    "search.next_malformed": "jump error invalid",
    "search.previous_malformed": "jump error invalid",
    "panel.next": "focus switch tab",
    "panel.previous": "focus switch tab back",
    "panel.zoom": "maximize full screen fullscreen enlarge unzoom",
    "panel.forge": "craft build send packet",
    "panel.echo": "server listener epoll",
    "panel.close": "cancel escape back",
    "program.quit": "exit leave close end",
    "program.leave": "exit close end",
    "program.help": "shortcuts bindings manual legend configuration preferences options",
    "program.theme": "dark light colors appearance contrast",
    "program.redraw": "refresh repaint garbled clear",
    "program.suspend": "background stop job",
}
_WORD = re.compile(r"[^\s,;()/.]+")


class Rank(IntEnum):
    """The quality of a match between an action and a query."""

    NONE = 0
    PART = 1  # the query is inside its words
    OTHER_WORDS = 2
    HELP = 3
    LABEL = 4  # the query is its label or one of its keys


def in_order() -> Iterator[Action]:
    """Yield all actions in the order of their groups."""
    for group in KeyGroup:
        yield from (action for action in ACTIONS if action.group is group)


def rank(action: Action, keys: str, query: str) -> Rank:
    """Return how well an action with these keys, as the user reads them, matches a query."""
    wanted = _words(query)
    if not wanted:
        return Rank.NONE
    if wanted == _words(action.label) or query.strip() in keys.split():
        return Rank.LABEL
    own = _words(f"{action.help} {action.label} {action.group.value}")
    others = _words(OTHER_WORDS.get(action.name, ""))
    if _begin(wanted, own):
        return Rank.HELP
    if _begin(wanted, (*own, *others)):
        return Rank.OTHER_WORDS
    everything = " ".join((*own, *others))
    return Rank.PART if all(word in everything for word in wanted) else Rank.NONE


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.casefold()))


def _begin(wanted: Sequence[str], words: Sequence[str]) -> bool:
    """Return True if every wanted word begins one of `words`."""
    return all(any(word.startswith(start) for word in words) for start in wanted)
