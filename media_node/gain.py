"""How much of a voice is left at a distance: the three laws of the Web Audio API's PannerNode. Pure.

https://www.w3.org/TR/webaudio/#Spatialization-distance-effects (section 6.3), with `Distance`'s `reference_m` as
refDistance, `max_m` as maxDistance and `rolloff` as rolloffFactor. The page's panner has the same numbers, so what a
node takes for louder is what a listener would hear louder.
"""

from collections.abc import Callable
from functools import lru_cache
from math import exp, inf, log
from typing import Final

from chalicelib.wire.voice import Distance, DistanceModel

Law = Callable[[float], float]
"""Metres in, 0 to 1 out."""


_FAR: Final = 50.0
"""e to this is farther than any room."""


@lru_cache(maxsize=256)
def law_of(distance: Distance) -> Law:
    """A channel's law. That nothing is sent beyond `max_m` is its caller's to see to: the inverse law never gets to 0."""
    reference, rolloff = distance.reference_m, distance.rolloff
    if distance.model is DistanceModel.LINEAR:
        return _linear(min(reference, distance.max_m), max(reference, distance.max_m), min(1.0, rolloff))
    if distance.model is DistanceModel.INVERSE:
        return lambda metres: reference / (reference + rolloff * (metres - reference)) if metres > reference else 1.0
    return lambda metres: (metres / reference) ** -rolloff if metres > reference else 1.0


def _linear(near: float, far: float, rolloff: float) -> Law:
    if near == far:
        return lambda _metres: 1 - rolloff
    return lambda metres: 1 - rolloff * (min(max(metres, near), far) - near) / (far - near)


def reach_m(distance: Distance, gain: float) -> float:
    """How far away there may be more left than this, at the farthest; a hair more, for rounding. Negative: nowhere."""
    if gain >= 1:
        return -1.0
    reference, rolloff = distance.reference_m, distance.rolloff
    if rolloff == 0 or gain <= 0:
        return inf
    if distance.model is DistanceModel.LINEAR:
        near, far = min(reference, distance.max_m), max(reference, distance.max_m)
        fall = min(1.0, rolloff)
        if gain < 1 - fall:
            return inf
        return _beyond(near + (1 - gain) / fall * (far - near)) if far > near else -1.0
    if distance.model is DistanceModel.INVERSE:
        return _beyond(reference + (reference / gain - reference) / rolloff)
    steps = log(1 / gain) / rolloff
    return inf if steps > _FAR else _beyond(reference * exp(steps))


def _beyond(metres: float) -> float:
    return metres * (1 + 1e-9) + 1e-9
