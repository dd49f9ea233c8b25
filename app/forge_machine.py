"""What the forge asks of this computer, in one place, so that a test can be another one."""

from __future__ import annotations

from collections.abc import Sequence

from core.capture.interfaces import list_interfaces
from core.forge.departure import Departure, depart
from core.forge.draft import Draft
from core.forge.injector import Injector, Way
from core.forge.surroundings import Surroundings, look_around


class Machine:
    """This computer."""

    def look_around(
        self, draft: Draft, interface: str = "", *, resolve: bool = False
    ) -> Surroundings:
        """What routes and neighbours suggest for a draft."""
        return look_around(draft, interface, resolve=resolve)

    def interfaces(self) -> tuple[str, ...]:
        """The names of the interfaces that are up."""
        return tuple(info.name for info in list_interfaces() if info.up)

    def depart(
        self, packets: Sequence[bytes], way: Way, interface: str, network: str = ""
    ) -> Departure:
        """The way out; see `core.forge.departure.depart`. Raises `SendError`."""
        return depart(packets, way, interface, network)

    def open(self, departure: Departure) -> Injector:
        """The socket. Raises `SendError` and `NotPermittedError`."""
        return departure.open()
