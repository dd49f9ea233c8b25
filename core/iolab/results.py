"""The results of the laboratory's measurements."""

from __future__ import annotations

from dataclasses import dataclass, field

MECHANISMS = ("select", "poll", "epoll")
THREADED = frozenset({"blocking"})  # the models whose count lacks the interpreter lock's calls


@dataclass(frozen=True, slots=True)
class ModelResult:
    """The figures of one model. If `refused`, one line, says why it cannot run, they are 0.

    `calls` counts system calls by name over the whole run. `waiting` is the share of samples in
    which the process ran, or slept in some call. `slept` counts how often it gave up the processor.
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
        """Messages per second."""
        return self.messages / self.seconds if self.seconds else 0.0

    @property
    def calls_per_message(self) -> float:
        """System calls per message."""
        return sum(self.calls.values()) / self.messages if self.messages else 0.0

    @property
    def remark(self) -> str:
        """One sentence on calls that are not counted; empty if all are."""
        if self.refused or self.model not in THREADED:
            return ""
        slept = (
            f"; it slept {self.slept / self.messages:.2f} times per message" if self.slept else ""
        )
        return (
            f"{self.model}: futex calls, by which its threads pass on the interpreter's lock, "
            f"are not counted{slept}"
        )


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One wake-up with `descriptors` idle ones: median and minimum in microseconds.

    Both are None if `refused` has the reason why it cannot be measured.
    """

    mechanism: str
    descriptors: int
    median_us: float | None
    least_us: float | None
    refused: str = ""
