"""The forger without a screen: it departs as the command line does."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.forge.compose.draft import Draft
from core.forge.host import ForgeHost
from core.forge.orders import Order
from core.forge.send_errors import SendError
from core.forge.service import ForgeService
from core.forge.transmit.injector import Injector
from core.forge.transmit.transmission import PreparedTransmission
from tests.live.network import until

NOT_OPENED = "not opened"


class Unopened(ForgeHost):
    """This computer, but nothing leaves it."""

    def __init__(self) -> None:
        self.transmission: PreparedTransmission | None = None

    def open(self, transmission: PreparedTransmission, *, bypass: bool = False) -> Injector:
        self.transmission = transmission
        raise SendError(0, NOT_OPENED)


@pytest.mark.parametrize("version", ["0", "6"])
def test_a_wrong_version_departs_as_what_it_is_meant_to_be(tmp_path: Path, version: str) -> None:
    machine = Unopened()
    forger = ForgeService(tmp_path, host=machine)
    texts = {"ip.src": "127.0.0.1", "ip.dst": "127.0.0.1", "ip.version": version}
    try:
        assert forger.send(Order(drafts=(Draft(("ip", "udp"), texts),)))
        until(lambda: not forger.snapshot().sending, "the refusal")
    finally:
        forger.close()
    assert forger.snapshot().report.error == NOT_OPENED
    assert machine.transmission is not None
    assert (machine.transmission.interface, machine.transmission.network) == ("lo", "ip")
