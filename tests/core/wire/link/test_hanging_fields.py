"""Fields whose meaning depends on another one: cooked captures, and the word of a null header."""

from __future__ import annotations

import subprocess
from itertools import product
from random import Random

import pytest

from core.wire.dissect import dissect
from core.wire.link import linux_cooked
from core.wire.link.ethernet import LLC
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import EtherType
from core.wire.present.detail import each_row
from core.wire.present.record import record
from core.wire.present.summary import summarize
from tests.app.made import pcap_record
from tests.core.wire import frames
from tests.fuzz.readers import Sample, check
from tests.helpers.support import is_thorough, require_peer

DATAGRAM = frames.ipv4(frames.udp(b"data"), 17)
LLC_FRAME = LLC.emit({"dsap": 6, "ssap": 6, "control": 3}) + DATAGRAM
RELAYED = b"\x18\x61\x03\xcc" + DATAGRAM
COOKED = {LinkType.LINUX_SLL: linux_cooked.SLL, LinkType.LINUX_SLL2: linux_cooked.SLL2}
FRAD, GRE, RADIOTAP, GRE_6, NETLINK = 770, 778, 803, 823, 824
SHARE = 1 if is_thorough() else 8  # one random word in this many
HARDWARE = (0, 1, 6, 32, 280, 512, *range(766, 830), 65534, 65535)


def _cooked(link: int, hardware: int, protocol: int, payload: bytes) -> bytes:
    return COOKED[link].emit({"hatype": hardware, "etype": protocol}) + payload


def _expected(hardware: int, protocol: int) -> tuple[str, str]:
    """Return the field's name and the layers after it, as LINKTYPE_LINUX_SLL.html defines them."""
    if hardware == FRAD:
        return "sll.ltype", "fr:ip:udp"
    if hardware in (RADIOTAP, NETLINK):
        return "sll.ltype", ""
    if hardware in (GRE, GRE_6):
        return "sll.gretype", "ip:udp" if protocol == EtherType.IPV4 else ""
    if protocol == 4:
        return "sll.ltype", "llc:ip:udp"
    return ("sll.etype", "ip:udp") if protocol >= 0x0600 else ("sll.ltype", "")


@pytest.mark.parametrize("link", COOKED)
def test_the_hardware_type_says_what_the_protocol_is(link: int) -> None:
    """Hardware types around the special ones, in one packet and in a batch."""
    samples = []
    for hardware, protocol in product(HARDWARE, (0x0800, 1, 4, 0x0019)):
        payload = DATAGRAM if protocol != 4 else LLC_FRAME
        data = _cooked(link, hardware, protocol, RELAYED if hardware == FRAD else payload)
        samples.append(Sample(data, link, len(data)))
        dissection = dissect(data, link, len(data))
        name, layers = _expected(hardware, protocol)
        found = [layer.name for layer in dissection.layers]
        assert found == ["sll", *filter(None, layers.split(":"))], (hardware, protocol)
        values = record(dissection)
        assert values[name] == protocol
        assert {"sll.etype", "sll.ltype", "sll.gretype"} & values.keys() == {name}
    check(samples)


@pytest.mark.parametrize(
    ("hardware", "protocol", "says"),
    [
        (RADIOTAP, 4, "802.11 with radiotap"),
        (NETLINK, 0, "Netlink Routing"),
        (NETLINK, 77, "Netlink protocol 77"),
        (GRE, 0x88CC, "GRE type 0x88cc LLDP"),
        (1, 0x88CC, "Type 0x88cc LLDP"),
        (1, 0x000D, "CAN FD"),
        (1, 0x0019, "Linux cooked capture"),
    ],
)
def test_the_row_says_so(hardware: int, protocol: int, says: str) -> None:
    data = _cooked(LinkType.LINUX_SLL, hardware, protocol, b"\0" * 4)
    dissection = dissect(data, LinkType.LINUX_SLL, len(data))
    assert summarize(dissection).info == says
    assert tuple(each_row(dissection))[-1].key == "data"


# The word, and the family or type that it holds.
WORDS = {
    "00000002": ("family", 2),
    "02000000": ("family", 2),
    "1e000000": ("family", 30),
    "00020000": ("family", 2),  # 16 bits of a big-endian host
    "00000800": ("type", 0x0800),
    "00080000": ("type", 0x0800),
    "dd860000": ("type", 0x86DD),
    "000086dd": ("type", 0x86DD),
    "dd050000": ("type", 0x05DD),
    "000005dd": ("type", 0x05DD),
    "000005dc": ("family", 1500),
    "00060000": ("type", 0x0600),
    "00050000": ("family", 5),
    "0000ffff": ("type", 0xFFFF),
    "00010000": ("family", 1),
    "01020304": ("family", 0x01020304),
    "08000000": ("family", 8),
}


@pytest.mark.parametrize("word", WORDS)
def test_the_word_of_a_null_header(word: str) -> None:
    kind, number = WORDS[word]
    data = bytes.fromhex(word) + DATAGRAM
    first = dissect(data, LinkType.NULL, len(data)).layers[0]
    if kind == "family":
        assert first.number(data, "family") == number
    elif (high := first.number(data, "type_high")) is not None:
        assert (high << 8 | first.number(data, "type_low")) == number
    else:
        assert first.number(data, "type") == number


def test_ppp_in_the_place_of_a_null_header() -> None:
    data = b"\xff\x03\x00\x21" + DATAGRAM
    dissection = dissect(data, LinkType.NULL, len(data))
    assert [layer.name for layer in dissection.layers] == ["ppp", "ip", "udp"]


def _random_words() -> list[bytes]:
    """Yield words with zeros, small numbers, EtherTypes and PPP's first bytes in likely places."""
    random = Random(4)
    likely = (0, 0, 0, 1, 2, 5, 6, 8, 10, 24, 28, 30, 0x86, 0xDD, 0xFF, 3)
    words = [bytes(random.choices(likely, k=4)) for _ in range(3000)]
    words += [random.randbytes(4) for _ in range(500)]
    return [*words[::SHARE], *map(bytes.fromhex, WORDS)]


@pytest.mark.parametrize("link", [LinkType.NULL, LinkType.LOOP])
def test_batches_read_every_word_as_single_packets_do(link: int) -> None:
    check([Sample(word + DATAGRAM, link, 4 + len(DATAGRAM)) for word in _random_words()])


def test_null_words_as_tshark_reads_them(tmp_path) -> None:
    """tshark finds IPv4 after the same 16-bit words. Of longer ones tshark 4.0 drops the rest."""
    tshark = require_peer("tshark")
    words = _random_words()[:1500] + list(map(bytes.fromhex, WORDS))
    header = bytes.fromhex("4d3cb2a1 0200 0400 00000000 00000000 00000400 00000000")
    path = tmp_path / "null.pcap"
    path.write_bytes(header + b"".join(pcap_record(word + DATAGRAM) for word in words))
    command = [tshark, "-n", "-r", str(path), "-T", "fields", "-e", "frame.protocols"]
    lines = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
    for word, protocols in zip(words, lines, strict=True):
        if word[:2] == bytes(2) and 0 < word[2] < 6 and not word[3]:
            continue  # what a big-endian host wrote, read in the order of this host
        if any(word[:2]) and any(word[2:]) and word[:2] != b"\xff\x03":
            continue
        data = word + DATAGRAM
        names = [layer.name for layer in dissect(data, LinkType.NULL, len(data)).layers]
        assert ("ip" in names) == ("ip" in protocols.split(":")), word.hex()
