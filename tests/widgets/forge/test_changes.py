"""The user's changes to a form, without a screen: layers, send method, settings, flags, rows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.compose.layer_kinds import KINDS
from core.forge.compose.templates import TEMPLATES
from core.forge.values import LONGEST_INTERVAL_S, SLOWEST, SendMethod
from core.wire.encode.value_text import shortened
from core.wire.protocol import LayerPosition
from tests.core.wire.encode.test_value_text import ANY_TEXT
from widgets.forge.changes import FormState, choose, follow_link, switch_flag, typed
from widgets.forge.layers import layer_names, with_layer
from widgets.forge.rows import FormRow, HostInfo, RowKind, form_rows
from widgets.forge.settings import (
    COUNT,
    FASTEST,
    INTERVAL,
    MOST_PACKETS,
    RATE,
    SendSettings,
)


def rows_of(state: FormState, **more: object) -> dict[str, FormRow]:
    evaluation = evaluate(state.draft)
    packets = (state.index, len(state.drafts))
    rows = form_rows(evaluation, state.settings, packets=packets, **more)
    return {row.key: row for row in rows}


def pick(state: FormState, key: str, choice: str, interfaces: tuple[str, ...] = ()) -> FormState:
    row = rows_of(state, host=HostInfo(interfaces))[key]
    return choose(state, row, row.choices.index(choice), HostInfo(interfaces))


@pytest.mark.parametrize(
    ("layers", "place", "name", "expected"),
    [
        (("ip", "tcp"), LayerPosition.TRANSPORT, "udp", ("ip", "udp")),
        (("ip", "tcp"), LayerPosition.TRANSPORT, "", ("ip",)),
        (("ip",), LayerPosition.TRANSPORT, "icmp", ("ip", "icmp")),
        (
            ("eth", "vlan", "ip", "tcp"),
            LayerPosition.NETWORK,
            "ipv6",
            ("eth", "vlan", "ipv6", "tcp"),
        ),
        (("ip", "tcp"), LayerPosition.NETWORK, "arp", ("eth", "arp")),
        (("ipv6", "ipv6.fraghdr", "udp"), LayerPosition.NETWORK, "", ("udp",)),
        (("ip", "tcp"), LayerPosition.LINK, "802.3", ("802.3", "ip", "tcp")),
        (("ip", "ip", "tcp"), LayerPosition.NETWORK, "ipv6", ("ip", "ipv6", "tcp")),
    ],
)
def test_a_layer_takes_the_place_of_the_one_there(layers, place, name, expected):
    assert with_layer(Draft(layers), place, name).layers == expected


def test_verbatim_brings_a_link_header_and_the_others_take_it_away():
    state = pick(FormState(), ":method", "verbatim")
    assert state.draft.layers == ("eth", "ip", "tcp")
    state = state.with_draft(state.draft.with_layers(("eth", "vlan", "ip", "tcp")))
    state = pick(state, ":method", "system")
    assert state.draft.layers == ("ip", "tcp")
    assert state.settings.method is SendMethod.SYSTEM


def test_a_link_header_leaves_verbatim():
    state = pick(FormState(), ":network", "ARP")
    assert (state.draft.layers, state.settings.method) == (("eth", "arp"), SendMethod.LINK)
    state, error = typed(FormState(), ":layers", "eth/ip/udp")
    assert (state.settings.method, error) == (SendMethod.LINK, "")


def test_invalid_layers_leave_the_draft_unchanged():
    state, error = typed(FormState(), ":layers", "ip/tcpp")
    assert state == FormState()
    assert error.startswith("tcpp: no such layer")


def test_drafts_that_belong_together_leave_by_one_send_method():
    pair = FormState.of(TEMPLATES["fragment-overlap"].drafts)
    assert rows_of(pair)[":packet"].choices == ("1", "2")
    second = choose(pair, rows_of(pair)[":packet"], 1, ())
    assert second.draft == pair.drafts[1]
    wired = pick(second, ":method", "verbatim")
    assert [draft.has_link for draft in wired.drafts] == [True, True]


def test_an_interface_is_chosen_among_those_that_are_up():
    state = pick(pick(FormState(), ":method", "verbatim"), ":interface", "veth1", ("lo", "veth1"))
    assert state.settings.interface == "veth1"
    assert pick(state, ":interface", "by route", ("lo", "veth1")).settings.interface == ""


def test_a_flag_is_switched_and_opened_again_where_it_would_be_so_anyway():
    state = FormState()
    on = switch_flag(state, rows_of(state)["ip.flags.df"])
    assert on.draft.texts == {"ip.flags.df": "1"}
    assert rows_of(on)["ip.flags.df"].is_set
    off = switch_flag(on, rows_of(on)["ip.flags.df"])
    assert not rows_of(off)["ip.flags.df"].is_set
    assert off == state


def test_a_flag_that_its_parent_sets_is_switched_off():
    state, _ = typed(FormState(), "tcp.flags", "syn,ack")
    off = switch_flag(state, rows_of(state)["tcp.flags.ack"])
    assert off.draft.texts["tcp.flags.ack"] == "0"
    assert rows_of(off)["tcp.flags"].shown == "0x002"


def test_every_field_of_every_kind_is_a_row():
    for kind in KINDS.values():
        rows = rows_of(FormState().with_draft(Draft((kind.name,))))
        for table in kind.tables:
            for slot in table.slots:
                assert slot.name in rows, slot.name
        assert (f"{kind.prefix}.options" in rows) == bool(kind.body)


def test_every_kind_but_tags_and_extensions_can_be_chosen():
    for place in (LayerPosition.LINK, LayerPosition.NETWORK, LayerPosition.TRANSPORT):
        assert {name for name in layer_names(place) if name} == {
            kind.name for kind in KINDS.values() if kind.place is place
        }


def test_a_closed_heading_counts_the_errors_below():
    state, _ = typed(FormState(), "ip.ttl", "300")
    rows = form_rows(evaluate(state.draft), state.settings, closed={":layer.0"})
    heading = next(row for row in rows if row.key == ":layer.0")
    assert (heading.kind, heading.is_open, heading.errors) == (RowKind.HEADING, False, 1)
    assert all(row.key != "ip.ttl" for row in rows)


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        (COUNT, "0", "count is 1–"),
        (COUNT, "many", "count is 1–"),
        (COUNT, "-3", "count is 1–"),
        (COUNT, "9" * 5000, "count is 1–"),
        (RATE, "0", "rate is one packet a day to"),
        (RATE, "nan", "rate is one packet a day to"),
        (RATE, "inf", "rate is one packet a day to"),
        (RATE, "1e-310", "rate is one packet a day to"),
        (RATE, "9" * 5000, "rate is one packet a day to"),
        (INTERVAL, "9" * 5000, "interval is 0–"),
        (INTERVAL, "-1", "interval is 0–"),
        (INTERVAL, "1e9", "interval is 0–"),
    ],
    ids=lambda text: text[:20],
)
def test_settings_that_cannot_be(key, text, words):
    errors = SendSettings().with_text(key, text).errors()
    assert list(errors) == [key]
    assert errors[key].startswith(f"{shortened(text)}: {words}")


@given(st.sampled_from([COUNT, RATE, INTERVAL]), ANY_TEXT)
def test_whatever_is_typed_is_a_plan_or_an_error(key, text):
    settings = SendSettings().with_text(key, text)
    plan = None if settings.errors() else settings.plan
    assert plan is None or (plan.count >= 1 and (plan.rate is None or plan.rate >= SLOWEST))
    assert settings.shown(RATE)


@given(
    st.one_of(
        st.tuples(st.just(COUNT), st.integers(max_value=0) | st.integers(MOST_PACKETS + 1)),
        st.tuples(st.just(RATE), st.floats(max_value=SLOWEST, exclude_max=True)),
        st.tuples(st.just(RATE), st.floats(FASTEST, exclude_min=True)),
        st.tuples(st.just(INTERVAL), st.floats(max_value=0, exclude_max=True)),
        st.tuples(st.just(INTERVAL), st.floats(LONGEST_INTERVAL_S, exclude_min=True)),
    )
)
def test_a_setting_out_of_range_is_one_error_on_it(wrong):
    key, number = wrong
    errors = SendSettings().with_text(key, str(number)).errors()
    assert list(errors) == [key]
    assert errors[key].startswith(f"{shortened(str(number))}: ")


def test_rate_and_interval_are_one_thing():
    settings = SendSettings().with_text(COUNT, "0x10").with_text(INTERVAL, "0.25")
    assert (settings.plan.count, settings.plan.rate) == (16, 4.0)
    assert settings.shown(RATE) == "4"
    settings = settings.with_text(RATE, "50")
    assert (settings.interval, settings.shown(INTERVAL)) == ("", "0.02")
    assert SendSettings().with_text(INTERVAL, "0").plan.rate is None


NEAR = HostInfo(("eth0", "tun7"), bare=frozenset({"tun7"}))
VERBATIM = FormState().with_method(SendMethod.LINK)


def chosen(state: FormState, key: str, choice: str, host: HostInfo = NEAR) -> FormState:
    row = rows_of(state, host=host)[key]
    return choose(state, row, row.choices.index(choice), host)


@pytest.mark.parametrize("first", ["interface", "method"])
def test_an_interface_without_link_headers_gets_no_link_layer(first):
    state = VERBATIM.with_draft(VERBATIM.draft.with_layers(("eth", "vlan", "ip", "tcp")))
    state = chosen(state, ":interface", "tun7")
    if first == "interface":  # then the method, again
        state = chosen(chosen(state, ":method", "system"), ":method", "verbatim")
    assert state.draft.layers == ("ip", "tcp")
    assert state.settings.method is SendMethod.PACKET
    rows = rows_of(state, host=NEAR)
    assert ":link" not in rows
    assert rows[":method"].choices[rows[":method"].chosen] == "verbatim"
    assert "without a link header" in rows[":method"].hint
    state = chosen(state, ":interface", "eth0")
    assert state.draft.layers == ("eth", "vlan", "ip", "tcp")
    assert state.settings.method is SendMethod.LINK


def test_the_link_layer_follows_the_interface_of_the_route():
    to_tun, to_eth = replace(NEAR, route_interface="tun7"), replace(NEAR, route_interface="eth0")
    bare = follow_link(VERBATIM, to_tun)
    assert (bare.draft.layers, bare.settings.method) == (("ip", "tcp"), SendMethod.PACKET)
    assert chosen(FormState(), ":method", "verbatim", to_tun) == replace(bare, links=())
    assert replace(follow_link(bare, to_eth), links=()) == VERBATIM
    for kept in (VERBATIM, bare):
        assert follow_link(kept, NEAR) == kept  # no route is known yet
    assert follow_link(FormState(), to_tun) == FormState()  # the IP stack decides


def test_a_typed_link_layer_is_sent_as_a_frame():
    """On an interface without link headers, sending refuses it and says why."""
    state = chosen(VERBATIM, ":interface", "tun7")
    state, error = typed(state, ":layers", "eth/ip/udp")
    assert (state.settings.method, error) == (SendMethod.LINK, "")
