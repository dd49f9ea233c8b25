"""What the forge asks of this computer, in one place, so that a test can be another one."""

from __future__ import annotations

from collections.abc import Sequence

from core.forge.compose.draft import Draft
from core.forge.compose.route_suggestions import RouteSuggestions, suggest_from_routes
from core.forge.transmit.injector import Injector
from core.forge.transmit.transmission import PreparedTransmission, prepare
from core.forge.values import SendMethod
from core.net.interfaces import list_interfaces


class ForgeHost:
    """This computer."""

    def suggest_from_routes(
        self, draft: Draft, interface: str = "", *, resolve: bool = False
    ) -> RouteSuggestions:
        """What routes and neighbors suggest for a draft."""
        return suggest_from_routes(draft, interface, resolve=resolve)

    def interfaces(self) -> tuple[str, ...]:
        """The names of the interfaces that are up."""
        return tuple(info.name for info in list_interfaces() if info.up)

    def prepare(
        self, packets: Sequence[bytes], way: SendMethod, interface: str, network: str = ""
    ) -> PreparedTransmission:
        """The way out; see `core.forge.transmit.transmission.prepare`. Raises `SendError`."""
        return prepare(packets, way, interface, network)

    def open(self, departure: PreparedTransmission) -> Injector:
        """The socket. Raises `SendError` and `NotPermittedError`."""
        return departure.open()
