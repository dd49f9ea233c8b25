"""The macros of the configuration file, for the commands that take a filter."""

from __future__ import annotations

from app.cli.output import print_message
from core.analysis.filter.language.macros import NO_MACROS, Macros
from core.wire.model.text import safe


def macros_for(text: str) -> Macros:
    """Return the macros of the user if a filter can use one: the file is read only for these."""
    if "$" not in text:
        return NO_MACROS
    from app.config.config_file import load
    from app.config.paths import Paths

    config = load(Paths.of_user().config, ("macros",))
    for complaint in config.complaints:
        print_message(f"rawscope: {safe(complaint)}")
    return config.macros
