"""One pipeline behind the form and the command: equal questions, bytes, and records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from app.cli.output import CommandError
from app.cli.send import prompt, send, terminal_prompter
from core.analysis.analysis_thread import AnalysisThread
from core.files.reader import open_capture
from core.forge import order_job
from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.compose.payload_file import read_file
from core.forge.compose.templates import TEMPLATES
from core.forge.journal.approvals import Approvals
from core.forge.journal.database import StateDatabase
from core.forge.journal.history import SendHistory
from core.forge.orders import Order
from core.forge.review.confirmation import Examination
from core.forge.send_errors import SendError
from core.forge.service import ForgeService
from core.forge.values import SendMethod, SendPlan
from tests.helpers.scripted import HOST
from tests.helpers.scripted_forge import NO_ROUTE, ScriptedHost
from tests.helpers.support import remarks_of
from tests.helpers.waiting import until

SERVER, NO_ROUTE_TO = "198.51.100.80", "203.0.113.9"
UDP = {"ip.dst": SERVER, "udp.dstport": "9"}
FRAME = Order((Draft(("eth", "ip", "udp"), UDP),), (), SendMethod.LINK, "eth0")

SUSPICIOUS: dict[str, dict[str, str]] = {
    "a host": {},
    "this host": {"ip.dst": HOST, "ip.src": HOST},
    "a spoofed source": {
        "ip.src": "203.0.113.7",
        "ipv6.src": "2001:db8:1::7",
        "arp.src.proto_ipv4": "203.0.113.7",
    },
    "a spoofed link source": {"eth.src": "02:00:00:00:00:99", "arp.src.hw_mac": "2:0:0:0:0:99"},
    "a broadcast": {"ip.dst": "255.255.255.255", "eth.dst": "ff:ff:ff:ff:ff:ff"},
    "a group": {"ip.dst": "224.0.0.251", "ipv6.dst": "ff02::fb", "eth.dst": "01:00:5e:00:00:fb"},
    "a source route": {"ip.options": "lsrr=4:192.0.2.1"},
    "a wrong version": {"ip.version": "6"},
}
AMOUNTS = (SendPlan(), SendPlan(1_500, 1e6), SendPlan(10_001))
DESTINATIONS = {"ip.dst": SERVER, "ipv6.dst": "2001:db8::80", "arp.dst.proto_ipv4": SERVER}


def orders_of(name: str, method: SendMethod) -> Iterator[Order]:
    """Yield an order for each suspicious address, with the amounts in turn."""
    for number, changes in enumerate(SUSPICIOUS.values()):
        drafts = []
        for draft in TEMPLATES[name].drafts:
            if method is SendMethod.LINK and not draft.has_link:
                draft = draft.with_layers(("eth", *draft.layers))
            wanted = draft.with_texts({**DESTINATIONS, **changes})
            drafts.append(wanted.own())
        interface = "eth0" if method is SendMethod.LINK else ""
        plan = AMOUNTS[number % len(AMOUNTS)]
        yield Order(tuple(drafts), (), method, interface, plan)


@dataclass
class Driven:
    """The questions, packets, and records of one of the two drivers."""

    folder: Path
    questions: list[str]
    sent: list[bytes]
    error: str

    @property
    def approved(self) -> frozenset[str]:
        return Approvals(StateDatabase(self.folder)).marks()

    @property
    def records(self) -> object:
        """The audit but for its times, the history, and the approvals."""
        audit = []
        for path in sorted(self.folder.glob("*.pcapng")):
            with open_capture(path) as reader:
                for batch in reader.batches():
                    for row in range(len(batch)):
                        at, size = int(batch.offset[row]), int(batch.captured[row])
                        data = batch.data[at : at + size].tobytes()
                        audit.append((path.name, data, batch.comments.get(row)))
            audit.append((path.name, remarks_of(path)))
        return audit, SendHistory(StateDatabase(self.folder)).entries(), self.approved


def by_form(order: Order, folder: Path, host: ScriptedHost, answer: bool) -> Driven:
    service = ForgeService(folder, host, AnalysisThread())
    questions: list[str] = []
    try:
        assert service.send(order)
        while True:
            until(lambda: service.snapshot().question or not service.snapshot().sending)
            question = service.snapshot().question
            if question is None:
                return Driven(folder, questions, host.sent, service.snapshot().report.error)
            questions += question.sentences
            service.answer(answer)
    finally:
        service.close()


def by_command(order: Order, folder: Path, host: ScriptedHost, answer: bool) -> Driven:
    class Terminal:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return "yes\n" if answer else "no\n"

    questions: list[str] = []

    def approve(found: Examination, yes: bool) -> bool:
        questions.extend(found.questions)
        return prompt.approve(found, yes)

    request = send.SendRequest(
        order.drafts,
        order.interface,
        order.method is SendMethod.SYSTEM,
        order.plan.count,
        order.plan.rate,
    )
    error = ""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder.parent))
        patch.setenv("XDG_CONFIG_HOME", str(folder.parent))
        patch.setattr(prompt.sys, "stdin", Terminal())
        patch.setattr(terminal_prompter, "approve", approve)
        try:
            send.run_send(request, host)
        except (CommandError, send.FieldTextError) as failure:
            error = str(failure)
    return Driven(folder, questions, host.sent, error)


def both(
    order: Order, folder: Path, *, error: SendError | None = None, answer: bool = True
) -> tuple[Driven, Driven]:
    """Drive an order through form and command, each with a state folder of its own."""
    driven = []
    for drive, name in ((by_form, "form"), (by_command, "command")):
        host = ScriptedHost()
        host.error = error
        driven.append(drive(order, folder / name / "rawscope", host, answer))
    return driven[0], driven[1]


@pytest.mark.parametrize("method", [SendMethod.IP, SendMethod.SYSTEM, SendMethod.LINK])
@pytest.mark.parametrize("name", TEMPLATES)
def test_form_and_command_ask_send_and_record_the_same(
    name: str, method: SendMethod, tmp_path: Path
) -> None:
    asked, left = set(), 0
    for number, order in enumerate(orders_of(name, method)):
        if order.drafts[0].has_link and method is not SendMethod.LINK:
            continue  # refused; see below
        form, command = both(order, tmp_path / str(number))
        assert form.questions == command.questions, order
        assert form.sent == command.sent, order
        assert form.records == command.records, order
        assert (form.error, command.error) == ("", ""), order
        asked.update(form.questions)
        left += len(form.sent)
    assert (len(asked) > 3 and left > 10_000) or name == "arp-who-has"


ERRORS: dict[str, tuple[Order, str]] = {
    "a field": (Order((Draft(("ip", "udp"), {**UDP, "ip.ttl": "300"}),)), "300: time to live"),
    "no destination": (Order((Draft(("ip", "udp"), {}),)), "no destination: type"),
    "too long": (Order((Draft(("ip",), {**UDP, "payload": "x" * 65530}),)), "bytes too many"),
    "a missing file": (
        Order((Draft(("ip", "udp"), {**UDP, "payload": "@/no/such/file"}),)),
        "@/no/such/file: No such file or directory",
    ),
    "no link address": (
        Order((Draft(("eth", "ip"), {"ip.dst": NO_ROUTE_TO}),), (), SendMethod.LINK, "eth0"),
        NO_ROUTE,
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_form_and_command_report_the_same_error_and_send_nothing(name, tmp_path) -> None:
    order, reason = ERRORS[name]
    form, command = both(order, tmp_path)
    assert reason in form.error
    assert reason in command.error
    assert form.sent == command.sent == []
    assert form.records == command.records == ([], [], frozenset())


METHODS = {
    "IP": Order((Draft(("ip", "udp"), UDP),)),
    "system": Order((Draft(("ip", "udp"), UDP),), (), SendMethod.SYSTEM),
    "link": FRAME,
    "spoofed": Order((Draft(("ip", "udp"), {**UDP, "ip.src": "203.0.113.7"}),)),
}


@pytest.mark.parametrize("name", METHODS)
def test_an_approval_is_not_remembered_if_nothing_left(name, tmp_path) -> None:
    form, command = both(METHODS[name], tmp_path, error=SendError(1, "EPERM: a firewall"))
    assert "firewall" in form.error
    assert "firewall" in command.error
    assert form.questions == command.questions != []
    assert form.approved == command.approved == frozenset()
    assert form.records == command.records


@pytest.mark.parametrize("name", METHODS)
def test_a_no_sends_and_records_nothing(name, tmp_path) -> None:
    form, command = both(METHODS[name], tmp_path, answer=False)
    assert form.questions == command.questions != []
    assert (form.sent, command.sent, form.error, command.error) == ([], [], "", "not sent")
    assert form.records == command.records == ([], [], frozenset())


def test_frames_without_an_interface_are_an_error_for_form_and_command(tmp_path) -> None:
    form, command = both(replace(FRAME, method=SendMethod.IP, interface=""), tmp_path)
    reason = "link: frames with a link header need the interface that they leave on"
    assert (form.error, command.error) == (reason, f"--{reason}, e.g. --link eth0")
    assert form.sent == command.sent == []


def test_the_command_evaluates_and_reads_once_although_it_saves_the_draft(
    tmp_path, monkeypatch
) -> None:
    path, calls = tmp_path / "payload", []
    path.write_bytes(b"once")

    def counting(call):
        def counted(*arguments):
            calls.append(call)
            return call(*arguments)

        return counted

    for call in (evaluate, read_file):
        monkeypatch.setattr(order_job, call.__name__, counting(call))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    draft = Draft(("ip", "udp"), {**UDP, "payload": f"@{path}"})
    host = ScriptedHost()
    assert send.run_send(send.SendRequest((draft,), yes=True, save_as="a"), host) == 0
    assert host.sent[0].endswith(b"once")
    assert calls == [read_file, evaluate]
