"""The laboratory: every I/O model does the same work, and what each cost is measured.

Three processes: the model (`core.echo.trial`), the load (`core.echo.load`), and this one, which
only starts them and looks at the first from outside (`core.echo.waiting`). So neither the
screen nor the load is in the model's figures. The generators yield one finished result at a time,
so that a caller can show progress; `cancelled` is asked every few milliseconds.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from core.echo.curve import COUNTS, CurvePoint
from core.echo.models import MODELS, Model
from core.echo.waiting import watch

CLIENTS, MESSAGES, SIZE = 100, 20_000, 64
_PATIENCE_S = 60.0
_ASK_EVERY_MS = 20  # whether to give up


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


def run_models(
    models: Sequence[Model] = MODELS,
    options: LabOptions | None = None,
    cancelled: Callable[[], bool] = _never,
) -> Iterator[ModelResult]:
    """Each model in turn, until `cancelled`."""
    for model in models:
        result = _run_model(model, options or LabOptions(), cancelled)
        if result is None:
            return
        yield result


def _run_model(
    model: Model, options: LabOptions, cancelled: Callable[[], bool]
) -> ModelResult | None:
    """One model under the load; None if cancelled."""
    with ExitStack() as stack:
        trial = _start(stack, "trial", model.name, str(options.clients + options.idle))
        greeting = _read(trial, cancelled)
        if "port" not in greeting:
            return _refusal(model, greeting)
        load = _start(
            stack, "load", str(greeting["port"]), "--clients", str(options.clients), "--idle",
            str(options.idle), "--size", str(options.size), "--messages", str(options.messages),
        )  # fmt: skip
        serving = _read(trial, lambda: cancelled() or bool(load.poll()))
        if "serving" in serving:
            waiting = watch(trial.pid, lambda: load.poll() is None and not cancelled())
        elif serving or cancelled():
            return _refusal(model, serving)
        if cancelled():
            return None
        outcome, trouble = load.communicate(timeout=_PATIENCE_S)
        cost = _read(trial, cancelled) if serving else {}
    if "refused" in cost:
        return _refusal(model, cost)
    if load.returncode:
        return _refusal(model, {"refused": _last_line(trouble)})
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
    """Why a trial did not run; None if it said nothing, which is when it was cancelled."""
    return ModelResult(model.name, model.title, refused=said["refused"]) if said else None


def run_curve(
    counts: Sequence[int] = COUNTS, cancelled: Callable[[], bool] = _never
) -> Iterator[CurvePoint]:
    """The cost of one wake-up, point by point, until `cancelled`."""
    with ExitStack() as stack:
        process = _start(stack, "curve", *map(str, counts))
        assert process.stdout is not None
        for line in process.stdout:
            if cancelled():
                return
            yield CurvePoint(**json.loads(line))


def _start(stack: ExitStack, module: str, *arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", f"core.echo.{module}", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    stack.callback(_end, process)
    return process


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.kill()
    process.communicate()


def _read(process: subprocess.Popen[str], given_up: Callable[[], bool]) -> dict[str, Any]:
    """The next line of a trial, its last words if there is none; empty if given up before.

    Its lines come far apart, or the process ends behind them: either way a line that was read ahead
    is found, since an ended pipe is readable too.
    """
    assert process.stdout is not None
    poller = select.poll()
    poller.register(process.stdout, select.POLLIN)
    while not poller.poll(_ASK_EVERY_MS):
        if given_up():
            return {}
    line = process.stdout.readline()
    if not line:
        _out, trouble = process.communicate()
        return {"refused": _last_line(trouble)}
    result: dict[str, Any] = json.loads(line)
    return result


def _last_line(said: str) -> str:
    return (said.strip().splitlines() or ["it ended without a word"])[-1]
