"""Where a voice is heard in a mix, how loud, and that nothing clips."""

import math

import numpy as np
import pytest

from chalicelib.wire.voice import ChannelKind, Distance, DistanceModel
from media_node.mixdown import BLOCK, CEILING, FLOOR_DB, Bus, Limiter, Listener, ears, listener, loudness

LAW = Distance()
SPATIAL = ChannelKind.SPATIAL


def db(gain: float) -> float:
    """Decibels."""
    return 20 * math.log10(gain)


@pytest.mark.parametrize(
    ("law", "distance_m", "gain"),
    [
        (LAW, 0.0, 1.0),
        (LAW, 1.5, 1.0),
        (LAW, 3.0, 0.5),
        (LAW, 1e6, 10 ** (FLOOR_DB / 20)),
        (Distance(model=DistanceModel.LINEAR, max_m=11.5), 6.5, 0.5),
        (Distance(model=DistanceModel.LINEAR, max_m=11.5, rolloff=0.5), 100.0, 0.5),
        (Distance(model=DistanceModel.EXPONENTIAL, rolloff=2), 3.0, 0.25),
        (Distance(model=DistanceModel.LINEAR, max_m=1.5), 3.0, 10 ** (FLOOR_DB / 20)),
    ],
)
def test_the_laws_of_distance(law: Distance, distance_m: float, gain: float) -> None:
    """As the Web Audio API has them; nobody is inaudible."""
    assert loudness(distance_m, law) == pytest.approx(gain)


def test_left_is_left_and_power_is_equal() -> None:
    """Whoever walks around the listener is as loud everywhere."""
    here = Listener()
    left, right = ears((-1.0, 0.0, 0.0), here, SPATIAL, LAW)
    assert left > 5 * right
    for degrees in range(0, 360, 15):
        angle = math.radians(degrees)
        a, b = ears((math.cos(angle), 0.0, math.sin(angle)), here, SPATIAL, LAW)
        assert math.hypot(a, b) == pytest.approx(1.0)
        assert (b > a) == (math.cos(angle) > 1e-9) or abs(math.cos(angle)) < 1e-9


@pytest.mark.parametrize(
    ("place", "kind"),
    [(None, SPATIAL), ((0.0, 0.0, 0.0), SPATIAL), ((9.0, 0.0, 0.0), ChannelKind.STAGE), ((0.0, 0.0, -1.0), SPATIAL)],
)
def test_what_is_heard_in_the_middle(place: tuple[float, float, float] | None, kind: ChannelKind) -> None:
    """Nobody knows where; at the listener's own place; on a stage; straight ahead."""
    left, right = ears(place, Listener(), kind, LAW)
    assert left == pytest.approx(right) == pytest.approx(math.sqrt(0.5))


def test_the_listener_is_among_the_speakers_and_sees_them_spread() -> None:
    """Two who stand one behind the other are left and right nonetheless."""
    here = listener([(0.0, 1.6, -2.0), (0.0, 1.6, 2.0)])
    assert here.position == pytest.approx((0.0, 1.6, 0.0))
    (a, _), (b, _) = (ears(place, here, SPATIAL, LAW) for place in ((0.0, 1.6, -2.0), (0.0, 1.6, 2.0)))
    assert abs(db(a / b)) > 10
    assert listener([(-3.0, 0.0, 5.0), (3.0, 0.0, 5.0)]).right == pytest.approx((1.0, 0.0))
    assert listener([(-1.0, 0.0, -1.0), (1.0, 0.0, 1.0)]).right == pytest.approx((math.sqrt(0.5), math.sqrt(0.5)))
    assert listener([]) == Listener()
    assert listener([(1.0, 2.0, 3.0)]).position == (1.0, 2.0, 3.0)


def test_gains_move_in_ramps() -> None:
    """A step from one side to the other is no step in the signal."""
    bus, voice = Bus(), np.full(BLOCK, 0.5, np.float32)
    bus.add("ada", voice, (1.0, 0.0))
    bus.take()
    bus.add("ada", voice, (0.0, 1.0))
    block = bus.take()
    assert block[0][0] == pytest.approx(0.5)
    assert block[0][-1] == pytest.approx(0.0)
    assert float(np.max(np.abs(np.diff(block)))) < 0.001
    assert not bus.take().any()


def test_the_limiter_holds_everything_below_its_ceiling() -> None:
    """Fifty at once, after and before silence: no sample above, no jump, and quiet is as it was."""
    chance = np.random.default_rng(1)
    levels = [0.1, 0.1, 5.0, 0.3, 0.1, 2.0, 2.0, *[0.1] * 40]
    blocks = [(chance.uniform(-1, 1, (2, BLOCK)) * level).astype(np.float32) for level in levels]
    limiter = Limiter()
    out = [held for held in (limiter.put(block) for block in [*blocks, None]) if held is not None]
    assert len(out) == len(blocks)
    assert max(float(np.max(np.abs(block))) for block in out) <= CEILING + 1e-4
    gains = np.concatenate([(b[0] / a[0]) for a, b in zip(blocks, out, strict=True)])
    assert float(np.max(np.abs(np.diff(gains)))) < 0.01
    assert np.array_equal(out[-1], blocks[-1])
    assert limiter.put(None) is None
