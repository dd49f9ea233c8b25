"""Display filters for kinds of packets that several parts of the program name.

They are derived from the protocols' records, and are texts: this module does not import the filter
language, which takes longer than the rest of the start.
"""

from __future__ import annotations

from core.wire.model.dissection import Cause, Verdict
from core.wire.present.summary import WRONG
from core.wire.registry import PROTOCOLS

_WRONG_WORDS = ", ".join(f'"{verdict.word}"' for verdict in Verdict if verdict in WRONG)

BAD_CHECKSUM = " or ".join(
    f"{protocol.name}.checksum.status in {{{_WRONG_WORDS}}}"
    for protocol in PROTOCOLS
    if any("checksum" in table for table in protocol.tables)
)
MALFORMED = f'frame.stop.cause == "{Cause.MALFORMED.name.lower()}"'
TRUNCATED = f'frame.stop.cause == "{Cause.TRUNCATED.name.lower()}"'
TCP_RESET = "tcp.flags.reset == 1"
TCP_SYN = "tcp.flags.syn == 1"
