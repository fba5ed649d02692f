"""What a run of a peer says, and what the algebras are given."""

import random

from benchmarks.ot_algebra import schedule_of
from benchmarks.peers import Driven, figures_of, unit_of

DRIVEN = Driven(
    ops=2000,
    seconds=4.0,
    acked_ratio=1.0,
    rejected=7,
    unfinished=1,
    ack_p50_ms=1.0,
    ack_p99_ms=2.0,
    op_to_other_p50_ms=3.0,
    op_to_other_p99_ms=4.0,
)


def test_a_run_says_edits_a_second_and_cpu_for_each() -> None:
    figures = figures_of(DRIVEN, server_cpu_s=1.0, driver_cpu_s=2.0)
    assert figures["ops_per_s"] == 500
    assert figures["server_cpu_us_per_op"] == 500
    assert figures["driver_cpu_cores"] == 0.5
    assert (figures["rejected"], figures["unfinished"]) == (7, 1)


def test_every_figure_has_a_unit() -> None:
    units = {figure: unit_of(figure) for figure in figures_of(DRIVEN, 1.0, 1.0)}
    assert set(units.values()) == {"ratio", "1/s", "ms", "edits", "us", "cores"}
    assert units["server_cpu_us_per_op"] == "us"
    assert units["op_to_other_p99_ms"] == "ms"


def test_in_each_round_two_of_the_ten_before_are_at_the_same_entity() -> None:
    schedule = schedule_of(random.Random(1))
    for each in schedule.rounds:
        assert len(each.tail) == 10
        assert [entity for entity, _ in each.tail].count(each.mine[0]) == 2
    assert schedule_of(random.Random(1)) == schedule
