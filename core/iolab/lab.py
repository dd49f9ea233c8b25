"""The laboratory: every I/O model does the same work, and the cost of each is measured.

There are three processes: the model (`core.iolab.trial`), the load (`core.iolab.load`), and this
one, which only starts them and watches the first from outside (`core.iolab.process_state`). So
neither the screen nor the load is in the model's figures. The generators yield one finished result
at a time, so that a caller can show progress; they call `canceled` many times a second.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from core.iolab.child_process import Child
from core.iolab.curve import COUNTS
from core.iolab.models import MODELS, Model
from core.iolab.process_state import watch
from core.iolab.results import CurvePoint, ModelResult

CLIENTS, MESSAGES, SIZE = 100, 20_000, 64


class LabError(Exception):
    """A process of the laboratory failed. The text is one line with the cause."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class LabOptions:
    """The work: `messages` of `size` bytes on `clients` connections, beside `idle` ones."""

    clients: int = CLIENTS
    messages: int = MESSAGES
    size: int = SIZE
    idle: int = 0


def run_models(
    models: Sequence[Model] = MODELS,
    options: LabOptions | None = None,
    canceled: Callable[[], bool] = _never,
) -> Iterator[ModelResult]:
    """Measure each model in turn, until `canceled`."""
    for model in models:
        result = _run_model(model, options or LabOptions(), canceled)
        if result is None or canceled():  # ctrl+c ends the processes, too, with errors of their own
            return
        yield result


def _run_model(
    model: Model, options: LabOptions, canceled: Callable[[], bool]
) -> ModelResult | None:
    """Measure one model under the load. Return None if canceled."""
    with ExitStack() as stack:
        trial = stack.enter_context(Child("trial", model.name, str(options.clients + options.idle)))
        greeting = _read(trial, canceled)
        if "port" not in greeting:
            return _refusal(model, greeting)
        load = stack.enter_context(Child(
            "load", str(greeting["port"]), "--clients", str(options.clients), "--idle",
            str(options.idle), "--size", str(options.size), "--messages", str(options.messages),
        ))  # fmt: skip
        serving = _read(trial, lambda: canceled() or bool(load.status))
        if "serving" in serving:
            waiting = watch(trial.pid, lambda: load.status is None and not canceled())
        elif serving or canceled():
            return _refusal(model, serving)
        if canceled():
            return None
        outcome = load.line(canceled) or ""
        cost = _read(trial, canceled) if serving else {}
        if "refused" in cost:
            return _refusal(model, cost)
        if not outcome and not canceled():
            return _refusal(model, {"refused": load.last_error()})
    if not cost:
        return None
    measured = json.loads(outcome)
    return ModelResult(
        model=model.name,
        title=model.title,
        messages=measured["messages"],
        seconds=measured["seconds"],
        p50_us=measured["p50_us"],
        p99_us=measured["p99_us"],
        cpu_us_per_message=cost["cpu_s"] * 1e6 / measured["messages"],
        load_cpu_s=measured["cpu_s"],
        slept=cost["slept"],
        calls=cost["calls"],
        waiting=waiting,
    )


def _refusal(model: Model, line: dict[str, Any]) -> ModelResult | None:
    """Return why a trial did not run; None if it printed nothing because it was canceled."""
    return ModelResult(model.name, model.title, refused=line["refused"]) if line else None


def run_curve(
    counts: Sequence[int] = COUNTS, canceled: Callable[[], bool] = _never
) -> Iterator[CurvePoint]:
    """Measure the cost of one wake-up, point by point, until `canceled`. Raise `LabError`."""
    with Child("curve", *map(str, counts)) as child:
        while line := child.line(canceled):
            if canceled():
                return
            yield CurvePoint(**json.loads(line))
        if canceled():
            return
        error = child.last_error()
        if child.status:
            raise LabError(error)


def _read(trial: Child, canceled: Callable[[], bool]) -> dict[str, Any]:
    """Return the next line of a trial, or its last error; empty if canceled before."""
    line = trial.line(canceled)
    if line is None:
        return {}
    read: dict[str, Any] = json.loads(line) if line else {"refused": trial.last_error()}
    return read
