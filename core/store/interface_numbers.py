"""Numbers for the interfaces that packets come from, of which there may be any number.

A batch names an interface by 16 bits. A capture of days on a machine that makes an interface for
each container, or a file made to do harm, has more of them. So the first `OWN` interfaces have a
number each, and those that follow share one for each link type, named `MORE`: packets stay
readable, since the link type says how, and only the name is lost.
"""

from __future__ import annotations

from core.decode.batch import CaptureInterface

INTERFACES = 1 << 16  # what a batch's `interface` column can number
_SHARED = 1 << 10  # numbers kept for sharing: there are about 40 link types that are read
OWN = INTERFACES - _SHARED
MORE = "more interfaces"  # the space keeps it apart from any name of the kernel's


class InterfaceNumbers:
    """Interfaces by number, in `interfaces`, which only grows."""

    def __init__(self) -> None:
        self.interfaces: list[CaptureInterface] = []
        self._shared: dict[int, int] = {}  # by link type

    def add(self, interface: CaptureInterface) -> int:
        """Return the number of a new interface.

        Raises `ValueError` if `INTERFACES` numbers are given away, which takes `_SHARED` link
        types among those that share.
        """
        if len(self.interfaces) < OWN:
            self.interfaces.append(interface)
            return len(self.interfaces) - 1
        number = self._shared.get(interface.link_type)
        if number is None:
            number = len(self.interfaces)
            if number >= INTERFACES:
                raise ValueError(f"there are more than {INTERFACES:,} interfaces")
            self.interfaces.append(CaptureInterface(MORE, interface.link_type))
            self._shared[interface.link_type] = number
        return number
