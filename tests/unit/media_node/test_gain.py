"""The distance laws, against the formulas of the Web Audio API."""

import pytest

from chalicelib.wire.voice import Distance, DistanceModel
from media_node.gain import law_of, reach_m


@pytest.mark.parametrize(
    ("model", "rolloff", "gains"),
    [
        (DistanceModel.INVERSE, 1.0, {0: 1.0, 2: 1.0, 4: 0.5, 8: 0.25, 100: 0.02}),
        (DistanceModel.INVERSE, 0.0, {0: 1.0, 100: 1.0}),
        (DistanceModel.LINEAR, 1.0, {0: 1.0, 2: 1.0, 12: 0.5, 22: 0.0, 100: 0.0}),
        (DistanceModel.LINEAR, 0.5, {2: 1.0, 12: 0.75, 22: 0.5}),
        (DistanceModel.LINEAR, 3.0, {2: 1.0, 12: 0.5, 22: 0.0}),
        (DistanceModel.EXPONENTIAL, 1.0, {0: 1.0, 2: 1.0, 4: 0.5, 8: 0.25}),
        (DistanceModel.EXPONENTIAL, 2.0, {4: 0.25, 8: 0.0625}),
    ],
)
def test_gain_falls_as_the_model_says(model: DistanceModel, rolloff: float, gains: dict[int, float]) -> None:
    """By the reference distance of 2 m, the farthest of 22 m."""
    law = law_of(Distance(model=model, reference_m=2.0, rolloff=rolloff, max_m=22.0))
    assert {metres: law(metres) for metres in gains} == pytest.approx(gains)


def test_a_linear_law_without_a_way_to_fall_is_flat() -> None:
    """Where reference and farthest are one; and in whichever order they are."""
    flat = Distance(model=DistanceModel.LINEAR, reference_m=5.0, rolloff=0.25, max_m=5.0)
    turned = Distance(model=DistanceModel.LINEAR, reference_m=22.0, max_m=2.0)
    assert (law_of(flat)(1), law_of(flat)(99)) == (0.75, 0.75)
    assert law_of(turned)(12) == pytest.approx(0.5)


@pytest.mark.parametrize("model", list(DistanceModel))
@pytest.mark.parametrize("rolloff", [0.0, 0.01, 0.5, 1.0, 4.0])
def test_beyond_its_reach_there_is_no_more_left(model: DistanceModel, rolloff: float) -> None:
    """And within it there is as much or more; whatever is asked for."""
    for reference, farthest in ((2.0, 22.0), (22.0, 2.0), (5.0, 5.0)):
        distance = Distance(model=model, reference_m=reference, rolloff=rolloff, max_m=farthest)
        law = law_of(distance)
        for gain in (0.0, 1e-12, 0.01, 0.25, 0.5, 0.75, 0.999, 1.0, 2.0):
            reach = reach_m(distance, gain)
            assert all(law(metres / 4) <= gain for metres in range(400) if metres / 4 > reach)
            inside = [metres / 4 for metres in range(400) if metres / 4 < reach * 0.999]
            assert all(law(metres) >= gain for metres in inside)
