"""The rewriting against tcprewrite 4.4, byte for byte, over all Ethernet captures; tshark judges.

tcprewrite differs in the frames that `exception` describes, each with the reason. Three differences
are in so many frames that the comparison allows them everywhere:

* It begins the destination MAC address with 01:00:5e in IPv4 packets to a group, but leaves the
  last three bytes (plugins/dlt_en10mb/en10mb.c, dlt_en10mb_ipv4_multicast_mac_update).
* It writes MAC addresses of groups, made of the IP addresses, into IPv6 frames whose addresses are
  not groups (plugins/dlt_en10mb/en10mb.c, dlt_en10mb_ipv6_multicast_mac_update). Both also replace
  the addresses of ``--enet-smac`` and ``--enet-dmac``; the MAC addresses that rawscope writes must
  be exactly those of the frame or of the rules.
* It makes the padding of a frame a part of the packet: it writes the length of the frame into the
  IP header, and so changes checksums (edit_packet.c, fix_ipv4_length). So both programs also get
  the captures without padding, where this difference disappears.

tcprewrite computes all checksums of IPv4 packets again, with ``--fixcsum`` or without it; rawscope
adapts them, so that a wrong one stays wrong. The same frames come out if all were right before.
"""

from __future__ import annotations

import functools
import gzip
import struct
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from core.files.formats import FileError
from core.files.reader import open_capture
from core.forge.transmit.link_rewrite import rewrite_links
from core.forge.transmit.packet_rewrite import rewrite_packets
from core.forge.transmit.rewrite_rules import (
    AddedTag,
    HopLimitEdit,
    RewriteRules,
    parse_address_map,
)
from core.wire.dissect import dissect
from core.wire.link.ethernet import ETHERNET
from core.wire.link.link_types import LinkType
from core.wire.model.dissection import Dissection, Layer
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6
from tests.core.forge.transmit.rewriting import frames_of, rewritten
from tests.helpers.support import capture_index, captures_dir, is_thorough, require_peer
from tests.helpers.waiting import PATIENCE_S

pytestmark = pytest.mark.corpus

SOURCES = (
    "10.0.0.0/8:172.16.0.0/12,192.168.0.0/16:10.77.0.0/24,"
    "[fe80::/16]:[2001:db8::/32],[2001::/16]:[fd00::/16]"
)
DESTINATIONS = "0.0.0.0/0:198.18.0.0/15,[ff00::/8]:[ff0e::/16]"
MAPS = RewriteRules(
    sources=parse_address_map(SOURCES), destinations=parse_address_map(DESTINATIONS)
)
MAP_OPTIONS = [f"--srcipmap={SOURCES}", f"--dstipmap={DESTINATIONS}"]
PNAT = parse_address_map("10.0.0.0/8:172.16.0.0/12,192.168.0.0/16:10.77.0.0/24")
OPTIONS: dict[str, tuple[list[str], RewriteRules]] = {
    "fix": (["--fixcsum"], RewriteRules(fixes_checksums=True)),
    "maps and fix": (["-C", *MAP_OPTIONS], replace(MAPS, fixes_checksums=True)),
    "maps": (MAP_OPTIONS, MAPS),
    "pnat and ttl": (
        ["--pnat=10.0.0.0/8:172.16.0.0/12,192.168.0.0/16:10.77.0.0/24", "--ttl=-5", "-C"],
        RewriteRules(True, PNAT, PNAT, True, HopLimitEdit(-5, is_relative=True)),
    ),
    "addresses and tag": (
        ["-C", "--enet-smac=02:00:00:00:00:01", "--enet-dmac=02:00:00:00:00:02", "--enet-vlan=add",
         "--enet-vlan-tag=77", "--enet-vlan-pri=3", "--enet-vlan-cfi=1"],
        RewriteRules(True, source_mac=b"\2\0\0\0\0\1", destination_mac=b"\2\0\0\0\0\2",
                     tag=AddedTag(77, 3, 1)),
    ),
    "no tag": (["-C", "--enet-vlan=del"], RewriteRules(True, removes_tag=True)),
}  # fmt: skip
CHECKSUM, LENGTH, TTL, ADDRESS = "checksum", "length", "TTL", "address"
SIZE, OTHER = "size of the frame", "other bytes"


class Difference(NamedTuple):
    """A reason why tcprewrite makes other frames: in which parts, and how many at most."""

    reason: str
    parts: set[str]
    most: int


REASONS = {
    "length": Difference(
        "the IP header has another length than the frame, which tcprewrite writes into it",
        {LENGTH, CHECKSUM, ADDRESS, TTL}, 4800),
    "no rule": Difference(
        "tcprewrite does not know the checksums of IGMP, SCTP, and VRRP", {CHECKSUM}, 40),
    "short": Difference(
        "tcprewrite does not compute the checksum of an ICMP message of 8 bytes", {CHECKSUM}, 15),
    "route": Difference(
        "tcprewrite takes the IP destination for the final one under a routing header",
        {CHECKSUM, OTHER}, 15),
    "unread": Difference(
        "tcprewrite does not read PPPoE, NSH, and Cisco metadata", {CHECKSUM, ADDRESS, TTL}, 25),
    "LLC": Difference(
        "tcprewrite does not change frames of 802.3 that carry no IP packet", {SIZE}, 35),
    "fragment": Difference(
        "tcprewrite does not change IPv6 fragments", {CHECKSUM, ADDRESS, TTL}, 25),
    "wrong": Difference(
        "a checksum was wrong before, and nobody asked to fix it", {CHECKSUM, OTHER}, 950),
    "ICMPv6": Difference("tcprewrite adapts checksums of TCP and UDP only", {CHECKSUM}, 600),
    "tiny": Difference("tcprewrite adds no tag to a frame of less than 18 bytes", {SIZE}, 8),
    "tunnel": Difference(
        "tcprewrite does not change an IPv6 packet that carries a broken one",
        {CHECKSUM, ADDRESS, TTL}, 2100),
}  # fmt: skip
SHARE = 8  # one frame in this many, unless `make thorough` compares all
GIVEN_UP = 25  # frames at which tcprewrite ends with an error, at most, for one set of options


class Frame(NamedTuple):
    data: bytes
    original: int


@functools.cache
def captures() -> tuple[str, ...]:
    """Return the names of the readable captures that have only Ethernet frames."""
    folder = captures_dir() / "files"
    return tuple(path for path, _ in capture_index() if _is_ethernet(folder / path))


def _is_ethernet(path: Path) -> bool:
    try:
        with open_capture(path) as reader:
            count = sum(len(batch) for batch in reader.batches())
            return count > 0 and {one.link_type for one in reader.interfaces} == {LinkType.ETHERNET}
    except FileError:
        return False


def read(path: Path) -> list[Frame]:
    found: list[Frame] = []
    with open_capture(path) as reader:
        for batch in reader.batches():
            found += map(Frame, frames_of(batch), batch.original.tolist())
    return found


def write(path: Path, frames: list[Frame]) -> None:
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        for second, (data, original) in enumerate(frames):
            file.write(struct.pack("<IIII", second, 0, len(data), max(original, len(data))) + data)


def by_rawscope(path: Path, rules: RewriteRules) -> list[bytes]:
    found: list[bytes] = []
    with open_capture(path) as reader:
        for batch in reader.batches():
            kinds = np.full(len(batch), LinkType.ETHERNET, np.int64)
            packets, _ = rewrite_packets(batch, kinds, rules)
            found += frames_of(rewrite_links(packets, rules)[0])
    return found


def by_tcprewrite(frames: list[Frame], options: list[str], folder: Path) -> list[bytes | None]:
    """Return what tcprewrite makes of each frame, None where it ends with an error.

    After an error it continues with the next frame.
    """
    found: list[bytes | None] = []
    given, result = folder / "given", folder / "out"
    while len(found) < len(frames):
        result.unlink(missing_ok=True)
        write(given, frames[len(found) :])
        command = [require_peer("tcprewrite"), *options, "-i", str(given), "-o", str(result)]
        done = subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE_S)
        found += [frame.data for frame in read(result)] if result.exists() else []
        assert len(found) <= len(frames)
        if len(found) < len(frames):
            assert done.returncode != 0
            found.append(None)
    return found


def unpacked(name: str, folder: Path) -> Path:
    path = captures_dir() / "files" / name
    if path.suffix != ".gz":
        return path
    (folder / "in").write_bytes(gzip.decompress(path.read_bytes()))
    return folder / "in"


def network_of(read: Dissection) -> Layer | None:
    return next((layer for layer in read.layers if layer.name in ("ip", "ipv6")), None)


def end_of_packet(frame: bytes, network: Layer) -> int:
    """Return where the IP header's length says that the packet ends."""
    at = network.offset
    if network.name == "ip":
        return at + IPV4["len"].number(frame, at)
    return at + IPV6.size + IPV6["plen"].number(frame, at)


def without_padding(frame: Frame) -> Frame:
    """Return a frame that was captured whole without the bytes after its IP packet."""
    network = network_of(dissect(frame.data, LinkType.ETHERNET, frame.original))
    if network is None or len(frame.data) != frame.original:
        return frame
    end = end_of_packet(frame.data, network)
    if not network.offset + IPV4.size <= end < len(frame.data):
        return frame
    return Frame(frame.data[:end], end)


def exception(frame: Frame, rules: RewriteRules) -> str:
    """Return the reason why tcprewrite may make something else of a frame, or an empty text."""
    read = dissect(frame.data, LinkType.ETHERNET, frame.original)
    names = [layer.name for layer in read.layers]
    outer = [layer for layer in read.layers if layer.depth <= 1 and not layer.quoted]
    network = network_of(read)
    if "llc" in names:
        return "LLC"
    if rules.tag is not None and len(frame.data) < 18:
        return "tiny"
    if network is None:
        return ""
    transport = outer[-1].name
    is_fragment = network.name == "ip" and bool(
        network.number(frame.data, "frag_offset") or network.number(frame.data, "flags.mf")
    )
    if end_of_packet(frame.data, network) != frame.original and not is_fragment:
        return "length"
    if {"pppoe", "nsh", "cmd"} & set(names):
        return "unread"
    if "ipv6.fraghdr" in names:
        return "fragment"
    if "ipv6.routing" in names:
        return "route"
    if transport in ("igmp", "sctp", "vrrp"):
        return "no rule"
    if transport == "icmp" and len(frame.data) - outer[-1].offset <= 8:
        return "short"
    if names.count("ipv6") > 1:
        return "tunnel"
    if rules.fixes_checksums:
        return ""
    if transport == "icmpv6":
        return "ICMPv6"
    _, (is_wrong,) = rewritten(RewriteRules(fixes_checksums=True), frame.data)
    return "wrong" if is_wrong else ""


def link_addresses(frame: bytes, rules: RewriteRules) -> tuple[bytes, bytes]:
    """Return the MAC addresses, destination first, that a frame has after the rules."""
    return rules.destination_mac or frame[:6], rules.source_mac or frame[6:12]


def peer_link_addresses(frame: bytes, rules: RewriteRules) -> tuple[set[bytes], set[bytes]]:
    """Return the MAC addresses that tcprewrite may make of a rewritten frame, of either side."""
    right = link_addresses(frame, rules)
    allowed = {right[0]}, {right[1]}
    network = network_of(dissect(frame, LinkType.ETHERNET, len(frame)))
    if network is None:
        return allowed
    for side, key in zip(allowed, ("dst", "src"), strict=True):
        address = network.number(frame, key)
        if network.name == "ipv6":
            side.add(b"\x33\x33" + (address & 0xFFFFFFFF).to_bytes(4, "big"))
        elif key == "dst" and address >> 28 == 0xE:
            side.add(b"\x01\x00\x5e" + right[0][3:])
    return allowed


def differing_parts(mine: bytes, other: bytes) -> set[str]:
    """Return the parts after the MAC addresses in which two frames differ."""
    if len(mine) != len(other):
        return {SIZE}
    read = dissect(mine, LinkType.ETHERNET, len(mine))
    names = dict.fromkeys(range(12, len(mine)), OTHER)
    network = network_of(read)
    if network is not None:
        keys = {"ip": ("len", "ttl"), "ipv6": ("plen", "hlim")}[network.name]
        spans = {LENGTH: keys[0], TTL: keys[1]}
        table = {"ip": IPV4, "ipv6": IPV6}[network.name]
        for part, key in (*spans.items(), (ADDRESS, "src"), (ADDRESS, "dst")):
            span = table[key].span
            places = range(network.offset + span.start, network.offset + span.stop)
            names |= dict.fromkeys(places, part)
    for layer in read.layers:
        for check in layer.checks:
            span = check.slot.span
            places = range(layer.offset + span.start, layer.offset + span.stop)
            names |= dict.fromkeys(places, CHECKSUM)
    pairs = enumerate(zip(mine, other, strict=True))
    return {names[at] for at, (one, two) in pairs if at >= 12 and one != two}


def compare(
    frames: list[Frame], mine: list[bytes], options: list[str], rules: RewriteRules, folder: Path
) -> Counter[str]:
    """Return how many frames are equal, and how many differ for each reason."""
    found = Counter[str]()
    peer = by_tcprewrite(frames, options, folder)
    assert len(mine) == len(frames)
    for number, (frame, one, other) in enumerate(zip(frames, mine, peer, strict=True), 1):
        if len(frame.data) >= ETHERNET.size:
            assert (one[:6], one[6:12]) == link_addresses(frame.data, rules)
        if other is None or one == other:
            found["given up" if other is None else "equal"] += 1
            continue
        words = f"{number}: {one.hex()} {other.hex()}"
        parts, reason = differing_parts(one, other), exception(frame, rules)
        if reason not in ("LLC", "tiny"):
            allowed = peer_link_addresses(one, rules)
            assert other[:6] in allowed[0], words
            assert other[6:12] in allowed[1], words
        if not parts:
            found["equal"] += 1
            continue
        assert reason in REASONS, words
        assert parts <= REASONS[reason].parts, f"{reason} {parts} {words}"
        found[reason] += 1
    return found


def test_frames_are_equal_but_for_the_exceptions(tmp_path: Path) -> None:
    """All of them, or one in `SHARE`, but for those at which tcprewrite ends with an error."""
    total, frames_of_all = Counter[str](), 0
    share = 1 if is_thorough() else SHARE
    for name in captures():
        chosen = read(unpacked(name, tmp_path))[::share]
        whole, trimmed = tmp_path / "whole", tmp_path / "trimmed"
        write(whole, chosen)
        write(trimmed, [without_padding(frame) for frame in chosen])
        for each in (whole, trimmed):
            frames = read(each)
            frames_of_all += len(frames) * len(OPTIONS)
            for options, rules in OPTIONS.values():
                total += compare(frames, by_rawscope(each, rules), options, rules, tmp_path)
    assert total.total() == frames_of_all > 2 * 16_000 / share * len(OPTIONS)
    assert total.pop("given up") <= 2 * GIVEN_UP * len(OPTIONS)
    assert total.pop("equal") > 0.95 * frames_of_all
    assert set(total) <= set(REASONS)
    assert share > 1 or set(total) == set(REASONS), "a reason has no frame"
    for name, count in total.items():
        assert count <= REASONS[name].most, name


STATUS = [f"{name}.checksum.status" for name in
          ("ip", "tcp", "udp", "icmp", "icmpv6", "igmp", "sctp", "vrrp")]  # fmt: skip
JUDGE = [
    "ip.check_checksum:TRUE", "tcp.check_checksum:TRUE", "udp.check_checksum:TRUE",
    "sctp.checksum:TRUE", "ip.defragment:FALSE", "ipv6.defragment:FALSE",
    "tcp.desegment_tcp_streams:FALSE",
]  # fmt: skip
BAD, ILLEGAL = "0", "4"


def statuses(path: Path) -> list[list[str]]:
    """Return what tshark says about the outermost checksums of each frame."""
    command = [require_peer("tshark"), "-n", "-r", str(path), "-T", "fields", "-E", "occurrence=f"]
    command += [word for each in JUDGE for word in ("-o", each)]
    command += [word for each in (*STATUS, "frame.protocols") for word in ("-e", each)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_after_a_fix_tshark_finds_no_wrong_checksum(tmp_path: Path) -> None:
    """Except for inside of tunnels, where rawscope changes nothing."""
    before, after = [], []
    for capture in captures():
        path = unpacked(capture, tmp_path)
        found = read(path)
        rules = replace(MAPS, fixes_checksums=True)
        before += found
        after += [
            Frame(data, frame.original)
            for data, frame in zip(by_rawscope(path, rules), found, strict=True)
        ]
    write(tmp_path / "before", before)
    write(tmp_path / "after", after)
    was, now = statuses(tmp_path / "before"), statuses(tmp_path / "after")
    assert len(was) == len(now) == len(before)
    wrong = [row for row, found in enumerate(was) if {BAD, ILLEGAL} & set(found)]
    left = [row for row, found in enumerate(now) if {BAD, ILLEGAL} & set(found)]
    assert len(wrong) > 400
    assert len(left) < 10
    for row in left:
        assert now[row] == was[row]
        assert now[row][-1].count(":ip:") > 1, "it is in the packet that a tunnel carries"
