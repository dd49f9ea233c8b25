"""What the forge asks of this computer, in one place, so that a test can be another one."""

from __future__ import annotations

from collections.abc import Sequence

from core.forge.compose.draft import Draft
from core.forge.compose.route_suggestions import Surroundings, look_around
from core.forge.transmit.injector import Injector, Way
from core.forge.transmit.transmission import Departure, depart
from core.net.interfaces import list_interfaces


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
        """The way out; see `core.forge.transmit.transmission.depart`. Raises `SendError`."""
        return depart(packets, way, interface, network)

    def open(self, departure: Departure) -> Injector:
        """The socket. Raises `SendError` and `NotPermittedError`."""
        return departure.open()
