"""Options to text and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.wire.encode.options_text import options_text, parse_options
from core.wire.encode.value_text import TextError
from core.wire.model.options import OptionList
from core.wire.network import ipv4_options, ipv6_options, neighbor_discovery
from core.wire.transport import tcp_options

TCP, IPV4, IPV6 = tcp_options.OPTIONS, ipv4_options.OPTIONS, ipv6_options.OPTIONS


@pytest.mark.parametrize(
    ("options", "text", "data"),
    [
        (TCP, "mss=1460,nop,wscale=7", "020405b4 01 030307"),
        (TCP, "MSS, sackOK, timestamp=1:0", "020405b4 0402 080a0000000100000000"),
        (TCP, "sack=1:2:3:4", "0512 00000001 00000002 00000003 00000004"),
        (TCP, "eol", "00"),
        (TCP, "md5=00112233", "1306 00112233"),
        (TCP, "99=aabb", "6304aabb"),
        (TCP, "hex:0204 05b4", "020405b4"),
        (TCP, "", ""),
        (IPV4, "lsrr=4:192.0.2.1:192.0.2.9", "830b04 c0000201 c0000209"),
        (IPV4, "routeralert", "94040000"),
        (IPV4, "router_alert,stream=5", "94040000 88040005"),
        (IPV6, "alert=0,padn", "05020000 0100"),
        (neighbor_discovery.OPTIONS, "source=02-00-5e-10-00-01", "0101 02005e100001"),
    ],
)
def test_by_name(options: OptionList, text: str, data: str) -> None:
    assert parse_options(options, text) == bytes.fromhex(data)


@pytest.mark.parametrize(
    ("options", "text", "sentence"),
    [
        (TCP, "mss=70000", "70000: maximum segment size is 0–65535 bytes"),
        (TCP, "nop=1", "nop=1: nop is one byte and takes no value"),
        (TCP, "hex:0", "hex:0: not hex, e.g. hex:0204 05b4"),
        (TCP, "254=00:zz", "zz: not hex, e.g. 0204 05b4"),
        (TCP, "99=" + "00" * 254, None),
        (TCP, "frobnicate", None),
        (TCP, "300", None),
        (IPV4, "rr=4:1.2.3", "1.2.3: neither an IPv4 address nor hex"),
        (neighbor_discovery.OPTIONS, "nonce_value=00", None),
    ],
)
def test_wrong_options_are_refused(options: OptionList, text: str, sentence: str | None) -> None:
    with pytest.raises(TextError) as caught:
        parse_options(options, text)
    if sentence is not None:
        assert str(caught.value) == sentence


def test_known_bytes_have_names() -> None:
    data = bytes.fromhex("0204ffd70402080a00000001000000000103030a")
    assert options_text(TCP, data) == "mss=65495,sack_perm,timestamp=1:0,nop,wscale=10"


@given(st.sampled_from([TCP, IPV4, IPV6, neighbor_discovery.OPTIONS]), st.binary(max_size=40))
def test_any_bytes_have_a_text_that_gives_them_back(options: OptionList, data: bytes) -> None:
    """Except zeros at the end, which padding restores."""
    text = options_text(options, data)
    assert parse_options(options, text).ljust(len(data), b"\0") == data
