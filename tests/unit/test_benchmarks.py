"""What a run of a peer says, what the algebras are given, and what the relay's figures are made of."""

import importlib
import random
import subprocess
from pathlib import Path

import pytest

from benchmarks import relay
from benchmarks.__main__ import NAMES
from benchmarks.ot_algebra import schedule_of
from benchmarks.peers import FOLDER, Driven, figures_of, unit_of
from benchmarks.rehome import worst
from benchmarks.report import RESULTS

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


@pytest.mark.parametrize("name", NAMES)
def test_each_benchmark_that_is_listed_can_be_run(name: str) -> None:
    assert callable(importlib.import_module(f"benchmarks.{name.replace('-', '_')}").main)


def test_every_benchmark_there_is_is_listed() -> None:
    modules = {
        path.stem.replace("_", "-")
        for path in FOLDER.parent.glob("*.py")
        if "\ndef main() -> Report:" in path.read_text()
    }
    assert modules == set(NAMES)


def test_the_readme_has_a_row_of_each_that_has_results() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    measured = {path.stem for path in RESULTS.glob("*.json")}
    assert measured <= set(NAMES)
    assert [name for name in measured if f"| `{name}` |" not in readme] == []


def test_the_clients_pure_parts_pass_their_own_tests() -> None:
    """They read the frames of tests/vectors, as the node's and the page's codecs do."""
    done = subprocess.run(["node", "--test"], cwd=FOLDER, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


def test_cpu_is_by_role_and_the_emulators_and_the_loads_are_not_the_servers() -> None:
    used = relay.used_between({"media": 1.0, "gateway": 5.0}, {"media": 3.0, "gateway": 4.0, "emulator": 7.0})
    assert used == {"media": 2.0, "gateway": 0.0, "emulator": 7.0}
    assert relay.server_s(used | {relay.DRIVER: 9.0}) == 2.0


@pytest.mark.parametrize(
    ("figure", "unit"),
    [
        ("end_to_end_p99_ms", "ms"),
        ("node_cpu_cores", "cores"),
        ("bytes_per_listener_s", "B/s"),
        ("frames_per_listener_s", "1/s"),
        ("updates_sent_per_s", "1/s"),
        ("delivered_ratio", "ratio"),
        ("rehome_s", "s"),
        ("acknowledged_lost", "transactions"),
        ("media_cpu_us_per_op", "us"),
    ],
)
def test_a_figure_of_the_relay_has_the_unit_its_name_ends_with(figure: str, unit: str) -> None:
    assert relay.unit_of(figure) == unit


def test_of_several_kills_the_worst_counts_and_losses_add_up() -> None:
    one = {"rehome_s": 2.0, "last_known_s": 1.0, "rehomed": 50.0, "acknowledged_lost": 1.0}
    two = {"rehome_s": 3.0, "last_known_s": -1.0, "rehomed": 49.0, "acknowledged_lost": 2.0}
    assert worst([one, two]) == {"rehome_s": 3.0, "last_known_s": -1.0, "rehomed": 49.0, "acknowledged_lost": 3.0}
