"""``python -m tests.fuzz``: a short run finds nothing; it would find and report a fault."""

from __future__ import annotations

from random import Random

import pytest

from core.decode import header_index
from core.wire.link.link_types import LinkType
from core.wire.present import summary
from tests.fuzz import __main__ as fuzz
from tests.fuzz.mutations import mutated
from tests.fuzz.readers import FaultError, Sample, check
from tests.fuzz.shapes import shapes

SAMPLES = [Sample(shape.data, shape.link_type, len(shape.data)) for shape in shapes()]


def test_a_short_run_finds_no_fault(capsys) -> None:
    assert fuzz.run(1000, seed=1) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1].startswith("1,000 frames, ")


def test_the_same_seed_makes_the_same_frames() -> None:
    first, second = (list(mutated(SAMPLES, Random("7/0"), 200)) for _ in range(2))
    assert first == second
    assert first != list(mutated(SAMPLES, Random("8/0"), 200))


def test_a_fault_ends_the_run_with_the_frame_and_the_traceback(monkeypatch, capsys) -> None:
    def broken(layer, dissection):
        raise TypeError("on purpose")

    monkeypatch.setitem(summary.INFO, "udp", ("UDP", broken))
    assert fuzz.run(500, seed=3) == 1
    out, _ = capsys.readouterr()
    assert out.startswith("seed 3, among the 500 frames from 0 on: link type ")
    assert "TypeError: on purpose" in out
    assert "in broken" in out  # the traceback


def test_two_decoders_that_disagree_are_a_fault(monkeypatch) -> None:
    """The batch decode lacks a step; the report names the sample."""
    steps = {space: dict(numbers) for space, numbers in header_index.STEPS.items()}
    del steps[header_index.Numbering.LINK][LinkType.RAW]
    monkeypatch.setattr(header_index, "STEPS", steps)
    raw = [sample for sample in SAMPLES if sample.link_type == LinkType.RAW]
    with pytest.raises(FaultError, match=f"link type {int(LinkType.RAW)}, .*: 45") as caught:
        check(raw)
    assert "batch" in str(caught.value.__cause__)
