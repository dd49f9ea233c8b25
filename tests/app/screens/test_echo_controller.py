"""The echo panel on the screen: its place, its commands to the server, and the packet filter."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from textual import events
from textual.widgets import Input, RadioSet

from app.screens.dialogs.add_listener import AddListener
from app.screens.filter.client_filter import GONE, client_of, filter_of_client
from app.screens.filter.filter_controller import ALL_CLIENTS
from core.echo.client_columns import ClientColumns
from core.echo.options import Trigger
from core.engine.echo_service import NO_SERVER
from core.engine.snapshot import EngineSnapshot, EngineState
from tests.helpers.idle import eventually
from tests.helpers.scripted_echo import (
    BUILTIN,
    EDGE,
    HOST,
    LEVEL,
    LEVEL_PORT,
    NOW_S,
    PACKETS_EACH,
    PAUSED,
    STALLED,
    echo_snapshot,
    echo_store,
)
from tests.helpers.scripted_monitor import ScriptedEngine, filled, main, scripted_monitor
from widgets.echo.paint import BUILTIN as BUILTIN_SIGN

SIZES = {"wide": (160, 45), "medium": (120, 36), "small": (80, 24), "least": (40, 10)}
LO = EngineSnapshot(EngineState.LIVE, interfaces=("lo",), captured=42, received=42)


@asynccontextmanager
async def running(size="wide", said=None):
    """Run the monitor on the scripted echo server; yield the pilot and the server."""
    engine = ScriptedEngine(LO, echo_snapshot() if said is None else said)
    monitor = scripted_monitor(echo_store(), engine)
    async with monitor.run_test(size=SIZES[size]) as pilot:
        await filled(pilot)
        yield pilot, engine.echo


def panel(screen):
    return screen.sides["echo"].panel


def clients(screen):
    return screen.sides["echo"].clients


async def panels(pilot):
    """Return the names of the visible panels."""
    await pilot.pause()
    names = ("packets", "detail", "hex", "echo")
    return [name for name in names if main(pilot).query_one(f"#{name}").region.area]


async def opened(pilot):
    await pilot.press("e")
    await pilot.pause()
    screen = main(pilot)
    screen.poll()
    await pilot.pause()
    assert screen.focused is clients(screen)
    return screen


# -- its place ---------------------------------------------------------------------------


async def test_on_a_wide_screen_it_opens_beside_the_others_and_closes():
    async with running("wide") as (pilot, _):
        assert await panels(pilot) == ["packets", "detail", "hex"]
        screen = await opened(pilot)
        assert await panels(pilot) == ["packets", "detail", "hex", "echo"]
        assert panel(screen).size.width >= 56
        await pilot.press("e")
        assert await panels(pilot) == ["packets", "detail", "hex"]
        assert screen.focused is screen.table


async def test_on_a_medium_screen_it_is_behind_a_tab_with_detail_and_hex_behind_another():
    async with running("medium") as (pilot, _):
        screen = main(pilot)
        assert not screen.query_one("#tabs").display
        await opened(pilot)
        assert await panels(pilot) == ["packets", "echo"]
        assert screen.query_one("#tabs").display
        await pilot.click("#tabs", offset=(3, 0))
        assert await panels(pilot) == ["packets", "detail", "hex"]
        await pilot.press("e", "e")
        assert await panels(pilot) == ["packets", "detail", "hex"]
        assert not screen.query_one("#tabs").display


@pytest.mark.parametrize("size", ["small", "least"])
async def test_on_a_narrow_screen_it_is_one_more_tab(size):
    async with running(size) as (pilot, _):
        tabs = main(pilot).query_one("#tabs")
        await pilot.click(tabs, offset=(str(tabs.render()).index("Echo"), 0))
        assert await panels(pilot) == ["packets", "echo"]
        await pilot.press("z")
        assert await panels(pilot) == ["echo"]
        await pilot.press("e")
        assert await panels(pilot) == ["packets", "detail"]


async def test_a_resize_keeps_it_open():
    async with running("wide") as (pilot, _):
        screen = await opened(pilot)
        for size, shown in (
            ("medium", ["packets", "echo"]),
            ("small", ["packets", "echo"]),
            ("wide", ["packets", "detail", "hex", "echo"]),
        ):
            await pilot.resize_terminal(*SIZES[size])
            assert await panels(pilot) == shown
            assert screen.focused is clients(screen)


async def test_tab_goes_through_it_only_while_it_is_open():
    async with running("wide") as (pilot, _):
        screen = main(pilot)
        await pilot.press("tab", "tab", "tab")
        assert screen.focused is screen.table
        await pilot.press("e", "tab", "shift+tab")
        assert screen.focused is clients(screen)


@pytest.mark.parametrize(
    ("state", "interfaces", "hinted"),
    [
        (EngineState.LIVE, ("lo",), False),
        (EngineState.LIVE, ("eth0", "any"), False),
        (EngineState.LIVE, ("eth0",), True),
        (EngineState.STOPPED, ("lo",), True),
    ],
)
async def test_a_hint_says_why_its_packets_cannot_be_in_the_table(state, interfaces, hinted):
    async with running() as (pilot, _):
        pilot.app.bridge._engine.said = replace(LO, state=state, interfaces=interfaces)
        screen = await opened(pilot)

        def is_hinted() -> bool:
            head = panel(screen).head
            lines = [strip.text for strip in head.render_lines(head.size.region)]
            return any("lo is not captured" in line for line in lines)

        await eventually(lambda: is_hinted() == hinted, "the hint", screen.poll)
        await pilot.pause()
        assert is_hinted() == hinted


# -- commands to the server --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("b", ("talk", LEVEL.identifier, 64)),
        ("x", ("stop_listening", LEVEL.identifier)),
        ("minus", ("step_budget", -1)),
        ("plus", ("step_budget", 1)),
        ("d", ("next_drain",)),
        ("p", ("toggle_pause", 1)),
        ("j j j p", ("toggle_pause", PAUSED)),
        ("j c", ("close_client", 2)),
        ("j", ("select", 2)),
    ],
)
async def test_a_key_is_a_command(keys, told):
    async with running() as (pilot, echo):
        await opened(pilot)
        await pilot.press(*keys.split())
        await pilot.pause()
        assert echo.told[-1] == told


async def test_the_built_in_clients_log_is_shown_where_its_bytes_go():
    async with running() as (pilot, echo):
        screen = await opened(pilot)
        await pilot.press("v", "b")
        await pilot.pause()
        assert clients(screen).selected == STALLED  # that is the one of the edge listener
        assert echo.told[-2:] == [("talk", EDGE.identifier, 64), ("select", STALLED)]
        assert not screen.filter.text


async def test_a_new_built_in_client_is_selected_when_it_has_connected():
    said = echo_snapshot()
    async with running(said=replace(said, builtin_clients=())) as (pilot, echo):
        screen = await opened(pilot)
        await pilot.press("v", "b")
        assert clients(screen).selected == 1
        echo.said = replace(said, taken_s=said.taken_s + 0.1)
        screen.poll()
        assert clients(screen).selected == STALLED
        clients(screen).select(1)
        echo.said = replace(said, taken_s=said.taken_s + 0.2)
        screen.poll()
        assert clients(screen).selected == 1  # once


async def test_without_a_listener_one_key_starts_everything():
    async with running(said=NO_SERVER) as (pilot, echo):
        await opened(pilot)
        await pilot.press("x", "p", "c", "enter", "v", "s")  # these need a listener or a client
        assert echo.told == []
        await pilot.press("b")
        assert echo.told == [("demonstrate", 64)]


async def test_the_listener_dialog_refuses_wrong_input_and_adds_a_listener():
    async with running() as (pilot, echo):
        await opened(pilot)
        await pilot.press("a")
        dialog = pilot.app.screen
        assert isinstance(dialog, AddListener)
        dialog.query_one("#port", Input).value = "70000"
        dialog.query_one("#address", Input).value = "::1"
        await pilot.press("enter")
        assert "no port" in str(dialog.query_one(".dialog-hint").render())
        dialog.query_one("#port", Input).value = "7009"
        dialog.query_one("#address", Input).value = "1.2.3.400"
        await pilot.press("enter")
        assert "no address '1.2.3.400'" in str(dialog.query_one(".dialog-hint").render())
        dialog.query_one("#address", Input).value = "192.0.2.1"  # RFC 5737: nobody's
        await pilot.press("enter")
        assert "no such address" in str(dialog.query_one(".dialog-hint").render())
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
            port = taken.getsockname()[1]
            dialog.query_one("#port", Input).value = str(port)
            dialog.query_one("#address", Input).value = "[::1]"
            await pilot.press("enter")
            assert "is in use already" in str(dialog.query_one(".dialog-hint").render())
            assert pilot.app.screen is dialog
        dialog.query_one(RadioSet).query("RadioButton")[1].value = True
        await pilot.press("enter")
        await pilot.pause()
        assert echo.told[-1] == ("listen", "::1", port, Trigger.EDGE)
        await pilot.press("a", "escape")
        assert echo.told[-1] == ("listen", "::1", port, Trigger.EDGE)


async def test_the_listener_dialog_takes_keys_typed_in_one_burst():
    """A terminal delivers fast typing at once; enter does not overtake the digits."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    async with running() as (pilot, echo):
        await opened(pilot)
        await pilot.press("a")
        for key in (*port, "enter"):
            pilot.app.post_message(events.Key(key, None if key == "enter" else key))
        await eventually(lambda: echo.told, "the command")
        assert echo.told[-1] == ("listen", "127.0.0.1", int(port), Trigger.LEVEL)


async def test_the_arrows_choose_the_trigger_and_enter_adds():
    async with running() as (pilot, echo):
        await opened(pilot)
        await pilot.press("a", "tab", "tab", "right", "enter")
        await pilot.pause()
        assert echo.told[-1] == ("listen", "127.0.0.1", 0, Trigger.EDGE)


async def test_a_listener_is_added_by_mouse_alone():
    async with running() as (pilot, echo):
        await opened(pilot)
        await pilot.press("a")
        await pilot.click("#cancel")
        assert not isinstance(pilot.app.screen, AddListener)
        await pilot.press("a")
        await pilot.click(pilot.app.screen.query_one(RadioSet).query("RadioButton")[1])
        await pilot.click("#add")
        await pilot.pause()
        assert echo.told[-1] == ("listen", "127.0.0.1", 0, Trigger.EDGE)


async def test_a_click_on_a_word_does_what_its_key_does():
    async with running() as (pilot, echo):
        screen = await opened(pilot)
        line = panel(screen).head.render_line(1).text
        await pilot.click(panel(screen).head, offset=(line.index("stop"), 1))
        await pilot.pause()
        assert echo.told[-1] == ("stop_listening", EDGE.identifier)


# -- whose packets ------------------------------------------------------------------------


async def kept(screen, count):
    """Wait until the table has `count` rows."""
    await eventually(lambda: screen.table.line_count == count, f"{count} rows")


async def test_a_client_keeps_the_table_to_its_packets_and_a_key_shows_all():
    async with running() as (pilot, _):
        screen = await opened(pilot)
        held = screen.table.line_count
        await pilot.press("j")
        await kept(screen, PACKETS_EACH)
        bar = screen.filter.bar
        wanted = (
            "ip.src == 127.0.0.1 and ip.dst == 127.0.0.1 and tcp.port == 40002 and tcp.port == 7007"
        )
        assert (screen.filter.text, bar.input.value) == (wanted, wanted)
        assert f"{PACKETS_EACH} of {held}" in str(bar.count.render())
        assert screen.panels.selected.packet.number in range(PACKETS_EACH + 1, 2 * PACKETS_EACH + 1)
        await pilot.press("backslash")
        assert screen.table.line_count == held
        screen.filter.clear()
        assert (bar.input.value, bar.input.placeholder) == ("", ALL_CLIENTS)
        screen.workspace.side = ""
        screen.poll()
        assert not bar.display
        assert screen.focused is clients(screen)


async def test_picking_a_client_does_not_paint_the_whole_screen(monkeypatch):
    """It would take longer than all other work for the key."""
    async with running() as (pilot, _):
        screen = await opened(pilot)
        await pilot.pause()
        painted = []
        monkeypatch.setattr(screen, "refresh", lambda *_, **how: painted.append(how))
        await pilot.press("j")
        await kept(screen, PACKETS_EACH)
        assert painted == []


async def test_enter_asks_for_the_one_under_the_cursor_and_for_all_again():
    async with running() as (pilot, _):
        screen = await opened(pilot)
        held = screen.table.line_count
        assert not screen.filter.text  # opening the panel hides nothing
        await pilot.press("enter")
        assert screen.table.line_count == PACKETS_EACH
        await pilot.press("enter")
        assert screen.table.line_count == held


async def test_a_click_picks_a_client_and_a_click_on_clear_shows_all():
    async with running() as (pilot, _):
        screen = await opened(pilot)
        held = screen.table.line_count
        await pilot.click("#clients", offset=(5, 3))
        await kept(screen, PACKETS_EACH)
        assert "tcp.port == 40003" in screen.filter.text
        await pilot.click(screen.filter.bar.count)
        await kept(screen, held)


async def test_a_client_without_packets_leaves_an_empty_table():
    async with running() as (pilot, _):
        screen = await opened(pilot)
        await pilot.press("G")
        await kept(screen, 0)
        assert screen.panels.selected is None
        await pilot.press("backslash")
        assert screen.table.selected is not None


async def test_a_packet_highlights_its_client():
    async with running() as (pilot, _):
        screen = await opened(pilot)
        screen.workspace.focus_table()
        await pilot.pause()
        assert screen.focused is screen.table
        screen.table.select(4 * PACKETS_EACH + 2)  # a reply of the server
        await pilot.pause()
        assert clients(screen).selected == 5
        assert not screen.filter.text
        await pilot.press("g")
        assert clients(screen).selected == 1


async def test_a_click_on_a_packet_from_the_panel_highlights_its_client():
    """The first click does, too, while it moves the focus from the panel to the table."""
    async with running() as (pilot, _):
        screen = await opened(pilot)
        assert clients(screen).selected == 1
        screen.table.scroll_to(y=0)
        await pilot.click(screen.table, offset=(5, 1 + PACKETS_EACH + 1))
        await pilot.pause()
        assert screen.table.selected == PACKETS_EACH + 2
        assert clients(screen).selected == 2


async def test_following_does_not_drag_the_cursor_from_client_to_client():
    async with running() as (pilot, _):
        screen = await opened(pilot)
        screen.workspace.focus_table()
        await pilot.pause()
        clients(screen).select(3)
        screen.table.select(1)
        screen.table.follow = True
        await pilot.pause()
        assert clients(screen).selected == 1


def _same_port_at_both():
    """Return a snapshot with one port connected to both listeners, and the two clients."""
    columns = ClientColumns()
    for info in (LEVEL, EDGE):
        columns.open(9, info.identifier, info.trigger, (HOST, BUILTIN.port), NOW_S)
    table = columns.table(NOW_S)
    return echo_snapshot(clients=table, selected=None, log=()), table.identifier.tolist()


def test_the_other_end_distinguishes_one_port_at_two_listeners():
    said, identifiers = _same_port_at_both()
    peer = (HOST, BUILTIN.port)
    for info, client in zip((LEVEL, EDGE), identifiers, strict=True):
        for ends in ((peer, (HOST, info.port)), ((HOST, info.port), peer)):
            assert client_of(said, ends) == client
            assert client_of(replace(said, listeners=said.listeners[::-1]), ends) == client
        assert client_of(said, (peer, ("127.0.0.2", info.port))) is None
        wildcard = tuple(replace(one, address="0.0.0.0") for one in said.listeners)
        assert client_of(replace(said, listeners=wildcard), (peer, ("10.0.0.1", info.port)))
    left = replace(said, listeners=(LEVEL,))
    assert client_of(left, (peer, (HOST, EDGE.port))) == identifiers[1]
    assert client_of(left, (peer, (HOST, LEVEL.port))) == identifiers[0]


@pytest.mark.parametrize("info", [LEVEL, EDGE])
async def test_the_built_in_client_is_the_one_of_its_own_listener(info):
    said, identifiers = _same_port_at_both()
    said = replace(said, builtin_clients=(replace(BUILTIN, listener=info.identifier),))
    mine = identifiers[info is EDGE]
    async with running(said=said) as (pilot, _):
        screen = await opened(pilot)
        lines = clients(screen).render_lines(clients(screen).size.region)[1:3]
        signs = [strip.text[0] for strip in lines]
        is_mine = [client == mine for client in identifiers]
        assert [sign == BUILTIN_SIGN for sign in signs] == is_mine
        panel(screen).listener = info.identifier
        await pilot.press("b")
        assert clients(screen).selected == mine


def test_a_connection_is_known_by_both_its_ends():
    said = echo_snapshot()
    ends = ((HOST, 40_001), (HOST, LEVEL_PORT))
    assert client_of(said, ends) == client_of(said, ends[::-1]) == 1
    assert client_of(said, ((HOST, 40_001), (HOST, 80))) is None
    assert client_of(said, ((HOST, 5), (HOST, LEVEL_PORT))) is None
    assert filter_of_client(said, 99) == ""
    stopped = replace(said, listeners=())
    assert filter_of_client(stopped, 1) == "ip.addr == 127.0.0.1 and tcp.port == 40001"
    assert client_of(stopped, ends) == 1
    wildcard = replace(LEVEL, address="0.0.0.0")
    known = filter_of_client(replace(said, listeners=(wildcard,)), 1)
    assert known == "ip.addr == 127.0.0.1 and tcp.port == 40001 and tcp.port == 7007"


async def test_enter_on_a_client_that_is_gone_says_so():
    async with running() as (pilot, _):
        screen = await opened(pilot)
        screen.sides["echo"]._client_filter.toggle(10**6)
        await pilot.pause()
        assert [each.message for each in pilot.app._notifications] == [GONE]
        assert not screen.filter.text
