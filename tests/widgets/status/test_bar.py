"""The status bar: its parts, and which of them a narrow terminal drops."""

from dataclasses import replace

import pytest
from rich.cells import cell_len

from tests.widgets.stage import play, screen_text
from widgets.status.bar import StatusBar
from widgets.status.line import (
    BARS,
    RecordingLine,
    StatusLine,
    StatusState,
    fit,
    parts_of,
    si,
    sparkline,
)

LIVE = StatusLine(
    StatusState.LIVE,
    source="eth0",
    packets=128_403,
    rates=(10e3, 20e3, 41_200.0),
    bytes_per_s=34e6,
    dropped=0,
    evicted=0,
    clock="12:03:44",
)


def shown(line, width):
    texts = []

    async def scene(pilot):
        pilot.app.widget.show(line)
        texts.extend(screen_text(pilot.app.widget))

    play(StatusBar(), scene, size=(width, 3))
    return texts[0]


def test_a_wide_bar_shows_everything():
    text = shown(LIVE, 140)
    for part in ("rawscope", "eth0", "● live", "128,403 pkts", "41.2k/s", "34.0 MB/s"):
        assert part in text
    assert "dropped 0" in text
    assert "evicted 0" in text
    assert text.endswith("12:03:44")


def test_state_packets_and_dropped_are_never_dropped():
    line = StatusLine(
        StatusState.LIVE,
        source="enp0s31f6",
        packets=123_456_789,
        rates=(1e6,) * 24,
        bytes_per_s=1.2e9,
        dropped=1_234_567,
        evicted=99_999_999,
        clock="12:03:44",
    )

    async def scene(pilot):
        bar = pilot.app.widget
        bar.show(line)
        for width in (140, 100, 80, 60, 50, 40):
            await pilot.resize_terminal(width, 3)
            text = screen_text(bar)[0]
            assert "● live" in text
            assert "pkts" in text
            assert "dropped 1" in text
            assert cell_len(text) <= width

    play(StatusBar(), scene)


def test_80_columns_also_show_the_rate_and_the_evicted_count():
    text = shown(LIVE, 80)
    assert "eth0" in text
    assert "41.2k/s" in text
    assert "evicted 0" in text


def test_parts_go_in_the_order_of_their_rank():
    for width in range(150, 30, -1):  # fit() alone, no screen
        kept = fit(parts_of(LIVE), width)
        gone = [part for part in parts_of(LIVE) if part not in kept and part.rank]
        assert all(part.rank <= min((g.rank for g in gone), default=9) for part in kept)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (StatusLine(StatusState.PAUSED, packets=5, arrived=1204), "‖ paused (+1,204)"),
        (StatusLine(StatusState.STOPPED, packets=5), "■ stopped"),
        (StatusLine(StatusState.FAILED), "■ error"),
        (StatusLine(StatusState.READING, source="a.pcap", progress=0.427), "▸ reading 42%"),
        (StatusLine(StatusState.DONE, source="a.pcap", packets=1), "1 pkt "),
    ],
)
def test_every_state_has_a_sign_and_a_word(line, words):
    assert words in shown(line, 100)


def test_a_hostile_file_name_is_made_safe():
    text = shown(StatusLine(StatusState.DONE, source="\x1b[31mred\x07.pcap"), 100)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "red" in text


def test_signs_and_bars_take_one_cell():
    for character in BARS + "".join(state.sign for state in StatusState):
        assert cell_len(character) == 1


def test_numbers_with_prefixes():
    assert si(0, "/s") == "0/s"
    assert si(999, "/s") == "999/s"
    assert si(41_234, "/s") == "41.2k/s"
    assert si(999_600, "/s") == "1.0M/s"
    assert si(412_340, "/s") == "412k/s"
    assert si(34e6, "B/s") == "34.0 MB/s"


def test_the_sparkline_is_scaled_to_its_highest_sample():
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([0, 50, 100])[-1] == "█"
    assert len(sparkline(range(1000))) == 10


def test_nothing_changes_between_two_calls():
    async def scene(pilot):
        bar = pilot.app.widget
        bar.show(LIVE)
        before = screen_text(bar)
        await pilot.pause()
        assert screen_text(bar) == before

    play(StatusBar(), scene)


def test_packets_that_failed_are_counted_from_50_columns_on():
    line = replace(LIVE, packets=123_456_789, dropped=1_234_567, faults=12_345)
    for width in range(50, 140):
        parts = fit(parts_of(line), width)
        assert any(part.text.startswith("failed 12") for part in parts)
        assert sum(len(part.joint + part.text) for part in parts[1:]) + len(parts[0].text) <= width
    assert not any("failed" in part.text for part in parts_of(replace(line, faults=0)))


@pytest.mark.parametrize(
    ("width", "shown", "absent"),
    [
        (160, ["● rec trace.pcapng 12.3 MB lost 7", "eth0"], []),
        (62, ["● rec lost 7", "eth0"], ["trace"]),
        (48, ["● rec lost 7"], ["eth0"]),
        (36, ["● live", "dropped 0"], ["rec"]),
    ],
)
def test_the_recording_is_shortened_before_it_is_left_out(width, shown, absent):
    recording = RecordingLine("trace.pcapng", 12_345_678, lost=7)
    line = StatusLine(StatusState.LIVE, "eth0", packets=12_345, recording=recording)
    parts = fit(parts_of(line), width)
    text = "".join(part.joint * (index > 0) + part.text for index, part in enumerate(parts))
    assert len(text) <= width
    assert all(words in text for words in shown)
    assert not any(words in text for words in absent)


@pytest.mark.parametrize(
    ("behind", "words"), [(0, ""), (65_535, ""), (65_536, "TCP 65.5k behind"), (2_300_000, "2.3M")]
)
def test_the_bar_says_how_far_the_analysis_lags_if_there_is_room(behind, words):
    line = replace(LIVE, behind=behind)
    assert words in shown(line, 140)
    assert ("behind" in shown(line, 140)) == bool(words)
    assert "behind" not in shown(line, 60)
