"""A packet as a command of hping3(8) or nping(1), and as a filter of tcpdump (pcap-filter(7)).

The commands make what the tools can make: both write IP identification and checksums by
themselves, hping3 has no TCP options, neither makes extension headers. What is left out is named.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from core.forge.evaluation import Evaluation
from core.wire.build import Built, Place

Told = tuple[str, str]  # the command, and what is missing

_HPING_FLAGS = {"fin": "-F", "syn": "-S", "reset": "-R", "push": "-P", "ack": "-A", "urg": "-U"}
_NPING_FLAGS = {
    "fin": "fin", "syn": "syn", "reset": "rst", "push": "psh", "ack": "ack", "urg": "urg",
    "ece": "ecn", "cwr": "cwr",
}  # fmt: skip


def hping3(evaluation: Evaluation) -> Told:
    """``hping3 -c 1 -S -p 80 … 10.0.0.9``, for TCP, UDP and ICMP over IPv4."""
    built = evaluation.built
    found = _layers(built)
    if built is None or "ip" not in found:
        return "", "hping3 sends IPv4 packets only"
    ip = _numbers(found["ip"])
    transport = next((name for name in ("tcp", "udp", "icmp") if name in found), "")
    if not transport:
        return "", "hping3 sends TCP, UDP and ICMP here"
    words = ["hping3", "-c", "1", "-t", f"{ip['ttl']}", "-N", f"{ip['id']}"]
    words += ["-o", f"{ip['dsfield']:x}"] if ip["dsfield"] else []
    words += ["-y"] if ip["flags.df"] else []
    words += ["-x"] if ip["flags.mf"] else []
    words += ["-g", str(ip["frag_offset"] * 8)] if ip["frag_offset"] else []
    words += ["-a", _text(found["ip"], "src")] if ip["src"] else []
    values = _numbers(found[transport])
    if transport == "tcp":
        words += _hping_tcp(values)
    elif transport == "udp":
        words += ["-2", "-k", "-s", f"{values['srcport']}", "-p", f"{values['dstport']}"]
    else:
        words += ["-1", "-C", f"{values['type']}", "-K", f"{values['code']}"]
    missing = []
    payload = built.data[built.payload.start : built.payload.stop]
    if payload:
        words += ["-d", str(len(payload))]
        if payload.isascii() and payload.decode().isprintable():
            words += ["-e", payload.decode()]
        else:
            missing.append("the payload (write it to a file and add -E FILE)")
    if found[transport].body.stop > found[transport].body.start:
        missing.append("TCP options")
    if found["ip"].body.stop > found["ip"].body.start:
        missing.append("IPv4 options")
    words.append(_text(found["ip"], "dst"))
    return _joined(words, missing)


def nping(evaluation: Evaluation, interface: str = "") -> Told:
    """``nping --tcp -p 80 --flags syn … 10.0.0.9``."""
    built = evaluation.built
    found = _layers(built)
    network = next((name for name in ("ip", "ipv6", "arp") if name in found), "")
    if built is None or not network:
        return "", "nping sends IPv4, IPv6 and ARP only"
    words = ["nping", "-c", "1"]
    words += ["-e", interface] if interface else []
    missing: list[str] = []
    if network == "arp":
        words += _nping_arp(found["arp"])
        return _joined(words, missing)
    transport = next((name for name in ("tcp", "udp", "icmp") if name in found), "")
    if not transport:
        return "", "nping sends TCP, UDP and ICMP here"
    words += _nping_network(found[network])
    values = _numbers(found[transport])
    if transport == "icmp":
        words += ["--icmp", "--icmp-type", f"{values['type']}", "--icmp-code", f"{values['code']}"]
        if "ident" in values:
            words += ["--icmp-id", f"{values['ident']}", "--icmp-seq", f"{values['seq']}"]
    else:
        words += [f"--{transport}", "-g", f"{values['srcport']}", "-p", f"{values['dstport']}"]
    if transport == "tcp":
        flags = [word for key, word in _NPING_FLAGS.items() if values[f"flags.{key}"]]
        words += ["--flags", ",".join(flags) or "0x00", "--seq", f"{values['seq_raw']}"]
        words += ["--ack", f"{values['ack_raw']}", "--win", f"{values['window_size_value']}"]
    payload = built.data[built.payload.start : built.payload.stop]
    words += ["--data", payload.hex()] if payload else []
    for name, place in found.items():
        if place.body.stop > place.body.start:
            missing.append(f"{place.header.tables[0].title}'s options")
        elif name not in (network, transport, "eth"):
            missing.append(place.header.tables[0].title)
    words.append(_text(found[network], "dst"))
    return _joined(words, missing)


def tcpdump_filter(evaluation: Evaluation) -> str:
    """The filter that shows this packet and its answers."""
    found = _layers(evaluation.built)
    words: list[str] = []
    for name in ("ip", "ipv6"):
        if name not in found:
            continue
        words.append("ip" if name == "ip" else "ip6")
        words += [f"host {_text(found[name], key)}" for key in ("src", "dst")
                  if found[name].values[key]]  # fmt: skip
        break
    for name in ("tcp", "udp", "sctp"):
        if name in found:
            words[:1] = [name] if words[:1] == ["ip"] else [*words[:1], name]
            words += [f"port {_numbers(found[name])[key]}" for key in ("srcport", "dstport")]
    words += [{"icmp": "icmp", "icmpv6": "icmp6"}[name] for name in ("icmp", "icmpv6")
              if name in found]  # fmt: skip
    if "arp" in found:
        words = ["arp", *(f"host {_text(found['arp'], key)}"
                          for key in ("src.proto_ipv4", "dst.proto_ipv4")
                          if found["arp"].values[key])]  # fmt: skip
    if not words and "eth" in found:
        words = [f"ether host {_text(found['eth'], 'dst')}"]
    return " and ".join(words)


def _layers(built: Built | None) -> dict[str, Place]:
    """The outermost layer of each name."""
    found: dict[str, Place] = {}
    for place in built.places if built is not None else ():
        found.setdefault(place.header.name, place)
    return found


def _hping_tcp(values: Mapping[str, int]) -> list[str]:
    words = ["-k", "-s", f"{values['srcport']}", "-p", f"{values['dstport']}"]
    words += ["-M", f"{values['seq_raw']}", "-L", f"{values['ack_raw']}"]
    words += ["-w", f"{values['window_size_value']}"]
    return words + [option for key, option in _HPING_FLAGS.items() if values[f"flags.{key}"]]


def _nping_network(place: Place) -> list[str]:
    values = _numbers(place)
    if place.header.name == "ipv6":
        words = ["-6", "--hop-limit", f"{values['hlim']}", "--traffic-class", f"{values['tclass']}"]
        words += ["--flow", f"{values['flow']}"]
    else:
        words = ["--ttl", f"{values['ttl']}", "--id", f"{values['id']}"]
        words += ["--tos", f"{values['dsfield']}"]
        words += ["--df"] if values["flags.df"] else []
        words += ["--mf"] if values["flags.mf"] else []
    return words + (["-S", _text(place, "src")] if values["src"] else [])


def _nping_arp(place: Place) -> list[str]:
    pairs = (
        ("--arp-sender-mac", "src.hw_mac"),
        ("--arp-sender-ip", "src.proto_ipv4"),
        ("--arp-target-mac", "dst.hw_mac"),
        ("--arp-target-ip", "dst.proto_ipv4"),
    )
    words = ["--arp", "--arp-type", str(_numbers(place)["opcode"])]
    for option, key in pairs:
        words += [option, _text(place, key)]
    return [*words, _text(place, "dst.proto_ipv4")]


def _text(place: Place, key: str) -> str:
    return place.header.slot(key).text(place.values[key])


def _numbers(place: Place) -> dict[str, int]:
    return {key: value for key, value in place.values.items() if isinstance(value, int)}


def _joined(words: list[str], missing: list[str]) -> Told:
    return " ".join(shlex.quote(word) for word in words), ", ".join(missing)
