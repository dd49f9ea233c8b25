"""Number the interfaces that packets come from, even if there are more than numbers.

A batch names an interface by 16 bits. A capture of days on a host that creates an interface for
each container, or a malicious file, has more interfaces than that. So the first `OWN` interfaces
have a number each, and later ones share one number per link type, with the name `MORE`. Their
packets stay readable, because the link type tells how to read them; only the name is lost.
"""

from __future__ import annotations

from core.decode.batch import CaptureInterface

INTERFACES = 1 << 16  # numbers that the `interface` column of a batch can hold
_SHARED = 1 << 10  # numbers reserved for sharing; about 40 link types are supported
OWN = INTERFACES - _SHARED
MORE = "more interfaces"  # with a space, which no interface name of the kernel has


class InterfaceNumbers:
    """The list `interfaces`, by number. It only grows."""

    def __init__(self) -> None:
        self.interfaces: list[CaptureInterface] = []
        self._shared: dict[int, int] = {}  # by link type

    def add(self, interface: CaptureInterface) -> int:
        """Return the number of a new interface.

        Raise `ValueError` if no number is left, which takes more than `_SHARED` link types among
        the interfaces that share a number.
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
