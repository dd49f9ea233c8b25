"""The interface between a capture and what takes its packets: the store, and recorders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch, CaptureInterface
from core.store.interface_numbers import INTERFACES, InterfaceNumbers


class PacketSink(Protocol):
    """Takes interfaces, and batches whose column `interface` holds their numbers."""

    def add_interface(self, interface: CaptureInterface) -> int:
        """Register an interface; return the number by which batches name it."""
        ...

    def append(self, batch: Batch) -> Sequence[Batch] | None:
        """Take packets, in the order of their arrival.

        A batch that is not `stable` is valid only during the call: copy what you keep. A sink that
        copied it may return its packets in `stable` batches, which other sinks need not copy.
        """
        ...


class PacketFanOut:
    """A sink that hands everything to several others, each with interface numbers of its own.

    Translates the interface numbers of every packet for a sink that counts interfaces differently;
    hands the batch itself to the others, or the stable ones that an earlier sink returned.
    """

    def __init__(self, sinks: Sequence[PacketSink]) -> None:
        self._sinks: list[PacketSink] = []
        self._numbers = InterfaceNumbers()
        self._number_in: list[NDArray[np.uint16]] = []  # of each sink, by own number
        self._is_renumbered: list[bool] = []
        for sink in sinks:
            self.add(sink)

    def add(self, sink: PacketSink) -> None:
        """Hand packets to another sink from now on."""
        self._sinks.append(sink)
        self._number_in.append(np.zeros(INTERFACES, np.uint16))
        self._is_renumbered.append(False)
        for number in range(len(self._numbers.interfaces)):
            self._register(len(self._sinks) - 1, number)

    def remove(self, sink: PacketSink) -> None:
        """Hand no more packets to a sink; do nothing if it was removed before."""
        if sink in self._sinks:
            at = self._sinks.index(sink)
            del self._sinks[at], self._number_in[at], self._is_renumbered[at]

    def add_interface(self, interface: CaptureInterface) -> int:
        """Register an interface with every sink; return the number that stands for it here."""
        known = len(self._numbers.interfaces)
        number = self._numbers.add(interface)
        if number >= known:
            for at in range(len(self._sinks)):
                self._register(at, number)
        return number

    def _register(self, at: int, number: int) -> None:
        sink_number = self._sinks[at].add_interface(self._numbers.interfaces[number])
        self._number_in[at][number] = sink_number
        self._is_renumbered[at] |= sink_number != number

    def append(self, batch: Batch) -> None:
        """Hand packets to every sink, in turn."""
        batches: Sequence[Batch] = (batch,)
        for at, sink in enumerate(self._sinks):
            if self._is_renumbered[at]:
                for each in batches:
                    sink.append(replace(each, interface=self._number_in[at][each.interface]))
            elif len(batches) == 1:
                batches = sink.append(batches[0]) or batches
            else:
                for each in batches:
                    sink.append(each)
