"""The options of ``rawscope send``: one for every field that a draft can have.

They are made from the header tables when the command runs, so ``rawscope --help`` does not pay for
them. A flag may be given alone (``--tcp.flags.syn``) or with 0 or 1. Fields of a second layer of
the same kind have no option of their own: ``--set vlan.id#2=7``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import rich_click as click

from app.cli.send.send import SendRequest
from app.config.paths import Paths
from core.forge.compose.draft import PAYLOAD, TRAILER, Draft
from core.forge.compose.layer_kinds import DEFAULT_LINK, KINDS, LayersError, parse_layers
from core.forge.compose.templates import TEMPLATES
from core.forge.export.rawscope import inferred_layers
from core.forge.journal.database import StateDatabase
from core.forge.journal.drafts import DraftStore
from core.wire.encode.value_text import allowed
from core.wire.model.field import PlacedField
from core.wire.model.kind import Kind
from core.wire.protocol import LayerPosition

_PREFIX = "field_"
_LABELS = {  # short enough for the help, and known by these names
    "Differentiated services": "DS field: DSCP and ECN",
    "Traffic class": "Traffic class: DSCP and ECN",
    "Code point": "DSCP",
    "Congestion notification": "ECN",
}
_PASSED_ON = (
    "link", "system", "count", "wait_s", "dry_run", "as_json", "yes", "bypass", "save_as",
)  # fmt: skip


def known_names() -> dict[str, str]:
    """Return the names that two options accept, for their help, by the option's name."""
    return {"template_name": ", ".join(TEMPLATES), "layers": ", ".join(KINDS)}


def request_of(
    given: Mapping[str, Any], *, rate: float | None, audit: bool, has_link: bool
) -> SendRequest:
    """Return the request that the parsed options of ``send`` make. Raises `click.UsageError`.

    With `has_link`, packets begin with a link header.
    """
    options = field_options()
    names = {option.name: key for key, option in options.items()}
    texts = {names[n]: text for n, text in given.items() if n in names and text is not None}
    for setting in given["settings"]:
        key, equals, text = setting.partition("=")
        if not equals:
            raise click.UsageError(f"--set {setting}: write KEY=VALUE, e.g. vlan.id#2=7")
        texts[key.removesuffix("#1")] = text
    if not texts and not any(given[name] for name in ("template_name", "draft_name", "layers")):
        raise click.UsageError("no packet to send: give fields, --layers, --template, or --draft")
    drafts = _begin(given["template_name"], given["draft_name"], texts, has_link)
    if given["layers"] is not None:
        try:
            layers = parse_layers(given["layers"])
        except LayersError as error:
            raise click.UsageError(f"--layers: {error}") from None
        drafts = tuple(draft.with_layers(layers) for draft in drafts)
    elif given["template_name"] is None and given["draft_name"] is None:
        _check_one_of_each(drafts[0].layers)
    if has_link:
        drafts = tuple(_with_link(draft) for draft in drafts)
    _check_keys(drafts, texts)
    return SendRequest(
        tuple(draft.with_texts(texts) for draft in drafts),
        **{name: given[name] for name in _PASSED_ON},
        rate=rate,
        audit=audit,
    )


def _begin(
    template_name: str | None, draft_name: str | None, texts: Mapping[str, str], link: bool
) -> tuple[Draft, ...]:
    """Return the drafts that the options change."""
    if template_name is not None and draft_name is not None:
        raise click.UsageError("--template and --draft both begin a packet: give one of them")
    if template_name is not None:
        if template_name not in TEMPLATES:
            known = _listed(TEMPLATES)
            raise click.UsageError(
                f"--template: none is named {template_name!r}; there are {known}"
            )
        return TEMPLATES[template_name].drafts
    if draft_name is not None:
        database = StateDatabase(Paths.of_user().state_folder)
        saved = DraftStore(database).drafts()
        if draft_name not in saved:
            found = (f"saved are {_listed(saved)}",) if saved else ()
            there = (*found, *database.complaints.take()) or ("no drafts are saved",)
            words = f"--draft: no draft is named {draft_name!r}"
            raise click.UsageError("; ".join((words, *there)))
        return saved[draft_name]
    return (Draft(inferred_layers(tuple(texts), link=link)),)


def _check_one_of_each(layers: Sequence[str]) -> None:
    """Raise `click.UsageError` if the options name layers that exclude each other."""
    for place in (LayerPosition.NETWORK, LayerPosition.TRANSPORT):
        here = [name for name in layers if KINDS[name].place is place]
        if len(here) > 1:
            several = " and ".join(here)
            raise click.UsageError(
                f"fields of {several}: a packet has one of them; "
                f"--layers {','.join(layers)} puts one into the other"
            )


def _with_link(draft: Draft) -> Draft:
    return draft if draft.has_link else draft.with_layers((DEFAULT_LINK, *draft.layers))


def _check_keys(drafts: tuple[Draft, ...], texts: Mapping[str, str]) -> None:
    """Raise `click.UsageError` for a field of a layer that no draft has."""
    there = {PAYLOAD, TRAILER}
    for draft in drafts:
        for kind, suffix in draft.kinds():
            there |= {f"{key}{suffix}" for key, _ in _keys(kind.name)}
    for key in texts:
        if key not in there:
            layers = ",".join(drafts[0].layers)
            raise click.UsageError(f"{key}: the packet ({layers}) has no such field; see --layers")


def _keys(kind_name: str) -> Iterator[tuple[str, Any]]:
    """Yield the key of every input of a layer, with its field, or None for the bytes after it."""
    kind = KINDS[kind_name]
    for table in (*kind.tables, *kind.continuations):
        for slot in table.slots:
            yield slot.name, slot
    if kind.body:
        yield f"{kind.prefix}.options", None


@lru_cache(maxsize=1)
def field_options() -> dict[str, click.Option]:
    """Return an option for each key, in the order of the layers.

    The help shows the options of each layer in a panel, which asks for all options again for each
    of its rows; so they are made once.
    """
    options: dict[str, click.Option] = {}
    for kind in KINDS.values():
        for key, slot in _keys(kind.name):
            if key in options:
                continue
            given: dict[str, Any]
            if slot is None:
                given = {"metavar": kind.body_hint, "help": kind.body}
            elif slot.field.kind is Kind.FLAG:
                given = {"metavar": "[0|1]", "help": slot.field.label}
                given |= {"is_flag": False, "flag_value": "1"}
            else:
                label = _LABELS.get(slot.field.label, slot.field.label)
                given = {"metavar": _allowed(slot), "help": label}
            options[key] = _option(key, len(options), kind.title, given)
    for key, words in (
        (PAYLOAD, "Payload of the innermost layer"),
        (TRAILER, "Bytes after the packet"),
    ):
        given = {"metavar": "TEXT|hex:…|@FILE", "help": words}
        options[key] = _option(key, len(options), "Payload", given)
    return options


def _option(key: str, number: int, panel: str, given: dict[str, Any]) -> click.Option:
    return click.RichOption([f"--{key}", f"{_PREFIX}{number}"], panel=panel, **given)


def _allowed(slot: PlacedField) -> str:
    """Return the values that a field can have, as the help shows them."""
    return allowed(slot).removeprefix("an ").replace("Ethernet", "MAC")


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(names)
