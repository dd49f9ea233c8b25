"""The macros of the configuration file, for the commands that take a filter."""

from __future__ import annotations

from app.cli.output import print_message
from core.wire.model.text import safe


def define_macros_in(text: str) -> None:
    """Define the macros of the user if a filter can use one: the file is read only for these."""
    if "$" not in text:
        return
    from app.config.config_file import load
    from app.config.paths import Paths

    for complaint in load(Paths.of_user().config, ("macros",)).complaints:
        print_message(f"rawscope: {safe(complaint)}")
