"""The kernel's treatment of forged packets: rewrites, refusals, answers, each with its name."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.compose.route_suggestions import suggest_from_routes
from core.forge.compose.templates import TEMPLATES
from core.forge.observe.outcome import WHY, Outcome
from core.forge.observe.packet_outcome import Reply
from core.forge.send_errors import SendError
from core.forge.transmit.pacing import send_packets
from core.forge.transmit.transmission import PreparedTransmission, prepare
from core.forge.values import SendMethod, SendPlan, SendProgress
from core.net.sockets import LOCAL_SOCKETS
from core.wire.link.link_types import LinkType
from tests.core.forge.observe.captured import captured
from tests.helpers.support import require_peer
from tests.helpers.waiting import PATIENCE_S, until
from tests.live.network import FAR_ADDRESS, NEAR_ADDRESS, Network, run
from tests.live.watching import Watch, watching

pytestmark = pytest.mark.live

ABSENT = "10.77.0.99"  # on the link, but nobody has it


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with Network() as made:
        yield made


def udp(**texts: str) -> Draft:
    """A datagram to the far end's discard port, where nobody listens."""
    fields = {"ip.dst": FAR_ADDRESS, "udp.srcport": "4000", "udp.dstport": "9"}
    return Draft(("ip", "udp"), {**fields, "payload": "hello", **texts})


def build(draft: Draft, interface: str = "") -> bytes:
    """Return the bytes with this host's suggestions. For the sender's namespace."""
    around = suggest_from_routes(draft, interface, resolve=True)
    evaluation = evaluate(draft, around.values)
    assert evaluation.errors == ()
    return evaluation.data


def send(
    draft: Draft, method: SendMethod = SendMethod.IP, interface: str = ""
) -> tuple[PreparedTransmission, SendProgress]:
    """Send a draft once. In the sender's namespace."""
    transmission = prepare([build(draft, interface)], method, interface)
    with transmission.open(LOCAL_SOCKETS) as injector:
        return transmission, send_packets(injector, transmission.given_to_kernel, SendPlan())


def feed(watch: Watch, outcome: Outcome, enough: Callable[[], object]) -> Outcome:
    """Feed what is captured until there is enough."""
    fed = 0

    def look() -> object:
        nonlocal fed
        watch.read()
        for packet in watch.packets[fed:]:
            outcome.feed(packet)
            fed += 1
        return enough()

    until(look, "the outcome")
    return outcome


def outcome_of(
    network: Network, draft: Draft, method: SendMethod = SendMethod.IP, interface: str = ""
) -> Outcome:
    """Send and watch until the copy was seen."""
    with watching(network) as watch:
        transmission, progress = network.in_near(lambda: send(draft, method, interface))
        assert progress.error is None
        outcome = Outcome(transmission.packets[0], method)
        return feed(watch, outcome, lambda: outcome.copy)


def outcome_after(network: Network, draft: Draft, later: Draft) -> Outcome:
    """Send both and watch until the later one has its answer: the other had time for its own."""
    with watching(network) as watch:
        outcome, probe = (
            Outcome(network.in_near(lambda one=one: send(one)[0]).packets[0], SendMethod.IP)
            for one in (draft, later)
        )
        feed(watch, probe, lambda: probe.copy and probe.replies)
        return feed(watch, outcome, lambda: outcome.copy)


def replies_to(network: Network, draft: Draft, interface: str = "") -> list[Reply]:
    """Send and watch until there is an answer."""
    method = SendMethod.LINK if interface else SendMethod.IP
    with watching(network) as watch:
        transmission, progress = network.in_near(lambda: send(draft, method, interface))
        assert progress.error is None
        outcome = Outcome(transmission.packets[0], method)
        return feed(watch, outcome, lambda: outcome.copy and outcome.replies).replies


def test_the_four_rewrites_are_in_the_diff(network: Network) -> None:
    draft = udp(**{"ip.src": "0.0.0.0", "ip.id": "0", "ip.len": "99", "ip.checksum": "0xdead"})
    outcome = outcome_of(network, draft)
    assert {change.name: change.why for change in outcome.changes} == WHY
    seen = {change.name: change.seen for change in outcome.changes}
    assert seen["ip.src"] == NEAR_ADDRESS
    assert seen["ip.len"] == "33 bytes"
    assert any("checksum was computed for the source 0.0.0.0" in note for note in outcome.notes)


def test_fields_kept_by_the_kernel_are_not_in_the_diff(network: Network) -> None:
    draft = udp(**{"ip.id": "7", "ip.ttl": "3", "udp.checksum": "0xbeef", "udp.length": "4"})
    assert outcome_of(network, draft).changes == ()


def test_without_ip_hdrincl_the_system_writes_the_header(network: Network) -> None:
    draft = udp(**{"ip.id": "7", "ip.ttl": "3", "ip.dsfield": "0x2e"})
    outcome = outcome_of(network, draft, SendMethod.SYSTEM)
    changed = {change.name for change in outcome.changes}
    assert {"ip.ttl", "ip.dsfield", "ip.id"} <= changed
    assert all("system writes the IP header" in change.why for change in outcome.changes)


def test_without_ip_hdrincl_no_payload_is_a_header(network: Network) -> None:
    """Protocol 255 is IPPROTO_RAW, which to Linux means IP_HDRINCL."""
    inner = evaluate(Draft(("ip", "udp"), {"ip.src": NEAR_ADDRESS, "ip.dst": ABSENT})).data
    draft = Draft(
        ("ip",), {"ip.dst": FAR_ADDRESS, "ip.proto": "255", "payload": f"hex:{inner.hex()}"}
    )
    outcome = outcome_of(network, draft, SendMethod.SYSTEM)
    assert outcome.copy is not None
    assert outcome.copy.data[30:34] == socket.inet_aton(FAR_ADDRESS)


@pytest.mark.parametrize("version", ["6", "0"])
def test_without_ip_hdrincl_the_kernel_corrects_a_wrong_version(
    network: Network, version: str
) -> None:
    with watching(network) as watch:

        def send_it() -> bytes:
            packet = build(udp(**{"ip.version": version}))
            transmission = prepare([packet], SendMethod.SYSTEM, network="ip")
            with transmission.open(LOCAL_SOCKETS) as injector:
                injector.send(transmission.given_to_kernel[0])
            return packet

        outcome = Outcome(network.in_near(send_it), SendMethod.SYSTEM, "ip")
        feed(watch, outcome, lambda: outcome.copy)
    assert "ip.version" in {change.name for change in outcome.changes}


def test_without_ip_hdrincl_a_long_packet_leaves_in_fragments(network: Network) -> None:
    outcome = outcome_of(network, udp(payload="x" * 3000), SendMethod.SYSTEM)
    assert any("sent it in fragments" in note for note in outcome.notes)


def test_a_verbatim_frame_leaves_as_the_preview_shows_it(network: Network) -> None:
    wrong = {"ip.checksum": "0xdead", "ip.len": "9", "udp.checksum": "1", "eth.type": "0x1234"}
    draft = udp(**wrong).with_layers(("eth", "ip", "udp"))
    outcome = outcome_of(network, draft, SendMethod.LINK, "near0")
    assert outcome.copy is not None
    assert outcome.copy.data == outcome.packet
    assert outcome.changes == ()


def test_the_next_hop_is_found_for_a_frame(network: Network) -> None:
    draft = udp().with_layers(("eth", "ip", "udp"))
    values = network.in_near(lambda: suggest_from_routes(draft, "near0", resolve=True).values)
    far = run("ip", "-n", network.far, "-br", "link", "show", "far0").split()[2]
    near = run("ip", "-n", network.near, "-br", "link", "show", "near0").split()[2]
    assert values["eth.dst"] == int(far.replace(":", ""), 16)
    assert values["eth.src"] == int(near.replace(":", ""), 16)
    assert values["ip.src"] == int.from_bytes(socket.inet_aton(NEAR_ADDRESS), "big")


def syn(port: int) -> Draft:
    (draft,) = TEMPLATES["tcp-syn"].drafts
    return draft.with_texts({"ip.dst": FAR_ADDRESS, "tcp.dstport": str(port)})


def test_syn_to_open_closed_and_filtered_ports(network: Network) -> None:
    """SYN-ACK, reset, nothing: each with its delay."""
    nft = require_peer("nft")
    with ExitStack() as stack:
        listener = network.in_far(lambda: socket.create_server((FAR_ADDRESS, 8080)))
        stack.enter_context(listener)
        for words in ("table inet t", "chain inet t i { type filter hook input priority 0; }",
                      "rule inet t i tcp dport 8082 drop"):  # fmt: skip
            network.run_far(nft, "add", *words.split(" ", 3)[:1], words.split(" ", 1)[1])
        stack.callback(network.run_far, nft, "delete", "table", "inet", "t")
        (opened,) = replies_to(network, syn(8080))[:1]
        (closed,) = replies_to(network, syn(8081))[:1]
        filtered = outcome_after(network, syn(8082), syn(8081))
    assert "[SYN, ACK]" in opened.info
    assert "[RST, ACK]" in closed.info
    for reply in (opened, closed):
        assert reply.sender == FAR_ADDRESS
        assert reply.delay_ns is not None
        assert 0 < reply.delay_ns < 1e9
    assert filtered.replies == []
    notes = network.in_near(lambda: filtered.notes)
    assert any("answer a SYN-ACK with a reset" in note for note in notes)


def test_an_error_that_quotes_the_packet_is_a_reply(network: Network) -> None:
    (reply, *_) = replies_to(network, udp())
    assert reply.protocol == "ICMP"
    assert "port unreachable" in reply.info


def test_echo_and_arp_are_answered(network: Network) -> None:
    (echo,) = TEMPLATES["icmp-echo"].drafts
    (reply, *_) = replies_to(network, echo.with_text("ip.dst", FAR_ADDRESS))
    assert "Echo reply" in reply.info
    (asking,) = TEMPLATES["arp-who-has"].drafts
    (reply, *_) = replies_to(network, asking.with_text("arp.dst.proto_ipv4", FAR_ADDRESS), "near0")
    assert reply.info.startswith(f"{FAR_ADDRESS} is at ")


def refusal(
    network: Network, draft: Draft, method: SendMethod = SendMethod.IP, interface: str = ""
) -> SendError:
    """Return the refusal of a draft, by rawscope or by the kernel."""

    def attempt() -> SendError | None:
        try:
            return send(draft, method, interface)[1].error
        except SendError as error:
            return error

    error = network.in_near(attempt)
    assert error is not None
    return error


def test_a_packet_longer_than_the_mtu(network: Network) -> None:
    error = refusal(network, udp(payload="x" * 1500))
    assert error.name == "EMSGSIZE"
    assert "1528 bytes" in str(error)
    assert "MTU on near0 is 1500" in str(error)


def test_a_frame_longer_than_the_mtu(network: Network) -> None:
    draft = udp(payload="x" * 1500).with_layers(("eth", "ip", "udp"))
    error = refusal(network, draft, SendMethod.LINK, "near0")
    assert error.name == "EMSGSIZE"
    assert "MTU on near0 is 1500" in str(error)


def test_no_route(network: Network) -> None:
    error = refusal(network, udp(**{"ip.dst": "192.0.2.1", "ip.src": NEAR_ADDRESS}))
    assert error.name == "ENETUNREACH"
    assert "no route to 192.0.2.1" in str(error)


def test_nobody_answers_for_the_address(network: Network) -> None:
    error = refusal(network, udp(**{"ip.dst": ABSENT}))
    assert error.name == "EHOSTUNREACH"
    assert f"nobody on near0 answers for {ABSENT}" in str(error)


@pytest.mark.parametrize("kind", ["blackhole", "unreachable", "prohibit"])
def test_a_refusing_route_is_reported_as_a_route(network: Network, kind: str) -> None:
    network.ip_near("route", "add", kind, "198.51.100.0/24")
    try:
        error = refusal(network, udp(**{"ip.dst": "198.51.100.7"}))
    finally:
        network.ip_near("route", "del", kind, "198.51.100.0/24")
    assert f"the route to 198.51.100.7 is of type {kind}" in str(error)


def test_a_firewall_rule(network: Network) -> None:
    nft = (*network.inside(network.near), require_peer("nft"))
    run(*nft, "add", "table", "inet", "t")
    try:
        run(*nft, "add", "chain", "inet", "t", "o", "{ type filter hook output priority 0; }")
        run(*nft, "add", "rule", "inet", "t", "o", "udp", "dport", "9", "drop")
        error = refusal(network, udp())
    finally:
        run(*nft, "delete", "table", "inet", "t")
    assert error.name == "EPERM"
    assert "firewall" in str(error)


def test_an_interface_that_is_down(network: Network) -> None:
    network.ip_near("link", "add", "spare0", "type", "veth", "peer", "name", "spare1")
    try:
        draft = udp(**{"eth.dst": "02:00:5e:10:00:99"}).with_layers(("eth", "ip", "udp"))
        error = refusal(network, draft, SendMethod.LINK, "spare0")
    finally:
        network.ip_near("link", "del", "spare0")
    assert error.name == "ENETDOWN"
    assert "spare0 is down" in str(error)


def test_a_header_that_the_kernel_does_not_take(network: Network) -> None:
    error = refusal(network, udp(**{"ip.hdr_len": "60", "payload": ""}))
    assert error.name == "EINVAL"
    assert "--link" in str(error)


def test_a_full_queue_is_counted_and_the_rest_is_sent(network: Network) -> None:
    """A token bucket that lets almost nothing through: ENOBUFS reports what it drops."""
    tc = ("tc", "-n", network.near, "qdisc")
    run(
        *tc, "add", "dev", "near0", "root", "tbf", "rate", "8kbit", "burst", "1600", "limit", "3000"
    )
    try:

        def flood() -> SendProgress:
            transmission = prepare([build(udp())], SendMethod.IP)
            with transmission.open(LOCAL_SOCKETS) as injector:
                return send_packets(injector, transmission.packets, SendPlan(2000))

        progress = network.in_near(flood)
    finally:
        run(*tc, "del", "dev", "near0", "root")
    assert progress.error is None
    assert (progress.asked, progress.sent) == (2000, 2000)
    assert progress.dropped > 1000


@pytest.mark.timed
def test_count_and_rate_are_kept(network: Network) -> None:
    def paced() -> SendProgress:
        transmission = prepare([build(udp())], SendMethod.IP)
        with transmission.open(LOCAL_SOCKETS) as injector:
            return send_packets(injector, transmission.packets, SendPlan(200, rate=500))

    with watching(network, ring_bytes=32 << 20) as watch:  # a block is handed over every 40 ms
        progress = network.in_near(paced)
        sent = watch.wait_for(200)
    assert progress.sent == 200
    assert progress.elapsed_s == pytest.approx(199 / 500, rel=0.25)
    times = [packet.timestamp_ns for packet in sent if packet.data[30:34] == b"\x0a\x4d\x00\x02"]
    assert (times[-1] - times[0]) / 1e9 == pytest.approx(199 / 500, rel=0.25)


@pytest.mark.timed
def test_a_stop_ends_it_soon(network: Network) -> None:
    looks = iter(range(100))

    def stopped() -> SendProgress:
        transmission = prepare([build(udp())], SendMethod.IP)
        with transmission.open(LOCAL_SOCKETS) as injector:
            plan = SendPlan(1000, rate=100)
            return send_packets(injector, transmission.packets, plan, lambda: next(looks) > 5)

    progress = network.in_near(stopped)
    assert progress.stopped
    assert 0 < progress.sent < 20


def test_ipv6_goes_out_as_it_is() -> None:
    """On loopback, where all hosts with IPv6 have an address."""
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    fields = {"ipv6.dst": "::1", "ipv6.hlim": "3", "ipv6.flow": "0x12345", "udp.dstport": "9"}
    draft = Draft(("ipv6", "udp"), fields)
    try:
        transmission = prepare([build(draft)], SendMethod.IP)
    except SendError as error:
        if error.number in (errno.ENETUNREACH, errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
            pytest.skip("no IPv6 on loopback")
        raise
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x86DD)) as listening:
        listening.bind(("lo", 0x86DD))
        listening.settimeout(PATIENCE_S)
        with transmission.open(LOCAL_SOCKETS) as injector:
            injector.send(transmission.packets[0])
        while (data := listening.recv(4096)) != transmission.packets[0]:
            assert data
    outcome = Outcome(transmission.packets[0], SendMethod.IP)
    assert outcome.feed(captured(data, 1, LinkType.RAW))
    assert outcome.changes == ()
