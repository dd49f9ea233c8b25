"""A notification about a packet that was sent again, where the panel with the outcome is hidden."""

from __future__ import annotations

from textual.widget import Widget

from core.forge.orders import Order
from core.forge.report import Report
from widgets.forge.report import result_text


class ResendNotice:
    """Watches one order at a time. `panel` shows the outcome."""

    def __init__(self, panel: Widget) -> None:
        self._panel = panel
        self._is_expected = False

    def watch(self, order: Order) -> None:
        """Watch an order that was just accepted, if it sends a captured packet."""
        self._is_expected = bool(order.packets)

    def show(self, report: Report) -> None:
        """Show the end of the order, unless the panel shows it or the user declined."""
        if not self._is_expected or report.sending:
            return
        self._is_expected = False
        if report.declined or self._panel.display:
            return
        self._panel.app.notify(
            result_text(report),
            title=report.subject,
            severity="warning" if report.error else "information",
            markup=False,
        )
