"""Decide whether ``send`` and ``replay`` write an audit."""

from __future__ import annotations

from app.cli.output import say
from app.config.config_file import Paths, read_audit, read_config
from core.wire.model.text import safe

WITHOUT_AUDIT = "--no-audit sends without it"


def is_audited(wanted: bool) -> bool:
    """Return True if neither the command line nor the configuration does without the audit."""
    return wanted and _is_configured()


def _is_configured() -> bool:
    """Return what the configuration file says; report what is wrong with it."""
    path = Paths.of_user().config
    complaints: list[str] = []
    content = read_config(path, complaints)
    wanted = read_audit(path, content, complaints)
    for complaint in complaints:
        say(f"rawscope: {safe(complaint)}")
    return wanted
