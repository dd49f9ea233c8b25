"""What a laboratory measured once, the same on every run."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from app.screens.lab import LabScreen
from core.echo.curve import CurvePoint
from core.echo.lab import ModelResult
from core.echo.models import MODELS

TITLES = {model.name: model.title for model in MODELS}
# model, messages/s, p50 µs, p99 µs, CPU µs a message, system calls a message, what meanwhile
MEASURED = (
    ("blocking", 29_303, 2568, 17_794, 17.7, 2.0, {"running": 0.7, "asleep in recv": 0.3}),
    ("polling", 29_733, 2303, 19_312, 20.3, 7.74, {"running": 1.0}),
    ("select", 55_813, 1697, 4949, 8.6, 2.02, {"running": 0.98, "asleep in select": 0.02}),
    ("poll", 48_262, 1854, 6086, 9.8, 2.02, {"running": 1.0}),
    ("epoll-level", 54_056, 1721, 5578, 9.4, 2.03, {"running": 0.9, "asleep": 0.1}),
    ("epoll-edge", 43_444, 2140, 8747, 10.7, 2.88, {"running": 0.9, "asleep": 0.1}),
    ("signal", 35_700, 2317, 10_641, 11.2, 3.04, {"running": 0.98}),
)
NOT_HERE = "io_uring is switched off here (kernel.io_uring_disabled is 2)"
FD_SETSIZE_WORDS = "select ends at descriptor 1023 (FD_SETSIZE is 1024)"
COSTS = {
    "select": (3.0, 19.3, 192.6, None),
    "poll": (2.4, 15.8, 160.0, 12_771.9),
    "epoll": (0.8, 0.7, 1.2, 0.7),
}


def models() -> list[ModelResult]:
    """All eight; the last cannot run."""
    made = [
        ModelResult(
            model=name, title=TITLES[name], messages=20_000, seconds=20_000 / rate, p50_us=p50,
            p99_us=p99, cpu_us_per_message=cpu, calls={"any": round(calls * 20_000)},
            waiting=waiting,
        )
        for name, rate, p50, p99, cpu, calls, waiting in MEASURED
    ]  # fmt: skip
    return [*made, ModelResult("io_uring", TITLES["io_uring"], refused=NOT_HERE)]


def points() -> list[CurvePoint]:
    """The curve, in the order in which it is measured."""
    return [
        CurvePoint(name, count, costs[index], costs[index], "" if costs[index] else reason)
        for index, count in enumerate((10, 100, 1000, 10_000))
        for name, costs in COSTS.items()
        for reason in (FD_SETSIZE_WORDS,)
    ]


def measured(results: list[object]) -> Callable[[Callable[[], bool]], Iterator[object]]:
    """A measurement that has these results at once."""

    def run(cancelled: Callable[[], bool]) -> Iterator[object]:
        for result in results:
            if cancelled():
                return
            yield result

    return run


def scripted_lab() -> LabScreen:
    """The laboratory with all results there from the start."""
    return LabScreen(measured(models()), measured(points()))  # type: ignore[arg-type]
