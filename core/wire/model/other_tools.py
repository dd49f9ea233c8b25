"""A protocol in other tools: scapy's class, options of nping and hping3, a pcap filter.

A protocol's record holds these values, and `core.forge.export` writes the expressions and commands
from them. Fields go by the name inside the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple

from core.wire.model.table import Condition

_EMPTY: Mapping[str, Any] = MappingProxyType({})


class ScapyOptions(Enum):
    """The way scapy writes the options after a header."""

    NONE = "not at all"
    RAW = "one IPOption of bytes"
    PAIRS = "pairs of number and bytes"


class ScapyLayer(NamedTuple):
    """scapy's class for headers that begin with a protocol's first table.

    `arguments` maps fields to scapy's names; scapy counts in the units of the header. A field of
    `unless_zero` is left out if it is 0, a field of `lists` is an address in a list. Headers are
    written only if the field that `when` names has one of its values, and headers before a payload
    only with `carries_payload`.
    """

    name: str
    arguments: Mapping[str, str]
    unless_zero: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    options: ScapyOptions = ScapyOptions.NONE
    when: Condition | None = None
    carries_payload: bool = True


class Argument(NamedTuple):
    """One option of a command-line tool for one field.

    The value follows the option: as a number, multiplied by `factor`; in hexadecimal; as text, for
    addresses; or as the word that `words` has for it. A flag is the option alone, if it is set.
    With `unless_zero` the option is left out if the value is 0: that is the tool's own default.
    `flag_words` are the words for several flags, of which those that are set form a comma-separated
    value; `no_flags` is the value if none is set.
    """

    option: str
    is_flag: bool = False
    is_text: bool = False
    is_hexadecimal: bool = False
    unless_zero: bool = False
    factor: int = 1
    words: Mapping[int, str] | None = None
    flag_words: Mapping[str, str] | None = None
    no_flags: str = ""


class CommandOptions(NamedTuple):
    """The options of a command-line tool for headers that begin with a protocol's first table.

    `select` are the words that choose the protocol, `arguments` those of each field in the order of
    the command. `target` is the field whose text ends the command. The tool fills in the fields of
    `own` itself; `quotes` names the message types in which it quotes a packet of its own. It sends
    no payload in a packet without `carries_payload`.
    """

    select: tuple[str, ...] = ()
    arguments: Mapping[str, Argument] = _EMPTY
    target: str = ""
    own: frozenset[str] = frozenset()
    quotes: Condition | None = None
    carries_payload: bool = True


class OtherTools(NamedTuple):
    """The names that other tools have for a protocol; None if a tool does not write it.

    `pcap` is its word in pcap-filter(7), or "" if that has none.
    """

    scapy: ScapyLayer | None = None
    nping: CommandOptions | None = None
    hping3: CommandOptions | None = None
    pcap: str = ""


NO_TOOLS = OtherTools()
