"""A packet as a command of hping3(8), for TCP, UDP and ICMP over IPv4.

hping3 writes its process id as the identifier of an ICMP message, and quotes a packet of its own
in errors.
"""

from __future__ import annotations

from core.forge.compose.evaluation import Evaluation
from core.forge.export.tool_command import CommandText, Tool, ToolCommand
from core.wire.protocol import LayerPosition

_HPING3 = Tool.of(lambda tools: tools.hping3)


def hping3(evaluation: Evaluation) -> CommandText:
    """Return ``hping3 -c 1 -S -p 80 … 10.0.0.9``."""
    built = evaluation.built
    network = _HPING3.first(built, LayerPosition.NETWORK)
    if built is None or network is None:
        return CommandText("", f"hping3 sends {_HPING3.names(LayerPosition.NETWORK)} only")
    transport = _HPING3.first(built, LayerPosition.TRANSPORT, network[0])
    if transport is None:
        return CommandText("", f"hping3 sends {_HPING3.names(LayerPosition.TRANSPORT)} here")
    command = ToolCommand(evaluation, built, ["hping3", "-c", "1"])
    command.write(*network)
    command.write(*transport)
    payload = command.payload
    if payload:
        command.words += ["-d", str(len(payload))]
        if payload.isascii() and payload.decode().isprintable():
            command.words += ["-e", payload.decode()]
        else:
            command.missing.append("the payload (write it to a file and add -E FILE)")
    command.write_target(*network)
    return command.finished()
