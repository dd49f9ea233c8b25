"""The copy, the diff and the replies, from frames made by hand."""

from __future__ import annotations

import pytest

from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.observe.outcome import WHY, Outcome
from core.forge.values import SendMethod
from core.store.captured_packet import CapturedPacket
from core.wire.link.link_types import LinkType
from tests.core.forge.observe.captured import captured

ENDS = {"ip.src": "10.0.0.5", "ip.dst": "10.0.0.9"}
BACK = {"ip.src": "10.0.0.9", "ip.dst": "10.0.0.5"}
ENDS_6 = {"ipv6.src": "2001:db8::5", "ipv6.dst": "2001:db8::9"}
BACK_6 = {"ipv6.src": "2001:db8::9", "ipv6.dst": "2001:db8::5"}


def make(layers: str, **texts: str) -> bytes:
    return evaluate(Draft(tuple(layers.split("/")), texts)).data


def udp(**texts: str) -> bytes:
    return make(
        "ip/udp", **{**ENDS, "udp.srcport": "1", "udp.dstport": "2", "payload": "x", **texts}
    )


def seen(data: bytes, time_ns: int = 1000, link: int = LinkType.RAW) -> CapturedPacket:
    return captured(data, time_ns, link)


def test_the_copy_may_differ_in_what_the_kernel_writes() -> None:
    asked = udp(**{"ip.src": "0.0.0.0", "ip.len": "9", "ip.checksum": "1"})
    outcome = Outcome(asked, SendMethod.IP)
    assert outcome.feed(
        seen(udp(**{"ip.id": "77", "udp.checksum": hex(int.from_bytes(asked[26:28], "big"))}))
    )
    assert {change.name: change.why for change in outcome.changes} == WHY
    assert [c.seen for c in outcome.changes if c.name == "ip.id"] == ["0x004d"]


@pytest.mark.parametrize(
    "other",
    [
        {"ip.dst": "10.0.0.8"}, {"ip.ttl": "3"}, {"udp.dstport": "3"}, {"payload": "y"},
        {"ip.id": "7"}, {"ip.src": "10.0.0.6"},
    ],
    ids=str,
)  # fmt: skip
def test_another_packet_is_not_the_copy(other: dict[str, str]) -> None:
    """An identification and a source that were given are kept."""
    outcome = Outcome(udp(**{"ip.id": "5"}), SendMethod.IP)
    assert not outcome.feed(seen(udp(**{"ip.id": "5", **other})))
    assert outcome.copy is None


def test_a_padded_frame_is_still_the_copy() -> None:
    frame = make("eth/ip/udp", **ENDS, payload="x")
    outcome = Outcome(frame, SendMethod.LINK)
    assert outcome.feed(seen(frame.ljust(60, b"\0"), link=LinkType.ETHERNET))
    assert outcome.changes == ()


SENT_UDP = udp()
QUOTE = SENT_UDP[:28].hex()
ANSWERS = {
    "udp": (SENT_UDP, make("ip/udp", **BACK, **{"udp.srcport": "2", "udp.dstport": "1"})),
    "tcp": (
        make("ip/tcp", **ENDS, **{"tcp.srcport": "1", "tcp.dstport": "2", "tcp.flags.syn": "1"}),
        make("ip/tcp", **BACK, **{"tcp.srcport": "2", "tcp.dstport": "1", "tcp.flags.syn": "1",
             "tcp.flags.ack": "1", "tcp.ack_raw": "1"}),
    ),
    "echo": (
        make("ip/icmp", **ENDS, **{"icmp.ident": "7", "icmp.seq": "8"}),
        make("ip/icmp", **BACK, **{"icmp.type": "0", "icmp.ident": "7", "icmp.seq": "8"}),
    ),
    "echo6": (
        make("ipv6/icmpv6", **ENDS_6, **{"icmpv6.echo.identifier": "7"}),
        make("ipv6/icmpv6", **BACK_6, **{"icmpv6.type": "129", "icmpv6.echo.identifier": "7"}),
    ),
    "neighbor": (
        make("ipv6/icmpv6", **{"ipv6.src": "2001:db8::5", "ipv6.dst": "ff02::1:ff00:9",
             "icmpv6.type": "135", "icmpv6.nd.ns.target_address": "2001:db8::9"}),
        make("ipv6/icmpv6", **BACK_6,
             **{"icmpv6.type": "136", "icmpv6.nd.na.target_address": "2001:db8::9"}),
    ),
    "error": (
        SENT_UDP,
        make("ip/icmp", **{"ip.src": "10.0.0.1", "ip.dst": "10.0.0.5", "icmp.type": "11",
             "payload": f"hex:{QUOTE}"}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_has_its_delay(name: str) -> None:
    sent, answer = ANSWERS[name]
    outcome = Outcome(sent, SendMethod.IP)
    assert outcome.feed(seen(sent, 1000))
    assert outcome.feed(seen(answer, 4000))
    (reply,) = outcome.replies
    assert reply.delay_ns == 3000


@pytest.mark.parametrize("name", ANSWERS)
def test_another_host_s_answer_is_not_a_reply(name: str) -> None:
    sent, _ = ANSWERS[name]
    outcome = Outcome(sent, SendMethod.IP)
    outcome.feed(seen(sent))
    for other, (_, answer) in ANSWERS.items():
        belongs = other == name or {other, name} == {"udp", "error"}
        assert outcome.feed(seen(answer)) is belongs, other


def test_the_requested_address_answers_arp() -> None:
    asking = make(
        "eth/arp", **{"arp.dst.proto_ipv4": "10.0.0.9", "arp.src.hw_mac": "02:00:5e:10:00:01"}
    )
    outcome = Outcome(asking, SendMethod.LINK)
    for address, belongs in (("10.0.0.8", False), ("10.0.0.9", True)):
        texts = {"arp.opcode": "2", "arp.src.proto_ipv4": address}
        answer = make("eth/arp", **texts)
        assert outcome.feed(seen(answer, link=LinkType.ETHERNET)) is belongs


def test_an_answer_that_came_before_the_copy_gets_its_delay_later() -> None:
    sent, answer = ANSWERS["udp"]
    outcome = Outcome(sent, SendMethod.IP)
    outcome.feed(seen(answer, 4000))
    assert outcome.replies[0].delay_ns is None
    outcome.feed(seen(sent, 1000))
    assert outcome.replies[0].delay_ns == 3000


def test_a_syn_from_a_foreign_address_has_no_note() -> None:
    sent, _ = ANSWERS["tcp"]
    assert Outcome(sent, SendMethod.IP).notes == ()
    local = make("ip/tcp", **{"ip.src": "127.0.0.1", "ip.dst": "127.0.0.1", "tcp.srcport": "77",
                              "tcp.flags.syn": "1"})  # fmt: skip
    (note,) = Outcome(local, SendMethod.IP).notes
    assert "no connection on port 77" in note


@pytest.mark.parametrize("cut", range(0, 60, 3))
def test_cut_frames_raise_nothing(cut: int) -> None:
    for sent, answer in ANSWERS.values():
        outcome = Outcome(sent[:cut], SendMethod.IP)
        outcome.feed(seen(answer[:cut]))
        outcome.feed(seen(sent))
        Outcome(sent, SendMethod.LINK).feed(seen(answer[:cut], link=LinkType.ETHERNET))


def handshake(answer: dict[str, str]) -> Outcome:
    """A SYN from an address of this host, and the replies."""
    ends = {"ip.src": "127.0.0.1", "ip.dst": "127.0.0.1"}
    ports = {"tcp.srcport": "77", "tcp.dstport": "80", "tcp.seq_raw": "5000"}
    back = {"tcp.srcport": "80", "tcp.dstport": "77", "tcp.ack_raw": "5001", "tcp.flags.ack": "1"}
    sent = make("ip/tcp", **ends, **ports, **{"tcp.flags.syn": "1"})
    outcome = Outcome(sent, SendMethod.IP)
    outcome.feed(seen(sent))
    outcome.feed(seen(make("ip/tcp", **ends, **back, **answer)))
    return outcome


def test_an_answer_to_a_syn_counts_from_the_handshake_as_in_the_table() -> None:
    outcome = handshake({"tcp.flags.syn": "1", "tcp.seq_raw": "4029826016"})
    assert "[SYN, ACK] Seq=0 Ack=1 " in outcome.replies[0].info
    assert len(outcome.notes) == 1


def test_without_an_open_connection_no_note_mentions_a_reset() -> None:
    outcome = handshake({"tcp.flags.reset": "1"})
    assert "[RST, ACK] Seq=0 Ack=1 " in outcome.replies[0].info
    assert outcome.notes == ()
