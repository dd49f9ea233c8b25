"""The laboratory's screen: the same echo work under each I/O model, measured while one looks.

The work is done in processes of its own (`core.iolab.lab`); a worker thread waits for them and
posts each result. Leaving cancels it, and so does asking for another run.
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

from app.bindings import bindings
from app.keymap import KeyContext
from app.screens.key_bar import KeyBar
from core.iolab.curve import COUNTS, MECHANISMS, CurvePoint
from core.iolab.lab import LabError, LabOptions, ModelResult, run_curve, run_models
from core.iolab.models import MODELS
from core.wire.model.text import safe
from widgets.lab.plots import CurvePlot, RatePlot
from widgets.lab.results import LabResults

Canceled = Callable[[], bool]
ABREAST = 130  # columns from which the plots stand beside one another
POINTS = len(COUNTS) * len(MECHANISMS)


def measure_models(canceled: Canceled) -> Iterator[ModelResult]:
    """Every model under the usual load."""
    return run_models(canceled=canceled)


def measure_curve(canceled: Canceled) -> Iterator[CurvePoint]:
    """Every point of the curve."""
    return run_curve(canceled=canceled)


Results = tuple[list[ModelResult], list[CurvePoint]]


class LabScreen(Screen[Results | None]):
    """Tables, plots, and how far the run has come. Both measurements can be given.

    Leaving gives the results of a whole run, to come back to.
    """

    BINDINGS = bindings(KeyContext.LAB)
    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-stacked"), (ABREAST, "-abreast")]

    class Measured(Message):
        """One more result."""

        def __init__(self, run: int, result: ModelResult | CurvePoint) -> None:
            super().__init__()
            self.run = run
            self.result = result

    class Ended(Message):
        """The run is over; `trouble` says why, if it broke off."""

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
        """`before` is shown instead of a new run; `note` is a sentence on what disturbs one."""
        super().__init__()
        self._measurements = (models, curve)
        self._before, self._note = before, note
        self._is_before = before is not None  # what is shown
        self._run = 0  # of this number are the results that count
        self.measuring = False
        self._trouble = ""
        self.results: list[ModelResult] = []
        self.points: list[CurvePoint] = []

    def compose(self) -> ComposeResult:
        options = LabOptions()
        yield Static(
            f"Laboratory: {options.messages:,} messages of {options.size} bytes, "
            f"{options.clients} clients, one message of each under way; each model in a process "
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
        """Measure everything, from the beginning."""
        self._run += 1
        self._is_before = False
        self.measuring, self._trouble = True, ""
        self.results, self.points = [], []
        self._show()
        self.scroll_home(animate=False)
        measure = partial(self._measure, self._run)
        self.run_worker(measure, thread=True, exclusive=True, exit_on_error=False)

    def action_leave(self) -> None:
        """Cancel what runs; leave when nothing does."""
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
        """In a thread of its own, which may begin when the next run has been asked for already."""
        worker, trouble = get_current_worker(), ""

        def canceled() -> bool:
            return worker.is_cancelled

        try:
            for measurement in self._measurements:
                for result in measurement(canceled):
                    self.post_message(self.Measured(run, result))
        except LabError as error:
            trouble = f"broke off: {safe(str(error))}"
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
        """How far it is, in words and as a bar of whole cells."""
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
