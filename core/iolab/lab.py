"""The laboratory: every I/O model does the same work, and what each cost is measured.

Three processes: the model (`core.iolab.trial`), the load (`core.iolab.load`), and this one, which
only starts them and looks at the first from outside (`core.iolab.process_state`). So neither the
screen nor the load is in the model's figures. The generators yield one finished result at a time,
so that a caller can show progress, and ask many times a second whether they are `canceled`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from core.iolab.child_process import Child
from core.iolab.curve import COUNTS, CurvePoint
from core.iolab.models import MODELS, Model, model_named
from core.iolab.process_state import watch

CLIENTS, MESSAGES, SIZE = 100, 20_000, 64


class LabError(Exception):
    """A process of the laboratory broke off. The text is one line and says why."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class LabOptions:
    """The work: so many messages of `size` bytes, on `clients` connections, beside `idle` ones."""

    clients: int = CLIENTS
    messages: int = MESSAGES
    size: int = SIZE
    idle: int = 0


@dataclass(frozen=True, slots=True)
class ModelResult:
    """What one model did. With ``refused`` (one line why it cannot run here) all else is zero.

    ``calls`` counts system calls by name over the whole run, ``waiting`` is the share of looks at
    which the process ran or slept where, ``slept`` how often it gave up the processor.
    """

    model: str
    title: str
    refused: str = ""
    messages: int = 0
    seconds: float = 0.0
    p50_us: float = 0.0
    p99_us: float = 0.0
    cpu_us_per_message: float = 0.0
    load_cpu_s: float = 0.0
    slept: int = 0
    calls: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds if self.seconds else 0.0

    @property
    def calls_per_message(self) -> float:
        """System calls a message."""
        return sum(self.calls.values()) / self.messages if self.messages else 0.0

    @property
    def remark(self) -> str:
        """What the number of calls leaves out; empty if it is nothing."""
        if self.refused or not model_named(self.model).threaded:
            return ""
        slept = f"; it slept {self.slept / self.messages:.2f} times a message" if self.slept else ""
        return (
            f"{self.model}: the calls (futex) by which its threads hand over the interpreter's "
            f"lock are not counted{slept}"
        )


def run_models(
    models: Sequence[Model] = MODELS,
    options: LabOptions | None = None,
    canceled: Callable[[], bool] = _never,
) -> Iterator[ModelResult]:
    """Each model in turn, until `canceled`."""
    for model in models:
        result = _run_model(model, options or LabOptions(), canceled)
        if result is None or canceled():  # ctrl+c ends the processes too, with words of their own
            return
        yield result


def _run_model(
    model: Model, options: LabOptions, canceled: Callable[[], bool]
) -> ModelResult | None:
    """One model under the load; None if canceled."""
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
            return _refusal(model, {"refused": load.last_words()})
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


def _refusal(model: Model, said: dict[str, Any]) -> ModelResult | None:
    """Why a trial did not run; None if it said nothing, which is when it was canceled."""
    return ModelResult(model.name, model.title, refused=said["refused"]) if said else None


def run_curve(
    counts: Sequence[int] = COUNTS, canceled: Callable[[], bool] = _never
) -> Iterator[CurvePoint]:
    """The cost of one wake-up, point by point, until `canceled`. Raises `LabError`."""
    with Child("curve", *map(str, counts)) as child:
        while line := child.line(canceled):
            if canceled():
                return
            yield CurvePoint(**json.loads(line))
        if canceled():
            return
        words = child.last_words()
        if child.status:
            raise LabError(words)


def _read(trial: Child, given_up: Callable[[], bool]) -> dict[str, Any]:
    """The next line of a trial, its last words if there is none; empty if given up before."""
    line = trial.line(given_up)
    if line is None:
        return {}
    said: dict[str, Any] = json.loads(line) if line else {"refused": trial.last_words()}
    return said
