"""One contract for reports of quality, run on the fake, on moto and on Amazon's DynamoDB Local."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from chalicelib.peers.plane import Reports
from chalicelib.peers.quality import HOUR_MS
from chalicelib.wire.peers import CarrierKind, LinkPath, LinkQuality, PeerQuality
from tests.contract.tables import Database, quality_reports

S, OTHER = "ses_" + "a" * 20, "ses_" + "b" * 20
HOUR = 1_699_999_200_000
ADA, BOB = "ada.tab00001", "bob.tab00001"


@pytest.fixture
async def reports(database: Database) -> AsyncIterator[Reports]:
    """The implementation under test, empty."""
    async with quality_reports(database) as made:
        yield made


def quality(peer_id: str = ADA, at_ms: int = HOUR, score: int = 4) -> PeerQuality:
    """A report with all there is in it."""
    links = (
        LinkQuality(
            peer_id="node_0.relay",
            path=LinkPath.NODE,
            score=score,
            rtt_ms=12.5,
            jitter_ms=0.1,
            loss=1 / 3,
            available_kbps=2500.0,
        ),
        LinkQuality(peer_id=BOB, path=LinkPath.NONE, score=0),
    )
    return PeerQuality(peer_id=peer_id, reported_at_ms=at_ms, carrier=CarrierKind.RELAY, score=score, links=links)


async def test_a_session_without_reports_has_none(reports: Reports) -> None:
    """Nothing is made by asking."""
    assert await reports.newest(S, [ADA, BOB]) == await reports.newest(S, []) == ()
    assert await reports.hours(S, 0) == {}


async def test_the_newest_report_of_each_page(reports: Reports) -> None:
    """As it was put, in the order of peer ids, of those who are asked for; another of the same page replaces it."""
    await reports.put(S, quality(BOB))
    await reports.put(S, quality(ADA))
    await reports.put(S, quality("gone.tab00001"))
    await reports.put(S, quality(BOB, HOUR + 30_000, score=1))
    newest = quality(ADA), quality(BOB, HOUR + 30_000, score=1)
    assert await reports.newest(S, [BOB, ADA, BOB, "new.tab00001"]) == newest
    assert await reports.newest(S, [ADA]) == newest[:1]
    many = [f"u{n:03d}.tab00001" for n in range(150)]
    for peer_id in (many[0], many[149]):
        await reports.put(S, quality(peer_id))
    assert await reports.newest(S, many) == (quality(many[0]), quality(many[149]))


async def test_hours_only_grow(reports: Reports) -> None:
    """Each number by what is added, new names beside old ones."""
    await reports.add(S, HOUR, {"reports": 1, "links": 2, "path_direct": 2, "rtt_sum": 2**40})
    await reports.add(S, HOUR, {"reports": 1, "links": 1, "path_turn": 1, "rtt_sum": 1})
    want = {"reports": 2, "links": 3, "path_direct": 2, "path_turn": 1, "rtt_sum": 2**40 + 1}
    assert await reports.hours(S, HOUR) == {HOUR: want}


async def test_additions_at_once_are_all_counted(reports: Reports) -> None:
    """Nobody reads before writing, so nothing is lost between."""
    await asyncio.gather(*(reports.add(S, HOUR, {"reports": 1, "links": n}) for n in range(1, 21)))
    assert await reports.hours(S, 0) == {HOUR: {"reports": 20, "links": 210}}


async def test_hours_are_read_from_a_moment_on_in_order(reports: Reports) -> None:
    """The older ones are left out."""
    for hours_later in (2, 0, 1):
        await reports.add(S, HOUR + hours_later * HOUR_MS, {"reports": hours_later + 1})
    found = await reports.hours(S, HOUR + HOUR_MS)
    assert list(found.items()) == [(HOUR + HOUR_MS, {"reports": 2}), (HOUR + 2 * HOUR_MS, {"reports": 3})]


async def test_sessions_are_apart_and_erased_whole(reports: Reports) -> None:
    """Many pages and hours go, those of another session stay; erasing nothing is harmless."""
    pages = [f"u{n}.tab00001" for n in range(30)]
    for session_id in (S, OTHER):
        for n in range(30):
            await reports.put(session_id, quality(pages[n]))
            await reports.add(session_id, HOUR + n * HOUR_MS, {"reports": 1})
    await reports.erase(S)
    await reports.erase(S)
    assert (await reports.newest(S, pages), await reports.hours(S, 0)) == ((), {})
    assert (len(await reports.newest(OTHER, pages)), len(await reports.hours(OTHER, 0))) == (30, 30)
