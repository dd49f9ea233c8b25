"""Each field in every form that its type takes: the same packets as ``tshark -Y``, one by one.

The values that the filters name occur in the capture. Fields and packets that tshark reads
differently are left out, with the reasons of `test_occurrences`. `DIFFERENCES` lists the filters of
protocols that differ, with their packets. ``RAWSCOPE_THOROUGH=1`` takes all shared captures.
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
from core.files.formats import FileError
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
    WITH_JOURNAL,
    compared_names,
)
from tests.helpers.support import (
    capture_index,
    captures_dir,
    is_thorough,
    require_lua_tshark,
    require_peer,
)
from tests.helpers.waiting import PATIENCE_S

FEW = ("seladb+PcapPlusPlus/Tests/ExamplesTest/pcap_examples/many-protocols.pcap",)
FEWEST_FILTERS = {FEW[0]: 301}
FEWEST_OF_A_FRAME = 90  # the fields of a frame with an unknown link type give as many
WITHOUT_PACKETS = ("test002.pcapng", "test003.pcapng", "test014.pcapng")
REFUSED = ("pcap-invalid-version-1.pcap",)  # a version that rawscope does not support
FIRST_PACKETS = 300 if is_thorough() else 60
MOST_VALUES = 20  # of a field, from which the filters take two
REFUSED_BY_TSHARK = ("extract_read2_asan.pcap",)  # a record of 65,598 bytes: no tap sees it

Packets = dict[str, tuple[list[int], list[int]]]
"""Filters with the numbers of the packets that pass only here, and only in tshark."""


def _numbered_twice(*packets: int) -> Packets:
    """Return the differences where tshark 4.0 numbers the layer of an IGMPv3 report 2, not 1."""
    return {"igmp#1": ([*packets], []), "igmp#2": ([], [*packets])}


def _unnamed(protocol: str, byte: str, *packets: int) -> Packets:
    """Return the differences where tshark does not name the protocol of a cut header."""
    here = (f"count({protocol}) == 1", protocol, f"{protocol}#1", f"{protocol}#[-1]", byte)
    return {f"not {protocol}": ([], [*packets]), **dict.fromkeys(here, ([*packets], []))}


DIFFERENCES: dict[str, Packets] = {
    "OISF+suricata-verify/tests/output-eve-ftp-data/input.pcap": _numbered_twice(
        1, 10, 17, 43, 46, 49, 52, 55, 110, 115, 173, 180, 196, 198, 201, 203, 207, 218, 223
    ),
    "OISF+suricata-verify/tests/smb2-ntlmssp-negotiateflags/input.pcap": _numbered_twice(
        32, 33, 36, 45, 56, 58, 63, 117, 122
    ),
    "arkime+arkime/tests/pcap/arkime_synthetic.pcap": _numbered_twice(289),
    "rusticata+pcap-parser/assets/wireshark_samples-test.pcapng": _numbered_twice(64, 149),
    "the-tcpdump-group+tcpdump/tests/pim_header_asan-2.pcap": _unnamed(
        "eth", "eth[0:1] == eth[1:1]", 2
    ),
    "seladb+PcapPlusPlus/Tests/Fuzzers/RegressionTests/regression_samples/"
    "clusterfuzz-testcase-FuzzTarget-6207688043397120": _unnamed("pppoe", "pppoe[0]", 1),
}


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
@pytest.mark.parametrize(
    "name",
    [path for path, _ in capture_index() if Path(path).name not in WITH_JOURNAL]
    if is_thorough()
    else list(FEW),
)
def test_the_same_packets_pass(name: str, tmp_path: Path) -> None:
    path = captures_dir() / "files" / name
    if path.name in REFUSED:
        with pytest.raises(FileError):
            Capture(path)
        return
    capture = Capture(path)
    filters, malformed = filters_for(capture)
    expected, others = by_tshark(path, filters, tmp_path)
    left_out = malformed | others
    different: Packets = {}
    for text, wanted in zip(filters, expected, strict=True):
        found = {number for number in capture.passing(text) if number <= FIRST_PACKETS}
        if found - left_out != wanted - left_out:
            different[text] = sorted(found - wanted - left_out), sorted(wanted - found - left_out)
    if path.name in REFUSED_BY_TSHARK:
        assert not any(expected)
    else:
        assert different == DIFFERENCES.get(name, {}), "(only here, only in tshark)"
    fewest = 0 if path.name in WITHOUT_PACKETS else FEWEST_FILTERS.get(name, FEWEST_OF_A_FRAME)
    assert len(filters) >= fewest
    assert bool(filters) is (path.name not in WITHOUT_PACKETS)
