"""VRRP from its one module: the row, the tree, JSON, columns, verdicts, and the forge.

The forge makes the frames, tshark reads them too, and both must agree.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.decode.columns import SLOTS, equals, read
from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.compose.from_packet import draft_of
from core.forge.export.rawscope import inferred_layers
from core.store.packet_store import PacketStore
from core.wire.dissect import dissect
from core.wire.link.link_types import LinkType
from core.wire.model.dissection import Cause, Dissection, Verdict
from core.wire.network.vrrp import VRRP
from core.wire.present.detail import each_row
from core.wire.present.record import record
from core.wire.present.summary import summarize
from tests.app.made import capture_of
from tests.core.decode.agreement import outline_of_chunk, outline_of_frame
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of, verdicts_of
from tests.helpers.support import ROOT, require_peer
from tests.helpers.waiting import PATIENCE_S
from tests.live.far_capture import FarCapture
from tests.live.forge.test_forge_cli import Near
from tests.live.network import FAR_ADDRESS, NEAR_ADDRESS, Network

V4 = {"ip.src": "10.0.0.1", "ip.dst": "224.0.0.18", "ip.ttl": "255", "vrrp.ip_addr": "10.0.0.99"}
V6 = {"ipv6.src": "fe80::1", "ipv6.dst": "ff02::12", "vrrp.ipv6_addr": "fe80::99"}
WRONG = {"vrrp.checksum": "0x1234"}
ROUTER = {"vrrp.virt_rtr_id": "7", "vrrp.prio": "200"}
DRAFTS = {
    "v3": Draft(("eth", "ip", "vrrp"), V4 | ROUTER),
    "v3 with a wrong sum": Draft(("eth", "ip", "vrrp"), V4 | ROUTER | WRONG),
    "v3 over IPv6": Draft(("eth", "ipv6", "vrrp6"), V6 | ROUTER | {"vrrp.prio": "255"}),
    "v3 over IPv6 with a wrong sum": Draft(("eth", "ipv6", "vrrp6"), V6 | WRONG),
    "v3 with two addresses": Draft(
        ("eth", "ip", "vrrp"), V4 | {"vrrp.addr_count": "2", "vrrp.options": "0a000064"}
    ),
    "v3 stops": Draft(("eth", "ip", "vrrp"), V4 | {"vrrp.prio": "0", "vrrp.short_adver_int": "3"}),
    "v2": Draft(("eth", "ip", "vrrp2"), V4 | ROUTER | {"vrrp.options": "00" * 8}),
    "v2 with a wrong sum": Draft(("eth", "ip", "vrrp2"), V4 | WRONG),
    "v2 with a password": Draft(
        ("eth", "ip", "vrrp2"), V4 | {"vrrp.auth_type": "1", "vrrp.options": b"secret!!".hex()}
    ),
    "v5": Draft(("eth", "ip", "vrrp2"), V4 | {"vrrp.version": "5"}),
}
FRAMES = {name: evaluate(draft).data for name, draft in DRAFTS.items()}
FIELDS = (
    "vrrp.version", "vrrp.type", "vrrp.virt_rtr_id", "vrrp.prio", "vrrp.addr_count",
    "vrrp.short_adver_int", "vrrp.reserved_mbz", "vrrp.auth_type", "vrrp.adver_int",
    "vrrp.checksum", "vrrp.ip_addr", "vrrp.ipv6_addr",
)  # fmt: skip


def _plain(value: object) -> object:
    """Return a number, in whatever base tshark writes it, as a number; other values as they are."""
    try:
        return int(str(value), 0)
    except ValueError:
        return value


def dissected(name: str) -> Dissection:
    frame = FRAMES[name]
    return dissect(frame, LinkType.ETHERNET, len(frame))


def stored(frames: list[bytes]) -> PacketStore:
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.append(batch_of(frames, gap=1))
    return store


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(capture_of(tmp_path_factory.mktemp("vrrp") / "vrrp.pcap", list(FRAMES.values())))


@pytest.fixture(scope="module")
def tshark_rows(capture: Path) -> list[dict[str, str]]:
    """Return what tshark reads in each frame: its Info line, its verdict, and the fields."""
    names = ("_ws.col.Info", "_ws.col.Protocol", "vrrp.checksum.status", *FIELDS)
    answer = subprocess.run(
        [require_peer("tshark"), "-n", "-r", str(capture), "-T", "fields", "-E", "occurrence=a",
         *(word for name in names for word in ("-e", name))],
        capture_output=True, text=True, check=True, timeout=PATIENCE_S,
    )  # fmt: skip
    rows = [line.split("\t") for line in answer.stdout.splitlines()]
    return [dict(zip(names, row, strict=True)) for row in rows]


def test_rows_begin_as_those_of_tshark(tshark_rows: list[dict[str, str]]) -> None:
    assert len(tshark_rows) == len(FRAMES)
    for name, row in zip(FRAMES, tshark_rows, strict=True):
        summary = summarize(dissected(name))
        assert summary.protocol == row["_ws.col.Protocol"] == "VRRP"
        assert summary.info.startswith(row["_ws.col.Info"]), name
    summary = summarize(dissected("v3"))
    assert summary.info == "Announcement (v3) router 7, priority 200, 10.0.0.99"
    assert (summary.source, summary.destination) == ("10.0.0.1", "224.0.0.18")


def test_json_has_the_values_of_tshark(tshark_rows: list[dict[str, str]]) -> None:
    for name, row in zip(FRAMES, tshark_rows, strict=True):
        found = record(dissected(name))
        for field in FIELDS:
            value = found.get(field, "")
            values = value if isinstance(value, list) else [value]
            wanted = row[field].split(",")
            assert [_plain(each) for each in values] == list(map(_plain, wanted)), (name, field)


def test_verdicts_are_those_of_tshark(tshark_rows: list[dict[str, str]]) -> None:
    """Of one dissected packet, and of the chunk; tshark says 1 for good and 0 for bad."""
    snapshot = stored(list(FRAMES.values())).snapshot()
    for number, (name, row) in enumerate(zip(FRAMES, tshark_rows, strict=True), 1):
        word = {"1": "good", "0": "bad"}[row["vrrp.checksum.status"]]
        assert record(dissected(name))["vrrp.checksum.status"] == word, name
        assert verdicts_of(snapshot, number)[1].word == word, name
        assert word == ("bad" if "wrong" in name else "good"), name


def test_dump_prints_the_record(capture: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", "dump", "-r", str(capture), "--json"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=PATIENCE_S,
    )  # fmt: skip
    packets = [json.loads(line) for line in done.stdout.splitlines()]
    assert [packet["frame.protocols"] for packet in packets][:3] == [
        "eth:ip:vrrp", "eth:ip:vrrp", "eth:ipv6:vrrp",
    ]  # fmt: skip
    assert packets[0]["vrrp.virt_rtr_id"] == 7
    assert packets[1]["vrrp.checksum_calculated"] == packets[0]["vrrp.checksum"]


def test_the_tree_names_every_field() -> None:
    (row,) = (row for row in each_row(dissected("v2 with a password")) if row.key == "vrrp")
    assert [(child.key, child.value, child.meaning) for child in row.children] == [
        ("vrrp.version", "2", ""),
        ("vrrp.type", "1", "Advertisement"),
        ("vrrp.virt_rtr_id", "1", ""),
        ("vrrp.prio", "100", "Default"),
        ("vrrp.addr_count", "1", ""),
        ("vrrp.auth_type", "1", "Simple text"),
        ("vrrp.adver_int", "1 s", ""),
        ("vrrp.checksum", row.children[7].value, "✓ good"),
        ("vrrp.ip_addr", "10.0.0.99", ""),
    ]
    assert row.span is not None
    assert row.span.stop - row.span.start == VRRP.size + 4 + 8


def test_the_tree_has_every_address() -> None:
    (row,) = (row for row in each_row(dissected("v3 with two addresses")) if row.key == "vrrp")
    further = row.children[-1]
    assert (further.label, further.value, further.meaning) == (
        "Further addresses", "4 bytes", "Address 2",
    )  # fmt: skip
    (address,) = further.children
    assert (address.key, address.value) == ("vrrp.address", "10.0.0.100")
    assert [child.key for child in address.children] == ["vrrp.ip_addr.2"]


def test_columns_have_the_values_of_the_records() -> None:
    (chunk,) = stored(list(FRAMES.values())).snapshot().chunks
    records = [record(dissected(name)) for name in FRAMES]
    for field in FIELDS:
        if field.endswith("_addr"):
            continue
        column = read(chunk, SLOTS[field])
        values = [
            value if valid else None
            for value, valid in zip(column.values.tolist(), column.valid.tolist(), strict=True)
        ]
        assert values == [packet.get(field) for packet in records], field
    assert equals(chunk, "vrrp.virt_rtr_id", 7).tolist() == [
        name in ("v3", "v3 with a wrong sum", "v3 over IPv6", "v2") for name in FRAMES
    ]
    assert equals(chunk, "vrrp.ipv6_addr", (0xFE80 << 112) + 0x99).sum() == 2
    assert equals(chunk, "vrrp.ip_addr", 0x0A000063).sum() == len(FRAMES) - 2


def test_more_addresses_than_there_is_room_for() -> None:
    """The header is malformed; if the capture cut the addresses off, it is truncated."""
    frame = bytearray(FRAMES["v3"])
    frame[-9] = 9  # the number of addresses
    for original, cause in ((len(frame), Cause.MALFORMED), (len(frame) + 32, Cause.MALFORMED)):
        found = dissect(bytes(frame), LinkType.ETHERNET, original)
        assert found.stop is not None
        assert (found.stop.layer, found.stop.cause) == ("vrrp", cause)
    cut = dissect(FRAMES["v3"][:-2], LinkType.ETHERNET, len(FRAMES["v3"]))
    assert cut.stop is not None
    assert cut.stop.cause is Cause.TRUNCATED
    assert record(cut)["vrrp.checksum.status"] == Verdict.UNVERIFIED.word


def test_batch_and_scalar_agree() -> None:
    """At every cut of every frame."""
    frames = [frame[:end] for frame in FRAMES.values() for end in range(len(frame) + 1)]
    (chunk,) = stored(frames).snapshot().chunks
    expected = [outline_of_frame(frame, LinkType.ETHERNET, len(frame), 0) for frame in frames]
    assert outline_of_chunk(chunk) == expected


@pytest.mark.parametrize("name", FRAMES)
def test_a_captured_packet_becomes_its_draft_again(name: str) -> None:
    filled = draft_of(dissected(name))
    assert filled.notes == ()
    assert filled.draft.layers == DRAFTS[name].layers
    assert evaluate(filled.draft).data == FRAMES[name]
    assert ("vrrp.checksum" in filled.draft.texts) == ("wrong" in name)


@pytest.mark.parametrize(
    ("keys", "layers"),
    [
        (["vrrp.prio"], ("ip", "vrrp")),
        (["vrrp.prio", "vrrp.adver_int"], ("ip", "vrrp2")),
        (["vrrp.ipv6_addr", "ipv6.dst"], ("ipv6", "vrrp6")),
    ],
)
def test_fields_choose_the_form(keys: list[str], layers: tuple[str, ...]) -> None:
    assert inferred_layers(keys) == layers


@pytest.mark.live
def test_a_sent_announcement_is_read_back(tmp_path: Path) -> None:
    """By rawscope, which captures its own packet, and by tshark at the other end, after ARP."""
    with Network() as network:
        near = Near(network, tmp_path)
        with FarCapture(network, tmp_path / "far.pcap", 2) as capture:
            status, events = near.events(
                "--ip.dst", FAR_ADDRESS, "--ip.ttl", "255", "--vrrp.virt_rtr_id", "51",
                "--vrrp.ip_addr", "10.77.0.99", "--wait", "5",
            )  # fmt: skip
    assert status == 0, events
    sent, copy, reply, end = events
    assert (sent["sent"], end["copy"], end["replies"]) == (1, True, 1)
    assert (reply["icmp.type"], reply["icmp.code"]) == (3, 2), "Linux has no such protocol"
    assert {change["name"] for change in copy["changes"]} == {"ip.id", "ip.checksum"}
    _question, row = capture.fields(
        ("ip.src", "vrrp.virt_rtr_id", "vrrp.ip_addr", "vrrp.checksum.status", "_ws.col.Info")
    )
    assert row == {
        "ip.src": NEAR_ADDRESS,
        "vrrp.virt_rtr_id": "51",
        "vrrp.ip_addr": "10.77.0.99",
        "vrrp.checksum.status": "1",
        "_ws.col.Info": "Announcement (v3)",
    }
