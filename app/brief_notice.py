"""A notification that the next key removes: it answers a key, and covers rows of the table."""

from __future__ import annotations

from textual.app import App
from textual.notifications import Notification, Notify


class BriefNotice:
    """The one brief notice of an application."""

    def __init__(self, app: App[None]) -> None:
        self._app = app
        self._shown: Notification | None = None

    def show(self, message: str, title: str) -> None:
        """Show a message until the next key, or as long as other notifications stay."""
        timeout_s = self._app.NOTIFICATION_TIMEOUT
        self._shown = Notification(message, title, timeout=timeout_s, markup=False)
        self._app.post_message(Notify(self._shown))

    def remove(self) -> None:
        """Remove the message."""
        shown, self._shown = self._shown, None
        if shown is not None and shown in self._app._notifications:
            self._app._unnotify(shown)
