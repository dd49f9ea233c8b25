"""Rates from counts; unsaved packets; a file and a capture never share a store."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import pytest

from app.bridge import Bridge, RateMeter
from core.capture.capture_filter import CaptureFilter
from core.capture.options import CaptureOptions
from core.engine.snapshot import EngineSnapshot, EngineState
from core.store.packet_store import PacketStore
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import LIVE, ScriptedEngine


def make_bridge(engine, store=None) -> Bridge:
    engine.store = store or scripted_store()
    return Bridge(engine, CaptureOptions(()), lambda: 0.0, lambda: "")


def test_a_steady_stream_has_a_steady_rate():
    meter = RateMeter()
    for tick in range(200):
        rates = meter.sample(tick / 20, tick * 50, tick * 50 * 100)
    assert rates.packets[-1] == pytest.approx(1000)
    assert rates.bytes == pytest.approx(100_000)
    assert rates.packets[:-1] == pytest.approx([1000] * (len(rates.packets) - 1))
    assert len(rates.packets) <= 11


def test_a_burst_in_the_first_moment_has_no_rate():
    meter = RateMeter()
    meter.sample(0.0, 0, 0)
    assert meter.sample(0.05, 12, 1200).packets == (12.0,)


def test_the_rate_falls_to_nothing_when_traffic_ends():
    meter = RateMeter()
    for tick in range(100):
        rates = meter.sample(tick / 20, min(tick, 40) * 10, 0)
    assert rates.packets[-1] == 0
    assert max(rates.packets) == pytest.approx(200)


def test_a_late_sample_is_divided_by_the_time_that_passed():
    meter = RateMeter()
    meter.sample(0.0, 0, 0)
    assert meter.sample(4.0, 4000, 0).packets[-1] == pytest.approx(1000)


def test_a_clock_that_stops_divides_by_nothing():
    meter = RateMeter()
    meter.sample(0.0, 0, 0)
    assert meter.sample(0.0, 10, 10).packets == (10.0,)


def test_rates_exist_only_while_capturing():
    engine = ScriptedEngine()
    bridge = make_bridge(engine)
    assert bridge.poll().rates.packets
    engine.stop_capture()
    assert bridge.poll().rates.packets == ()


@pytest.mark.parametrize(
    ("said", "unsaved"),
    [
        (LIVE, 28),
        (EngineSnapshot(EngineState.STOPPED, captured=28), 28),
        (EngineSnapshot(EngineState.DONE, file="a.pcap", progress=1.0), 0),
        (EngineSnapshot(EngineState.DONE, file="7", progress=None), 0),
        (EngineSnapshot(EngineState.READING, file="standard input", piped=True), 28),
        (EngineSnapshot(EngineState.FAILED, message="no", captured=0), 0),
    ],
)
def test_unsaved_packets_are_named(said, unsaved):
    assert make_bridge(ScriptedEngine(said)).unsaved.packets == unsaved


def test_restarting_keeps_interfaces_and_options():
    engine = ScriptedEngine()
    options = CaptureOptions((), snap_length=96, promiscuous=False)
    bridge = Bridge(engine, options, lambda: 0.0, lambda: "")
    bridge.capture(("eth0", "wg0"))
    assert bridge.toggle_capture()
    assert bridge.toggle_capture()
    first, stopped, again = engine.told
    assert stopped == "stop"
    assert first == again == CaptureOptions(("eth0", "wg0"), snap_length=96, promiscuous=False)


def test_a_filter_alone_is_changed_in_the_running_capture():
    engine = ScriptedEngine(LIVE)
    bridge = make_bridge(engine)
    udp = CaptureFilter("udp")
    bridge.capture(LIVE.interfaces, udp)  # only the filter is new
    bridge.capture(LIVE.interfaces, udp)  # nothing is new: the user restarts
    bridge.capture(("wg0",), None)
    bridge.toggle_capture()
    bridge.capture(("wg0",), udp)  # nothing is captured now
    restarted, elsewhere = CaptureOptions(LIVE.interfaces), CaptureOptions(("wg0",))
    assert engine.told == [
        udp,
        replace(restarted, capture_filter=udp),
        elsewhere,
        "stop",
        replace(elsewhere, capture_filter=udp),
    ]


def test_without_an_earlier_capture_toggle_restarts_nothing():
    assert not make_bridge(ScriptedEngine(EngineSnapshot())).toggle_capture()


def test_a_new_store_is_a_new_generation_and_has_no_rate_yet():
    engine = ScriptedEngine()
    clock = iter(range(9))
    engine.store = scripted_store()
    bridge = Bridge(engine, CaptureOptions(()), lambda: next(clock), lambda: "")
    bridge.poll()
    before = bridge.poll()
    old, engine.store = weakref.ref(engine.store), PacketStore()
    after = bridge.poll()
    assert after.store_generation == before.store_generation + 1
    assert after.packets.count == 0
    assert after.rates.packets == (0.0,)  # the old packets do not count
    del before
    gc.collect()
    assert old() is None


def test_a_file_replaces_the_packets_of_the_store(tmp_path):
    """The same engine opens it, so the echo server and an error of the worker remain."""
    engine = ScriptedEngine()
    bridge = make_bridge(engine)
    bridge.open_file(tmp_path / "a.pcap")
    assert engine.told == [str(tmp_path / "a.pcap")]


class RefusingEngine(ScriptedEngine):
    """An engine whose kernel refuses every other filter."""

    def change_filter(self, capture_filter: CaptureFilter | None) -> None:
        self.told.append(capture_filter)


def test_a_refused_filter_is_not_that_of_the_next_capture():
    udp, refused = CaptureFilter("udp"), CaptureFilter("tcp")
    engine = RefusingEngine(LIVE)
    bridge = make_bridge(engine)
    bridge.capture(("wg0",), udp)
    bridge.capture(("wg0",), refused)
    assert bridge.capture_filter is udp
    bridge.toggle_capture()
    assert bridge.capture_filter is udp
    bridge.toggle_capture()
    wanted = CaptureOptions(("wg0",), capture_filter=udp)
    assert engine.told == [wanted, refused, "stop", wanted]
