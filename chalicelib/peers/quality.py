"""How good a room's connections are: what a report adds to its hour, and what an hour comes to. Pure.

An hour is a handful of whole numbers that only grow, so that any number of functions add to it at once (DynamoDB's ADD)
and none reads before it writes. Hence fixed units: microseconds, parts per million,
thousandths of MOS. A mean is a sum over how many
reported it: a page does not know everything of every link (no loss without a channel that counts, say).
"""

from collections.abc import Mapping
from typing import Final

from chalicelib.wire.peers import LinkPath, QualityReport, QualityTotals

HOUR_MS: Final = 3_600_000
_US: Final = 1000
"""Of a millisecond."""
_PPM: Final = 1_000_000
"""Of a share."""
_MILLI: Final = 1000
"""Of a point of MOS."""
_PATH: Final = "path_"


def hour_of(at_ms: int) -> int:
    """When the hour began that a moment is in."""
    return at_ms - at_ms % HOUR_MS


def sums_of(report: QualityReport) -> dict[str, int]:
    """What a report adds to its hour. Keys are attribute names; what would add nothing is left out.

    The score of links that are not there (path none) counts as the 0 that it is: an hour in which half of all
    pairs could not connect was a bad one.
    """
    sums = {"reports": 1}
    for link in report.links:
        _add(sums, "links", 1)
        _add(sums, f"{_PATH}{link.path.value}", 1)
        _measure(sums, "score", link.score, 1)
        _measure(sums, "rtt", link.rtt_ms, _US)
        _measure(sums, "jitter", link.jitter_ms, _US)
        _measure(sums, "loss", link.loss, _PPM)
    if report.voice is not None:
        _measure(sums, "voice_mos", report.voice.mos, _MILLI)
        _measure(sums, "voice_loss", report.voice.loss, _PPM)
        _measure(sums, "voice_jitter", report.voice.jitter_ms, _US)
        _measure(sums, "voice_rtt", report.voice.rtt_ms, _US)
        _measure(sums, "voice_concealed", report.voice.concealed, _PPM)
    return {name: value for name, value in sums.items() if value}


def totals_of(hour_ms: int, sums: Mapping[str, int]) -> QualityTotals:
    """What an hour's sums come to."""
    return QualityTotals(
        hour_ms=hour_ms,
        reports=sums.get("reports", 0),
        links=sums.get("links", 0),
        rtt_mean_ms=_mean(sums, "rtt", _US),
        jitter_mean_ms=_mean(sums, "jitter", _US),
        loss_mean=_mean(sums, "loss", _PPM),
        score_mean=_mean(sums, "score", 1),
        by_path={path.value: sums[_PATH + path.value] for path in LinkPath if _PATH + path.value in sums},
        voice_mos_mean=_mean(sums, "voice_mos", _MILLI),
        voice_loss_mean=_mean(sums, "voice_loss", _PPM),
        voice_jitter_mean_ms=_mean(sums, "voice_jitter", _US),
        voice_rtt_mean_ms=_mean(sums, "voice_rtt", _US),
        voice_concealed_mean=_mean(sums, "voice_concealed", _PPM),
    )


def _measure(sums: dict[str, int], name: str, value: float | None, unit: int) -> None:
    if value is not None:
        _add(sums, f"{name}_sum", round(value * unit))
        _add(sums, f"{name}_count", 1)


def _add(sums: dict[str, int], name: str, value: int) -> None:
    sums[name] = sums.get(name, 0) + value


def _mean(sums: Mapping[str, int], name: str, unit: int) -> float | None:
    count = sums.get(f"{name}_count", 0)
    return sums.get(f"{name}_sum", 0) / count / unit if count else None
