"""A new protocol takes one module: every reader of the registry knows it by its record alone.

`tests.core.wire.toy` has the records. It runs in a process of its own, because most tables are
derived from the registry when their module is imported.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.helpers.support import ROOT
from tests.helpers.waiting import PATIENCE_S


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.core.wire.toy"],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    results: dict[str, Any] = json.loads(done.stdout)
    return results


def test_the_forge_puts_the_layers_together(found: dict[str, Any]) -> None:
    assert found["layers"] == ["eth", "toytag", "ip", "toy"]
    assert not found["missing"]
    assert found["destination"] == "224.0.0.254", "the record sets it"
    assert found["draft again"]


def test_row_tree_and_json_describe_it(found: dict[str, Any]) -> None:
    assert found["row"] == ["TOY", "level 3", "224.0.0.254"]
    assert found["closed rows"]["toytag"] == "toy 7"
    assert found["closed rows"]["toy"] == "level 3"
    packet = found["json"]
    assert packet["frame.protocols"] == "eth:toytag:ip:toy:data"
    assert (packet["toytag.id"], packet["toy.level"]) == ([7], 3)
    assert packet["toy.checksum.status"] == "good"


def test_columns_and_verdicts_have_its_values(found: dict[str, Any]) -> None:
    assert found["columns"] == {"toytag.id": [7, 7], "toy.level": [3, 3]}
    assert found["verdicts"] == ["good", "bad"]


def test_filters_compare_its_values(found: dict[str, Any]) -> None:
    """The first packet has a good checksum, the second one 0x1234."""
    assert found["filters"] == {
        "toy": [True, True],
        "toytag": [True, True],
        "toy.level == 3": [True, True],
        "toy.level > 3": [False, False],
        "toytag.id == 7 && toy.level#1 == 3": [True, True],
        "toy.checksum == 0x1234": [False, True],
        'toy.checksum.status == "Bad"': [False, True],
        "toy == 00:03:12:34": [False, True],
        "len(toytag) == 4": [True, True],
        'data == "x"': [True, True],
        'frame.protocols == "eth:toytag:ip:toy:data"': [True, True],
    }


def test_other_tools_make_it(found: dict[str, Any]) -> None:
    recipes = found["recipes"]
    assert recipes["rawscope command"].startswith("rawscope send --toytag.id 7 --toy.level 3 ")
    assert "/ToyTag(id=7)/IP(" in recipes["scapy expression"]
    assert "/Toy(level=3)/Raw(" in recipes["scapy expression"]
    assert " --toy --level 3 --data 78 224.0.0.254" in recipes["nping command"]
    assert recipes["tcpdump filter"] == ("ip and host 192.0.2.1 and host 224.0.0.254 and proto 254")


def test_its_fields_are_listed(found: dict[str, Any]) -> None:
    assert found["fields"] == [
        "toy",
        "toy.checksum",
        "toy.checksum.status",
        "toy.checksum_calculated",
        "toy.level",
        "toytag",
        "toytag.id",
        "toytag.type",
    ]
