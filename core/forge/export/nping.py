"""A packet as a command of nping(1), for TCP, UDP and ICMP over IPv4 and IPv6, and ARP."""

from __future__ import annotations

from core.forge.compose.evaluation import Evaluation
from core.forge.export.tool_command import CommandText, Tool, ToolCommand
from core.wire.protocol import LayerPosition

_NPING = Tool.of(lambda tools: tools.nping)


def nping(evaluation: Evaluation, interface: str = "") -> CommandText:
    """Return ``nping --tcp -p 80 --flags syn … 10.0.0.9``; `interface` is for whole frames."""
    built = evaluation.built
    network = _NPING.first(built, LayerPosition.NETWORK)
    if built is None or network is None:
        return CommandText("", f"nping sends {_NPING.names(LayerPosition.NETWORK)} only")
    transport = _NPING.first(built, LayerPosition.TRANSPORT, network[0])
    has_payload = network[1].carries_payload
    if transport is None and has_payload:
        return CommandText("", f"nping sends {_NPING.names(LayerPosition.TRANSPORT)} here")
    command = ToolCommand(evaluation, built, ["nping", "-c", "1"])
    command.words += ["-e", interface] if interface else []
    outermost = _NPING.placed(built.places[0])
    if outermost is not None and outermost[0] is not network[0]:
        command.write(*outermost)
    command.write(*network)
    if has_payload and transport is not None:
        command.write(*transport)
        command.words += ["--data", command.payload.hex()] if command.payload else []
    elif command.payload:
        command.missing.append("the payload")
    command.write_target(*network)
    return command.finished()
