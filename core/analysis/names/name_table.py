"""The names that are known: of hosts, vendors, and services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.analysis.names.vendors import Vendors
from core.wire.model.text import safe

MOST_HOSTS = 1 << 16
"""Addresses with a name that are kept, of about 200 bytes each."""

_VENDOR_WIDTH = 8


@dataclass(frozen=True, slots=True, eq=False)
class NameTable:
    """Names of addresses and ports. `version` changes when a name is added.

    `hosts` has names by the text of the address; the analysis thread adds to it. `services` has
    names by transport and port. `vendors` is None until it is loaded.
    """

    version: int = 0
    hosts: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[tuple[str, int], str] = field(default_factory=dict)
    vendors: Vendors | None = None

    def host(self, address: str) -> str:
        """Return the host name of an IP address, or an empty text."""
        return self.hosts.get(address, "")

    def vendor(self, address: str) -> str:
        """Return the vendor of a MAC address such as ``00:1b:21:00:00:01``, or an empty text."""
        if self.vendors is None or len(address) != 17 or address.count(":") != 5:
            return ""
        try:
            return self.vendors.name(int(address.replace(":", ""), 16))
        except ValueError:  # it is an IPv6 address of this length
            return ""

    def service(self, transport: str, port: int) -> str:
        """Return the name of the service of a port, or an empty text."""
        return self.services.get((transport, port), "")

    def shown(self, address: str) -> str:
        """Return an address as the packet table shows it with names: the name, or the address.

        Of a MAC address the vendor's first word replaces the first half: ``Intel_00:00:01``.
        """
        name = self.host(address)
        if name:
            return safe(name)
        vendor = self.vendor(address)
        if not vendor:
            return address
        word = "".join(filter(str.isalnum, vendor.split()[0]))[:_VENDOR_WIDTH]
        return f"{safe(word)}_{address[9:]}" if word else address


NO_NAMES = NameTable()
"""A table without any name."""
