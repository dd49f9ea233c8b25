"""A draft as a ``rawscope send`` command, and the layers that its options imply.

`shlex` quotes the words, so nothing from a packet can leave its quotes.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator

from core.forge.compose.draft import PAYLOAD, Draft
from core.forge.compose.layer_kinds import DEFAULT_LINK, DEFAULT_NETWORK, KINDS
from core.forge.values import SendPlan
from core.wire.model.kind import Kind

ONCE = SendPlan()


def rawscope_command(
    draft: Draft,
    interface: str = "",
    *,
    system: bool = False,
    verbatim: bool = False,
    plan: SendPlan = ONCE,
) -> str:
    """Return ``rawscope send`` with the draft's texts as options.

    `system` lets the kernel write the IP header; `verbatim` sends a packet without a link header on
    the interface, too. `plan` is how often and how fast to send.
    """
    words = ["rawscope", "send"]
    if draft.layers != inferred_layers(draft.texts):
        words += ["--layers", ",".join(draft.layers)]
    if (draft.has_link or verbatim) and interface:
        words += ["--link", interface]
    if system:
        words.append("--system-header")
    words += _plan_options(plan)
    flags = {
        slot.name
        for kind in KINDS.values()
        for table in (*kind.tables, *kind.continuations)
        for slot in table.slots
        if slot.field.kind is Kind.FLAG
    }
    keys = {key for kind, suffix in draft.kinds() for key in _keys(kind.name, suffix)}
    for key, text in draft.texts.items():
        if key not in keys and key not in (PAYLOAD, "trailer"):
            continue  # typed for a layer that is not there any more
        if "#" in key:
            words += ["--set", f"{key}={text}"]
        elif key in flags and text == "1":
            words.append(f"--{key}")
        else:
            words += [f"--{key}", text]
    return " ".join(shlex.quote(word) for word in words)


def _plan_options(plan: SendPlan) -> list[str]:
    words = ["--count", str(plan.count)] if plan.count > 1 else []
    return [*words, "--rate", f"{plan.rate:g}"] if words and plan.rate is not None else words


def _keys(kind_name: str, suffix: str) -> Iterator[str]:
    kind = KINDS[kind_name]
    for table in (*kind.tables, *kind.continuations):
        yield from (slot.name + suffix for slot in table.slots)
    if kind.body:
        yield f"{kind.prefix}.options{suffix}"


def inferred_layers(keys: Collection[str], *, link: bool = False) -> tuple[str, ...]:
    """Return the layers that have the typed fields, outermost first.

    Of the forms of one protocol, the first one that has the most of the fields counts. Each layer
    gets the one around it that its `LayerKind` names, unless another one is in that position;
    `link` asks for Ethernet.
    """
    forms: dict[str, tuple[int, str]] = {}  # by protocol: how many fields, and the layer's name
    for kind in KINDS.values():
        count = len(set(keys).intersection(_keys(kind.name, "")))
        if count > forms.get(kind.prefix, (0, ""))[0]:
            forms[kind.prefix] = count, kind.name
    named = {name for _, name in forms.values()} or {DEFAULT_NETWORK}
    wanted = [KINDS[name].over for name in KINDS if name in named]
    for name in [*wanted, DEFAULT_LINK if link else ""]:
        if name and KINDS[name].place not in {KINDS[one].place for one in named}:
            named.add(name)
    return tuple(name for name in KINDS if name in named)
