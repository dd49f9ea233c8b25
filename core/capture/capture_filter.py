"""A capture filter: tcpdump's language, compiled for every kind of link.

`compile_filter` compiles a text for each link type that a source may have; so a filter is checked
as a whole before a capture begins, and opening a source compiles nothing. The language is libpcap's
(pcap-filter(7)). An expression may be valid for some link types only (``vlan`` on Ethernet): a
source on another link reports libpcap's error. A capture on every interface does not: there, a link
whose type has no such expression delivers nothing.

tcpdump captures ``any`` in cooked mode, where a frame begins at its network header. A source of
rawscope sees the link header of each device, so its program first asks for the hardware type, and
continues with the program for that one. Filters for Ethernet (``ether host``, ``vlan``) work, too.

`exclusion` is a second expression, such as the user's own SSH session. It comes first: after
``vlan``, every expression means the packet behind the tag.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from core.capture import bpf
from core.capture.bpf import Program
from core.capture.filter_compiler import CaptureFilterError, compile_expressions
from core.capture.filter_completion import continuations
from core.capture.vlan_keyword import with_removed_tag
from core.net.interfaces import (
    ARPHRD_ETHER,
    ARPHRD_IEEE80211,
    ARPHRD_IEEE80211_RADIOTAP,
    ARPHRD_LOOPBACK,
    WITHOUT_LINK_HEADER,
    LinkHeader,
    link_type_of,
)

LONGEST = 4096  # characters
_IF_FILTER, _LIBPCAP_STRING = 11, b"\0"  # draft-ietf-opsawg-pcapng §4.2


class FilterLink(Enum):
    """The beginning of a frame, and libpcap's number for it (pcap/dlt.h, DLT_*)."""

    ETHERNET = 1
    RAW_IP = 12
    WIRELESS = 105
    COOKED = 113
    RADIOTAP = 127


_LINKS = {
    ARPHRD_ETHER: FilterLink.ETHERNET,
    ARPHRD_LOOPBACK: FilterLink.ETHERNET,
    ARPHRD_IEEE80211: FilterLink.WIRELESS,
    ARPHRD_IEEE80211_RADIOTAP: FilterLink.RADIOTAP,
}


def filter_link(hardware_type: int) -> FilterLink:
    """Return what the frames of a device with this ARPHRD_* number begin with."""
    at_network = link_type_of(hardware_type)[1] is LinkHeader.NETWORK
    return _LINKS.get(hardware_type, FilterLink.RAW_IP if at_network else FilterLink.COOKED)


@dataclass(frozen=True, slots=True)
class CaptureFilter:
    """A compiled filter. `text` is what the user typed; `exclusion` follows from the sessions
    that the user leaves out."""

    text: str
    exclusion: str = ""
    _programs: Mapping[FilterLink, Program | CaptureFilterError] = field(
        default_factory=dict, compare=False, repr=False
    )

    @property
    def expression(self) -> str:
        """The filter as one expression of tcpdump."""
        return _joined(self.text, self.exclusion)

    @property
    def interface_options(self) -> tuple[tuple[int, bytes], ...]:
        """The option that describes this filter in pcapng: ``if_filter``, a string of libpcap."""
        return ((_IF_FILTER, _LIBPCAP_STRING + self.expression.encode(errors="replace")),)

    @property
    def label(self) -> str:
        """The filter in few words."""
        left_out = ("not my SSH",) if self.exclusion else ()
        return ", ".join((self.text, *left_out) if self.text else left_out)

    def program(self, hardware_type: int) -> Program:
        """Return the program for the frames of a device. Raises `CaptureFilterError`."""
        return self._program(filter_link(hardware_type))

    def program_for_ip(self) -> Program:
        """Return the program for frames that begin with an IP header.

        Raises `CaptureFilterError`.
        """
        return self._program(FilterLink.RAW_IP)

    def program_for_all(self) -> Program:
        """Return the program for frames of all devices together."""
        cases = {number: self._or_nothing(link) for number, link in _LINKS.items()}
        bare = self._or_nothing(FilterLink.RAW_IP)
        cases |= dict.fromkeys(WITHOUT_LINK_HEADER, bare)
        return bpf.by_hardware_type(cases, self._or_nothing(FilterLink.COOKED))

    def _program(self, link: FilterLink) -> Program:
        compiled = self._programs[link]
        if isinstance(compiled, CaptureFilterError):
            raise compiled
        return compiled

    def _or_nothing(self, link: FilterLink) -> Program:
        compiled = self._programs[link]
        return bpf.REJECT_ALL if isinstance(compiled, CaptureFilterError) else compiled


def compile_filter(text: str, exclusion: str = "") -> CaptureFilter | None:
    """Compile a filter; None if both texts are empty.

    Raise `CaptureFilterError` with libpcap's words if it is valid for no kind of link.
    """
    text = text.strip()
    if not text.isprintable():
        raise CaptureFilterError("the filter contains a control character")
    if len(text) > LONGEST:
        raise CaptureFilterError(f"the filter is longer than {LONGEST:,} characters")
    expression = _joined(text, exclusion)
    if not expression:
        return None
    if not _is_balanced(text):
        expression = (
            text  # libpcap says what is wrong, and no parenthesis closes that of the exclusion
        )
    tagged = with_removed_tag(expression)
    jobs = [(link.value, expression) for link in FilterLink]
    jobs += [(FilterLink.ETHERNET.value, tagged)] if tagged else []
    results = compile_expressions(jobs, continuations=_continuations(text))
    programs = dict(zip(FilterLink, results, strict=False))
    errors = [one for one in programs.values() if isinstance(one, CaptureFilterError)]
    if len(errors) == len(programs):
        raise errors[0]
    if tagged:
        programs[FilterLink.ETHERNET] = _by_tag(results[-1], programs[FilterLink.ETHERNET])
    programs[FilterLink.COOKED] = _from_metadata(programs[FilterLink.COOKED])
    return CaptureFilter(text, exclusion, programs)


def _by_tag(
    tagged: Program | CaptureFilterError, untagged: Program | CaptureFilterError
) -> Program | CaptureFilterError:
    if isinstance(untagged, CaptureFilterError):
        return untagged
    if isinstance(tagged, CaptureFilterError):  # "expression rejects all packets"
        tagged = bpf.REJECT_ALL
    return bpf.by_removed_tag(tagged, untagged)


def _from_metadata(cooked: Program | CaptureFilterError) -> Program | CaptureFilterError:
    if isinstance(cooked, CaptureFilterError):
        return cooked
    try:
        return bpf.from_network_header(cooked)
    except bpf.NoMetadataError as error:
        return CaptureFilterError(str(error))


def _continuations(text: str) -> list[tuple[int, str]]:
    """Return texts that may be filters if this one is only incomplete, with their links."""
    links = (FilterLink.ETHERNET.value, FilterLink.WIRELESS.value)
    return [(link, longer) for longer in continuations(text) for link in links]


def _joined(text: str, exclusion: str) -> str:
    return f"({exclusion}) and ({text})" if text and exclusion else text or exclusion


def _is_balanced(text: str) -> bool:
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return not depth
