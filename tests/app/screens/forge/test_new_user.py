"""The form as a new user tries it: every packet with Enter alone, and with the mouse alone.

Both kinds of user type text on the keyboard. One gets to a field by pressing Enter, the other by
the wheel and a click; a choice that cannot be typed is changed with the arrow keys, or by a click.
Both send by the button at the end of the form, one with Enter, the other by a click.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual import events
from textual.widgets import OptionList, Static

from app.screens.forge.explanation import Explanation
from core.forge.values import SendMethod
from core.wire.dissect import dissect
from core.wire.link.link_types import LinkType
from tests.app.screens.test_forge import (
    SIZES,
    SYN,
    Stage,
    click_key,
    click_packet,
    click_row,
    forging,
    wheel_to,
)
from tests.helpers.scripted import SERVER
from widgets.forge.rows import SEND

LONG = 20  # characters
DNS_QUERY = "hex:1234 0100 0001 0000 0000 0000 07 6578616d706c65 03 6f7267 00 0001 0001"


@pytest.fixture(autouse=True)
def fast_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let users press a key as often as they can."""
    monkeypatch.setattr("widgets.forge.form.REPEAT_S", 0.0)


class EnterUser:
    """Goes to fields with Enter, and never back."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.form = stage.forge.form

    async def open_form(self) -> None:
        await self.stage.pilot.press("f2")

    async def fill_form(self, number: int) -> None:
        self.stage.screen.table.select(number)
        await self.stage.pilot.press("f")

    async def load(self, template: str) -> None:
        await self.stage.pilot.press("ctrl+o")
        await self.stage.pilot.pause()
        options = self.stage.pilot.app.screen.query_one(OptionList)
        while template not in str(options.highlighted_option.prompt):
            await self.stage.pilot.press("down")
        await self.stage.pilot.press("enter")
        await self.stage.pilot.pause()

    async def go_to(self, key: str) -> None:
        state, rows = self.form.state, len(self.form.model.rows)
        for _ in range(rows):
            if self.form.model.row.key == key:
                break
            await self.stage.pilot.press("enter")
        assert self.form.model.row.key == key
        assert (self.form.state, len(self.form.model.rows)) == (state, rows), "Enter only moves"

    async def type(self, key: str, text: str) -> None:
        await self.go_to(key)
        names = {".": "full_stop", "/": "slash", ":": "colon", " ": "space"}
        await self.stage.pilot.press(*(names.get(character, character) for character in text))

    async def switch(self, key: str) -> None:
        await self.go_to(key)
        await self.stage.pilot.press("space")

    async def choose(self, key: str, choice: str) -> None:
        await self.go_to(key)
        while choice not in self.form.model.row.choices[self.form.model.row.chosen]:
            await self.stage.pilot.press("right")

    async def press_send(self) -> None:
        await self.go_to(SEND)
        await self.stage.pilot.press("enter")

    async def send(self) -> None:
        await self.press_send()
        await self.stage.asked()
        await self.stage.pilot.press("y")


class MouseUser(EnterUser):
    """Goes to fields with the wheel and a click."""

    async def open_form(self) -> None:
        await click_key(self.stage, "f2")
        await self.stage.until(lambda: self.stage.screen.focused is self.form)

    async def fill_form(self, number: int) -> None:
        await click_packet(self.stage, number)
        await click_key(self.stage, "f")

    async def load(self, template: str) -> None:
        await click_key(self.stage, "^o")
        await self.stage.pilot.pause()
        options = self.stage.pilot.app.screen.query_one(OptionList)
        prompts = [str(option.prompt) for option in options.options]
        line = next(line for line, prompt in enumerate(prompts) if template in prompt)
        await self.stage.pilot.click(options, offset=(4, line))
        await self.stage.pilot.pause()

    async def go_to(self, key: str) -> None:
        label = next(row.label for row in self.form.model.rows if row.key == key)
        await click_row(self.stage, key, label)
        assert self.form.model.row.key == key

    async def type(self, key: str, text: str) -> None:
        """Paste a long text."""
        if len(text) < LONG:
            await super().type(key, text)
            return
        await self.go_to(key)
        self.stage.pilot.app.post_message(events.Paste(text))
        await self.stage.pilot.pause()

    async def switch(self, key: str) -> None:
        await click_row(self.stage, key, "[ ]")

    async def choose(self, key: str, choice: str) -> None:
        await click_row(self.stage, key, choice)

    async def press_send(self) -> None:
        await click_row(self.stage, SEND, "Send")

    async def send(self) -> None:
        await self.press_send()
        await self.stage.asked()
        await self.stage.pilot.click("#yes")


USERS = pytest.mark.parametrize("user", [EnterUser, MouseUser])


async def sent_by(
    user: EnterUser, stage: Stage, count: int = 1, link: LinkType = LinkType.RAW
) -> list[dict[str, object]]:
    """Send, and return the values of each sent packet by field."""
    await user.send()
    await stage.until(lambda: len(stage.host.sent) == count)
    found = []
    for data in stage.host.sent:
        layers = dissect(data, link, len(data)).layers
        found.append({slot.name: value for layer in layers for slot, value in layer.fields(data)})
    return found


@USERS
async def test_a_syn_to_a_port(tmp_path, user: Callable[[Stage], EnterUser]) -> None:
    async with forging(tmp_path) as stage:
        one = user(stage)
        await one.open_form()
        await one.type("ip.dst", SERVER)
        await one.type("tcp.dstport", "443")
        await one.switch("tcp.flags.syn")
        (packet,) = await sent_by(one, stage)
        assert (packet["tcp.dstport"], packet["tcp.flags"]) == (443, 2)


@USERS
async def test_a_dns_query(tmp_path, user: Callable[[Stage], EnterUser]) -> None:
    async with forging(tmp_path) as stage:
        one = user(stage)
        await one.open_form()
        await one.choose(":transport", "UDP")
        await one.type("ip.dst", SERVER)
        await one.type("udp.dstport", "53")
        await one.type("payload", DNS_QUERY)
        (packet,) = await sent_by(one, stage)
        assert (packet["udp.dstport"], packet["udp.length"]) == (53, 8 + 29)


@USERS
async def test_a_dns_query_from_the_template(tmp_path, user: Callable[[Stage], EnterUser]) -> None:
    async with forging(tmp_path) as stage:
        one = user(stage)
        await one.open_form()
        await one.load("DNS query")
        await one.type("ip.dst", SERVER)
        (packet,) = await sent_by(one, stage)
        assert (packet["udp.dstport"], packet["udp.length"]) == (53, 8 + 29)


@USERS
async def test_a_fragment_pair(tmp_path, user: Callable[[Stage], EnterUser]) -> None:
    async with forging(tmp_path) as stage:
        one = user(stage)
        await one.open_form()
        await one.load("fragment pair")
        await one.type("ip.dst", SERVER)
        first, second = await sent_by(one, stage, 2)
        assert first["ip.dst"] == second["ip.dst"]
        assert first["ip.id"] == second["ip.id"]
        assert (first["ip.flags.mf"], second["ip.frag_offset"]) == (1, 2)


@USERS
async def test_an_arp_request_is_sent(tmp_path, user: Callable[[Stage], EnterUser]) -> None:
    async with forging(tmp_path) as stage:
        one = user(stage)
        await one.open_form()
        await one.load("ARP who-has")
        await one.type("arp.dst.proto_ipv4", SERVER)
        (packet,) = await sent_by(one, stage, link=LinkType.ETHERNET)
        assert packet["arp.opcode"] == 1
        assert stage.host.prepared[-1] == (SendMethod.LINK, "eth0")


@USERS
async def test_a_packet_again_with_another_ttl(
    tmp_path, user: Callable[[Stage], EnterUser]
) -> None:
    async with forging(tmp_path) as stage:
        one = user(stage)
        await one.fill_form(SYN)
        await one.type("ip.ttl", "3")
        (packet,) = await sent_by(one, stage)
        assert packet["ip.ttl"] == 3


@pytest.mark.parametrize("size", SIZES)
async def test_a_click_on_the_key_bar_opens_the_form_at_any_width(tmp_path, size: str) -> None:
    async with forging(tmp_path, size) as stage:
        await MouseUser(stage).open_form()
        bar = stage.screen.query_one("#keys")
        await stage.until(lambda: all(key != "f2" for key, _, _ in bar.entries()))
        while stage.screen.focused is stage.forge.form:
            await click_key(stage, "esc")
            await stage.pilot.pause()
        await stage.until(lambda: ("f2", "f2", "form") in bar.entries())


async def test_the_button_says_how_many_packets_it_sends_and_leads_to_an_error(tmp_path) -> None:
    async with forging(tmp_path, "small") as stage:
        user = EnterUser(stage)
        await user.fill_form(SYN)
        await user.type("ip.ttl", "300")
        await user.type("send.count", "2000")
        await user.type("send.rate", "50")
        await user.go_to(SEND)
        assert (
            "[ Send 2,000 packets at 50/s ]"
            in stage.forge.form.build_line(stage.forge.form.model.cursor).text
        )
        bar = stage.screen.query_one("#keys")
        await stage.until(lambda: any(entry[1:] == ("⏎", "send") for entry in bar.entries()))
        await stage.pilot.press("enter")
        await stage.until(lambda: stage.forge.form.model.row.key == "ip.ttl")
        assert stage.forge.query_one(Explanation).message.startswith("not sent: 300")
        await stage.until(lambda: any(entry[1:] == ("⏎", "next field") for entry in bar.entries()))
        assert stage.host.sent == []


async def test_a_click_beside_the_button_only_selects_it(tmp_path) -> None:
    async with forging(tmp_path) as stage:
        await MouseUser(stage).fill_form(SYN)
        form = stage.forge.form
        await wheel_to(stage, form, len(form.model.rows) - 1)
        line = len(form.model.rows) - 1 - form.window.top
        x = form.build_line(len(form.model.rows) - 1).text.index("]") + 3
        await stage.pilot.click(form, offset=(x, line))
        await stage.pilot.pause()
        assert form.model.row.key == SEND
        assert not stage.service.snapshot().sending


async def test_ten_thousand_packets_are_a_question_that_names_their_time(tmp_path) -> None:
    async with forging(tmp_path) as stage:
        one = EnterUser(stage)
        await one.fill_form(SYN)
        await one.type("send.count", "10000")
        await one.type("send.rate", "1000")
        await one.press_send()
        await stage.asked()
        words = str(stage.pilot.app.screen.query_one(".dialog-text", Static).content)
        assert "10,000 packets at 1,000 a second take about 10 s to send." in words
        await stage.pilot.press("n")
        await stage.until(lambda: not stage.service.snapshot().sending)
        assert stage.host.sent == []
