"""The questions of the send service before an order leaves, on a scripted host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli.output import CommandError
from app.cli.send import send
from core.analysis.analysis_thread import AnalysisThread
from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.journal.approvals import Approvals
from core.forge.journal.database import StateDatabase
from core.forge.orders import Order, Question
from core.forge.review.confirmation import SendVolume
from core.forge.service import ForgeService
from core.forge.values import SendMethod
from tests.helpers.scripted import HOST, SERVER
from tests.helpers.scripted_forge import Neighbor, ScriptedHost
from tests.helpers.waiting import until

UDP = {"ip.dst": SERVER, "ip.src": HOST}


class Asked:
    """A forger, and what it asks."""

    def __init__(self, folder: Path, host: ScriptedHost) -> None:
        self.host = host
        self.forger = ForgeService(folder, host, AnalysisThread())

    def send(self, order: Order) -> Question | None:
        """The question, or None if it left."""
        assert self.forger.send(order)
        return self.wait()

    def answer(self) -> Question | None:
        """Yes; the next question, or None if it left."""
        self.forger.answer(True)
        return self.wait()

    def wait(self) -> Question | None:
        until(lambda: self.forger.snapshot().question or not self.forger.snapshot().sending)
        assert self.forger.snapshot().report.error == ""
        return self.forger.snapshot().question


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    made = Asked(tmp_path, Neighbor())
    yield made
    made.forger.close()


def test_a_change_after_the_answer_is_another_question(asked: Asked) -> None:
    order = Order((Draft(("eth", "ip", "udp"), UDP),), method=SendMethod.LINK, interface="eth0")
    first = asked.send(order)
    assert first is not None
    assert f"{SERVER} on eth0 was not approved before." in first.sentences
    second = asked.answer()
    assert asked.host.sent == []
    assert second is not None
    assert "(ff:ff:ff:ff:ff:ff) is a broadcast: every host on eth0" in second.sentences[0]
    assert not set(first.sentences) & set(second.sentences)
    assert asked.answer() is None
    assert len(asked.host.sent) == 1


def test_a_spoofed_source_an_arp_reply_and_a_wrong_version_are_named(asked: Asked) -> None:
    found = asked.send(Order((Draft(("ip", "udp"), {**UDP, "ip.src": "203.0.113.7"}),)))
    assert found is not None
    assert "The source 203.0.113.7 does not belong to this host" in " ".join(found.sentences)
    asked.forger.answer(False)
    texts = {"arp.opcode": "2", "arp.src.proto_ipv4": "203.0.113.7", "eth.dst": "ff:ff:ff:ff:ff:ff"}
    order = Order((Draft(("eth", "arp"), texts),), method=SendMethod.LINK, interface="eth0")
    found = asked.send(order)
    assert found is not None
    assert "ARP reply says that 203.0.113.7 is at" in " ".join(found.sentences)
    asked.forger.answer(False)
    found = asked.send(Order((Draft(("ip", "udp"), {**UDP, "ip.version": "6"}),)))
    assert found is not None
    assert found.sentences == (f"{SERVER} on eth0 was not approved before.",)
    asked.forger.answer(False)
    assert asked.host.sent == []


def test_the_command_asks_about_a_resolved_link_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Only the resolved link address is not approved, and no user can answer."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    host = Neighbor()
    draft = Draft(("eth", "ip", "udp"), UDP)
    around = host.suggest_from_routes(draft, "eth0")
    departure = host.prepare([evaluate(draft, around.values).data], SendMethod.LINK, "eth0")
    Approvals(StateDatabase(tmp_path / "rawscope")).add(departure.examine(SendVolume()).marks)
    with pytest.raises(CommandError, match="not sent: nobody"):
        send.run_send(send.SendRequest((draft,), link="eth0"), host)
    assert host.sent == []
    said = capfd.readouterr().err
    assert "(ff:ff:ff:ff:ff:ff) is a broadcast: every host on eth0" in said
    assert "was not approved" not in said
