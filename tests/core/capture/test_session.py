"""A capture session whose parts fail: nothing stays open."""

from __future__ import annotations

import os

import pytest

from core.capture import session
from core.capture.options import CaptureOptions
from core.capture.session import CaptureSession
from core.capture.source import CaptureStatistics

OPTIONS = CaptureOptions(("lo", "any"))


class BrokenSource:
    """Knows nothing, and fails at its closing, but is closed then."""

    note = ""

    def __init__(self, name, _options, _add):
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


def test_a_source_that_cannot_be_closed_keeps_no_other_open(opened):
    before = descriptors()
    made = CaptureSession(OPTIONS, lambda _: 0)
    assert descriptors() > before + 2
    with pytest.raises(OSError, match="closing"):
        made.close()
    assert descriptors() == before
    assert len(opened) == 2


def test_sources_are_closed_when_the_links_cannot_be_asked(opened, monkeypatch):
    def fail(_index):
        raise OSError("no more descriptors")

    monkeypatch.setattr(session, "get_link", fail)
    before = descriptors()
    with pytest.raises(OSError, match="closing"):
        CaptureSession(OPTIONS, lambda _: 0)
    assert descriptors() == before
    assert len(opened) == 2
