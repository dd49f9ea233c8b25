"""The send service without a screen: its orders, its threads, and the races between them."""

from __future__ import annotations

import os
import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.analysis.analysis_thread import AnalysisThread
from core.forge import packet_search, payload_reader
from core.forge.background_task import BackgroundTask
from core.forge.commands import FilesRead
from core.forge.compose.draft import Draft
from core.forge.compose.payload_file import FileContent, read_file
from core.forge.compose.route_suggestions import RouteSuggestions
from core.forge.host import ForgeHost
from core.forge.lookup import Lookup
from core.forge.observe.outcome import Outcome
from core.forge.observe.stopwatch import Stopwatch
from core.forge.observe.tracker import Track, Tracker
from core.forge.orders import ForgeSnapshot, Order, ShownDrafts
from core.forge.packet_search import PacketSearch
from core.forge.payload_reader import PayloadReader
from core.forge.send_errors import SendError
from core.forge.sender_thread import Sender
from core.forge.service import ForgeService
from core.forge.transmit.injector import Injector
from core.forge.transmit.transmission import PreparedTransmission
from core.forge.values import SendMethod, SendPlan
from core.net.sockets import LOCAL_SOCKETS
from core.store.filtered_view import View
from core.store.packet_store import PacketStore
from tests.helpers.scripted import HOST, SERVER, scripted_store
from tests.helpers.scripted_forge import ScriptedHost, Wire
from tests.helpers.waiting import until

NOT_OPENED = "not opened"
SYN = {"ip.src": HOST, "ip.dst": SERVER, "tcp.srcport": "4000", "tcp.flags.syn": "1"}
OWN = {"ip.src": HOST, "ip.dst": HOST, "tcp.srcport": "4000"}


class Unopened(ForgeHost):
    """This host, but no socket opens."""

    def __init__(self) -> None:
        super().__init__(LOCAL_SOCKETS)
        self.prepared: PreparedTransmission | None = None

    def open(self, transmission: PreparedTransmission, *, bypass: bool = False) -> Injector:
        self.prepared = transmission
        raise SendError(0, NOT_OPENED)


class Followed:
    """A service that sends into a store, which the test has it follow as the screen does."""

    def __init__(self, folder: Path, host: ScriptedHost | None = None) -> None:
        self.store = scripted_store()
        self.host = host or ScriptedHost(Wire(self.store))
        self.analysis = AnalysisThread()
        self.service = ForgeService(folder, self.host, self.analysis, audit=False)
        self.generation = 1

    def follow(self) -> ForgeSnapshot:
        self.service.update_store(self.store.snapshot(), self.generation, "")
        return self.service.snapshot()

    def replace_store(self) -> None:
        self.store = PacketStore(1 << 20)
        self.host.wire = Wire(self.store)
        self.generation += 1

    def until(self, holds: Callable[[ForgeSnapshot], object]) -> None:
        until(lambda: holds(self.follow()))


@pytest.fixture
def followed(tmp_path: Path) -> Iterator[Followed]:
    made = Followed(tmp_path)
    yield made
    made.service.close()
    made.analysis.close()


def order(*, count: int = 1, rate: float | None = None, **changes: str) -> Order:
    return Order((Draft(("ip", "tcp"), {**OWN, **changes}),), plan=SendPlan(count, rate))


@pytest.mark.parametrize("version", ["0", "6"])
def test_a_wrong_version_is_sent_as_the_protocol_of_its_layer(tmp_path: Path, version: str) -> None:
    host = Unopened()
    service = ForgeService(tmp_path, host, AnalysisThread())
    texts = {"ip.src": "127.0.0.1", "ip.dst": "127.0.0.1", "ip.version": version}
    try:
        assert service.send(Order(drafts=(Draft(("ip", "udp"), texts),)))
        until(lambda: not service.snapshot().sending, "the refusal")
    finally:
        service.close()
    assert service.snapshot().report.error == NOT_OPENED
    assert host.prepared is not None
    assert (host.prepared.interface, host.prepared.network) == ("lo", "ip")


def test_no_attribute_is_written_by_two_threads(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long random run of everything that the screen may do.

    The thread that makes an object may hand it over to another one.
    """
    threads: dict[tuple[int, str, str], set[int]] = defaultdict(set)
    keep = []  # so that no id is used twice
    unfinished: set[int] = set()  # ids of objects that are being made

    def record(cls: type) -> None:
        make = cls.__init__  # type: ignore[misc]

        def making(self: object, *given: object, **named: object) -> None:
            unfinished.add(id(self))
            make(self, *given, **named)
            unfinished.remove(id(self))

        def setting(self: object, name: str, value: object) -> None:
            keep.append(self)
            if id(self) not in unfinished:
                threads[id(self), cls.__name__, name].add(threading.get_ident())
            object.__setattr__(self, name, value)

        monkeypatch.setattr(cls, "__init__", making)
        monkeypatch.setattr(cls, "__setattr__", setting, raising=False)

    for cls in (ForgeService, Sender, Lookup, BackgroundTask, PacketSearch, Tracker, Track, Outcome,
                Stopwatch, View, PayloadReader):  # fmt: skip
        record(cls)
    service, choices = followed.service, random.Random(11)
    orders = (
        order(),
        order(count=40),
        order(count=1000, rate=2000.0),
        order(**SYN),
        order(**SYN, count=20),
        order(**{"ip.ttl": "300"}),
        order(payload=f"@{__file__}"),
        Order((Draft(("eth", "arp"), {}),), method=SendMethod.LINK, interface="eth0"),
    )
    actions: dict[str, Callable[[], object]] = {
        "send": lambda: service.send(choices.choice(orders)),
        "yes": lambda: service.answer(True),
        "no": lambda: service.answer(False),
        "stop": service.stop,
        "suggest": lambda: service.suggest(ShownDrafts(choices.choice(orders).drafts)),
        "follow": followed.follow,
        "store": followed.replace_store,
    }
    sent = 0
    for _ in range(1500):
        action = choices.choices(list(actions), (8, 4, 1, 1, 6, 12, 0.1))[0]
        done = actions[action]()
        sent += bool(done) if action == "send" else 0
        if action == "send" and choices.random() < 0.5:
            followed.until(lambda state: not state.sending or state.question)
    service.answer(True)
    service.stop()
    followed.until(lambda state: not state.sending)
    assert sent > 50
    assert followed.host.sent
    service.close()
    followed.analysis.close()  # now no thread writes any more
    several = {key[1:]: found for key, found in dict(threads).items() if len(found) > 1}
    assert several == {}
    assert len({ident for found in dict(threads).values() for ident in found}) == 5


def test_an_order_is_shown_at_once_and_refused_while_one_is_carried_out(followed: Followed) -> None:
    service = followed.service
    assert service.send(order(**SYN))
    assert service.snapshot().sending
    assert not service.send(order())
    followed.until(lambda state: state.question)
    service.answer(False)
    assert service.snapshot().report.declined
    assert service.snapshot().question is None
    assert service.send(order())
    followed.until(lambda state: not state.sending)
    assert len(followed.host.sent) == 1


def test_a_second_answer_to_a_question_is_void(followed: Followed) -> None:
    followed.service.send(order(**SYN))
    followed.until(lambda state: state.question)
    followed.service.answer(True)
    followed.service.answer(False)
    followed.until(lambda state: not state.sending)
    assert len(followed.host.sent) == 1


def test_the_packets_of_another_store_are_not_shown_as_sent(followed: Followed) -> None:
    followed.service.send(order(**SYN))
    followed.until(lambda state: state.question)
    followed.service.answer(True)
    followed.until(lambda state: state.sent_numbers and state.report.outcomes[0].reply_count)
    followed.replace_store()
    assert followed.follow().sent_numbers == frozenset()
    followed.until(lambda state: not state.report.listening)
    assert followed.follow().sent_numbers == frozenset()


class SlowRoutes(ScriptedHost):
    """Answers the first request for suggestions when the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.may_answer = threading.Event(), threading.Event()

    def suggest_from_routes(
        self, draft: Draft, interface: str = "", *, resolve: bool = False
    ) -> RouteSuggestions:
        if not self.asked.is_set():
            self.asked.set()
            self.may_answer.wait()
        return RouteSuggestions(trouble=draft.texts["payload"])


def test_drafts_handed_over_while_others_are_looked_up_are_not_lost(tmp_path: Path) -> None:
    host = SlowRoutes()
    service = ForgeService(tmp_path, host, AnalysisThread())
    try:
        service.suggest(ShownDrafts((Draft(("ip",), {"payload": "first"}),)))
        assert host.asked.wait(60)
        service.suggest(ShownDrafts((Draft(("ip",), {"payload": "second"}),)))
        host.may_answer.set()
        until(lambda: [one.trouble for one in service.snapshot().suggestions] == ["second"])
        for number in range(500):
            service.suggest(ShownDrafts((Draft(("ip",), {"payload": str(number)}),)))
        until(lambda: [one.trouble for one in service.snapshot().suggestions] == ["499"])
    finally:
        host.may_answer.set()
        service.close()


def test_a_failure_to_follow_an_older_order_is_not_reported_for_a_newer_one(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, may_fail = threading.Event(), threading.Event()

    class FailsForTheFirst(Tracker):
        def extend(self, snapshot: object, budget: object) -> bool:
            if not may_fail.is_set():
                entered.set()
                may_fail.wait()
                raise RuntimeError("a fault")
            return super().extend(snapshot, budget)  # type: ignore[arg-type]

    monkeypatch.setattr(packet_search, "Tracker", FailsForTheFirst)
    service = followed.service
    try:
        followed.follow()
        service.send(order())
        followed.until(lambda state: not state.sending)
        followed.until(lambda _: entered.is_set())
        service.send(order())
        followed.until(lambda state: not state.sending)
    finally:
        may_fail.set()
    followed.until(lambda state: state.report.outcomes and state.report.outcomes[0].number)
    report = service.snapshot().report
    assert (report.listening, report.unseen_reason) == (True, "")


def test_a_failure_to_follow_is_reported_and_the_next_order_is_followed(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bool:
        raise RuntimeError("a\x1bfault")

    with monkeypatch.context() as patched:
        patched.setattr(Tracker, "extend", fail)
        followed.follow()
        followed.service.send(order())
        followed.until(lambda state: state.report.unseen_reason)
    report = followed.service.snapshot().report
    assert "RuntimeError: a" in report.unseen_reason
    assert "\x1b" not in report.unseen_reason
    assert not report.listening
    followed.until(lambda state: not state.sending)
    followed.service.send(order())
    followed.until(lambda state: state.report.outcomes and state.report.outcomes[0].number)


@pytest.mark.parametrize("while_sending", [False, True])
def test_an_internal_error_in_a_command_is_shown_and_the_thread_continues(
    followed: Followed, monkeypatch: pytest.MonkeyPatch, while_sending: bool
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a\x1bfault")

    service = followed.service
    if while_sending:
        service.send(order(count=1000, rate=100.0))
        followed.until(lambda state: state.report.progress is not None)
    publish = service._sender._publish
    monkeypatch.setattr(
        service._sender,
        "_publish",
        lambda **changes: fail() if "files" in changes else publish(**changes),
    )
    service._sender.put(FilesRead({}))
    if while_sending:
        until(lambda: service._sender._notes)
        service.stop()
        followed.until(lambda state: not state.sending)
        words = " ".join(service.snapshot().report.notes)
    else:
        service._start()
        followed.until(lambda state: state.report.error)
        words = service.snapshot().report.error
    assert "internal error (RuntimeError: a" in words
    assert "\x1b" not in words
    monkeypatch.undo()
    assert service.send(order())
    followed.until(lambda state: not state.sending)
    assert service.snapshot().report.error == ""


# -- payloads from files ------------------------------------------------------------------------


class SlowFiles:
    """A file system that answers when the test lets it."""

    def __init__(self) -> None:
        self.asked, self.may_answer = threading.Event(), threading.Event()
        self.reads: list[str] = []

    def read_file(self, name: str) -> FileContent:
        self.asked.set()
        self.may_answer.wait()
        self.reads.append(name)
        return read_file(name)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowFiles]:
    made = SlowFiles()
    monkeypatch.setattr(payload_reader, "read_file", made.read_file)
    yield made
    made.may_answer.set()


def test_a_file_that_is_slow_to_read_delays_nothing_else(
    followed: Followed, slow: SlowFiles, tmp_path: Path
) -> None:
    path = tmp_path / "payload"
    path.write_bytes(b"read in the end")
    service = followed.service
    service.suggest(ShownDrafts(order(payload=f"@{path}").drafts))
    assert slow.asked.wait(60)
    followed.until(lambda state: state.suggestions)  # the routes answer
    assert service.send(order())
    followed.until(lambda state: not state.sending)  # the sender sends
    assert len(followed.host.sent) == 1
    assert service.snapshot().files == {}
    slow.may_answer.set()
    followed.until(lambda state: state.files)
    assert service.snapshot().files[str(path)].data == b"read in the end"


def test_a_file_is_read_once_while_the_draft_changes(
    followed: Followed, slow: SlowFiles, tmp_path: Path
) -> None:
    path = tmp_path / "payload"
    path.write_bytes(b"once")
    slow.may_answer.set()
    for ttl in range(1, 50):
        texts = {"payload": f"@{path}", "ip.ttl": str(ttl)}
        followed.service.suggest(ShownDrafts(order(**texts).drafts))
        followed.until(lambda state: str(path) in state.files)
    assert slow.reads == [str(path)]


def test_a_pipe_a_missing_file_and_a_large_one_are_sentences(
    followed: Followed, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(bytes(1 << 20))
    names = [str(tmp_path / name) for name in ("pipe", "missing", "large")]
    drafts = tuple(Draft(("ip",), {"payload": f"@{name}"}) for name in names)
    followed.service.suggest(ShownDrafts(drafts))
    followed.until(lambda state: len(state.files) == 3)
    files = followed.service.snapshot().files
    assert [files[name].data for name in names] == [b"", b"", b""]
    said = ("not a regular file", "No such file or directory", "longer than the 65535 bytes")
    assert all(words in files[name].error for name, words in zip(names, said, strict=True))


def test_the_bytes_that_were_read_are_sent_although_the_file_changes_at_the_question(
    followed: Followed, tmp_path: Path
) -> None:
    path = tmp_path / "payload"
    path.write_bytes(b"seen")
    wanted = order(**SYN, payload=f"@{path}")
    followed.service.suggest(ShownDrafts(wanted.drafts))
    followed.until(lambda state: state.files)
    followed.service.send(replace(wanted, files=followed.follow().files))
    followed.until(lambda state: state.question)
    path.write_bytes(b"changed")
    followed.service.answer(True)
    followed.until(lambda state: not state.sending)
    (sent,) = followed.host.sent
    assert sent.endswith(b"seen")


def test_a_file_that_changed_since_it_was_shown_is_shown_again_and_not_sent(
    followed: Followed, tmp_path: Path
) -> None:
    path = tmp_path / "payload"
    path.write_bytes(b"seen")
    wanted = order(payload=f"@{path}")
    followed.service.suggest(ShownDrafts(wanted.drafts))
    followed.until(lambda state: state.files)
    shown = followed.follow().files
    path.write_bytes(b"changed")
    followed.service.send(replace(wanted, files=shown))
    followed.until(lambda state: not state.sending)
    report = followed.service.snapshot().report
    assert report.error == f"@{path} has changed; check the new bytes, and send again"
    followed.until(lambda state: state.files[str(path)].data == b"changed")
    followed.service.send(replace(wanted, files=followed.follow().files))
    followed.until(lambda state: not state.sending)
    (sent,) = followed.host.sent
    assert sent.endswith(b"changed")


def test_a_file_that_nobody_saw_is_read_when_it_is_sent(followed: Followed, tmp_path: Path) -> None:
    path = tmp_path / "payload"
    path.write_bytes(b"from the command line")
    followed.service.send(order(payload=f"@{path}"))
    followed.until(lambda state: not state.sending)
    (sent,) = followed.host.sent
    assert sent.endswith(b"from the command line")
