"""How much of a voice is left at a distance: the three laws of the Web Audio API's PannerNode. Pure.

https://www.w3.org/TR/webaudio/#Spatialization-distance-effects (section 6.3), with `Distance`'s `reference_m` as
refDistance, `max_m` as maxDistance and `rolloff` as rolloffFactor. The page's panner has the same numbers, so what a
node takes for louder is what a listener would hear louder.
"""

from collections.abc import Callable
from functools import lru_cache

from chalicelib.wire.voice import Distance, DistanceModel

Law = Callable[[float], float]
"""Metres in, 0 to 1 out."""


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
