"""``rawscope fields``: list every field name with its width, unit, and meaning."""

from __future__ import annotations

from app.cli.field_names import all_fields, is_filtered, suggestions
from app.cli.output import CommandError, CommandOutput


def run_fields(prefix: str) -> int:
    """Print the fields whose names begin with `prefix` in any case, in the order of the headers."""
    start = prefix.lower()
    rows = [
        (*row[:3], row[3] if is_filtered(row[0]) else f"{row[3]} (not in filters)")
        for row in all_fields()
        if row[0].lower().startswith(start)
    ]
    if not rows:
        raise CommandError(f"no field name begins with '{prefix}'{suggestions(prefix)}")
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    output = CommandOutput()
    for row in rows:
        output.line("  ".join(map(str.ljust, row, widths)).rstrip())
    output.flush()
    return 0
