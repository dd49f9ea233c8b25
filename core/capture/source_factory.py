"""Open the source that the capture options ask for."""

from __future__ import annotations

from dataclasses import replace

from core.capture.datagram import DatagramSource
from core.capture.inet import InetSource
from core.capture.options import CaptureOptions
from core.capture.ring import RingSource, RingUnavailableError
from core.capture.source import AddInterface, CaptureError, CaptureSource
from core.net.sockets import SocketProvider
from core.wire.model.text import safe


def open_source(
    name: str,
    options: CaptureOptions,
    add: AddInterface,
    sockets: SocketProvider,
) -> CaptureSource:
    """Open a source for one interface name (or ``any``); `add` numbers interfaces in the store,
    `sockets` makes the raw sockets.

    Falls back to the datagram source if the kernel provides no ring; the source's `note` reports
    that. Raises `CaptureError`, also for other errors of the kernel.
    """
    try:
        return _open(name, options, add, sockets)
    except OSError as error:
        raise CaptureError(f"{safe(name)}: cannot capture: {error.strerror or error}") from error


def _open(
    name: str, options: CaptureOptions, add: AddInterface, sockets: SocketProvider
) -> CaptureSource:
    """Open the source that the options name. Raises `CaptureError` and `OSError`."""
    if options.method == "inet":
        return InetSource(name, options, add, sockets)
    if options.method == "datagram":
        return DatagramSource(name, options, add, sockets)
    try:
        return RingSource(name, options, add, sockets)
    except RingUnavailableError as error:
        source = DatagramSource(name, replace(options, method="datagram"), add, sockets)
        source.note = f"{error}; reading frame by frame, which is slower"
        return source
