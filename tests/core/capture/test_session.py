"""A capture session with failing parts leaves nothing open."""

from __future__ import annotations

import errno
import os
import socket

import pytest

from core.capture import inet, packet_socket, session
from core.capture.bpf import REJECT_ALL
from core.capture.capture_filter import CaptureFilter
from core.capture.options import CaptureOptions
from core.capture.session import CaptureSession
from core.capture.source import CaptureError
from core.capture.source_factory import open_source
from core.decode.batch import CaptureInterface
from core.decode.capture_statistics import CaptureStatistics
from core.net import netlink, sockets
from core.net.sockets import LOCAL_SOCKETS
from tests.core.decode.support import batch_of

OPTIONS = CaptureOptions(("lo", "any"))


class BrokenSource:
    """A source without frames whose `close` raises, but closes."""

    note = ""

    def __init__(self, name, _options, _add, _sockets):
        self.name = name
        self.interface_index = 1
        self.descriptor = os.eventfd(0)

    def statistics(self) -> CaptureStatistics:
        raise OSError("no statistics")

    def close(self):
        os.close(self.descriptor)
        raise OSError(f"closing {self.name}")


@pytest.fixture
def opened(monkeypatch):
    sources = []

    def open_source(*arguments):
        sources.append(BrokenSource(*arguments))
        return sources[-1]

    monkeypatch.setattr(session, "open_source", open_source)
    return sources


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def test_a_failing_close_does_not_keep_other_sources_open(opened):
    before = descriptors()
    made = CaptureSession(OPTIONS, lambda _: 0, LOCAL_SOCKETS)
    assert descriptors() > before + 2
    with pytest.raises(OSError, match="closing"):
        made.close()
    assert descriptors() == before
    assert len(opened) == 2


def test_sources_are_closed_if_the_link_query_fails(opened, monkeypatch):
    def fail(_index):
        raise OSError("no more descriptors")

    monkeypatch.setattr(session, "get_link", fail)
    before = descriptors()
    with pytest.raises(OSError, match="closing"):
        CaptureSession(OPTIONS, lambda _: 0, LOCAL_SOCKETS)
    assert descriptors() == before
    assert len(opened) == 2


class FullSource(BrokenSource):
    """A source that holds more frames than can be read in time."""

    received, dropped = 1_000, 10

    def statistics(self) -> CaptureStatistics:
        return CaptureStatistics(self.received, self.dropped)

    def read(self):
        return batch_of([b"frame"] * 100)

    def detach(self):
        pass

    def clear_error(self):
        return 0

    def fileno(self):
        return self.descriptor

    def describe_again(self):
        pass

    def close(self):
        os.close(self.descriptor)


class SlowSource(FullSource):
    """A source that delivers nothing in time."""

    def read(self):
        return None


@pytest.mark.parametrize("kind", [FullSource, SlowSource])
def test_unread_frames_of_a_source_count_as_dropped(monkeypatch, kind) -> None:
    """However a session ends, captured + dropped = received."""
    made = []

    def open_source(*arguments):
        made.append(kind(*arguments))
        return made[-1]

    monkeypatch.setattr(session, "open_source", open_source)
    seconds = iter(range(1_000))
    kept = []
    capture = CaptureSession(OPTIONS, lambda _: 0, LOCAL_SOCKETS)
    monkeypatch.setattr(session.time, "monotonic", lambda: next(seconds) / 2)
    for feed in tuple(capture.feeds):
        capture.end(feed, kept.append)
        total = capture.statistics()
        assert total.received == sum(source.received for source in made)
    capture.close()
    assert (len(kept) > 0) is (kind is FullSource)
    assert capture.delivered == 100 * len(kept) < total.received
    assert capture.delivered + total.dropped == total.received


class Unbindable(socket.socket):
    """A socket whose bind fails, as without memory or under a security module."""

    def bind(self, address):
        no_more_descriptors()


def no_more_descriptors(*_arguments):
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


class UdpSockets(sockets.LocalSockets):
    """Makes UDP sockets, which take no privilege and know no option of a packet socket."""

    def packet_socket(self, purpose="", interfaces=()):
        return socket.socket(type=socket.SOCK_DGRAM)

    def raw_ipv4_socket(self, protocol, interfaces=()):
        return socket.socket(type=socket.SOCK_DGRAM)


# the failing call when a source or a session is opened
FAULTS = {
    "the filter": lambda patch: patch.setattr(packet_socket.bpf, "attach", no_more_descriptors),
    "the watcher's socket": lambda patch: patch.setattr(
        packet_socket, "LinkWatcher", no_more_descriptors
    ),
    "the watcher's address": lambda patch: patch.setattr(netlink.socket, "socket", Unbindable),
    "an option": lambda patch: patch.setattr(packet_socket, "_bind", no_more_descriptors),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", ["ring", "datagram"])
def test_a_source_that_cannot_be_opened_leaves_nothing_open(monkeypatch, method, fault) -> None:
    """The error is one sentence, and no descriptor leaks; a UDP socket lacks the options."""
    FAULTS[fault](monkeypatch)
    before = descriptors()
    with pytest.raises(CaptureError, match="any: "):
        open_source("any", CaptureOptions(("any",), method=method), lambda _: 0, UdpSockets())
    assert descriptors() == before


def test_an_inet_source_that_cannot_be_opened_leaves_nothing_open(monkeypatch) -> None:
    monkeypatch.setattr(inet, "grow_receive_buffer", no_more_descriptors)
    before = descriptors()
    with pytest.raises(CaptureError, match="any: "):
        open_source("any", CaptureOptions(("any",), method="inet"), lambda _: 0, UdpSockets())
    assert descriptors() == before


@pytest.mark.parametrize("place", ["LinkWatcher", "get_link"])
def test_a_session_that_cannot_be_opened_leaves_nothing_open(monkeypatch, place) -> None:
    monkeypatch.setattr(session, "open_source", FullSource)
    monkeypatch.setattr(session, place, no_more_descriptors)
    before = descriptors()
    with pytest.raises(CaptureError, match="open files"):
        CaptureSession(OPTIONS, lambda _: 0, LOCAL_SOCKETS)
    assert descriptors() == before


class FilteredSource(FullSource):
    """A source whose kernel charges a new filter before it frees the old one."""

    def __init__(self, *arguments, room: int):
        super().__init__(*arguments)
        self.room, self.attached = room, self.program(None)

    def program(self, capture_filter):
        return REJECT_ALL * (1 if capture_filter is None else len(capture_filter.text))

    def attach(self, program):
        if len(self.attached) + len(program) > self.room:
            raise OSError(errno.ENOMEM, "no room")
        self.attached = program


@pytest.mark.parametrize("rooms", [(9, 7), (7, 9), (7, 7)])
def test_a_refused_filter_leaves_the_old_one_everywhere(monkeypatch, rooms) -> None:
    """The old filter has no room beside itself either, so no other feed is touched."""
    made = []

    def open_source(*arguments):
        made.append(FilteredSource(*arguments, room=rooms[len(made)]))
        return made[-1]

    monkeypatch.setattr(session, "open_source", open_source)
    opened = CaptureSession(OPTIONS, lambda _: 0, LOCAL_SOCKETS)
    old = CaptureFilter("four")
    opened.change_filter(old)
    with pytest.raises(CaptureError, match=r"refuses the capture filter: no room$"):
        opened.change_filter(CaptureFilter("fives"))
    assert opened.capture_filter is old
    assert [len(source.attached) for source in made] == [4, 4]
    opened.change_filter(CaptureFilter("two"))
    assert [len(source.attached) for source in made] == [3, 3]
    opened.close()


def test_interfaces_are_described_with_the_filter_in_force(monkeypatch) -> None:
    """pcapng has it as ``if_filter``."""
    made, added = [], []

    class Describing(FilteredSource):
        def __init__(self, name, _options, add, _sockets):
            super().__init__(name, _options, add, _sockets, room=99)
            self.add = add
            self.describe_again()

        def describe_again(self):
            made.append(self.add(CaptureInterface(self.name, 1)))

    def add(interface):
        added.append((interface.name, interface.options))
        return len(added) - 1

    monkeypatch.setattr(session, "open_source", Describing)
    opened = CaptureSession(CaptureOptions(("lo",)), add, LOCAL_SOCKETS)
    opened.change_filter(CaptureFilter("udp", "not (tcp)"))
    opened.change_filter(None)
    described = ((11, b"\0(not (tcp)) and (udp)"),)
    assert added == [("lo", ()), ("lo", described), ("lo", ())]
    assert made == [0, 1, 2]
    opened.close()


def test_a_feed_that_keeps_the_new_filter_is_named(monkeypatch) -> None:
    made = []

    def open_source(*arguments):
        made.append(FilteredSource(*arguments, room=9 if not made else 7))
        return made[-1]

    monkeypatch.setattr(session, "open_source", open_source)
    opened = CaptureSession(OPTIONS, lambda _: 0, LOCAL_SOCKETS)
    opened.change_filter(CaptureFilter("four"))
    attach = made[0].attach

    def attach_once(program):
        attach(program)
        made[0].room = 0

    made[0].attach = attach_once
    with pytest.raises(CaptureError, match="restart the capture: lo has the new filter"):
        opened.change_filter(CaptureFilter("fives"))
    opened.close()
