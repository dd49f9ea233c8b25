"""The output formats of `dump`: a line for the user, an object for a program, chosen fields."""

from __future__ import annotations

from app.cli.dump.line_format import LineFormat


def choose_format(*, as_json: bool, raw: bool, as_hex: bool, fields: str | None) -> LineFormat:
    """Return the line format that the options name. Raise `UnknownFieldError`.

    The other formats are not imported: their tables would delay the first line.
    """
    if fields is not None:
        from app.cli.dump.field_lines import FieldLines

        return FieldLines([name.strip() for name in fields.split(",")], as_json=as_json)
    if as_json:
        from app.cli.dump.json_lines import JsonLines

        return JsonLines(raw)
    from app.cli.dump.hex_lines import HexLines
    from app.cli.dump.text_lines import TextLines

    return HexLines() if as_hex else TextLines()
