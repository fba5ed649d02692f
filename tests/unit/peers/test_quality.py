"""What reports add to an hour, and what the hour comes to."""

from collections import Counter

from chalicelib.peers.quality import HOUR_MS, hour_of, sums_of, totals_of
from chalicelib.wire.peers import CarrierKind, LinkPath, LinkQuality, QualityReport, QualityTotals, VoiceQuality

HOUR = 1_699_999_200_000
BOB = "bob.tab00001"


def report(*links: LinkQuality) -> QualityReport:
    return QualityReport(tab_id="tab00001", carrier=CarrierKind.MESH, score=3, links=links)


def test_hours_begin_on_the_hour() -> None:
    """Of the epoch, so of UTC."""
    assert hour_of(HOUR) == hour_of(HOUR + 1) == hour_of(HOUR + HOUR_MS - 1) == HOUR
    assert hour_of(HOUR + HOUR_MS) == HOUR + HOUR_MS


def test_a_report_adds_what_it_measured_in_whole_numbers() -> None:
    """Microseconds and parts per million; how many reported it beside each."""
    link = LinkQuality(peer_id=BOB, path=LinkPath.TURN, score=2, rtt_ms=12.3456, jitter_ms=0.5, loss=0.015)
    assert sums_of(report(link)) == {
        "reports": 1,
        "links": 1,
        "path_turn": 1,
        "score_sum": 2,
        "score_count": 1,
        "rtt_sum": 12346,
        "rtt_count": 1,
        "jitter_sum": 500,
        "jitter_count": 1,
        "loss_sum": 15000,
        "loss_count": 1,
    }


def test_what_adds_nothing_is_left_out() -> None:
    """A report without links; a link that is not there, whose score of 0 counts all the same."""
    assert sums_of(report()) == {"reports": 1}
    none = LinkQuality(peer_id=BOB, path=LinkPath.NONE, score=0)
    assert sums_of(report(none)) == {"reports": 1, "links": 1, "path_none": 1, "score_count": 1}


def test_an_hour_is_the_mean_over_all_links_that_reported() -> None:
    """Whoever reported them, in any order; what a link did not report is in no mean."""
    reports = [
        report(
            LinkQuality(peer_id=BOB, path=LinkPath.DIRECT, score=4, rtt_ms=10, jitter_ms=1, loss=0.0),
            LinkQuality(peer_id="eve.tab00001", path=LinkPath.TURN, score=1, rtt_ms=90),
        ),
        report(LinkQuality(peer_id="node_0.relay", path=LinkPath.DIRECT, score=4, rtt_ms=20, loss=0.5)),
        report(),
    ]
    sums: Counter[str] = Counter()
    for one in reports:
        sums.update(sums_of(one))
    assert totals_of(HOUR, sums) == QualityTotals(
        hour_ms=HOUR,
        reports=3,
        links=3,
        rtt_mean_ms=40.0,
        jitter_mean_ms=1.0,
        loss_mean=0.25,
        score_mean=3.0,
        by_path={"direct": 2, "turn": 1},
    )


def test_an_hour_without_links_has_no_means() -> None:
    """Null, which is not the same as 0."""
    assert totals_of(HOUR, {"reports": 1}) == QualityTotals(
        hour_ms=HOUR,
        reports=1,
        links=0,
        rtt_mean_ms=None,
        jitter_mean_ms=None,
        loss_mean=None,
        score_mean=None,
        by_path={},
    )


def test_voice_has_means_of_its_own() -> None:
    """Over the reports of pages that hear somebody; each figure over those that have it."""
    heard = [
        VoiceQuality(mos=4.2, loss=0.01, jitter_ms=3.0, rtt_ms=40.0, concealed=0.002),
        VoiceQuality(mos=3.0, loss=0.03),
    ]
    sums: Counter[str] = Counter()
    for voice in (*heard, None):
        sums.update(sums_of(QualityReport(tab_id="tab00001", carrier=CarrierKind.MESH, score=3, voice=voice)))
    hour = totals_of(HOUR, sums)
    assert (hour.reports, hour.voice_mos_mean, hour.voice_loss_mean) == (3, 3.6, 0.02)
    assert (hour.voice_jitter_mean_ms, hour.voice_rtt_mean_ms, hour.voice_concealed_mean) == (3.0, 40.0, 0.002)
    assert sums["voice_mos_sum"] == 7200
