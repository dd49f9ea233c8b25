"""Two protocols that only tests know: a tag, and a transport with a checksum.

``python -m tests.core.wire.toy`` adds their records to the registry before anything derives its
tables from it, sends a draft of both through every reader, and prints the results as JSON.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from core.wire.checksum import packet_checksums
from core.wire.link import vlan
from core.wire.link.type_tag import tag_parser, tag_step
from core.wire.model import computed_number
from core.wire.model.assigned_numbers import ETHERTYPE_NAMES
from core.wire.model.batch import header_step
from core.wire.model.dissection import Dissection, Layer
from core.wire.model.field import Field
from core.wire.model.other_tools import Argument, CommandOptions, OtherTools, ScapyLayer
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Next, Numbering, Walk
from core.wire.network import vrrp
from core.wire.protocol import (
    ChecksumRule,
    LayerKind,
    LayerPosition,
    Protocol,
    Reader,
)

if TYPE_CHECKING:
    from core.decode.chunk import Chunk

NUMBER, TAG_NUMBER = 254, 0x88B6  # for experiments (RFC 3692 §2.1, IEEE 802)

TAG = HeaderTable(
    "toytag",
    "Toy tag",
    "none",
    Field("id", 16, "Identifier"),
    Field("type", 16, "Type", base=16, values=ETHERTYPE_NAMES, automatic=True),
)
TOY = HeaderTable(
    "toy",
    "Toy protocol",
    "none",
    Field("level", 16, "Level", default=1),
    Field("checksum", 16, "Checksum", base=16, automatic=True),
)


def parse(walk: Walk, offset: int) -> Next | None:
    """Read the header and its checksum."""
    if walk.begin(TOY, offset):
        slot = TOY["checksum"]
        check = packet_checksums.check_transport(walk, slot, offset, walk.stop, NUMBER)
        walk.add((TOY,), offset, checks=(check,))
    return None


def info(layer: Layer, dissection: Dissection) -> str:
    """Return ``level 3``, or ``tag 7`` for the tag."""
    data = dissection.data
    level = layer.number(data, "level")
    return f"tag {layer.number(data, 'id')}" if level is None else f"level {level}"


TAG_PROTOCOLS = (
    Protocol(
        name="toytag",
        shown="TOYTAG",
        tables=(TAG,),
        info=info,
        headline={"id": "toy"},
        readers=(Reader(Numbering.ETHERTYPE, (TAG_NUMBER,), tag_parser(TAG), tag_step(TAG)),),
        computed={"type": computed_number.ETHERTYPE},
        kinds=(LayerKind("toytag", "Toy tag", LayerPosition.TAG, (TAG,), over="eth"),),
        tools=OtherTools(scapy=ScapyLayer("ToyTag", {"id": "id", "type": "type"})),
        is_listed=True,
        is_stacked=True,
    ),
)
PROTOCOLS = (
    Protocol(
        name="toy",
        shown="TOY",
        tables=(TOY,),
        info=info,
        headline={"level": "level"},
        readers=(Reader(Numbering.IP_PROTOCOL, (NUMBER,), parse, header_step(TOY)),),
        checksum=ChecksumRule(pseudo_header=True),
        kinds=(
            LayerKind(
                "toy",
                "Toy",
                LayerPosition.TRANSPORT,
                (TOY,),
                over="ip",
                outer_values={"ip.dst": 0xE00000FE, "ip.ttl": 1},
            ),
        ),
        tools=OtherTools(
            scapy=ScapyLayer("Toy", {"level": "level", "checksum": "chksum"}),
            nping=CommandOptions(("--toy",), {"level": Argument("--level")}),
            pcap="proto 254",
        ),
        is_listed=True,
    ),
)


FILTERS = (
    "toy",
    "toytag",
    "toy.level == 3",
    "toy.level > 3",
    "toytag.id == 7 && toy.level#1 == 3",
    "toy.checksum == 0x1234",
    'toy.checksum.status == "Bad"',
    "toy == 00:03:12:34",
    "len(toytag) == 4",
    'data == "x"',
    'frame.protocols == "eth:toytag:ip:toy:data"',
)


def _passing(text: str, chunk: Chunk) -> list[bool]:
    """Return which packets of a chunk pass a filter."""
    from core.analysis.filter.display_filter import compile_filter
    from core.analysis.filter.fields.catalog import CATALOG
    from core.analysis.filter.values.chunk_values import ChunkValues
    from core.analysis.filter.values.frame_values import CaptureContext

    values = ChunkValues(chunk, CaptureContext())
    passes: list[bool] = compile_filter(text, CATALOG).passes(values).tolist()
    return passes


def results() -> dict[str, object]:
    """Return what every reader of the registry makes of a draft with both protocols."""
    from app.cli.field_names import all_fields, known_names
    from core.decode.columns import SLOTS, read
    from core.decode.verdicts import fill, unpack
    from core.forge.compose.draft import Draft
    from core.forge.compose.evaluation import evaluate
    from core.forge.compose.from_packet import draft_of
    from core.forge.export.rawscope import inferred_layers
    from core.forge.export.recipes import recipes
    from core.store.packet_store import PacketStore
    from core.wire.dissect import dissect
    from core.wire.link.link_types import LinkType
    from core.wire.present.detail import each_row
    from core.wire.present.record import record
    from core.wire.present.summary import summarize
    from tests.core.decode.support import ETHERNET_INTERFACE, batch_of

    layers = inferred_layers(["toytag.id", "toy.level"])
    texts = {"toytag.id": "7", "toy.level": "3", "payload": "x", "ip.src": "192.0.2.1"}
    draft = Draft(layers, texts)
    good = evaluate(draft)
    wrong = evaluate(draft.with_text("toy.checksum", "0x1234"))
    read_again = dissect(good.data, LinkType.ETHERNET, len(good.data))
    summary = summarize(read_again)
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.append(batch_of([good.data, wrong.data]))
    (chunk,) = store.snapshot().chunks
    names = [name for name, *_ in all_fields()]
    return {
        "layers": layers,
        "missing": good.missing_destination is not None,
        "destination": good.field("ip.dst").shown,
        "row": [summary.protocol, summary.info, summary.destination],
        "closed rows": {row.key: row.value for row in each_row(read_again)},
        "json": {
            key: value
            for key, value in record(read_again).items()
            if key.startswith("toy") or key == "frame.protocols"
        },
        "columns": {
            name: read(chunk, SLOTS[name]).values.tolist() for name in ("toytag.id", "toy.level")
        },
        "verdicts": [unpack(verdict)[1].word for verdict in fill(chunk).tolist()],
        "draft again": evaluate(draft_of(read_again).draft).data == good.data,
        "recipes": {recipe.name: recipe.text for recipe in recipes(good)},
        "filters": {text: _passing(text, chunk) for text in FILTERS},
        "fields": sorted({name for name in names if name.startswith("toy")} & known_names()),
    }


if __name__ == "__main__":
    assert "core.wire.registry" not in sys.modules
    vlan.PROTOCOLS += TAG_PROTOCOLS
    vrrp.PROTOCOLS += PROTOCOLS
    print(json.dumps(results()))
