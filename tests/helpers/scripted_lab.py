"""The results of one run of ``rawscope iolab``, for pictures and tests.

Measured on two shared Xeon cores beside other work (Linux, Python 3.11).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from app.screens.lab import LabScreen
from core.iolab.models import MODELS
from core.iolab.results import CurvePoint, ModelResult

TITLES = {model.name: model.title for model in MODELS}
# model, messages/s, p50 µs, p99 µs, CPU µs a message, system calls a message, what meanwhile
MEASURED = (
    ("blocking", 16_879, 3259, 47_104, 41.1, 2.0, {"running": 0.84, "asleep in recv": 0.16}),
    ("polling", 18_927, 3896, 21_281, 17.8, 4.14, {"running": 0.99}),
    ("select", 38_189, 2098, 9229, 10.8, 2.02, {"running": 0.92, "asleep": 0.06}),
    ("poll", 44_039, 1852, 13_589, 9.6, 2.02, {"running": 0.9, "asleep": 0.06}),
    ("epoll-level", 34_442, 2348, 10_712, 13.1, 2.06, {"running": 0.95}),
    ("epoll-edge", 42_550, 2295, 5779, 12.9, 2.84, {"running": 0.97}),
    ("signal", 27_240, 2790, 18_118, 12.3, 3.04, {"running": 0.98}),
    ("io_uring", 25_425, 2299, 30_759, 11.0, 0.06, {"running": 0.77, "asleep": 0.1}),
)
NOT_HERE = "io_uring is switched off here (kernel.io_uring_disabled is 2)"
FD_SETSIZE_WORDS = "select is limited to descriptors below 1024 (FD_SETSIZE)"
COSTS = {
    "select": (4.0, 17.0, 172.9, None),
    "poll": (2.9, 15.6, 161.7, 7899.9),
    "epoll": (0.7, 0.7, 0.6, 1.1),
}


def models(refused: str = "") -> list[ModelResult]:
    """Return the results of all eight models; `refused` says why the last could not run."""
    made = [
        ModelResult(
            model=name, title=TITLES[name], messages=20_000, seconds=20_000 / rate, p50_us=p50,
            p99_us=p99, cpu_us_per_message=cpu, calls={"any": round(calls * 20_000)},
            waiting=waiting,
        )
        for name, rate, p50, p99, cpu, calls, waiting in MEASURED
    ]  # fmt: skip
    if refused:
        made[-1] = ModelResult("io_uring", TITLES["io_uring"], refused=refused)
    return made


def points() -> list[CurvePoint]:
    """Return the points of the curve in the order of measurement."""
    return [
        CurvePoint(name, count, costs[index], costs[index], "" if costs[index] else reason)
        for index, count in enumerate((10, 100, 1000, 10_000))
        for name, costs in COSTS.items()
        for reason in (FD_SETSIZE_WORDS,)
    ]


def measured(results: list[object]) -> Callable[[Callable[[], bool]], Iterator[object]]:
    """Return a measurement that yields these results at once."""

    def run(canceled: Callable[[], bool]) -> Iterator[object]:
        for result in results:
            if canceled():
                return
            yield result

    return run


def scripted_lab(refused: str = "", **given: Any) -> LabScreen:
    """Return a laboratory that has all results from the start."""
    return LabScreen(measured(models(refused)), measured(points()), **given)  # type: ignore[arg-type]
