"""The small readers of DNS, HTTP and TLS: known messages, and malicious ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.wire.application import dns, http, payload_info, tls
from core.wire.model.decode_rules import NO_RULES, DecodeRules

QUESTION = b"\x07example\x03org\x00\x00\x01\x00\x01"
ANSWER = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01"


def message(questions: int, answers: int, body: bytes, flags: int = 0x8180) -> bytes:
    counts = (1, flags, questions, answers, 0, 0)
    return b"".join(count.to_bytes(2, "big") for count in counts) + body


DNS = message(1, 0, QUESTION, 0x0100)
MAIL = b"\xc0\x0c\x00\x0f\x00\x01\x00\x00\x00\x3c\x00\x09\x00\x0a\x04mail\xc0\x0c"


def test_a_question_and_its_answer() -> None:
    assert (dns.describe(message(1, 1, QUESTION + MAIL)) or "").endswith("MX mail.example.org")
    assert dns.describe(message(1, 0, QUESTION, 0x0100)) == ("Standard query 0x0001 A example.org")
    assert dns.describe(message(1, 1, QUESTION + ANSWER)) == (
        "Standard query response 0x0001 A example.org A 192.0.2.1"
    )
    assert dns.describe(message(1, 0, QUESTION, 0x8183)) == (
        "Standard query response 0x0001 no such name A example.org"
    )


@pytest.mark.parametrize(
    "name",
    [b"\xc0\x0c", b"\xc0\x0e\xc0\x0c", b"\x01a\xc0\x0c", b"\xc0", b"\x3f", b"\xff\xff"],
    ids=["itself", "two in a circle", "through a label", "cut", "runs out", "far ahead"],
)
def test_names_that_never_end(name) -> None:
    text, after = dns.read_name(message(1, 0, name), 12)
    assert after is None
    assert text.endswith("…")


def test_a_name_is_at_most_255_bytes() -> None:
    text, after = dns.read_name(b"\x3f" + b"a" * 63 + (b"\x3f" + b"b" * 63) * 9 + b"\x00", 0)
    assert after is None
    assert len(text) < 256


def test_control_characters_in_a_name() -> None:
    assert dns.read_name(b"\x04a\x1b[m\x00", 0) == ("a\\x1b[m", 6)


@given(st.binary(max_size=120))
def test_no_bytes_make_a_reader_raise(data) -> None:
    for describe in (dns.describe, http.describe, tls.describe):
        text = describe(data)
        assert text is None or text.isprintable()
    tls.server_name(data)


def test_http_lines() -> None:
    assert http.describe(b"HTTP/1.1 404 Not Found\r\nA: b\r\n") == "HTTP/1.1 404 Not Found"
    assert http.describe(b"POST /x HTTP/1.1\r\n") == "POST /x HTTP/1.1"
    assert http.describe(b"GETTING there") is None
    long = http.describe(b"GET /" + b"a" * 1000)
    assert long is not None
    assert long.endswith("…")


def client_hello(name: bytes) -> bytes:
    entry = b"\x00" + len(name).to_bytes(2, "big") + name
    names = len(entry).to_bytes(2, "big") + entry
    extension = b"\x00\x00" + len(names).to_bytes(2, "big") + names
    other = b"\x00\x17\x00\x00"
    extensions = (len(other) + len(extension)).to_bytes(2, "big") + other + extension
    body = b"\x03\x03" + bytes(32) + b"\x00" + b"\x00\x02\x13\x01" + b"\x01\x00" + extensions
    handshake = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + len(handshake).to_bytes(2, "big") + handshake


def test_the_server_name_of_a_client_hello() -> None:
    hello = client_hello(b"example.org")
    assert tls.describe(hello) == "Client hello, server name example.org"
    for length in range(len(hello)):
        text = tls.describe(hello[:length])
        assert text is None or "example.org".startswith(text.partition("server name ")[2])
    assert tls.describe(client_hello(b"a\x1bb")) == "Client hello, server name a\\x1bb"
    assert tls.describe(b"\x17\x03\x03\x00\x10" + bytes(16)) == "Application data"
    assert tls.describe(b"\x17\x09\x03\x00\x10" + bytes(16)) is None


@given(
    st.lists(
        st.tuples(
            st.sampled_from((b"", b"GET /", b"HTTP/1.1 200", b"\x16\x03\x01\x00\x05", QUESTION)),
            st.binary(max_size=40),
            st.tuples(*[st.sampled_from((1, 53, 1900, 5353, 5355, 80, 65535))] * 2),
        ),
        min_size=1,
    ),
    st.dictionaries(
        st.tuples(st.sampled_from(payload_info.TRANSPORTS), st.sampled_from((1, 53, 80))),
        st.sampled_from(payload_info.READER_NAMES),
    ),
)
@example([(start, bytes(20), (1, port)) for start in (b"GET /", DNS) for port in (53, 80)], {})
def test_many_payloads_have_the_readers_of_one(parts, assignments) -> None:
    payloads = [start + rest for start, rest, _ in parts]
    rules = DecodeRules(assignments)
    data = np.frombuffer(b"".join(payloads) or b"\0", np.uint8)
    sizes = np.array(list(map(len, payloads)))
    ends = np.cumsum(sizes)
    source, destination = np.array([ports for *_, ports in parts], np.uint16).T
    for transport in payload_info.TRANSPORTS:
        places = (data, ends - sizes, ends)
        numbers = payload_info.recognized(rules, transport, (source, destination), *places)
        found = [
            payload_info.READERS[payload_info.READER_NAMES[number - 1]].names[transport]
            if number
            else None
            for number in numbers.tolist()
        ]
        one = [
            payload_info.describe_bytes(rules, transport, *ports, payload)
            for payload, (*_, ports) in zip(payloads, parts, strict=True)
        ]
        assert found == [each and each.name for each in one]


STARTS = (
    b"", b"GET", b"GET ", b"GET  ", b"GET \r", b"GET /", b"M-SEARCH *", b"RPC_IN_DATA /",
    b"HTTP/1.1 200",
    b"HTTP/1.0 404 Not Found", b"HTTP/1.2 200", b"HTTP/1.1 20x", b"HTTP/2", b"\x16\x03\x01\0\x05",
    b"\x17\x03\x03\0\0", b"\x17\x03\x03\x48\0", b"\x17\x03\x03\x48\1", b"\x17\x03\x04\0\x05",
    b"\x18\x03\x03\0\x05",
)  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(STARTS), st.binary(max_size=20)), min_size=1))
@example([(start, b"") for start in STARTS])
def test_many_messages_are_recognized_as_one_is(parts) -> None:
    messages = [start + rest for start, rest in parts]
    data = np.frombuffer(b"".join(messages), np.uint8)
    sizes = np.array(list(map(len, messages)))
    ends = np.cumsum(sizes)
    for reader in payload_info.READERS.values():
        expected = [reader.describe(message) is not None for message in messages]
        assert reader.are_messages(data, ends - sizes, ends).tolist() == expected
    assert list(map(dns.is_message, messages)) == [
        dns.describe(message) is not None for message in messages
    ]


@pytest.mark.parametrize(
    ("transport", "ports", "name"),
    [
        ("udp", (40_000, 1900), "SSDP"),
        ("udp", (1900, 40_000), "SSDP"),
        ("udp", (40_000, 9000), None),
        ("tcp", (40_000, 1900), "HTTP"),
    ],
)
def test_ssdp_is_on_its_port_over_udp(transport, ports, name) -> None:
    found = payload_info.describe_bytes(NO_RULES, transport, *ports, b"GET /" + b"a" * 3000)
    assert (found and found.name) == name
    assert found is None or len(found.text) == 201


def test_at_most_one_of_the_readers_of_any_port_knows_a_payload() -> None:
    """So their order does not matter."""
    assert not http.FIRST_BYTES & tls.FIRST_BYTES


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(payload_info.TRANSPORTS), st.sampled_from((53, 80, 5353))),
        st.sampled_from(payload_info.READER_NAMES),
    )
)
def test_the_ports_of_many_payloads_select_the_readers_of_one(assignments) -> None:
    ports = np.array((9, 53, 80, 1900, 5353, 5355), np.uint16)
    source, destination = (each.ravel() for each in np.meshgrid(ports, ports))
    rules = DecodeRules(assignments)
    for transport in payload_info.TRANSPORTS:
        numbers = payload_info.readers_of(rules, transport, source, destination).tolist()
        found = [payload_info.READER_NAMES[number - 1] if number else None for number in numbers]
        assert found == [
            payload_info.reader_of(rules, transport, *pair)
            for pair in zip(source.tolist(), destination.tolist(), strict=True)
        ]
