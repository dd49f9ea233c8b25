"""Each field in every form that its type takes: the same packets as ``tshark -Y``, one by one.

The values that the filters name occur in the capture. Fields and packets that tshark reads
differently are left out, with the reasons of `test_occurrences`. ``RAWSCOPE_THOROUGH=1`` takes more
packets of the capture.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.analysis.filter.fields.catalog import CATALOG
from core.wire.model.dissection import Cause
from core.wire.registry import PROTOCOLS
from tests.core.analysis.filter.capture_values import Capture
from tests.core.analysis.filter.field_filters import filters_of
from tests.core.analysis.filter.test_against_tshark import TAPS
from tests.core.analysis.filter.values.reference import plain
from tests.core.analysis.filter.values.test_occurrences import (
    DIFFERENT,
    FURTHER_TUNNELS,
    ODD_PACKETS,
    OPTIONS,
    compared_names,
)
from tests.helpers.support import (
    captures_dir,
    is_thorough,
    require_lua_tshark,
    require_peer,
)
from tests.helpers.waiting import PATIENCE_S

FEW = ("seladb+PcapPlusPlus/Tests/ExamplesTest/pcap_examples/many-protocols.pcap",)
FEWEST_FILTERS = {FEW[0]: 301}
FIRST_PACKETS = 300 if is_thorough() else 60
MOST_VALUES = 20  # of a field, from which the filters take two


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the local time zone to UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def filters_for(capture: Capture) -> tuple[list[str], set[int]]:
    """Return the filters for a capture, and the numbers of its malformed packets."""
    names = [
        *(protocol.name for protocol in PROTOCOLS),
        *(name for name in compared_names() if name not in DIFFERENT),
    ]
    found: defaultdict[str, list[Any]] = defaultdict(list)
    malformed: set[int] = set()
    for chunk, values in zip(capture.chunks, capture.values(), strict=True):
        for name in names:
            known = found[name]
            for value in plain(values.occurrences(name))[: FIRST_PACKETS * 4]:
                if len(known) < MOST_VALUES and value not in known:
                    known.append(value)
        causes = values.occurrences("frame.stop.cause")
        malformed |= {
            chunk.first + row
            for row, cause in zip(causes.rows.tolist(), plain(causes), strict=True)
            if cause == Cause.MALFORMED
        }
    filters: list[str] = []
    for name, known in found.items():
        field = CATALOG.find(name)
        assert field is not None
        if known:
            filters += filters_of(field, known)
    return list(dict.fromkeys(filters)), malformed


def by_tshark(path: Path, filters: list[str], folder: Path) -> tuple[list[set[int]], set[int]]:
    """Return the packets that pass each filter, and those that tshark reads in another way."""
    settings = [each for option in OPTIONS for each in ("-o", option)]
    reading = ["-n", "-r", str(path), "-c", str(FIRST_PACKETS), *settings]
    script, table = folder / "taps.lua", folder / "filters"
    script.write_text(TAPS)
    table.write_text("\n".join(filters) + "\n")
    taps = subprocess.run(
        [require_lua_tshark(), "-q", "-X", f"lua_script:{script}", *reading],
        env={**os.environ, "RAWSCOPE_FILTERS": str(table)},
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert "Lua: Error" not in taps.stderr, taps.stderr
    found: list[set[int]] = [set() for _ in filters]
    for line in taps.stdout.splitlines():
        tap, packet = map(int, line.split())
        found[tap - 1].add(packet)
    layers = subprocess.run(
        [require_peer("tshark"), *reading, "-T", "fields", "-e", "frame.protocols"],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    others = {
        number
        for number, line in enumerate(layers.stdout.splitlines(), 1)
        if set(line.split(":")) & FURTHER_TUNNELS or (path.name, number) in ODD_PACKETS
    }
    return found, others


@pytest.mark.corpus
@pytest.mark.parametrize("name", FEW)
def test_the_same_packets_pass(name: str, tmp_path: Path) -> None:
    path = captures_dir() / "files" / name
    capture = Capture(path)
    filters, malformed = filters_for(capture)
    expected, others = by_tshark(path, filters, tmp_path)
    left_out = malformed | others
    different = {}
    for text, wanted in zip(filters, expected, strict=True):
        found = {number for number in capture.passing(text) if number <= FIRST_PACKETS}
        if found - left_out != wanted - left_out:
            different[text] = sorted(found - wanted)[:5], sorted(wanted - found)[:5]
    assert different == {}, "(only here, only in tshark)"
    assert len(filters) >= FEWEST_FILTERS[name]
