"""Keys and the right button that filter for a value on the screen."""

from __future__ import annotations

from app.screens.dialogs.filter_menu import FilterMenu
from app.screens.filter.client_filter import filter_of_client
from core.analysis.filter.value_expression import packet_conversation, row_expression
from tests.helpers.idle import eventually
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_echo import echo_snapshot, echo_store
from tests.helpers.scripted_monitor import LIVE, ScriptedEngine, filled, scripted_monitor
from widgets.packets.column_choice import ColumnName

SYN = 5  # number of a packet that begins a connection


def running(size=(160, 45)):
    return scripted_monitor(scripted_store()).run_test(size=size)


async def selected(pilot, number=SYN):
    """Select a packet in the table; return the screen."""
    screen = await filled(pilot)
    screen.table.select(number)
    await pilot.pause()
    return screen


def place_of(table, column):
    """Return where a cell of the selected row is, from the corner of the table."""
    found = next(one for one in table._columns.layout.columns if one.name is column)
    return found.start + 1, table.cursor_line - table.window.top + table.HEADER_LINES


def menu(pilot):
    assert isinstance(pilot.app.screen, FilterMenu)
    return {choice.key or choice.name: choice for choice in pilot.app.screen.choices}


def notices(pilot):
    return [notice.message for notice in pilot.app._notifications]


async def test_a_key_in_the_tree_is_for_the_selected_row():
    async with running() as pilot:
        screen = await selected(pilot)
        await pilot.press("tab", "j", "j")
        first = row_expression(screen.panels.detail.selected_row)
        await pilot.press("=")
        assert screen.filter.text == first
        await pilot.press("j")
        second = row_expression(screen.panels.detail.selected_row)
        assert second != first
        await pilot.press("&")
        assert screen.filter.text == f"{first} and {second}"
        await pilot.press("=", "|")
        assert screen.filter.text == f"{second} or {second}"
        await pilot.press("=", "!")
        assert screen.filter.text == f"{second} and not {second}"


async def test_a_row_without_a_name_is_reported():
    async with running() as pilot:
        screen = await selected(pilot)
        await pilot.press("tab", "g", "l")
        rows = screen.panels.detail.selected_row.children
        at = [row.key for row in rows].index("frame.encap_type")
        await pilot.press(*["j"] * (at + 1), "=")
        assert screen.panels.detail.selected_row.key == "frame.encap_type"
        assert screen.filter.text == ""
        assert notices(pilot) == ["filters have no name for this value"]


async def test_a_key_in_the_table_is_for_the_clicked_cell():
    async with running() as pilot:
        screen = await selected(pilot)
        await pilot.click(screen.table, offset=place_of(screen.table, ColumnName.LENGTH))
        length = screen.panels.selected.packet.original_length
        rows = screen.table.rows
        lengths = {rows.read(row).length for row in range(len(rows))}
        await pilot.press("!")
        assert screen.filter.text == f"not frame.len == {length}"
        await eventually(
            lambda: {rows.read(row).length for row in range(len(rows))} == lengths - {length},
            "the rows of other lengths",
        )


async def test_without_a_clicked_cell_a_key_asks_for_the_value():
    """The click is forgotten when the cursor moves to another packet. Info has a filter."""
    async with running() as pilot:
        screen = await selected(pilot)
        await pilot.click(screen.table, offset=place_of(screen.table, ColumnName.LENGTH))
        await pilot.press("j", "=")
        assert pilot.app.screen.title_text == "Show only"
        names = [choice.name for choice in menu(pilot).values()]
        assert names[:3] == ["Source", "Destination", "Proto"]
        assert names[-1] == "Conversation"
        expected = menu(pilot)["2"].expression
        await pilot.press("2")
        assert screen.filter.text == expected
        await pilot.click(screen.table, offset=place_of(screen.table, ColumnName.INFO))
        await pilot.press("=")
        assert screen.filter.text.startswith('_ws.col.info == "')


async def test_the_conversation_in_one_key_from_any_panel():
    async with running() as pilot:
        screen = await selected(pilot)
        text = packet_conversation(screen.panels.selected.dissection)
        for panel in ("packets", "detail", "hex", "echo"):
            screen.workspace.focus_panel(panel)
            screen.filter.text = ""
            await pilot.press("C")
            assert screen.filter.text == text


async def test_the_right_button_on_a_cell():
    async with running() as pilot:
        screen = await selected(pilot, SYN - 1)
        x, y = place_of(screen.table, ColumnName.SOURCE)
        await pilot.click(screen.table, offset=(x, y + 1), button=3)
        assert screen.table.selected == SYN
        assert pilot.app.screen.title_text == "Source"
        offered = menu(pilot)
        assert [choice.name for choice in offered.values()] == [
            "Show only", "Hide", "Conversation", "Copy value", "Copy filter",
            "Follow the stream: what both ends sent",
            "Color the conversation, for this run", "Mark (◆) or unmark the packet",
            "Add or change a comment (¶)", "Make the packet time zero, or undo it", "Open the menu",
        ]  # fmt: skip
        await pilot.press("!")
        assert screen.filter.text == f"not {offered['='].text}"


async def test_the_right_button_on_a_row_of_the_tree_and_on_a_byte():
    async with running() as pilot:
        screen = await selected(pilot)
        await pilot.click(screen.panels.detail, offset=(20, 2), button=3)
        row = screen.panels.detail.selected_row
        assert menu(pilot)["="].expression == row_expression(row)
        await pilot.press("y")
        assert pilot.app.clipboard == row.value
        await pilot.click(screen.panels.hex, offset=(30, 2), button=3)
        await eventually(lambda: isinstance(pilot.app.screen, FilterMenu), "the menu")
        row = screen.panels.detail.selected_row
        assert menu(pilot)["="].expression == row_expression(row)


async def test_the_right_button_on_an_echo_client_hides_it():
    """It does not filter for the client first, as a click or a move of the cursor does."""
    engine = ScriptedEngine(LIVE, echo_snapshot())
    async with scripted_monitor(echo_store(), engine).run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        await pilot.press("e")
        await pilot.pause()
        screen.poll()
        clients = screen.sides["echo"].clients
        await pilot.click(clients, offset=(5, 2), button=3)
        assert pilot.app.screen.title_text == "Client"
        text = filter_of_client(engine.echo.said, clients.selected)
        offered = menu(pilot)
        assert offered["="].expression == text
        assert "C" not in offered
        await pilot.press("!")
        assert screen.filter.text == f"not ({text})"
        screen.poll()
        assert screen.filter.text == f"not ({text})"


async def test_the_signs_and_info_offer_filters_and_the_conversation():
    async with running() as pilot:
        screen = await selected(pilot)
        _, y = place_of(screen.table, ColumnName.INFO)
        await pilot.click(screen.table, offset=(0, y), button=3)
        offered = menu(pilot)
        assert [*offered][:5] == ["=", "!", "C", "y", "Y"]
        assert offered["="].expression.startswith('_ws.col.info == "')


async def test_an_evicted_packet_has_no_cells():
    """While the view is paused, its row stays, without text."""
    async with running() as pilot:
        screen = await selected(pilot)
        screen.table.rows.is_evicted = lambda number: True
        await pilot.press("=")
        assert notices(pilot) == ["no packet in memory is selected"]


async def test_keys_without_a_packet_say_so():
    async with running() as pilot:
        screen = await filled(pilot)
        screen.panels.show(screen.shown, None)
        for call in (
            lambda: screen.values.of_cell("REPLACE"),
            lambda: screen.values.of_row("REPLACE"),
            screen.values.of_conversation,
        ):
            call()
        await pilot.pause()
        assert notices(pilot) == ["no packet in memory is selected"] * 3
        assert screen.filter.text == ""
