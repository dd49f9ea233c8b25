"""One capture: its sources, the number of frames read from each, and the state of their links.

A session has no thread and no loop: its owner waits for the descriptors of the feeds and of the
watcher, and calls `read` and `update_links`. When no frame is in flight, for each feed frames read
+ dropped = received.

A source is bound to an interface by its index, so it survives a new name. `update_links` gives the
new name to later frames and to all messages; to give earlier frames the old name, read every feed
first. (The last frames before the rename may be in a block that the kernel still holds. They get
the new name.)

A link that goes down only pauses its feed: the kernel puts the socket back when it comes up. A
deleted interface ends its feed, also if a new one gets the same name: that is another interface,
which may have another link type, so the session reports it and the user decides.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType

from core.capture.bpf import Program
from core.capture.capture_filter import CaptureFilter
from core.capture.options import ANY, CaptureOptions
from core.capture.packet_socket import find_link
from core.capture.renaming import Renaming
from core.capture.source import AddInterface, CaptureError, CaptureSource
from core.capture.source_factory import open_source
from core.decode.batch import Batch, CaptureInterface
from core.decode.capture_statistics import CaptureStatistics
from core.net.interfaces import IFF_RUNNING, IFF_UP
from core.net.netlink import LinkMessage, LinkWatcher, get_link
from core.net.sockets import SocketProvider
from core.wire.model.text import safe

NO_LINKS: Mapping[str, LinkMessage] = MappingProxyType({})
EVERY_INTERFACE = 0  # the index of a source that is not bound to an interface
DRAIN_S = 0.2  # a ring hands over its last block within its retire time, a fraction of this
LONGEST_S = 2.0  # to read the remaining frames, also of a source that never empties


class LinkState(Enum):
    """The state of a link, as the screen shows it."""

    UP = ""
    DOWN = "is down; waiting for it to come up"
    NO_CARRIER = "has no carrier; waiting for it"
    DELETED = "was deleted"


@dataclass(eq=False, slots=True)
class Feed:
    """A source in a session. `delivered` counts the frames read from it."""

    source: CaptureSource
    link: LinkState = LinkState.UP
    delivered: int = 0


class CaptureSession:
    """Open every interface of the options, or none and raise CaptureError.

    `interfaces` holds their own names, each once, however the user named them; `renamed` the old
    and the new name of each change since, oldest first. `earlier` are the links of a session
    before: one of them is opened again even if it was renamed.
    """

    def __init__(
        self,
        options: CaptureOptions,
        add: AddInterface,
        sockets: SocketProvider,
        earlier: Mapping[str, LinkMessage] = NO_LINKS,
    ) -> None:
        self.renamed: tuple[Renaming, ...] = ()
        self.capture_filter = options.capture_filter
        self.links: dict[str, LinkMessage] = {}  # by the name that the session knows
        self.feeds: list[Feed] = []
        self._ended: dict[str, CaptureStatistics] = {}  # of feeds, by interface
        self._delivered_by_ended = 0
        self._add_to_store = add
        self._deleted: list[str] = []
        try:
            self.watcher = LinkWatcher()  # before the sources, so that no change is missed
        except OSError as error:
            raise CaptureError(f"cannot watch the links: {error.strerror}") from error
        try:
            names = [self._name(requested, earlier) for requested in options.interfaces]
            for name in dict.fromkeys(names):
                self.feeds.append(Feed(open_source(name, options, self._add, sockets)))
            self.interfaces = tuple(feed.source.name for feed in self.feeds)
            for feed in self.feeds:
                if feed.source.interface_index != EVERY_INTERFACE:
                    feed.link = _state_now(feed.source.interface_index)
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                raise CaptureError(f"cannot capture: {error.strerror or error}") from error
            raise

    @property
    def notes(self) -> tuple[str, ...]:
        """Return a sentence for each source that was not opened as requested, and each new name."""
        renamed = tuple(f"{safe(old)} is now named {safe(new)}" for old, new in self.renamed)
        return tuple(feed.source.note for feed in self.feeds if feed.source.note) + renamed

    @property
    def trouble(self) -> str:
        """Return one line about the links that deliver nothing now; empty if all deliver."""
        troubled = [feed for feed in self.feeds if feed.link is not LinkState.UP]
        return "; ".join((*self._deleted, *map(_describe, troubled)))

    @property
    def delivered(self) -> int:
        """The number of frames read from all feeds, the ended ones included."""
        return self._delivered_by_ended + sum(feed.delivered for feed in self.feeds)

    def read(self, feed: Feed) -> Batch | None:
        """Return the next frames of a feed. They are valid until its next `read`."""
        batch = feed.source.read()
        if batch is not None:
            feed.delivered += len(batch)
        return batch

    def arrived(self) -> dict[Feed, int]:
        """Return the frames that each feed has, those in a block not yet handed over included."""
        counted = {feed: feed.source.statistics() for feed in self.feeds}
        return {feed: one.received - one.dropped for feed, one in counted.items()}

    def has_delivered(self, arrived: Mapping[Feed, int]) -> bool:
        """Return True if no frame is unread that had `arrived`. An ended feed is read."""
        return all(feed.delivered >= arrived.get(feed, 0) for feed in self.feeds)

    def change_filter(self, capture_filter: CaptureFilter | None) -> None:
        """Replace the filter of every feed. Frames that were received before stay.

        Raise `CaptureError` if the filter is wrong for a feed or the kernel refuses it; the old
        filter then stays everywhere, and an error names a feed on which it does not.
        """
        sources = [feed.source for feed in self.feeds]
        programs = [
            (source, source.program(capture_filter), source.program(self.capture_filter))
            for source in sources
        ]
        changed: list[tuple[CaptureSource, Program]] = []
        try:
            for source, program, earlier in programs:
                source.attach(program)
                changed.append((source, earlier))
        except OSError as error:
            message = f"the kernel refuses the capture filter: {error.strerror}"
            stuck = [safe(one.name) for one, earlier in changed if not _is_attached(one, earlier)]
            if stuck:
                message += f"; restart the capture: {', '.join(stuck)} has the new filter"
            raise CaptureError(message) from error
        self.capture_filter = capture_filter
        for source in sources:
            source.describe_again()

    def _add(self, interface: CaptureInterface) -> int:
        """Add an interface to the store, described with the filter in force."""
        if self.capture_filter is not None:
            interface = replace(interface, options=self.capture_filter.interface_options)
        return self._add_to_store(interface)

    def statistics(self) -> CaptureStatistics:
        """Return the sum over all feeds, the ended ones included."""
        return sum(self.statistics_by_interface().values(), CaptureStatistics())

    def statistics_by_interface(self) -> dict[str, CaptureStatistics]:
        """Return the totals of all feeds, the ended ones included, by the name of the interface.

        The kernel counts ``any`` as one.
        """
        counts = dict(self._ended)
        for feed in self.feeds:
            name = feed.source.name
            counts[name] = counts.get(name, CaptureStatistics()) + feed.source.statistics()
        return counts

    def update_links(self) -> list[Feed]:
        """Process what the watcher reports; return the feeds whose interface was deleted."""
        known = {feed.source.interface_index for feed in self.feeds} - {EVERY_INTERFACE}
        for change in self.watcher.read(known):
            for feed in self._feeds_on(change.index):
                if feed.link is not LinkState.DELETED:
                    feed.link = _changed_state(change)
                    if not change.deleted and change.name != feed.source.name:
                        self._rename(feed, change)
        return [feed for feed in self.feeds if feed.link is LinkState.DELETED]

    def end(self, feed: Feed, consume: Callable[[Batch], None]) -> None:
        """Stop a feed: let no new frames in, hand the rest to `consume`, and close it.

        Frames that are still unread after `LONGEST_S` count as dropped.
        """
        feed.source.detach()
        poll = select.poll()
        poll.register(feed.source.fileno(), select.POLLIN)
        now_s = time.monotonic()
        deadline_s, longest_s = now_s + DRAIN_S, now_s + LONGEST_S
        while True:
            while time.monotonic() < longest_s and (batch := self.read(feed)) is not None:
                consume(batch)
            counted = feed.source.statistics()
            remaining_s = deadline_s - time.monotonic()
            if feed.delivered + counted.dropped >= counted.received or remaining_s <= 0:
                break
            feed.source.clear_error()  # otherwise poll returns at once
            poll.poll(remaining_s * 1000)
        left_behind = max(0, counted.received - counted.dropped - feed.delivered)
        name, total = feed.source.name, counted + CaptureStatistics(dropped=left_behind)
        self._ended[name] = self._ended.get(name, CaptureStatistics()) + total
        self._delivered_by_ended += feed.delivered
        if feed.link is LinkState.DELETED:
            self._deleted.append(_describe(feed))
        self.feeds.remove(feed)
        feed.source.close()

    def close(self) -> None:
        """Close what is still open, without reading the rest.

        Closes everything even if closing one part raises; raises that error at the end.
        """
        with ExitStack() as stack:
            stack.callback(self.watcher.close)
            for feed in self.feeds:
                stack.callback(feed.source.close)
            self.feeds.clear()

    def _rename(self, feed: Feed, link: LinkMessage) -> None:
        old, new = feed.source.name, link.name
        feed.source.rename(new)
        self.renamed += ((old, new),)
        self.interfaces = tuple(new if name == old else name for name in self.interfaces)
        self.links[new] = link

    def _name(self, requested: str, earlier: Mapping[str, LinkMessage]) -> str:
        """Return the interface's own name for a name that the user gave. Raises CaptureError."""
        if requested == ANY:
            return ANY
        try:
            link = find_link(requested)
        except CaptureError:
            found = _again(earlier.get(requested))
            if found is None:
                raise
            link = found
            self.renamed += ((requested, link.name),)
        self.links[link.name] = link
        return link.name

    def _feeds_on(self, index: int) -> list[Feed]:
        return [feed for feed in self.feeds if feed.source.interface_index == index]


def _is_attached(source: CaptureSource, program: Program) -> bool:
    """Attach a program; return False if the kernel refuses it."""
    try:
        source.attach(program)
    except OSError:
        return False
    return True


def _describe(feed: Feed) -> str:
    return f"{safe(feed.source.name)} {feed.link.value}"


def _again(earlier: LinkMessage | None) -> LinkMessage | None:
    """Return a link of an earlier session under its present name, if it is still the same link."""
    link = get_link(earlier.index) if earlier is not None else None
    if earlier is None or link is None:
        return None
    is_same = (link.hardware_type, link.address) == (earlier.hardware_type, earlier.address)
    return link if is_same else None


def _state_now(index: int) -> LinkState:
    link = get_link(index)
    return LinkState.DELETED if link is None else _changed_state(link)


def _changed_state(change: LinkMessage) -> LinkState:
    if change.deleted:
        return LinkState.DELETED
    return _link_state(bool(change.flags & IFF_UP), bool(change.flags & IFF_RUNNING))


def _link_state(up: bool, running: bool) -> LinkState:
    if not up:
        return LinkState.DOWN
    return LinkState.UP if running else LinkState.NO_CARRIER
