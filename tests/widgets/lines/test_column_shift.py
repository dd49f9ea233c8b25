"""The horizontal offset of long lines."""

from widgets.lines.column_shift import ColumnShift


def test_steps_stop_at_both_ends() -> None:
    shift = ColumnShift(step=8)
    assert shift.move(1, most=20)
    assert shift.value == 8
    assert shift.move(5, most=20)
    assert shift.value == 20
    assert not shift.move(1, most=20)
    assert shift.move(-5, most=20)
    assert shift.value == 0
    assert not shift.move(-1, most=20)


def test_no_step_brings_it_back_within_a_smaller_bound() -> None:
    shift = ColumnShift(step=1)
    shift.move(9, most=9)
    assert shift.move(0, most=4)
    assert shift.value == 4
