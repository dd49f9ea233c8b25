"""What the kernel's interface numbers in a capture mean."""

from __future__ import annotations

from dataclasses import dataclass

from core.capture.interfaces import Framing, link_type_of, list_interfaces
from core.capture.source import AddInterface
from core.store.batch import CaptureInterface


@dataclass(frozen=True, slots=True)
class KnownInterface:
    """An interface whose first frame has come."""

    number: int  # in the store
    framing: Framing


class InterfaceRegister:
    """What the kernel's interface numbers mean: the store's numbers and the framing.

    An interface is added to the store when its first frame arrives.
    """

    def __init__(self, add: AddInterface, snap_length: int) -> None:
        self._add = add
        self._known: dict[int, KnownInterface] = {}
        self.snap_length = snap_length

    def know(self, index: int, name: str, hardware_type: int) -> KnownInterface:
        """Add an interface to the store, once."""
        link_type, framing = link_type_of(hardware_type)
        number = self._add(CaptureInterface(name, link_type, self.snap_length))
        self._known[index] = known = KnownInterface(number, framing)
        return known

    def look_up(self, index: int, hardware_type: int) -> KnownInterface:
        """An interface by its kernel number, asking the kernel for the name of a new one."""
        known = self._known.get(index)
        if known is None:
            names = {found.index: found.name for found in list_interfaces()}
            known = self.know(index, names.get(index, f"interface {index}"), hardware_type)
        return known
