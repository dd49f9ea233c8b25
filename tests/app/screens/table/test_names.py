"""Names in place of addresses, in the table and the panels: a key, and back."""

from __future__ import annotations

import pytest

from core.store.packet_store import PacketStore
from tests.core.analysis.names.messages import A, record, response
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of
from tests.helpers.idle import eventually
from tests.helpers.scripted import tcp, udp
from tests.helpers.scripted_monitor import filled, scripted_monitor


def _store() -> PacketStore:
    ends, web = ("192.0.2.53", "192.0.2.1"), ("192.0.2.1", "198.51.100.80")
    message = response("web.example", record("web.example", A, bytes([198, 51, 100, 80])))
    frames = [
        tcp(*web, (40_000, 443), 2, (1, 0)),
        udp(*ends, (53, 4_000), message),
    ]
    store = PacketStore(1 << 30)
    store.add_interface(ETHERNET_INTERFACE)
    store.append(batch_of(frames))
    return store


async def test_a_key_shows_names_in_place_of_addresses() -> None:
    async with scripted_monitor(_store()).run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)

        def line() -> str:
            screen.poll()
            return screen.table.render_lines(screen.table.size.region)[1].text

        assert "198.51.100.80" in line()
        await pilot.press("f9")
        await eventually(lambda: "web.example" in line(), "the name in the table")
        await pilot.press("g")
        rows = [child for row in screen.panels.selected.rows for child in row.children]
        assert "web.example" in [row.meaning for row in rows if row.field == "ip.dst"]
        await pilot.press("f9")
        assert "198.51.100.80" in line()


@pytest.mark.parametrize(
    ("keys", "panel", "filter"),
    [
        (["f7"], "flows", "tcp.stream == 0"),
        (["f8", "3"], "statistics", "ip.addr == 198.51.100.80"),
    ],
)
async def test_the_key_reaches_a_panel(keys, panel, filter) -> None:
    async with scripted_monitor(_store()).run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        await pilot.press(*keys)
        controller = screen.sides[panel]
        rows = controller.list if panel == "flows" else controller.table

        def texts() -> str:
            screen.poll()
            return "\n".join(line.text for line in rows.render_lines(rows.size.region))

        await eventually(lambda: "198.51.100.80" in texts(), "the address in the panel")
        await pilot.press("f9")
        await eventually(lambda: "web.example" in texts(), "the name in the panel")
        assert "198.51.100.80" not in texts()
        line = next(n for n, text in enumerate(texts().splitlines()) if "web.example" in text)
        await pilot.press(*["down"] * (line - 1), "enter")  # below the headings
        assert filter in screen.filter.text
        await pilot.press("f9")
        await eventually(lambda: "198.51.100.80" in texts(), "the address again")
        assert "web.example" not in texts()


async def test_the_key_reaches_the_head_of_a_stream() -> None:
    async with scripted_monitor(_store()).run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        await pilot.press("g", "F")
        head = screen.sides["stream"].panel.head

        def title() -> str:
            screen.poll()
            return head.render_line(0).text

        await eventually(lambda: "198.51.100.80:443" in title(), "the address of the end")
        await pilot.press("f9")
        await eventually(lambda: "web.example:443" in title(), "the name of the end")
        await pilot.press("f9")
        await eventually(lambda: "198.51.100.80:443" in title(), "the address again")
