"""Map the kernel's interface numbers in a capture to the store's.

A capture on every interface receives frames of interfaces that it has not seen. The map asks the
kernel for each unknown link by itself (RTM_GETLINK with its index, 30 µs). It never dumps all
links, which takes 80 ms for a thousand: this code runs in the thread that empties the ring.

The map keeps its entries until a watcher reports a change. It reads the watcher before each block:
when a link was renamed, or another link got the number of a deleted one, it asks again. If a link
is deleted before its frames are read, its name comes from the message about its deletion. If the
kernel dropped messages (ENOBUFS), the map asks for every link again when its next frame comes.

Frames that a deleted interface left in the ring cannot be distinguished from those of a new one
with the same number. They get the name of the new one if that exists before they are read. The
kernel assigns numbers in ascending order, so this happens only if a user chose the same number
again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.capture.source import AddInterface
from core.decode.batch import CaptureInterface
from core.net.interfaces import LinkHeader, link_type_of
from core.net.netlink import LinkMessage, LinkWatcher, get_link

_GONE_KEPT = 1024  # names of deleted links without a frame
_KNOWN_KEPT = 1 << 16  # links with frames; the map queries a forgotten one again
_UNKNOWN = "unknown interface"  # not a possible name, because of the space


@dataclass(frozen=True, slots=True)
class KnownInterface:
    """An interface whose first frame has arrived."""

    number: int  # in the store
    framing: LinkHeader
    name: str


class InterfaceMap:
    """The meaning of the kernel's interface numbers: the store's numbers and the start of frames.

    The map adds an interface to the store when its first frame arrives. `watcher` reports changes;
    the caller closes it. Without one, the map never forgets.
    """

    def __init__(
        self, add: AddInterface, snap_length: int, watcher: LinkWatcher | None = None
    ) -> None:
        self.snap_length = snap_length
        self._add = add
        self._watcher = watcher
        self._by_index: dict[int, tuple[int, KnownInterface]] = {}  # with the hardware type
        self._by_name: dict[tuple[str, int], KnownInterface] = {}  # with the link type
        self._gone: dict[int, str] = {}

    def add(self, index: int, name: str, hardware_type: int) -> KnownInterface:
        """Add an interface to the store, once."""
        link_type, framing = link_type_of(hardware_type)
        known = self._by_name.get((name, link_type))
        if known is None:
            number = self._add(CaptureInterface(name, link_type, self.snap_length))
            known = self._by_name[name, link_type] = KnownInterface(number, framing, name)
            _forget_oldest(self._by_name, _KNOWN_KEPT)
        self._by_index[index] = hardware_type, known
        _forget_oldest(self._by_index, _KNOWN_KEPT)
        return known

    def look_up(self, index: int, hardware_type: int) -> KnownInterface:
        """Return an interface by its kernel number, asking the kernel about a new one."""
        found = self._by_index.get(index)
        if found is not None and found[0] == hardware_type:
            return found[1]
        return self.add(index, self._name(index), hardware_type)

    def forget(self) -> None:
        """Add every interface to the store again when its next frame arrives."""
        self._by_index.clear()
        self._by_name.clear()

    def apply_changes(self) -> None:
        """Forget links that the kernel reports as changed. Call this before reading each block."""
        if self._watcher is None:
            return
        changes, lost = self._watcher.take()
        if lost:
            self._by_index.clear()
            self._gone.clear()
        for change in changes:
            self._apply(change)

    def _apply(self, change: LinkMessage) -> None:
        if change.deleted:
            self._gone[change.index] = change.name
            _forget_oldest(self._gone, _GONE_KEPT)
            return
        self._gone.pop(change.index, None)
        found = self._by_index.get(change.index)
        if found is not None and found[1].name != change.name:
            del self._by_index[change.index]

    def _name(self, index: int) -> str:
        """Return the name of a link, also of one that was deleted if its deletion was reported."""
        try:
            link = get_link(index) if index > 0 else None
        except OSError:  # no memory or descriptor for the query; the frame is still kept
            link = None
        if link is not None:
            return link.name
        self.apply_changes()
        return self._gone.get(index) or (f"interface {index}" if index > 0 else _UNKNOWN)


def _forget_oldest(known: dict[Any, Any], most: int) -> None:
    if len(known) > most:
        del known[next(iter(known))]
