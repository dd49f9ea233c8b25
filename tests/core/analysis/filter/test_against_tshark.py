"""Hundreds of filters over real captures: the same packets as ``tshark -Y``, one by one.

A Lua script counts with one tap for each filter, so that tshark reads a capture once for all of
them. The captures contain tunnels (IP in IP, VXLAN, MPLS), stacked tags, extension headers, and
packets quoted in ICMP errors. Captures in which tshark and rawscope read the packets themselves
differently (reassembly, protocols that rawscope does not have) are not in the list.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.analysis.filter.capture_values import Capture
from tests.core.analysis.filter.comparable_filters import ONE_SIDED, comparable_filters
from tests.core.analysis.filter.generated_filters import FilterGenerator
from tests.helpers.support import captures_dir, is_thorough, require_lua_tshark
from tests.helpers.waiting import PATIENCE_S

SEED, GENERATED = 7, 250 if is_thorough() else 80
FIRST_PACKETS = 500
"""Packets of each capture that are compared, unless ``RAWSCOPE_THOROUGH=1``."""
CAPTURES = (
    "OISF+suricata-verify/tests/ethernet-eve/test.pcap",
    "OISF+suricata-verify/tests/smb2-ntlmssp-negotiateflags/input.pcap",
    "arkime+arkime/tests/pcap/icmp-frame-relay.pcap",
    "kbandla+dpkt/examples/data/http.pcap",
    "seladb+PcapPlusPlus/Tests/ExamplesTest/pcap_examples/many-protocols.pcap",
    "the-tcpdump-group+libpcap/tests/filter/ipv6_ah_modes.pcap",
    "the-tcpdump-group+libpcap/tests/filter/rarp_req_reply.pcapng",
    "the-tcpdump-group+tcpdump/tests/HDLC.pcap",
    "the-tcpdump-group+tcpdump/tests/lspping-fec-rsvp.pcap",
    "zeek+zeek/doc/advanced/devel/plugins/connkey-vxlan-fivetuple-plugin-src/Traces/"
    "vxlan-overlapping-http-get.pcap",
    "zeek+zeek/testing/btest/Traces/chksums/ip6-route0-tcp-bad-chksum.pcap",
    "zeek+zeek/testing/btest/Traces/ldap/gap-data-missing.pcapng",
    "zeek+zeek/testing/btest/Traces/portmapper-many-unanswered-calls.pcapng.gz",
    "zeek+zeek/testing/btest/Traces/smb/smb_v2_only_non_zero_reserved1.pcap",
)
TAPS = """
local number = 0
for line in io.lines(os.getenv("RAWSCOPE_FILTERS")) do
  number = number + 1
  local mine = number
  local tap = Listener.new("frame", line)
  function tap.packet(pinfo) print(mine .. " " .. pinfo.number) end
end
"""


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the local time zone to UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def passing_in_tshark(path: Path, filters: list[str], folder: Path, last: int) -> list[set[int]]:
    """Return the numbers, up to `last`, of the packets that pass each filter."""
    script, table = folder / "taps.lua", folder / "filters"
    script.write_text(TAPS)
    table.write_text("\n".join(filters) + "\n")
    done = subprocess.run(
        [require_lua_tshark(), "-n", "-q", "-X", f"lua_script:{script}", "-r", str(path),
         "-c", str(last)],
        env={**os.environ, "RAWSCOPE_FILTERS": str(table)},
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert "Lua: Error" not in done.stderr, done.stderr
    found: list[set[int]] = [set() for _ in filters]
    for line in done.stdout.splitlines():
        tap, packet = map(int, line.split())
        found[tap - 1].add(packet)
    return found


def test_there_are_more_than_300_filters() -> None:
    assert len(comparable_filters()) > 300


@pytest.mark.corpus
def test_each_filter_passes_some_packets_and_rejects_some() -> None:
    """Except for those in `ONE_SIDED`: they compare with values that do not occur."""
    never_passes, never_rejects = set(comparable_filters()), set(comparable_filters())
    for name in CAPTURES:
        capture = Capture(captures_dir() / "files" / name)
        last = min(FIRST_PACKETS, capture.chunks[-1].last)
        for text in sorted(never_passes | never_rejects):
            count = sum(number <= last for number in capture.passing(text))
            if count:
                never_passes.discard(text)
            if count < last:
                never_rejects.discard(text)
    assert never_passes | never_rejects == ONE_SIDED


@pytest.mark.corpus
@pytest.mark.parametrize("name", CAPTURES)
def test_the_same_packets_pass(name: str, tmp_path: Path) -> None:
    path = captures_dir() / "files" / name
    filters = [*comparable_filters(), *FilterGenerator(SEED).filters(GENERATED)]
    capture = Capture(path)
    last = capture.chunks[-1].last if is_thorough() else FIRST_PACKETS
    expected = passing_in_tshark(path, filters, tmp_path, last)
    different = {
        text: (sorted(found - wanted)[:5], sorted(wanted - found)[:5])
        for text, wanted in zip(filters, expected, strict=True)
        if (found := {number for number in capture.passing(text) if number <= last}) != wanted
    }
    assert different == {}, "(only here, only in tshark)"
