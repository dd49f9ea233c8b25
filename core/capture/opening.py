"""Which source serves what was asked for."""

from __future__ import annotations

from dataclasses import replace

from core.capture.datagram import DatagramSource
from core.capture.inet import InetSource
from core.capture.options import CaptureOptions
from core.capture.ring import RingSource, RingUnavailableError
from core.capture.source import AddInterface, Source


def open_source(name: str, options: CaptureOptions, add: AddInterface) -> Source:
    """A source for one interface name (or ``any``); `add` numbers interfaces in the store.

    Where the kernel gives no ring the datagram path is taken, and the source's `note` says so.
    Raises CaptureError.
    """
    if options.method == "inet":
        return InetSource(name, options, add)
    if options.method == "datagram":
        return DatagramSource(name, options, add)
    try:
        return RingSource(name, options, add)
    except RingUnavailableError as error:
        source = DatagramSource(name, replace(options, method="datagram"), add)
        source.note = f"{error}; reading frame by frame, which is slower"
        return source
