"""What the comparison of voices makes of what was measured."""

import pytest

from benchmarks import voice_relay
from benchmarks.relay import unit_of
from benchmarks.report import Report, medians
from benchmarks.voice_relay import BRIDGE, FORWARDER, JOBS, LOSSES, OURS, figures_of, tell

TOLD = {
    "seconds": 10.0,
    "packets_sent_per_s": 2500.0,
    "packets_heard_per_s": 7500.0,
    "relay_p99_ms": 2.0,
    "delivered_ratio": 1.0,
    "gcm_ratio": 1.0,
    "level_ratio": 1.0,
}


def test_a_window_says_cpu_by_participant_and_by_packet() -> None:
    figures = figures_of(TOLD, server_s=2.0, driver_s=1.0, people=50)
    assert figures["cpu_s_per_participant_minute"] == pytest.approx(0.24)
    assert figures["server_cpu_us_per_packet"] == pytest.approx(20)
    assert (figures["server_cpu_cores"], figures["driver_cpu_cores"]) == (0.2, 0.1)
    assert "gcm_ratio" not in figures


@pytest.mark.parametrize("name", ["gcm_ratio", "level_ratio"])
def test_what_is_not_alike_is_not_compared(name: str) -> None:
    with pytest.raises(RuntimeError, match=name):
        figures_of(TOLD | {name: 0.98}, 1.0, 1.0, 50)


def test_of_several_windows_medians_count_of_what_all_have() -> None:
    assert medians([{"a": 1.0, "b": 1.0}, {"a": 3.0}, {"a": 9.0}]) == {"a": 3.0}


def test_every_job_has_its_ratios_and_the_greatest_its_latency_at_either_loss() -> None:
    ours, theirs = figures_of(TOLD, 1.0, 1.0, 50), figures_of(TOLD, 4.0, 1.0, 50)
    report = Report("voice-relay")
    tell(
        report,
        {
            (kind, job, suffix): ours if kind == OURS else theirs
            for kind in (OURS, BRIDGE, FORWARDER)
            for job in JOBS
            for _, suffix in LOSSES
        },
    )
    for name in ("cpu_ratio_to_audiobridge_50", "cpu_ratio_to_audiobridge_5of50", "cpu_ratio_to_videoroom_50"):
        assert report.figures[name] == report.figures[f"{name}_loss2"] == (0.25, "ratio")
    assert report.figures["relay_p99_ms"] == report.figures["relay_p99_ms_loss2"] == (2.0, "ms")
    assert report.figures["cpu_s_per_participant_minute_5of50_loss2"][1] == "s"
    assert report.peers["janus videoroom"]["relay_p99_ms_10"] == (2.0, "ms")


def test_every_figure_has_a_unit() -> None:
    named = {"nacks_per_s", "recovered_p50_ms", "delivered_ratio", *figures_of(TOLD, 1.0, 1.0, 50)}
    assert {unit_of(name) for name in named} == {"1/s", "ms", "ratio", "s", "cores", "us"}


def test_five_of_fifty_are_what_the_issue_asks_for() -> None:
    assert {job: people[:2] for job, people in voice_relay.JOBS.items()} == {
        "10": (10, 10),
        "25": (25, 25),
        "50": (50, 50),
        "5of50": (50, 5),
    }
