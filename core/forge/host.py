"""Access to routes, neighbors, interfaces, and raw sockets of the host; a test can replace it."""

from __future__ import annotations

from collections.abc import Sequence

from core.forge.compose.draft import Draft
from core.forge.compose.route_suggestions import RouteSuggestions, suggest_from_routes
from core.forge.transmit.injector import Injector
from core.forge.transmit.link_header import method_on
from core.forge.transmit.transmission import PreparedTransmission, prepare
from core.forge.values import SendMethod
from core.net.interfaces import list_interfaces
from core.net.sockets import SocketProvider


class ForgeHost:
    """Routes, neighbors, interfaces, and raw sockets of this host; `sockets` makes the latter."""

    def __init__(self, sockets: SocketProvider) -> None:
        self.sockets = sockets

    def suggest_from_routes(
        self, draft: Draft, interface: str = "", *, resolve: bool = False
    ) -> RouteSuggestions:
        """Return what routes and neighbors suggest for a draft."""
        return suggest_from_routes(draft, interface, resolve=resolve)

    def interfaces(self) -> dict[str, SendMethod | None]:
        """Return the interfaces that are up: by name, the method that sends verbatim there."""
        return {info.name: method_on(info) for info in list_interfaces() if info.up}

    def prepare(
        self, packets: Sequence[bytes], method: SendMethod, interface: str, network: str = ""
    ) -> PreparedTransmission:
        """Find how packets leave; see `transmission.prepare`. Raises `SendError`."""
        return prepare(packets, method, interface, network)

    def open(self, transmission: PreparedTransmission, *, bypass: bool = False) -> Injector:
        """Open the socket. Raises `SendError` and `NotPermittedError`."""
        return transmission.open(self.sockets, bypass=bypass)
