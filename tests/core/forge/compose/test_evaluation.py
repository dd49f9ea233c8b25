"""The evaluation of a draft: origins, computed values, spans, errors, layers that repeat."""

from __future__ import annotations

import json

import pytest

from core.forge.compose.draft import BadDraftError, Draft
from core.forge.compose.evaluation import READING, evaluate
from core.forge.compose.form_field import Origin
from core.forge.compose.layer_kinds import KINDS
from core.forge.compose.payload_file import FileContent
from core.forge.compose.payload_text import parse_payload, payload_text
from core.forge.compose.templates import TEMPLATES
from core.wire.dissect import dissect
from core.wire.link.link_types import LinkType
from core.wire.model.dissection import Verdict
from core.wire.model.field import Span

SYN = Draft(("ip", "tcp"), {"ip.dst": "10.0.0.9", "tcp.dstport": "80", "tcp.flags.syn": "1"})


def test_origins_of_values() -> None:
    found = evaluate(SYN, {"ip.src": 0x0A000005})
    origins = {key: found.field(key).origin for key in
               ("ip.dst", "ip.src", "ip.len", "ip.ttl", "tcp.flags", "tcp.options")}  # fmt: skip
    assert origins == {
        "ip.dst": Origin.GIVEN,
        "ip.src": Origin.SUGGESTED,
        "ip.len": Origin.COMPUTED,
        "ip.ttl": Origin.DEFAULT,
        "tcp.flags": Origin.COMPUTED,
        "tcp.options": Origin.DEFAULT,
    }
    assert found.field("ip.src").shown == "10.0.0.5"
    assert found.field("ip.len").shown == "40"
    assert found.field("ip.proto").meaning == "TCP"
    assert found.field("tcp.flags").shown == "0x002"
    assert found.field("ip.ttl").hint == "0–255"


def test_a_suggestion_gives_way_to_what_is_typed() -> None:
    found = evaluate(SYN.with_text("ip.src", "1.2.3.4"), {"ip.src": 0x0A000005})
    assert found.field("ip.src").shown == "1.2.3.4"
    assert found.field("ip.src").origin is Origin.GIVEN


def test_spans_and_who_owns_a_byte() -> None:
    found = evaluate(SYN.with_texts({"tcp.options": "mss=1460", "payload": "hello"}))
    assert found.field("ip.ttl").span == Span(8, 9)
    assert found.field("tcp.options").span == Span(40, 44)
    assert found.field("payload").span == Span(44, 49)
    assert found.field("trailer").span is None
    owners = {offset: found.at(offset) for offset in (0, 6, 8, 33, 41, 48, 49)}
    names = {offset: owner.key if owner else None for offset, owner in owners.items()}
    assert names == {
        0: "ip.version", 6: "ip.flags.rb", 8: "ip.ttl", 33: "tcp.flags.cwr", 41: "tcp.options",
        48: "payload", 49: None,
    }  # fmt: skip


def test_a_field_in_error_keeps_the_preview() -> None:
    found = evaluate(SYN.with_text("ip.ttl", "300"))
    (field,) = found.errors
    assert (field.key, field.error) == ("ip.ttl", "300: time to live is 0–255")
    assert found.data == evaluate(SYN).data


@pytest.mark.parametrize(
    ("texts", "key", "error"),
    [
        ({"tcp.options": "nop," * 41}, "tcp.options", "41 bytes of options: TCP has room for 40"),
        ({"tcp.options": "mss=x"}, "tcp.options", "x: maximum segment size is 0–65535 bytes"),
        ({"payload": "hex:0"}, "payload", "hex:0: not hex, e.g. hex:"),
        ({"payload": "\\q"}, "payload", "\\q: not an escape"),
        ({"payload": "x" * 65500}, "payload", "5 bytes too many: ip.len is at most 65535"),
        ({"payload": "x" * 65536}, "payload", "the payload is longer than the 65535 bytes"),
    ],
)
def test_errors_of_bytes(texts: dict[str, str], key: str, error: str) -> None:
    (field,) = evaluate(SYN.with_texts(texts)).errors
    assert field.key == key
    assert field.error.startswith(error)


@pytest.mark.parametrize(
    ("layers", "key", "size", "error"),
    [
        ("ipv6.hopopts", "ipv6.hopopts.options", 2047,
         "2047 bytes of options: IPv6 hop-by-hop options has room for 2046"),
        ("ipv6.dstopts", "ipv6.dstopts.options", 2100,
         "2100 bytes of options: IPv6 destination options has room for 2046"),
        ("ipv6.routing", "ipv6.routing.options", 2100,
         "2100 bytes: IPv6 routing has room for 2044"),
        ("tcp", "tcp.options", 41, "41 bytes of options: TCP has room for 40"),
    ],
)  # fmt: skip
def test_too_long_a_header_is_an_error_of_its_own_input(
    layers: str, key: str, size: int, error: str
) -> None:
    found = evaluate(Draft(("ipv6", layers, "udp"), {key: f"hex:{'00' * size}", "payload": "x"}))
    (field,) = found.errors
    assert (field.key, field.error) == (key, error)


def test_too_long_a_packet_is_an_error_of_what_makes_it_so() -> None:
    texts = {"icmp.options": "00" * 66000, "payload": "x"}
    (field,) = evaluate(Draft(("ip", "icmp"), texts)).errors
    assert field.key == "icmp.options"
    assert field.error == "494 bytes too many: ip.len is at most 65535"


def test_repeated_layers_have_numbered_keys() -> None:
    draft = Draft(("eth", "vlan", "vlan", "ip"), {"vlan.id": "5", "vlan.id#2": "7"})
    found = evaluate(draft)
    assert [found.field(key).value for key in ("vlan.id", "vlan.id#2")] == [5, 7]
    read = dissect(found.data, LinkType.ETHERNET, len(found.data))
    assert [layer.name for layer in read.layers] == ["eth", "vlan", "vlan", "ip"]


def test_the_type_decides_which_fields_follow() -> None:
    keys = {field.key for field in evaluate(Draft(("ip", "icmp"))).fields}
    assert {"icmp.ident", "icmp.seq"} <= keys
    unreachable = evaluate(Draft(("ip", "icmp"), {"icmp.type": "3", "icmp.mtu": "1400"}))
    assert unreachable.field("icmp.mtu").value == 1400
    assert "icmp.ident" not in {field.key for field in unreachable.fields}


def test_texts_of_a_layer_that_goes_are_kept_for_its_return() -> None:
    without = SYN.with_layers(("ip", "udp"))
    assert evaluate(without).errors == ()
    assert without.with_layers(("ip", "tcp")) == SYN
    assert SYN.with_text("ip.ttl", "3").with_text("ip.ttl", "") == SYN


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_every_template_is_whole_once_it_has_a_destination(template) -> None:
    for draft in template.drafts:
        ends = {"ip.dst": "10.0.0.9", "ipv6.dst": "2001:db8::9", "arp.dst.proto_ipv4": "10.0.0.9"}
        found = evaluate(draft.with_texts(ends), {"ip.src": 0x0A000005})
        assert found.errors == ()
        link = LinkType.ETHERNET if draft.has_link else LinkType.RAW
        read = dissect(found.data, link, len(found.data))
        assert read.stop is None
        verdicts = {check.verdict for layer in read.layers for check in layer.checks}
        assert verdicts <= {Verdict.GOOD, Verdict.UNVERIFIED, Verdict.NOT_PRESENT}


def test_the_fragments_of_the_template_overlap() -> None:
    first, second = (evaluate(draft) for draft in TEMPLATES["fragment-overlap"].drafts)
    assert first.built is not None
    assert second.built is not None
    end_of_first = len(first.data) - 20
    begin_of_second = 8 * int(second.built.places[0].values["frag_offset"])
    assert begin_of_second < end_of_first < begin_of_second + len(second.data) - 20
    length = int(first.built.places[1].values["length"])
    assert length == begin_of_second + len(second.data) - 20, "they make one whole datagram"


def test_drafts_as_json() -> None:
    assert Draft.from_object(json.loads(json.dumps(SYN.to_object()))) == SYN
    for text in ("null", "[]", '{"layers": ["ip"]}', '{"layers": ["x"], "texts": {}}',
                 '{"layers": ["ip"], "texts": {"a": 1}}', '{"layers": [["ip"]], "texts": {}}',
                 '{"layers": [{}], "texts": {}}'):  # fmt: skip
        with pytest.raises(BadDraftError):
            Draft.from_object(json.loads(text))


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("hello", b"hello"),
        ("a\\n\\r\\t\\0\\\\\\x41", b"a\n\r\t\0\\A"),
        ("grün", "grün".encode()),
        ("hex:00 ff:80", b"\x00\xff\x80"),
        ("\\x40file", b"@file"),
        (" two  blanks ", b" two  blanks "),
        ("", b""),
    ],
)
def test_payloads(text: str, data: bytes) -> None:
    assert parse_payload(text) == data
    assert parse_payload(payload_text(data)) == data


def test_a_file_is_pending_until_its_content_is_there() -> None:
    draft = SYN.with_texts({"payload": "@a", "trailer": "@b"})
    found = evaluate(draft, files={"b": FileContent(b"end")})
    assert found.pending is not None
    assert (found.pending.key, found.pending.shown, found.errors) == ("payload", READING, ())
    assert found.data == evaluate(SYN).data + b"end"
    found = evaluate(draft, files={"a": FileContent(b"pay"), "b": FileContent(b"end")})
    assert (found.pending, found.field("payload").value) == (None, b"pay")
    assert found.data.endswith(b"payend")


def test_the_error_of_a_file_is_its_field_s() -> None:
    files = {"a": FileContent(error="@a: not a regular file")}
    (field,) = evaluate(SYN.with_text("payload", "@a"), files=files).errors
    assert (field.key, field.error) == ("payload", "@a: not a regular file")


@pytest.mark.parametrize(
    ("layers", "texts", "aim"),
    [
        (("ip", "tcp"), {}, "ip.dst"),
        (("ip", "tcp"), {"ip.dst": "0.0.0.0"}, None),
        (("eth", "ipv6", "udp"), {}, "ipv6.dst"),
        (("ipv6", "ip", "udp"), {"ip.dst": "192.0.2.1"}, "ipv6.dst"),
        (("eth", "arp"), {}, "arp.dst.proto_ipv4"),
        (("eth", "arp"), {"arp.opcode": "2"}, None),
        (("eth",), {}, None),
    ],
)
def test_a_destination_has_no_default(layers, texts, aim) -> None:
    found = evaluate(Draft(layers, texts)).missing_destination
    assert (found.key if found is not None else None) == aim


def test_each_hint_for_options_can_be_typed() -> None:
    for kind in KINDS.values():
        if kind.options is not None:
            key = f"{kind.prefix}.options"
            found = evaluate(Draft((kind.name,), {key: kind.example}))
            assert found.errors == ()
            assert found.field(key).value
