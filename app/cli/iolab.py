"""``rawscope iolab``: the same echo work under each I/O model, and the cost of idle descriptors."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict

from app.cli.interrupts import Interrupts
from app.cli.output import CommandError, CommandOutput, print_message
from core.iolab.lab import LabError, LabOptions, run_curve, run_models
from core.iolab.models import MODELS, model_named
from core.iolab.results import CurvePoint, ModelResult

_HEADS = (
    "MODEL",
    "MESSAGES/S",
    "P50 µs",
    "P99 µs",
    "CALLS/MESSAGE",
    "CPU µs/MESSAGE",
    "PROCESS STATES",
)
_WIDTHS = (12, 10, 8, 8, 13, 14, 0)
_CURVE_HEADS = ("IDLE", "SELECT µs", "POLL µs", "EPOLL µs")
_SHOWN_SHARE = 0.05  # smaller shares are left out


class UnknownModelError(Exception):
    """An I/O model does not exist; the text names all that do."""


def check_models(names: Sequence[str]) -> None:
    """Raise `UnknownModelError` for an unknown name."""
    known = [model.name for model in MODELS]
    for name in names:
        if name not in known:
            raise UnknownModelError(
                f"there is no I/O model {name!r}; choose from {', '.join(known)}"
            )


def run_iolab(names: Sequence[str], clients: int, messages: int, as_json: bool) -> int:
    """Print a line per model, then the curve; return the exit status."""
    output = CommandOutput()
    models = [model_named(name) for name in names] or list(MODELS)
    options = LabOptions(clients=clients, messages=messages)
    remarks: list[str] = []
    with Interrupts() as interrupts:

        def stopped() -> bool:
            return interrupts.stopped

        if not as_json:
            print_message(
                f"{clients} clients, {messages} messages of {options.size} bytes per model"
            )
            output.line(_row(_HEADS))
            output.flush()
        for result in run_models(models, options, stopped):
            output.line(_model_json(result) if as_json else _model_row(result))
            output.flush()
            remarks.append(result.remark)
        if not as_json:
            for remark in filter(None, remarks):
                output.line(f"– {remark}")
            output.flush()
        if not stopped():
            if not as_json:
                print_message("one wake-up among idle descriptors")
            _measure_curve(output, as_json, stopped)
        if stopped():
            print_message("rawscope: stopped before the last measurement")
            return 1
    return 0


def _measure_curve(output: CommandOutput, as_json: bool, stopped: Callable[[], bool]) -> None:
    """Print the measured points, also if an error ends the measurement. Raise `CommandError`."""
    points: list[CurvePoint] = []
    try:
        points += run_curve(canceled=stopped)  # points before an error stay in the list
    except LabError as error:
        raise CommandError(f"the curve is incomplete: {error}") from error
    finally:
        if points:
            _print_curve(points, output, as_json)
            output.flush()


def _print_curve(points: Sequence[CurvePoint], output: CommandOutput, as_json: bool) -> None:
    if as_json:
        for point in points:
            output.line(json.dumps({"curve": point.mechanism, **_without_name(point)}))
        return
    output.line("".join(f"{head:>12}" for head in _CURVE_HEADS))
    for count in dict.fromkeys(point.descriptors for point in points):
        costs = [point.median_us for point in points if point.descriptors == count]
        cells = [str(count), *("–" if cost is None else f"{cost:.1f}" for cost in costs)]
        output.line("".join(f"{cell:>12}" for cell in cells))
    for reason in dict.fromkeys(point.refused for point in points if point.refused):
        output.line(f"– {reason}")


def _without_name(point: CurvePoint) -> dict[str, object]:
    fields = asdict(point)
    del fields["mechanism"]
    return fields


def _model_json(result: ModelResult) -> str:
    return json.dumps(
        {
            **asdict(result),
            "messages_per_second": round(result.rate, 1),
            "calls_per_message": round(result.calls_per_message, 4),
        }
    )


def _model_row(result: ModelResult) -> str:
    if result.refused:
        return f"{result.model:<{_WIDTHS[0]}}  unavailable: {result.refused}"
    meanwhile = ", ".join(
        f"{what} {share:.0%}" for what, share in result.waiting.items() if share >= _SHOWN_SHARE
    )
    return _row(
        (
            result.model,
            f"{result.rate:,.0f}",
            f"{result.p50_us:,.0f}",
            f"{result.p99_us:,.0f}",
            f"{result.calls_per_message:.2f}",
            f"{result.cpu_us_per_message:.1f}",
            meanwhile,
        )
    )


def _row(cells: Sequence[str]) -> str:
    first, *numbers, last = zip(cells, _WIDTHS, strict=True)
    return "  ".join(
        [f"{first[0]:<{first[1]}}", *(f"{cell:>{width}}" for cell, width in numbers), last[0]]
    ).rstrip()
