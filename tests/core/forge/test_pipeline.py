"""One pipeline behind the form and the command: equal questions, bytes, and records."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.output import CommandError
from app.cli.send import prompt, send, terminal_driver
from core.forge import pipeline
from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.compose.templates import TEMPLATES
from core.forge.journal.approvals import Approvals
from core.forge.journal.database import StateDatabase
from core.forge.orders import Order
from core.forge.send_errors import SendError
from core.forge.service import ForgeService
from core.forge.values import SendMethod
from core.wire.link.ethernet import ETHERNET
from tests.scripted_forge import Neighbor, ScriptedMachine
from tests.waiting import until

SERVER = "198.51.100.80"
UDP = {"ip.dst": SERVER, "udp.dstport": "9"}
ORDERS = {
    "udp": Order((Draft(("ip", "udp"), UDP),)),
    "spoofed": Order((Draft(("ip", "udp"), {**UDP, "ip.src": "203.0.113.7"}),)),
    "frame": Order((Draft(("eth", "ip", "udp"), UDP),), (), SendMethod.LINK, "eth0"),
    "system": Order((Draft(("ip", "udp"), UDP),), (), SendMethod.SYSTEM),
}


class Asked:
    """What one of the two drivers asked and sent, with all answered by yes."""

    def __init__(self, folder: Path) -> None:
        self.machine: ScriptedMachine = ScriptedMachine()
        self.folder = folder
        self.questions: list[str] = []

    @property
    def known(self) -> frozenset[str]:
        return Approvals(StateDatabase(self.folder)).marks()


def by_form(order: Order, asked: Asked) -> str:
    """Return the error, empty if all was sent."""
    service = ForgeService(asked.folder, audit=False, host=asked.machine)
    try:
        assert service.send(order)
        while True:
            until(lambda: service.snapshot().question or not service.snapshot().sending)
            question = service.snapshot().question
            if question is None:
                return service.snapshot().report.error
            asked.questions += question.sentences
            service.answer(True)
            until(lambda seen=question: service.snapshot().question is not seen)
    finally:
        service.close()


def by_command(order: Order, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> str:
    class Terminal:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return "yes\n"

    monkeypatch.setenv("XDG_STATE_HOME", str(asked.folder.parent))
    monkeypatch.setattr(prompt.sys, "stdin", Terminal())
    asking = prompt.approve

    def approve(found: object, yes: bool) -> bool:
        asked.questions += found.questions  # type: ignore[attr-defined]
        return asking(found, yes)  # type: ignore[arg-type]

    monkeypatch.setattr(terminal_driver, "approve", approve)
    request = send.SendRequest(
        order.drafts, order.interface, order.method is SendMethod.SYSTEM, audit=False
    )
    try:
        send.run_send(request, asked.machine)
    except CommandError as error:
        return str(error)
    return ""


@pytest.fixture
def both(tmp_path: Path) -> tuple[Asked, Asked]:
    return Asked(tmp_path / "form" / "rawscope"), Asked(tmp_path / "command" / "rawscope")


@pytest.mark.parametrize("name", ORDERS)
def test_form_and_command_ask_and_send_the_same(name, both, monkeypatch) -> None:
    form, command = both
    assert by_form(ORDERS[name], form) == ""
    assert by_command(ORDERS[name], command, monkeypatch) == ""
    assert form.questions == command.questions != []
    assert form.machine.sent == command.machine.sent != []
    assert form.known == command.known != frozenset()


@pytest.mark.parametrize("name", ORDERS)
def test_a_yes_is_not_remembered_for_what_did_not_leave(name, both, monkeypatch) -> None:
    form, command = both
    for asked in both:
        asked.machine.error = SendError(1, "EPERM: a firewall")
    assert "firewall" in by_form(ORDERS[name], form)
    assert "firewall" in by_command(ORDERS[name], command, monkeypatch)
    assert form.questions == command.questions != []
    assert form.known == command.known == frozenset()


def test_only_the_resolved_link_address_changes_the_frozen_bytes() -> None:
    host, order = Neighbor(), ORDERS["frame"]
    built = pipeline.build(order, host)
    (before,), (after,) = (
        built.transmission.packets,
        pipeline.resolve(built, host).transmission.packets,
    )
    span = ETHERNET["dst"].span
    assert after[span.start : span.stop] == bytes.fromhex("ffffffffffff")
    assert before[: span.start] + before[span.stop :] == after[: span.start] + after[span.stop :]
    assert after != before


def test_a_draft_is_evaluated_once(monkeypatch) -> None:
    evaluated = []

    def counting(draft, suggested, files):
        evaluated.append(draft)
        return evaluate(draft, suggested, files)

    monkeypatch.setattr(pipeline, "evaluate", counting)
    host = ScriptedMachine()
    pipeline.resolve(pipeline.build(ORDERS["frame"], host), host)
    assert evaluated == [ORDERS["frame"].drafts[0]]


@given(st.sampled_from(sorted(TEMPLATES)), st.integers(0, 65535), st.booleans())
def test_the_bytes_shown_are_the_bytes_sent(name, port, typed) -> None:
    """What the form evaluates with the same suggestions is what goes to the socket."""
    host = ScriptedMachine()
    drafts = tuple(
        draft.with_texts({"ip.dst": SERVER} | ({"udp.srcport": str(port)} if typed else {}))
        for draft in TEMPLATES[name].drafts
    )
    link = any(draft.has_link for draft in drafts)
    order = Order(drafts, (), SendMethod.LINK if link else SendMethod.IP, "eth0" if link else "")
    try:
        built = pipeline.build(order, host)
    except (pipeline.FieldError, SendError):
        return
    shown = tuple(
        evaluate(draft, host.suggest_from_routes(draft, order.interface).values).data
        for draft in drafts
    )
    assert pipeline.resolve(built, host).transmission.packets == shown
