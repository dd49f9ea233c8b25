"""Values read by columns equal those of a dissection, for every field of the catalog."""

from __future__ import annotations

import random
import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from core.analysis.filter.display_filter import compile_filter
from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.types import Occurrences, Spans
from core.analysis.filter.values.chunk_values import ChunkValues
from core.analysis.filter.values.frame_values import CaptureContext
from core.decode.batch import CaptureInterface
from core.decode.batch_decoder import decode_batch
from core.decode.chunk import Chunk
from core.store.packet_store import PacketStore
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from core.wire.model.dissection import PacketFlag
from core.wire.registry import PROTOCOLS
from tests.core.analysis.filter.values.reference import dissecting_values, listed, plain
from tests.core.decode.captures import stored_captures
from tests.core.decode.frames import arp_frame, ethernet, ipv4, ipv6, tcp, tcp_frame, udp_frame
from tests.core.decode.support import batch_of
from tests.fuzz.shapes import shapes
from tests.helpers.support import is_thorough

SAMPLE = 400 if is_thorough() else 60  # packets of each capture
DAMAGED = 60 if is_thorough() else 10  # packets of each capture
NOTHING = CaptureContext()
LAST_HEADERS = {"eth", "ip", "tcp", "udp", "arp"}
PROTOCOL_NAMES = {protocol.name for protocol in PROTOCOLS}


def chunk_of(
    frames: list[bytes], link_type: int = LinkType.ETHERNET, flags: list[int] | None = None
) -> Chunk:
    """Return frames, with canary bytes between them, as the only chunk of a store."""
    store = PacketStore()
    store.add_interface(CaptureInterface("eth0", link_type))
    store.append(batch_of(frames, gap=3, flags=flags))
    return store.snapshot().chunks[0]


def mixed_chunk(by_link: dict[int, list[bytes]]) -> Chunk:
    """Return frames of several link types as the only chunk of a store.

    To read all fields of a chunk takes almost the same time for one packet and for a hundred.
    """
    store = PacketStore()
    for link_type in by_link:
        store.add_interface(CaptureInterface("eth0", link_type))
    places = [place for place, frames in enumerate(by_link.values()) for _ in frames]
    frames = [frame for frames in by_link.values() for frame in frames]
    store.append(batch_of(frames, gap=3, interface=places))
    (chunk,) = store.snapshot().chunks
    return chunk


def values_of(name: str, frames: list[bytes], link_type: int = LinkType.ETHERNET) -> list[list]:
    """Return the values of a field in each frame."""
    chunk = chunk_of(frames, link_type)
    found: list[list] = [[] for _ in frames]
    for row, _, value in listed(ChunkValues(chunk, NOTHING).occurrences(name)):
        found[row].append(value)
    return found


def differences(chunk: Chunk, context: CaptureContext) -> Iterator[str]:
    """Yield each field whose values by columns differ from those of a dissection."""
    columns, dissection = ChunkValues(chunk, context), dissecting_values(chunk, context)
    for name in CATALOG.names():
        searches = ("with_data",) if name in PROTOCOL_NAMES else ()
        for read in ("occurrences", "raw", *searches):
            mine = listed(getattr(columns, read)(name, with_layers=True))
            theirs = listed(getattr(dissection, read)(name, with_layers=True))
            if mine != theirs:
                odd = sorted(set(map(str, mine)) ^ set(map(str, theirs)))[:4]
                yield f"{read} of {name}: {odd or 'another order'}"


@pytest.mark.corpus
def test_every_field_of_every_capture() -> None:
    """A sample of each capture; of each packet all fields, values, bytes, and header numbers.

    Samples are in one store for Ethernet and one for other link types, as `mixed_chunk` explains.
    """
    generator = np.random.default_rng(3)
    stores: defaultdict[bool, PacketStore] = defaultdict(PacketStore)
    for _, snapshot in stored_captures():
        for chunk in snapshot.chunks[:1]:
            sample = chunk.copied(np.sort(generator.permutation(len(chunk))[:SAMPLE]))
            store = stores[bool(sample.link_type[0] == LinkType.ETHERNET)]
            places = np.array(store.add_interfaces(snapshot.interfaces), np.uint16)
            store.append_chunk(replace(sample, interface=places[sample.interface]))
    found: list[str] = []
    for is_ethernet, store in stores.items():
        held = store.snapshot()
        context = CaptureContext(held.interfaces, held.first_timestamp_ns)
        for chunk in held.chunks:
            found += [f"Ethernet {is_ethernet}: {each}" for each in differences(chunk, context)]
            context = context.after(chunk)
    assert not found, "\n".join(found)


@pytest.mark.corpus
def test_every_field_of_damaged_packets() -> None:
    """Real frames, cut, and with bytes changed, mostly to numbers that lead to other headers."""
    generator = random.Random(6)
    numbers = [0, 1, 4, 5, 6, 17, 41, 43, 44, 47, 51, 58, 60, 132, 255, 0x45, 0x60, 0x81, 0x88]
    by_link: dict[int, list[bytes]] = {}
    for _, snapshot in stored_captures():
        held = range(1, snapshot.count + 1)
        for number in generator.choices(held, k=min(DAMAGED, len(held) * 3)) if held else ():
            packet = snapshot.packet(number)
            frame = bytearray(packet.data[:400])
            for _ in range(generator.randint(1, 4) if frame else 0):
                place = min(len(frame) - 1, int(generator.expovariate(1 / 25)))
                frame[place] = generator.choice([*numbers, generator.randrange(256)])
            cut = generator.choice([len(frame), len(frame), generator.randint(0, len(frame))])
            by_link.setdefault(packet.link_type, []).append(bytes(frame[:cut]))
    found = list(differences(mixed_chunk(by_link), NOTHING))
    assert not found, "\n".join(found)


def test_every_field_of_every_header() -> None:
    """A frame for each header in each form: their ends are where the parsers find them."""
    by_link: dict[int, list[bytes]] = {}
    for shape in shapes():
        by_link.setdefault(shape.link_type, []).append(shape.data)
    found = list(differences(mixed_chunk(by_link), NOTHING))
    assert not found, "\n".join(found)


def test_every_field_at_every_cut_length() -> None:
    """Frames with stacked tags, tunnels, options, and errors, cut anywhere."""
    segment = tcp(b"payload")
    options = b"\2\4\5\xb4\4\2\x08\x0a" + bytes(8) + b"\1\3\3\7"
    with_options = segment[:12] + b"\xa0" + segment[13:20] + options + b"data"
    inner = ipv4(with_options, IpProtocol.TCP)
    frames = [
        ethernet(inner),
        ethernet(inner, tags=2),
        ethernet(ipv4(inner, IpProtocol.IPV4)),
        ethernet(ipv4(b"\3\1\0\0\0\0\0\0" + inner, IpProtocol.ICMP)),
        ethernet(ipv4(b"\x0b\0\0\0\0\x09\0\0" + inner[:36] + b"more", IpProtocol.ICMP)),
        ethernet(ipv4(b"\3\1" + bytes(6) + ipv4(b"\3\1" + bytes(6) + inner, 1), 1)),
        ethernet(ipv4(b"\3\1" + bytes(6) + ipv4(b"\x08\0\0\0\0\1\0\2data", 1), 1)),
        ethernet(
            ipv6(b"\1\4" + bytes(6) + ipv6(b"\x06\0\1\4" + bytes(4) + segment, 0), 58),
            EtherType.IPV6,
        ),
        ethernet(ipv4(ipv6(with_options, IpProtocol.TCP), IpProtocol.IPV6)),
        ethernet(ipv6(tcp(six=True), IpProtocol.TCP), EtherType.IPV6),
    ]
    pieces = [frame[:cut] for frame in frames for cut in range(len(frame) + 1)]
    assert list(differences(chunk_of(pieces), NOTHING)) == []


def vxlan(frame: bytes, *, flags: int = 8, length: int | None = None) -> bytes:
    """Return a frame in VXLAN; `length` is that of UDP if it is wrong."""
    header = struct.pack(">I", flags << 24) + bytes.fromhex("00007b00")
    size = 8 + len(header) + len(frame) if length is None else length
    return struct.pack(">HHHH", 40_000, 4789, size, 0) + header + frame


def gre(flags: int, carried: bytes, kind: int = EtherType.IPV4) -> bytes:
    """Return a packet in GRE; `flags` are the first two bytes, each flag with a word after them."""
    words = sum(4 for bit in (0x8000, 0x4000, 0x2000, 0x1000, 0x0080) if flags & bit)
    return struct.pack(">HH", flags, kind) + bytes(range(1, words + 1)) + carried


def tunnels() -> list[bytes]:
    """Return frames with tunnels: usual forms, unusual ones, and damaged ones."""
    four = ipv4(tcp(b"payload"), IpProtocol.TCP)
    six = ipv6(tcp(six=True), IpProtocol.TCP)
    framed = ethernet(four, tags=1)
    carried = [
        framed, ethernet(six, EtherType.IPV6), arp_frame() + bytes(18), ethernet(b"?", 0x9999),
        ethernet(ipv4(four, IpProtocol.IPV4)), ethernet(ipv4(b"frag", 6, frag_offset=9)),
        bytes(12) + b"\0\7\xaa\xaa\3\0\0\0\x08\0" + four,
        bytes(12) + b"\0\x10\xaa\xaa\3\0\0\0\x08\0" + four + bytes(9), b"", bytes(14),
        ethernet(four, tags=13), ethernet(b"\x45" + bytes(19)), ethernet(four) + b"trailer",
    ]  # fmt: skip
    made = [ethernet(ipv4(vxlan(each), IpProtocol.UDP)) for each in carried]
    made.append(ethernet(ipv6(vxlan(framed), IpProtocol.UDP), EtherType.IPV6))
    for flags, length in ((0, None), (8, 0), (8, 7), (8, 15), (8, 16), (8, 60), (8, 900)):
        made.append(ethernet(ipv4(vxlan(framed, flags=flags, length=length), IpProtocol.UDP)))
    made += [
        ethernet(ipv4(gre(flags, four), IpProtocol.GRE))
        for flags in (0, 0x2000, 0x1000, 0x3000, 0xB000, 0x8000, 0x4000, 0x2001, 0x3081, 0x0003)
    ]
    for kind, each in (
        (EtherType.IPV6, six), (EtherType.TRANSPARENT_ETHERNET, framed), (EtherType.ARP, b"arp"),
        (0x9999, b"?"), (EtherType.IPV4, b""), (EtherType.IPV4, ipv4(gre(0, four), 47)),
    ):  # fmt: skip
        made.append(ethernet(ipv6(gre(0x2000, each, kind), IpProtocol.GRE), EtherType.IPV6))
    made.append(ethernet(ipv4(gre(0, four), IpProtocol.GRE), tags=20))
    made.append(ethernet(ipv4(gre(0, four), IpProtocol.GRE, **{"flags.mf": 1})))
    return made


def test_every_field_of_packets_in_tunnels() -> None:
    """GRE and VXLAN in all forms, and some of them cut."""
    frames = tunnels()
    pieces = [frame[:cut] for frame in frames[::17] for cut in range(36, len(frame), 19)]
    assert list(differences(chunk_of(frames + pieces), NOTHING)) == []


def test_usual_tunnels_go_by_columns() -> None:
    frames = [
        ethernet(ipv4(vxlan(ethernet(ipv4(tcp(), IpProtocol.TCP, ttl=7), tags=1)), IpProtocol.UDP)),
        ethernet(ipv4(gre(0x3000, ipv4(tcp(), IpProtocol.TCP, ttl=7)), IpProtocol.GRE)),
    ]
    assert not ChunkValues(chunk_of(frames), NOTHING).headers.dissected.any()
    assert [ttl[1] for ttl in values_of("ip.ttl", frames)] == [7, 7]
    assert values_of("vxlan.vni", frames) == [[0x7B], []]
    assert values_of("gre.key", frames) == [[], [0x01020304]]
    assert values_of("gre.sequence_number", frames) == [[], [0x05060708]]
    names = ["eth:ip:udp:vxlan:eth:vlan:ip:tcp", "eth:ip:ip:tcp"]
    assert values_of("frame.protocols", frames) == [[name] for name in names]
    found = ChunkValues(chunk_of(frames), NOTHING).occurrences("eth.type", with_layers=True)
    assert [(row, number) for row, number, _ in listed(found)] == [(0, 1), (0, 2), (1, 1)]


@pytest.mark.parametrize(
    "frame", [tcp_frame(), udp_frame(), arp_frame()], ids=["tcp", "udp", "arp"]
)
def test_nothing_follows_a_last_packet_that_is_cut(frame: bytes) -> None:
    """Reading a header never reads past the end of the chunk's data."""
    names = [name for name in CATALOG.names() if name.partition(".")[0] in LAST_HEADERS]
    for size in range(1, len(frame), 2):
        batch = batch_of([frame[:size]], stable=True, original=[len(frame)])
        chunk = decode_batch(batch, np.array([LinkType.ETHERNET], np.int32))
        assert len(chunk.data) == size
        columns, dissection = ChunkValues(chunk, NOTHING), dissecting_values(chunk, NOTHING)
        for name in names:
            assert listed(columns.occurrences(name)) == listed(dissection.occurrences(name)), name


def test_every_occurrence_counts() -> None:
    """Tunnels, quoted packets, stacked tags, and repeated options have several values."""
    inner = ipv4(tcp(), IpProtocol.TCP, ttl=7)
    tunnel = ethernet(ipv4(inner, IpProtocol.IPV4, ttl=9))
    error = ethernet(ipv4(b"\3\1\0\0\0\0\0\0" + inner, IpProtocol.ICMP, ttl=11))
    stacked = ethernet(inner, tags=3)
    frames = [ethernet(inner), tunnel, error, stacked]
    assert values_of("ip.ttl", frames) == [[7], [9, 7], [11, 7], [7]]
    assert values_of("vlan.id", frames) == [[], [], [], [5, 6, 7]]
    assert [len(found) for found in values_of("tcp.port", frames)] == [2, 2, 2, 2]
    layers = ChunkValues(chunk_of(frames), NOTHING).occurrences("ip.ttl", with_layers=True)
    assert layers.layers is not None
    assert layers.layers.tolist() == [1, 1, 2, 1, 2, 1]
    tags = ChunkValues(chunk_of(frames), NOTHING).occurrences("vlan.id", with_layers=True)
    assert tags.layers is not None
    assert tags.layers.tolist() == [1, 2, 3]


def test_packets_inside_others_go_by_columns() -> None:
    """Packets in errors and tunnels are not dissected.

    Their headers are counted after those around them.
    """
    inner = ipv4(tcp(b"payload"), IpProtocol.TCP, ttl=7)
    ping = ipv4(b"\x08\0\0\0\0\1\0\2data", IpProtocol.ICMP, ttl=5)
    errors = [
        ethernet(ipv4(b"\3\1" + bytes(6) + quote, IpProtocol.ICMP, ttl=11))
        for quote in (inner, inner[:28], ping)
    ]
    tunnel = ethernet(ipv4(inner, IpProtocol.IPV4, ttl=9))
    assert not ChunkValues(chunk_of([*errors, tunnel]), NOTHING).headers.dissected.any()
    assert values_of("ip.ttl", [tunnel]) == [[9, 7]]
    assert values_of("data", [tunnel]) == [[b"payload"]]
    assert values_of("frame.protocols", [tunnel]) == [["eth:ip:ip:tcp:data"]]
    values = ChunkValues(chunk_of(errors), NOTHING)
    found = listed(values.occurrences("ip.ttl", with_layers=True))
    assert found == [(0, 1, 11), (0, 2, 7), (1, 1, 11), (1, 2, 7), (2, 1, 11), (2, 2, 5)]
    assert listed(values.occurrences("icmp.type", with_layers=True)) == [
        (0, 1, 3), (1, 1, 3), (2, 1, 3), (2, 2, 8),
    ]  # fmt: skip
    assert values_of("tcp.payload", errors) == [[b"payload"], [], []]
    assert values_of("data", errors) == [[b"payload"], [], [b"data"]]
    layers = "eth:ip:icmp:ip:"
    names = [[f"{layers}tcp:data"], [f"{layers}tcp"], [f"{layers}icmp:data"]]
    assert values_of("frame.protocols", errors) == names


def test_every_ip_header_has_a_version() -> None:
    """As in Wireshark, ``ip.version`` is in IPv6 headers, too."""
    four = ethernet(ipv4(tcp(), IpProtocol.TCP))
    six = ethernet(ipv6(tcp(six=True), IpProtocol.TCP), EtherType.IPV6)
    mixed = ethernet(ipv4(ipv6(tcp(six=True), IpProtocol.TCP), IpProtocol.IPV6))
    assert values_of("ip.version", [four, six, mixed]) == [[4], [6], [4, 6]]
    assert values_of("ipv6.version", [four, six, mixed]) == [[], [6], [6]]


def test_a_repeated_option_has_all_its_values() -> None:
    sack = b"\1\1\5\x12" + bytes.fromhex("00000001 00000002 00000003 00000004")
    segment = tcp()[:12] + b"\xa0" + tcp()[13:20] + sack
    frames = [ethernet(ipv4(segment, IpProtocol.TCP)), ethernet(ipv4(tcp(), IpProtocol.TCP))]
    assert values_of("tcp.options.sack_le", frames) == [[1, 3], []]
    assert values_of("tcp.options.sack_re", frames) == [[2, 4], []]
    assert values_of("tcp.options.sack", frames) == [[sack[2:]], []]
    assert values_of("tcp.options", frames) == [[sack], []]
    assert [len(each) for each in values_of("tcp.options.nop", frames)] == [2, 0]


def test_a_protocol_is_the_bytes_of_its_header() -> None:
    segment = tcp(b"payload")
    frame = ethernet(ipv4(segment, IpProtocol.TCP))
    assert values_of("tcp", [frame]) == [[segment[:20]]]
    assert values_of("ip", [frame]) == [[frame[14:34]]]
    assert values_of("eth", [frame]) == [[frame[:14]]]
    assert values_of("frame", [frame]) == [[frame]]
    assert values_of("udp", [frame]) == [[]]
    assert values_of("tcp.payload", [frame]) == [[b"payload"]]
    assert values_of("data", [frame]) == values_of("data.data", [frame]) == [[b"payload"]]
    assert values_of("data.len", [frame]) == [[7]]
    assert values_of("tcp.len", [frame]) == [[7]]
    ping = b"\x08\0\0\0\0\1\0\2data"
    message = ethernet(ipv4(ping, IpProtocol.ICMP)) + b"padding"
    assert values_of("icmp", [message]) == [[ping]]


def test_raw_bytes_of_a_field() -> None:
    frame = ethernet(ipv4(tcp(), IpProtocol.TCP))
    chunk = chunk_of([frame])
    values = ChunkValues(chunk, NOTHING)
    assert plain(values.raw("tcp.srcport")) == [frame[34:36]]
    assert plain(values.raw("ip.flags.df")) == [frame[20:21]]
    assert plain(values.raw("ip.addr")) == [frame[26:30], frame[30:34]]
    assert plain(values.raw("frame.len")) == [b""]


def test_values_of_the_frame() -> None:
    frame = ethernet(ipv4(tcp(), IpProtocol.TCP))
    sent = PacketFlag.OURS
    chunk = chunk_of([frame, frame[:20], frame], flags=[PacketFlag.INBOUND, 0, sent])
    context = CaptureContext([CaptureInterface("eth0", 1)], 900, None, {2: ("a", "b")})
    values = ChunkValues(chunk, context)

    def of(name: str) -> list:
        return listed(values.occurrences(name))

    assert of("frame.number") == [(0, 1, 1), (1, 1, 2), (2, 1, 3)]
    assert of("frame.len") == of("frame.cap_len") == [(0, 1, 54), (1, 1, 20), (2, 1, 54)]
    assert of("frame.time") == of("frame.time_epoch") == [(0, 1, 1000), (1, 1, 1001), (2, 1, 1002)]
    assert of("frame.time_delta") == [(1, 1, 1), (2, 1, 1)]  # Wireshark 4.6: none for the first
    assert of("frame.time_relative") == [(0, 1, 100), (1, 1, 101), (2, 1, 102)]
    assert of("frame.interface_name") == [(row, 1, "eth0") for row in range(3)]
    assert of("frame.interface_id") == [(row, 1, 0) for row in range(3)]
    assert of("frame.comment") == [(1, 1, "a"), (1, 1, "b")]
    assert of("frame.direction") == [(0, 1, 1), (2, 1, 2)]
    assert of("rawscope.sent") == [(0, 1, False), (1, 1, False), (2, 1, True)]
    assert of("frame.protocols")[0] == (0, 1, "eth:ip:tcp")
    assert [row for row, _, _ in of("frame.stop.cause")] == [1]
    following = ChunkValues(chunk, context.after(chunk)).occurrences("frame.time_delta")
    assert plain(following) == [1000 - 1002, 1, 1]


def test_a_packet_without_a_time_has_none() -> None:
    store = PacketStore()
    store.add_interface(CaptureInterface("eth0", 1))
    frame = ethernet(ipv4(tcp(), IpProtocol.TCP))
    flags = [int(PacketFlag.TIME_INVALID)] * 2
    store.append(batch_of([frame, frame], flags=flags, first_time=0))
    values = ChunkValues(store.snapshot().chunks[0], NOTHING)
    assert values.occurrences("frame.time").rows.tolist() == [1]
    assert values.occurrences("frame.time_delta").rows.tolist() == []


def test_verdicts_have_their_words() -> None:
    good, wrong = (ethernet(ipv4(tcp(wrong=bad), IpProtocol.TCP)) for bad in (0, 1))
    words = CATALOG.find("tcp.checksum.status")
    assert words is not None
    found = values_of("tcp.checksum.status", [good, wrong])
    assert [[words.words[number] for number in each] for each in found] == [["Good"], ["Bad"]]


def test_an_empty_chunk_has_no_values() -> None:
    chunk = chunk_of([ethernet(ipv4(tcp(), IpProtocol.TCP))]).rows(0, 0)
    values = ChunkValues(chunk, NOTHING)
    for name in CATALOG.names():
        for found in (values.occurrences(name), values.raw(name)):
            assert isinstance(found, Occurrences)
            assert len(found.rows) == 0
            assert len(found.values) == 0
        assert isinstance(values.raw(name).values, Spans)


def test_an_unknown_name_raises() -> None:
    with pytest.raises(KeyError):
        ChunkValues(chunk_of([b""]), NOTHING).occurrences("no.such")


@pytest.mark.parametrize(
    ("text", "passing"),
    [
        ("tcp contains 47:45:54", True),
        ("tcp matches \"^[^e].*get$\"", True),
        ("ip contains 47:45:54", True),
        ("eth contains 47:45:54", True),
        ("tcp contains 08:00:45", False),  # before the header
        ("ip contains 00:00:00:00:00:00:00:00:00", False),  # the padding of the frame
        ("eth contains 00:00:00:00:00:00:00:00:00", True),
        ("tcp[20:] contains 47:45:54", False),
        ("tcp[20]", False),
        ("len(tcp) == 20", True),
        ("@tcp contains 47:45:54", False),
    ],
)  # fmt: skip
def test_a_search_in_a_protocol_covers_its_data(text: str, passing: bool) -> None:
    chunk = chunk_of([tcp_frame(b"GET") + bytes(9)])
    compiled = compile_filter(text, CATALOG)
    for values in (ChunkValues(chunk, NOTHING), dissecting_values(chunk, NOTHING)):
        assert compiled.passes(values).tolist() == [passing]
