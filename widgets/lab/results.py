"""The results of the laboratory as two tables: the models, and a wake-up among idle descriptors."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group
from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual.widget import Widget

from core.iolab.results import MECHANISMS, CurvePoint, ModelResult
from core.wire.model.text import safe
from widgets.layout import refresh_layout

TITLES_FROM = 130  # columns of the screen from which titles are shown
MEANWHILE_FROM = 110  # columns from which process states stand beside the figures
SHOWN_SHARE = 0.05  # smaller shares are left out
HEADS = ("Messages/s", "p50 µs", "p99 µs", "Calls/message", "CPU µs/message")
MISSING = "–"
_READING = (
    "◀ fastest. Here every client always has a message in flight, so polling finds work each "
    "time; the table below shows what waiting costs when most clients are idle."
)


def meanwhile(result: ModelResult) -> str:
    """Return the states of the process: ``epoll_wait 62%, running 31%``, largest share first."""
    shares = sorted(result.waiting.items(), key=lambda share: -share[1])
    return ", ".join(f"{what} {share:.0%}" for what, share in shares if share >= SHOWN_SHARE)


def figures(result: ModelResult) -> tuple[str, ...]:
    """Return the numbers under `HEADS`."""
    return (
        f"{result.rate:,.0f}",
        f"{result.p50_us:,.0f}",
        f"{result.p99_us:,.0f}",
        f"{result.calls_per_message:.2f}",
        f"{result.cpu_us_per_message:.1f}",
    )


def cost_text(point: CurvePoint) -> str:
    """Return the microseconds of one wake-up."""
    return MISSING if point.median_us is None else f"{point.median_us:,.1f}"


class LabResults(Widget):
    """Both tables, with the results measured up to now."""

    COMPONENT_CLASSES = {"lab-results--head", "lab-results--quiet", "lab-results--best"}

    DEFAULT_CSS = """
    LabResults {
        height: auto;
        & > .lab-results--head { color: $text-muted; text-style: bold; }
        & > .lab-results--quiet { color: $text-muted; }
        & > .lab-results--best { color: $text-success; text-style: bold; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._models: Sequence[ModelResult] = ()
        self._points: Sequence[CurvePoint] = ()

    def show(self, models: Sequence[ModelResult], points: Sequence[CurvePoint]) -> None:
        """Show these results."""
        self._models, self._points = tuple(models), tuple(points)
        refresh_layout(self)

    def render(self) -> Group:
        tables: list[Table | Text] = [self._model_table()] if self._models else []
        if self._models and not self._is_broad:
            tables += [Text(""), self._meanwhile_table(), Text("")]
        tables += [self._refusal(each) for each in self._models if each.refused]
        tables += [Text(each.remark, self._style("quiet")) for each in self._models if each.remark]
        if len(self._models) > 1:
            tables.append(Text(_READING, self._style("quiet")))
        if self._points:
            reasons = dict.fromkeys(safe(each.refused) for each in self._points if each.refused)
            tables += [Text(""), self._curve_table()]
            tables += [Text(reason, self._style("quiet")) for reason in reasons]
        return Group(*tables)

    @property
    def _is_broad(self) -> bool:
        return self.size.width >= MEANWHILE_FROM

    def _refusal(self, result: ModelResult) -> Text:
        return Text(f"{result.model} unavailable: {safe(result.refused)}", self._style("quiet"))

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"lab-results--{name}", partial=True)

    def _model_table(self) -> Table:
        titled = self.size.width >= TITLES_FROM
        table = self._table("Model", *(("What it is",) if titled else ()))
        for head in HEADS:
            table.add_column(Text(head, self._style("head")), justify="right", no_wrap=True)
        meanwhile_head = "Process states" if self._is_broad else ""
        table.add_column(Text(meanwhile_head, self._style("head")), no_wrap=True, ratio=1)
        best = max((result.rate for result in self._models), default=0.0)
        for result in self._models:
            name = [Text(result.model)]
            if titled:
                name.append(Text(result.title, self._style("quiet")))
            if result.refused:
                blanks = [Text(MISSING, self._style("quiet"))] * len(HEADS)
                table.add_row(*name, *blanks, Text("unavailable: see below" * self._is_broad))
                continue
            style = self._style("best" if result.rate == best else "quiet")
            rate, *others = figures(result)
            fastest = " ◀" if result.rate == best else "  "
            cells = [Text(rate + fastest, style), *(Text(each) for each in others)]
            words = meanwhile(result) if self._is_broad else ""
            table.add_row(*name, *cells, Text(words, self._style("quiet")))
        return table

    def _meanwhile_table(self) -> Table:
        """Return a table of the process states, for a screen without room beside the figures."""
        table = self._table("Model")
        table.add_column(Text("Process states", self._style("head")), ratio=1)
        for result in self._models:
            if not result.refused:
                table.add_row(result.model, Text(meanwhile(result), self._style("quiet")))
        return table

    def _curve_table(self) -> Table:
        counts = list(dict.fromkeys(point.descriptors for point in self._points))
        table = self._table("µs per wake-up, idle descriptors:")
        for count in counts:
            head = Text(f"{count:,}", self._style("head"))
            table.add_column(head, justify="right", no_wrap=True)
        table.add_column("", no_wrap=True, ratio=1)
        for mechanism in MECHANISMS:
            own = {each.descriptors: each for each in self._points if each.mechanism == mechanism}
            cells = [cost_text(own[count]) if count in own else "" for count in counts]
            table.add_row(mechanism, *cells, "")
        return table

    def _table(self, *heads: str) -> Table:
        """Return a table with columns of text."""
        table = Table(box=None, padding=(0, 2, 0, 0), expand=True, pad_edge=False)
        for head in heads:
            table.add_column(Text(head, self._style("head")), no_wrap=True)
        return table
