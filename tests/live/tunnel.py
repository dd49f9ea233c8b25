"""A tun device: an interface without link headers, whose packets a descriptor reads."""

from __future__ import annotations

import fcntl
import os
import struct
from types import TracebackType

from tests.helpers.support import require_device
from tests.helpers.waiting import until
from tests.live.network import Network

_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000  # linux/if_tun.h


class Tun:
    """A tun device in the near namespace, with the address 10.78.0.1/24."""

    name = "tun7"
    address = "10.78.0.1"

    def __init__(self, network: Network, mtu: int = 1500) -> None:
        self._network = network
        self._mtu = mtu
        self._device = require_device("/dev/net/tun")

    def __enter__(self) -> Tun:
        self._descriptor = self._network.in_near(self._open)
        os.set_blocking(self._descriptor, False)
        self._network.ip_near("addr", "add", f"{self.address}/24", "dev", self.name)
        self._network.ip_near("link", "set", self.name, "up", "mtu", str(self._mtu))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def read(self) -> bytes:
        """Return the next packet that the kernel sent into the tunnel."""
        return until(self._read, "a packet in the tunnel")

    def read_all(self) -> list[bytes]:
        """Return the packets that wait now."""
        return list(iter(self._read, b""))

    def write(self, packet: bytes) -> None:
        """Have a packet arrive from the tunnel."""
        os.write(self._descriptor, packet)

    def _read(self) -> bytes:
        try:
            return os.read(self._descriptor, 1 << 16)
        except BlockingIOError:
            return b""

    def _open(self) -> int:
        descriptor = os.open(self._device, os.O_RDWR)
        request = struct.pack("16sH22x", self.name.encode(), _IFF_TUN | _IFF_NO_PI)
        fcntl.ioctl(descriptor, _TUNSETIFF, request)
        return descriptor
