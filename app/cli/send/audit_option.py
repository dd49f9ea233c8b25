"""Decide whether ``send`` and ``replay`` write an audit."""

from __future__ import annotations

from app.cli.output import print_message
from app.config.config_file import load
from app.config.paths import Paths
from core.wire.model.text import safe

WITHOUT_AUDIT = "--no-audit sends without it"


def is_audited(wanted: bool) -> bool:
    """Return True unless the command line or the configuration switches the audit off."""
    if not wanted:
        return False
    config = load(Paths.of_user().config, ("forge",))
    for complaint in config.complaints:
        print_message(f"rawscope: {safe(complaint)}")
    return config.forge.audit
