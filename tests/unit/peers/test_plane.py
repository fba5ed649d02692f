"""The real-time plane as REST shows it, over a room in memory."""

import pytest

from chalicelib.peers.quality import HOUR_MS
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.peers import (
    CarrierKind,
    LinkPath,
    LinkQuality,
    PeerQuality,
    QualityReport,
    RelayState,
    RelayStatus,
    Topology,
    VoiceQuality,
)
from chalicelib.wire.tokens import Identity
from chalicelib.wire.types import UserKind
from tests.fakes.plane import NOW_MS, SESSION, MemoryPage, Planes

TAB, OTHER_TAB = "tab00001", "tab00002"
READY = RelayState(status=RelayStatus.READY, generation=3, peer_id="node_abcdefghijkl.relay")
STARTING = RelayState(status=RelayStatus.STARTING, generation=2)


def who(user_id: str) -> Identity:
    """Somebody with an account."""
    return Identity(user_id, user_id.title(), UserKind.ACCOUNT)


ANN, BOB = who("ann"), who("bob")


def report(tab_id: str = TAB, *links: LinkQuality) -> QualityReport:
    return QualityReport(tab_id=tab_id, carrier=CarrierKind.MESH, score=3, links=links)


@pytest.fixture
def planes() -> Planes:
    """A room with a page of ann's and two of bob's."""
    made = Planes()
    made.room.add(
        MemoryPage(f"ann.{TAB}", "a1="), MemoryPage(f"bob.{TAB}", "b1=", rtc=True), MemoryPage(f"bob.{OTHER_TAB}")
    )
    return made


async def test_opening_tells_how_the_room_is_carried(planes: Planes) -> None:
    """By a mesh of those who can be offered to, with ICE servers of one's own."""
    opened = await planes.plane.open(SESSION, ANN)
    assert (opened.session_id, opened.topology, opened.mesh_max) == (SESSION, Topology.MESH, limits.MESH_MAX)
    assert opened.peers == (f"bob.{TAB}",)
    assert opened.ice == planes.plane.ice_servers(ANN) != planes.plane.ice_servers(BOB)
    assert planes.room.told == []


@pytest.mark.parametrize(
    ("relay", "topology"), [(STARTING, Topology.MESH), (READY, Topology.RELAY)], ids=["starting", "ready"]
)
async def test_a_relay_carries_once_it_is_ready(planes: Planes, relay: RelayState, topology: Topology) -> None:
    """Until then what there is carries on."""
    planes.room.state = relay
    opened = await planes.plane.open(SESSION, ANN)
    stats = await planes.plane.stats(SESSION, ANN)
    assert (opened.relay, opened.topology) == (stats.relay, stats.topology) == (relay, topology)


async def test_joining_makes_a_page_one_to_offer_to(planes: Planes) -> None:
    """The others see it; its own answer names the others only."""
    joined = await planes.plane.join(SESSION, ANN, TAB)
    assert joined.peers == (f"bob.{TAB}",)
    assert planes.room.told == [(f"ann.{TAB}", True)]
    assert (await planes.plane.open(SESSION, BOB)).peers == (f"ann.{TAB}", f"bob.{TAB}")
    assert (await planes.plane.join(SESSION, ANN, TAB)) == joined
    assert planes.room.told == [(f"ann.{TAB}", True)]


async def test_one_page_too_many_for_a_mesh_asks_for_a_relay(planes: Planes) -> None:
    """Joining is when a room grows; looking at it changes nothing."""
    planes.room.add(*(MemoryPage(f"bob.more{n:04}", rtc=True) for n in range(limits.MESH_MAX - 1)))
    assert (await planes.plane.open(SESSION, BOB)).relay.status is RelayStatus.NONE
    assert (await planes.plane.join(SESSION, ANN, TAB)).relay.status is RelayStatus.STARTING


async def test_a_page_that_is_not_there_cannot_join(planes: Planes) -> None:
    """Nor one of another person: the tab is looked for among one's own."""
    planes.room.add(MemoryPage("ann.tab00009", here=False))
    for tab_id in (OTHER_TAB, "tab00009"):
        with pytest.raises(AppError) as refused:
            await planes.plane.join(SESSION, ANN, tab_id)
        assert refused.value.code is Code.PEER_UNKNOWN
    assert planes.room.told == []


async def test_a_page_may_go_while_it_joins(planes: Planes) -> None:
    """Then it is not there, as if it had gone before."""
    planes.room.going = f"ann.{TAB}"
    with pytest.raises(AppError) as refused:
        await planes.plane.join(SESSION, ANN, TAB)
    assert refused.value.code is Code.PEER_UNKNOWN


async def test_who_has_gone_is_not_offered_to(planes: Planes) -> None:
    """However it had joined."""
    planes.room.add(MemoryPage("bob.tab00009", rtc=True, here=False))
    assert (await planes.plane.open(SESSION, ANN)).peers == (f"bob.{TAB}",)


async def test_leaving_takes_it_back(planes: Planes) -> None:
    """As often as one likes, and for a page that has gone."""
    for _ in range(2):
        await planes.plane.leave(SESSION, BOB, TAB)
    await planes.plane.leave(SESSION, ANN, "tab00009")
    assert planes.room.told == [(f"bob.{TAB}", False)]
    assert (await planes.plane.open(SESSION, ANN)).peers == ()
    assert list(planes.room.rows) == [f"ann.{TAB}", f"bob.{TAB}", f"bob.{OTHER_TAB}"]


async def test_a_report_is_shown_until_it_is_old(planes: Planes) -> None:
    """The newest of each page, and its hour."""
    link = LinkQuality(peer_id=f"bob.{TAB}", path=LinkPath.DIRECT, score=4, rtt_ms=5.0)
    await planes.plane.report(SESSION, ANN, report(TAB))
    planes.now_ms += 30_000
    await planes.plane.report(SESSION, ANN, report(TAB, link))
    stats = await planes.plane.stats(SESSION, BOB)
    mine = PeerQuality(
        peer_id=f"ann.{TAB}", reported_at_ms=NOW_MS + 30_000, carrier=CarrierKind.MESH, score=3, links=(link,)
    )
    assert (stats.at_ms, stats.peers) == (NOW_MS + 30_000, (mine,))
    (hour,) = stats.hours
    assert (hour.reports, hour.links, hour.rtt_mean_ms, hour.by_path) == (2, 1, 5.0, {"direct": 1})
    planes.now_ms += limits.QUALITY_KEPT_S * 1000
    assert (await planes.plane.stats(SESSION, BOB)).peers == ()


async def test_the_report_of_who_has_gone_is_not_shown(planes: Planes) -> None:
    """It is of a page that is there, or it is history."""
    await planes.plane.report(SESSION, ANN, report())
    planes.room.add(MemoryPage(f"ann.{TAB}", here=False))
    stats = await planes.plane.stats(SESSION, BOB)
    assert (stats.peers, [hour.reports for hour in stats.hours]) == ((), [1])


async def test_as_many_hours_are_shown_as_are_said_to_be(planes: Planes) -> None:
    """The last ones, this one among them, the oldest first."""
    for _ in range(limits.QUALITY_HOURS_SHOWN + 3):
        await planes.plane.report(SESSION, ANN, report())
        planes.now_ms += HOUR_MS
    planes.now_ms -= HOUR_MS
    hours = [hour.hour_ms for hour in (await planes.plane.stats(SESSION, ANN)).hours]
    assert len(hours) == limits.QUALITY_HOURS_SHOWN
    assert hours == sorted(hours)
    assert hours[-1] == planes.now_ms - planes.now_ms % HOUR_MS


async def test_only_a_page_of_ones_own_reports(planes: Planes) -> None:
    """One that is there."""
    with pytest.raises(AppError) as refused:
        await planes.plane.report(SESSION, ANN, report(OTHER_TAB))
    assert refused.value.code is Code.PEER_UNKNOWN
    assert await planes.reports.newest(SESSION, [f"{ANN.user_id}.{OTHER_TAB}"]) == ()


async def test_a_report_is_an_event_of_plain_numbers(planes: Planes) -> None:
    """The worst of its links and how they go; nothing of whom they go to."""
    await planes.plane.report(
        SESSION,
        ANN,
        report(
            TAB,
            LinkQuality(peer_id=f"bob.{TAB}", path=LinkPath.DIRECT, score=4, rtt_ms=5.0, loss=0.25),
            LinkQuality(peer_id=f"bob.{OTHER_TAB}", path=LinkPath.TURN, score=1, rtt_ms=90.0),
        ),
    )
    assert planes.logged == [
        {
            "event": "quality.reported",
            "session_id": SESSION,
            "connection_id": "a1=",
            "carrier": "mesh",
            "score": 3,
            "links_direct": 1,
            "links_turn": 1,
            "links_node": 0,
            "links_none": 0,
            "rtt_max_ms": 90.0,
            "loss_max": 0.25,
            "voice_mos": None,
            "voice_loss": None,
            "voice_concealed": None,
        }
    ]


async def test_how_voice_is_heard_is_shown_and_noted(planes: Planes) -> None:
    """Beside the connections, of the page that hears it."""
    voice = VoiceQuality(mos=4.1, loss=0.02, concealed=0.01)
    await planes.plane.report(
        SESSION, ANN, QualityReport(tab_id=TAB, carrier=CarrierKind.RELAY, score=3, links=(), voice=voice)
    )
    stats = await planes.plane.stats(SESSION, BOB)
    assert [quality.voice for quality in stats.peers] == [voice]
    assert [hour.voice_mos_mean for hour in stats.hours] == [4.1]
    assert [planes.logged[0][f"voice_{name}"] for name in ("mos", "loss", "concealed")] == [4.1, 0.02, 0.01]


async def test_a_session_leaves_nothing_behind(planes: Planes) -> None:
    """Its reports and its hours go with it."""
    await planes.plane.report(SESSION, ANN, report())
    await planes.plane.erase(SESSION)
    stats = await planes.plane.stats(SESSION, ANN)
    assert (stats.peers, stats.hours) == ((), ())
