"""The laboratory: measure the same echo work under each I/O model, and show the results.

`core.iolab.lab` measures in processes of its own; a worker thread waits for them and posts each
result. Leaving the screen cancels the measurement, and so does another run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static
from textual.worker import get_current_worker

from app.keymap import KeyContext
from app.screens.key_bar import KeyBar
from app.textual_bindings import bindings
from core.iolab.curve import COUNTS
from core.iolab.lab import LabError, LabOptions, run_curve, run_models
from core.iolab.models import MODELS
from core.iolab.results import MECHANISMS, CurvePoint, ModelResult
from core.wire.model.text import safe
from widgets.lab.plots import CurvePlot, RatePlot
from widgets.lab.results import LabResults

Canceled = Callable[[], bool]
ABREAST = 130  # columns from which the plots are side by side
POINTS = len(COUNTS) * len(MECHANISMS)


def measure_models(canceled: Canceled) -> Iterator[ModelResult]:
    """Yield the result of every model under the usual load."""
    return run_models(canceled=canceled)


def measure_curve(canceled: Canceled) -> Iterator[CurvePoint]:
    """Yield every point of the curve."""
    return run_curve(canceled=canceled)


Results = tuple[list[ModelResult], list[CurvePoint]]


class LabScreen(Screen[Results | None]):
    """Tables, plots, and the progress of the run.

    Return the results of a complete run, so that the next visit can show them. Tests pass
    measurements of their own as `models` and `curve`.
    """

    BINDINGS = bindings(KeyContext.LAB)
    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-stacked"), (ABREAST, "-abreast")]

    class Measured(Message):
        """The worker thread has another result."""

        def __init__(self, run: int, result: ModelResult | CurvePoint) -> None:
            super().__init__()
            self.run = run
            self.result = result

    class Ended(Message):
        """The run has ended; `trouble` says why if it failed."""

        def __init__(self, run: int, trouble: str) -> None:
            super().__init__()
            self.run = run
            self.trouble = trouble

    def __init__(
        self,
        models: Callable[[Canceled], Iterator[ModelResult]] = measure_models,
        curve: Callable[[Canceled], Iterator[CurvePoint]] = measure_curve,
        *,
        before: Results | None = None,
        note: str = "",
    ) -> None:
        """Show `before` instead of a new run; `note` is a sentence about what disturbs one."""
        super().__init__()
        self._measurements = (models, curve)
        self._before, self._note = before, note
        self._is_before = before is not None  # the results shown are `before`
        self._run = 0  # the number of the current run; results of others are dropped
        self.measuring = False
        self._trouble = ""
        self.results: list[ModelResult] = []
        self.points: list[CurvePoint] = []

    def compose(self) -> ComposeResult:
        options = LabOptions()
        yield Static(
            f"Laboratory: {options.messages:,} messages of {options.size} bytes, "
            f"{options.clients} clients with one message in flight each; each model in a process "
            "of its own",
            id="lab-title",
            markup=False,
        )
        yield Static("", id="lab-progress", markup=False)
        yield LabResults(id="lab-results")
        with Horizontal(id="lab-plots"):
            yield RatePlot("lab-rates")
            yield CurvePlot("lab-curve")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        if self._before is None:
            self.action_run()
        else:
            self.results, self.points = self._before
            self._show()

    def action_run(self) -> None:
        """Discard all results and measure again."""
        self._run += 1
        self._is_before = False
        self.measuring, self._trouble = True, ""
        self.results, self.points = [], []
        self._show()
        self.scroll_home(animate=False)
        measure = partial(self._measure, self._run)
        self.run_worker(measure, thread=True, exclusive=True, exit_on_error=False)

    def action_leave(self) -> None:
        """Cancel the run; leave the screen if nothing runs."""
        if self.measuring:
            self.workers.cancel_node(self)
            self._end("canceled")
        elif self._is_whole:
            self.dismiss((self.results, self.points))
        else:
            self.dismiss(self._before)

    @property
    def _is_whole(self) -> bool:
        return len(self.results) == len(MODELS) and len(self.points) == POINTS

    def _measure(self, run: int) -> None:
        """Measure in a worker thread. The next run may begin before this one has stopped."""
        worker, trouble = get_current_worker(), ""

        def canceled() -> bool:
            return worker.is_cancelled

        try:
            for measurement in self._measurements:
                for result in measurement(canceled):
                    self.post_message(self.Measured(run, result))
        except LabError as error:
            trouble = f"stopped: {safe(str(error))}"
        except Exception as failure:
            trouble = f"failed: {type(failure).__name__}: {safe(str(failure))}"
        self.post_message(self.Ended(run, trouble))

    def on_lab_screen_measured(self, event: Measured) -> None:
        if event.run != self._run or not self.measuring:
            return
        if isinstance(event.result, ModelResult):
            self.results.append(event.result)
        else:
            self.points.append(event.result)
        self._show()

    def on_lab_screen_ended(self, event: Ended) -> None:
        if event.run == self._run and self.measuring:
            self._end(event.trouble)

    def _end(self, trouble: str) -> None:
        self.measuring, self._trouble = False, trouble
        self._show()

    def _show(self) -> None:
        self.query_one("#lab-progress", Static).update(self._progress())
        self.query_one(LabResults).show(self.results, self.points)
        self.query_one(RatePlot).show(self.results)
        self.query_one(CurvePlot).show(self.points)
        self.query_one(KeyBar).labels = {"lab.leave": "cancel" if self.measuring else "back"}

    def _progress(self) -> str:
        """Return the progress as a bar of whole cells and in words."""
        done, whole = len(self.results) + len(self.points), len(MODELS) + POINTS
        bar = "█" * done + "░" * (whole - done)
        if self._trouble:
            return f"{bar}  {self._trouble}"
        if not self.measuring:
            words = "measured before; r measures again" if self._is_before else "done"
            return f"{bar}  {words}{self._remark}"
        if len(self.results) < len(MODELS):
            return f"{bar}  measuring {MODELS[len(self.results)].title}{self._remark}"
        return f"{bar}  measuring one wake-up among idle descriptors{self._remark}"

    @property
    def _remark(self) -> str:
        return f" · {self._note}" if self._note else ""
