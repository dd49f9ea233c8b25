"""The answer about one flow: what a search, or a file, tells of its owners."""

from __future__ import annotations

from typing import NamedTuple

from core.analysis.programs.flow_scan import Flow
from core.analysis.programs.owners import FlowOwners


class Answer(NamedTuple):
    """The owners of a flow as of now. Unless it `is_final`, another answer follows soon."""

    flow: Flow
    owners: FlowOwners
    is_final: bool = True
