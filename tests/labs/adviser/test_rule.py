"""Test the adviser's rule, with numbers that Hypothesis generates."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tutor.labs.adviser import rule as adviser_rule
from tutor.labs.adviser.rule import Table, deciding, lead, ranking, share

LEVEL = st.integers(0, 3)
NEEDS = 4


def rows(values: st.SearchStrategy[int]) -> st.SearchStrategy[tuple[int, ...]]:
    return st.tuples(*[values] * NEEDS)


TABLES = st.builds(
    Table,
    st.lists(rows(LEVEL), min_size=2, max_size=6).map(tuple),
    rows(LEVEL),
)
WEIGHTS = rows(LEVEL)
MUSTS = st.tuples(*[st.booleans()] * NEEDS)
NO_MUSTS = (False,) * NEEDS


def places(
    table: Table, weights: tuple[int, ...], musts: tuple[bool, ...]
) -> dict[int, int | None]:
    return {row.option: row.place for row in ranking(table, weights, musts)}


def test_points_are_the_sum_of_weight_times_level() -> None:
    table = Table(((3, 0, 1, 2), (1, 2, 0, 0)), (0,) * NEEDS)
    first, second = ranking(table, (2, 1, 0, 3), NO_MUSTS)
    assert (first.option, first.place, first.points) == (0, 1, 2 * 3 + 1 * 0 + 0 * 1 + 3 * 2)
    assert (second.option, second.place, second.points) == (1, 2, 2 * 1 + 1 * 2)
    assert share(first.points, (2, 1, 0, 3)) == 12 / 18


@given(TABLES, WEIGHTS, MUSTS)
def test_every_option_has_its_row_and_shares_its_place_with_equals(
    table: Table, weights: tuple[int, ...], musts: tuple[bool, ...]
) -> None:
    rows = ranking(table, weights, musts)
    assert sorted(row.option for row in rows) == list(range(len(table.levels)))
    running = [row for row in rows if row.place is not None]
    for row in running:
        assert row.points == sum(
            weight * level for weight, level in zip(weights, table.levels[row.option], strict=True)
        )
        better = [each for each in running if each.points > row.points]
        assert row.place == 1 + len(better)
    assert [row.place for row in rows if row.place] == sorted(row.place or 0 for row in running)


@given(TABLES, WEIGHTS, MUSTS, st.data())
def test_a_higher_level_never_costs_a_place(
    table: Table, weights: tuple[int, ...], musts: tuple[bool, ...], data: st.DataObject
) -> None:
    option = data.draw(st.integers(0, len(table.levels) - 1))
    need = data.draw(st.integers(0, NEEDS - 1))
    raised = list(table.levels[option])
    raised[need] = data.draw(st.integers(raised[need], 3))
    levels = (*table.levels[:option], tuple(raised), *table.levels[option + 1 :])
    before = places(table, weights, musts)[option]
    after = places(Table(levels, table.least), weights, musts)[option]
    if before is not None:
        assert after is not None
        assert after <= before


@given(TABLES, WEIGHTS, MUSTS, st.integers(1, 50))
def test_the_ranking_does_not_change_when_all_weights_are_scaled(
    table: Table, weights: tuple[int, ...], musts: tuple[bool, ...], by: int
) -> None:
    scaled = tuple(by * weight for weight in weights)
    assert places(table, scaled, musts) == places(table, weights, musts)
    for one, other in zip(
        ranking(table, weights, musts), ranking(table, scaled, musts), strict=True
    ):
        if any(weights):
            assert Fraction(one.points, sum(weights)) == Fraction(other.points, sum(scaled))
        assert abs(share(one.points, weights) - share(other.points, scaled)) < 1e-12


@given(TABLES, WEIGHTS, MUSTS)
def test_an_excluded_option_never_wins(
    table: Table, weights: tuple[int, ...], musts: tuple[bool, ...]
) -> None:
    first = lead(table, weights, musts)
    for option, levels in enumerate(table.levels):
        fails = [need for need in range(NEEDS) if musts[need] and levels[need] < table.least[need]]
        row = next(each for each in ranking(table, weights, musts) if each.option == option)
        assert row.unmet == tuple(fails)
        assert (row.place is None) == bool(fails)
        if fails:
            assert option not in first


@given(TABLES, WEIGHTS, MUSTS, st.data())
def test_the_deciding_factor_really_changes_the_first_place_and_nothing_smaller_does(
    table: Table, weights: tuple[int, ...], musts: tuple[bool, ...], data: st.DataObject
) -> None:
    option = data.draw(st.integers(0, len(table.levels) - 1))
    now = lead(table, weights, musts)
    found = deciding(table, weights, musts, option)

    def with_(need: int, weight: int) -> frozenset[int]:
        changed = list(weights)
        changed[need] = weight
        return lead(table, changed, musts)

    steps = 4
    if found is not None:
        assert with_(found.need, found.weight) == found.lead
        assert found.lead not in (now, frozenset())
        assert option in now or option in found.lead
        steps = abs(found.weight - weights[found.need])
        assert 0 <= found.weight <= adviser_rule.HIGHEST
    for need in range(NEEDS):
        for weight in range(4):
            then = with_(need, weight)
            if abs(weight - weights[need]) < steps and then:
                assert then == now or not (option in now or option in then)


def test_equal_points_share_a_place_and_no_option_leads_without_weights() -> None:
    table = Table(((1, 2, 0, 0), (2, 1, 0, 0), (0, 0, 3, 3)), (0,) * NEEDS)
    assert lead(table, (1, 1, 0, 0), NO_MUSTS) == {0, 1}
    assert [row.place for row in ranking(table, (1, 1, 0, 0), NO_MUSTS)] == [1, 1, 3]
    assert lead(table, (0, 0, 0, 0), NO_MUSTS) == frozenset()


def test_no_deciding_change_if_no_single_weight_is_enough() -> None:
    table = Table(((3, 3, 3, 3), (1, 1, 1, 1)), (0,) * NEEDS)
    assert deciding(table, (1, 1, 1, 1), NO_MUSTS, 1) is None
    assert deciding(table, (1, 1, 1, 1), NO_MUSTS, 0) is None
