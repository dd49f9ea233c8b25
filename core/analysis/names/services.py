"""The names of ports, from the host's ``/etc/services`` (services(5))."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

SERVICES = Path("/etc/services")
MOST_BYTES = 4 << 20
_LINE = re.compile(r"^([\w.+\-]+)[ \t]+(\d{1,5})/(tcp|udp|sctp)\b", re.ASCII | re.MULTILINE)


def read_services(path: Path | None = None) -> Mapping[tuple[str, int], str]:
    """Return names by transport and port; none if the file cannot be read.

    Without a path, the file is `SERVICES`. Of several names of a port, the first counts.
    """
    try:
        with (path or SERVICES).open("rb") as file:
            text = file.read(MOST_BYTES).decode(errors="replace")
    except OSError:
        return {}
    found: dict[tuple[str, int], str] = {}
    for name, port, transport in _LINE.findall(text):
        if int(port) < 1 << 16:
            found.setdefault((transport, int(port)), name)
    return found
