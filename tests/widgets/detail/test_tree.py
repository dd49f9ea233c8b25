"""Which rows are open and which field is selected, from packet to packet, without a screen."""

from __future__ import annotations

from core.wire.dissect import dissect
from core.wire.model.field import Span
from core.wire.present.detail import each_row
from core.wire.present.detail_row import Row, Severity
from tests.helpers.scripted import ACK, HOST, PSH, SERVER, arp, tcp
from widgets.detail.tree import DetailTree, Expansion, path_to_byte, worst

SEGMENT = tcp(HOST, SERVER, (1000, 80), PSH | ACK, (7, 9), b"hello")


def rows_of(data: bytes) -> tuple[Row, ...]:
    return tuple(each_row(dissect(data, 1, len(data))))


def tree_of(data: bytes) -> DetailTree:
    tree = DetailTree()
    tree.show(rows_of(data))
    return tree


def keys(tree: DetailTree) -> list[str]:
    return [line.row.key for line in tree.lines]


def select(tree: DetailTree, key: str) -> None:
    tree.select(keys(tree).index(key))


def selected(tree: DetailTree) -> str:
    assert tree.row is not None
    return tree.row.key


def test_a_line_knows_its_depth_and_its_parent() -> None:
    tree = tree_of(SEGMENT)
    line = tree.lines[keys(tree).index("tcp.flags")]
    assert line.level == 1
    assert line.parent is not None
    assert tree.lines[line.parent].row.key == "tcp"


def test_the_picked_field_is_selected_again_when_a_packet_has_it() -> None:
    tree = tree_of(SEGMENT)
    select(tree, "tcp.dstport")
    tree.show(rows_of(arp(1)))
    assert not tree.selects_picked
    tree.show(rows_of(SEGMENT))
    assert tree.selects_picked
    assert (selected(tree), tree.span) == ("tcp.dstport", Span(36, 38))


def test_a_field_hidden_in_a_closed_layer_selects_the_layer() -> None:
    tree = tree_of(SEGMENT)
    select(tree, "tcp.dstport")
    tree._expansion.set(tree.lines[keys(tree).index("tcp")].row, False)
    tree.show(rows_of(SEGMENT))
    assert selected(tree) == "tcp"


def test_expand_opens_then_enters_and_collapse_closes_then_leaves() -> None:
    tree = tree_of(SEGMENT)
    select(tree, "tcp.flags")
    lines = tree.lines
    assert tree.expand()
    assert tree.lines is not lines
    lines = tree.lines
    assert tree.expand()
    assert tree.lines is lines
    assert selected(tree).startswith("tcp.flags.")
    assert not tree.expand()  # a leaf
    assert tree.collapse()
    assert selected(tree) == "tcp.flags"
    assert tree.collapse()
    assert tree.collapse()
    assert selected(tree) == "tcp"
    assert tree.collapse()
    assert not tree.collapse()  # closed, and without a parent


def test_toggle_opens_and_closes() -> None:
    tree = tree_of(SEGMENT)
    select(tree, "ip")
    assert tree.is_open(tree.cursor)
    assert tree.toggle()
    assert not tree.is_open(tree.cursor)
    assert "ip.ttl" not in keys(tree)
    assert tree.toggle()
    select(tree, "ip.ttl")
    assert not tree.toggle()


def test_a_byte_opens_the_rows_above_its_own() -> None:
    tree = tree_of(SEGMENT)
    assert tree.select_byte(0)
    assert selected(tree) == "eth.dst"
    assert not tree.select_byte(len(SEGMENT) + 5)
    assert selected(tree) == "eth.dst"


def test_without_a_packet_nothing_changes() -> None:
    tree = DetailTree()
    assert tree.row is tree.span is None
    assert not any((tree.toggle(), tree.expand(), tree.collapse(), tree.select_byte(0)))


def test_open_rows_are_remembered_by_key() -> None:
    expansion = Expansion()
    child = Row("x.y", "child")
    row = Row("x", "parent", children=(child,))
    assert not expansion.is_open(row)
    expansion.set(row, True)
    assert expansion.is_open(Row("x", "of another packet", children=(child,)))
    assert not expansion.is_open(Row("x", "without children"))


def test_the_smallest_row_around_a_byte_is_taken() -> None:
    leaf = Row("a.b.c", "leaf", span=Span(2, 3))
    middle = Row("a.b", "b", span=Span(2, 4), children=(leaf,))
    rows = (
        Row("wide", "wide", span=Span(0, 9)),
        Row("a", "a", span=Span(0, 8), children=(middle,)),
    )
    assert [row.key for row in path_to_byte(rows, 2)] == ["a", "a.b", "a.b.c"]
    assert [row.key for row in path_to_byte(rows, 8)] == ["wide"]
    assert path_to_byte(rows, 9) == ()


def test_a_row_is_as_severe_as_the_worst_below_it() -> None:
    leaf = Row("a.b.c", "leaf", severity=Severity.ERROR)
    row = Row("a", "a", children=(Row("a.b", "b", children=(leaf,)),))
    assert worst(row) is Severity.ERROR


def test_expansion_goes_by_the_name_before_the_number() -> None:
    expansion = Expansion()
    inner = Row("ip#2", "IP in IP", children=(Row("ip.ttl#2", "TTL"),), is_layer=True)
    part = Row("ip", "not a layer", children=(Row("x", "x"),))
    assert expansion.is_open(inner)
    assert not expansion.is_open(part)
