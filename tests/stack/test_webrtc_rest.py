"""The real-time plane by REST, through real HTTP, workers, WebSockets and tables: every route, every typed refusal."""

import asyncio
import base64
import hashlib
import hmac
import time

import boto3
import pytest

from benchmarks.client import Api, PeerClient, Person, Refused
from chalicelib.wire import limits
from chalicelib.wire.bodies import Session
from chalicelib.wire.codes import Code
from chalicelib.wire.messages import PresenceFrame
from chalicelib.wire.peers import (
    CarrierKind,
    IceServer,
    IceServers,
    LinkPath,
    LinkQuality,
    QualityReport,
    RelayStatus,
    Topology,
    WebRtcSession,
    WebRtcStats,
)
from chalicelib.wire.types import Visibility
from local.stack import Stack
from tests.stack.conftest import STUN_URL, TURN_SECRET, TURN_URLS
from tests.stack.refusals import refused

pytestmark = pytest.mark.stack
ADA_TAB, BOB_TAB, OTHER_TAB = "adatab01", "bobtab01", "nobody01"


async def room(api: Api, **fields: object) -> tuple[Person, Session, str]:
    """Its owner, the session, and the path of its real-time plane."""
    owner = await api.guest("Ada")
    session = await api.create(owner, "Room", **fields)
    return owner, session, f"/webrtc/sessions/{session.session_id}"


def report(tab_id: str, *links: LinkQuality) -> QualityReport:
    return QualityReport(tab_id=tab_id, carrier=CarrierKind.MESH, score=3, links=links)


async def test_ice_servers_are_ones_own_and_end(api: Api) -> None:
    """What the settings say, signed with their secret; nobody without a token is told."""
    ada, bob = await api.guest("Ada"), await api.guest("Bob")
    told = await api.call("GET", "/webrtc/ice-servers", ada, None, IceServers)
    assert told.ttl_s == limits.ICE_TTL_S
    assert abs(told.expires_at_ms / 1000 - time.time() - limits.ICE_TTL_S) < 60
    stun, turn = told.ice_servers
    assert (stun.urls, stun.username) == ((STUN_URL,), None)
    username = f"{told.expires_at_ms // 1000}:{ada.user_id}"
    digest = hmac.new(TURN_SECRET.encode(), username.encode(), hashlib.sha1).digest()
    assert turn == IceServer(urls=TURN_URLS, username=username, credential=base64.b64encode(digest).decode())
    other = await api.call("GET", "/webrtc/ice-servers", bob, None, IceServers)
    assert other.ice_servers[1].username == f"{other.expires_at_ms // 1000}:{bob.user_id}"
    await refused(api, Code.TOKEN_MISSING, "GET", "/webrtc/ice-servers", None)


async def test_pages_join_and_see_who_can_be_offered_to(api: Api) -> None:
    """By REST in the answer, and in presence at once; until they leave."""
    ada, session, path = await room(api)
    bob = await api.guest("Bob")
    async with (
        await api.enter(ada, session.session_id, ADA_TAB) as ada_page,
        await api.enter(bob, session.session_id, BOB_TAB) as bob_page,
    ):
        opened = await api.call("POST", "/webrtc/sessions", bob, {"session_id": session.session_id}, WebRtcSession)
        assert (opened.topology, opened.mesh_max, opened.peers) == (Topology.MESH, limits.MESH_MAX, ())
        assert opened.relay.status is RelayStatus.NONE
        assert opened.ice.ice_servers[1].username is not None
        joined = await api.call("POST", f"{path}/join", ada, {"tab_id": ADA_TAB}, WebRtcSession)
        assert joined.peers == ()
        await told(bob_page, ada_page.peer_id, rtc=True)
        joined = await api.call("POST", f"{path}/join", bob, {"tab_id": BOB_TAB}, WebRtcSession)
        assert joined.peers == (ada_page.peer_id,)
        for _ in range(2):
            await api.call("POST", f"{path}/leave", ada, {"tab_id": ADA_TAB})
        await told(bob_page, ada_page.peer_id, rtc=False)
        opened = await api.call("POST", "/webrtc/sessions", ada, {"session_id": session.session_id}, WebRtcSession)
        assert opened.peers == (bob_page.peer_id,)


async def told(page: PeerClient, peer_id: str, *, rtc: bool) -> None:
    """Waits until presence has told a page that another can be offered to, or no longer."""
    while True:
        frame = await page.next(PresenceFrame)
        if [peer.rtc for peer in frame.joined if peer.peer_id == peer_id] == [rtc]:
            return


async def test_quality_is_reported_and_seen(api: Api) -> None:
    """The newest of each page while it is there, and the hour of all of them for good."""
    ada, session, path = await room(api)
    bob = await api.guest("Bob")
    async with await api.enter(ada, session.session_id, ADA_TAB) as ada_page:
        async with await api.enter(bob, session.session_id, BOB_TAB) as bob_page:
            links = (
                LinkQuality(peer_id=bob_page.peer_id, path=LinkPath.DIRECT, score=4, rtt_ms=20.5, loss=0.25),
                LinkQuality(peer_id="node_0.relay", path=LinkPath.NONE, score=0),
            )
            await api.call("POST", f"{path}/stats", ada, report(ADA_TAB))
            await api.call("POST", f"{path}/stats", ada, report(ADA_TAB, *links))
            await api.call("POST", f"{path}/stats", bob, report(BOB_TAB, links[0]))
            stats = await api.call("GET", f"{path}/stats", bob, None, WebRtcStats)
            assert {(q.peer_id, q.links) for q in stats.peers} == {
                (ada_page.peer_id, links),
                (bob_page.peer_id, links[:1]),
            }
            assert all(abs(q.reported_at_ms - stats.at_ms) < 60_000 for q in stats.peers)
            await bob_page.leave()
        stats = await api.call("GET", f"{path}/stats", ada, None, WebRtcStats)
        assert [q.peer_id for q in stats.peers] == [ada_page.peer_id]
        assert sum(hour.reports for hour in stats.hours) == 3  # an hour may end meanwhile
        assert sum(hour.links for hour in stats.hours) == 3
        assert {mean for hour in stats.hours if (mean := hour.rtt_mean_ms) is not None} == {20.5}


async def test_reports_are_limited(api: Api) -> None:
    """Each person's; whoever is over it is told when to come again."""
    ada, session, path = await room(api)
    async with await api.enter(ada, session.session_id, ADA_TAB):
        body, times = report(ADA_TAB), 5 * limits.QUALITY_BURST  # the workers count each for itself
        calls = [api.call("POST", f"{path}/stats", ada, body, object) for _ in range(times)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    refusals = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    assert {(r.status, r.error.code, bool(r.error.retry_after_ms)) for r in refusals} == {
        (429, Code.RATE_LIMITED, True)
    }
    assert len(outcomes) - len(refusals) >= limits.QUALITY_BURST


async def test_strangers_learn_nothing(api: Api) -> None:
    """Of a private session not even that it is there; a public one is for whoever has joined it."""
    _, hidden, path = await room(api, visibility=Visibility.PRIVATE)
    _, public, open_path = await room(api, visibility=Visibility.PUBLIC)
    zoe, page = await api.guest("Zoe"), {"tab_id": ADA_TAB}
    for code, session, base in (
        (Code.SESSION_UNKNOWN, hidden, path),
        (Code.ROLE_INSUFFICIENT, public, open_path),
        (Code.SESSION_UNKNOWN, None, "/webrtc/sessions/ses_" + "0" * 20),
    ):
        if session:
            await refused(api, code, "POST", "/webrtc/sessions", zoe, {"session_id": session.session_id})
        await refused(api, code, "POST", f"{base}/join", zoe, page)
        await refused(api, code, "POST", f"{base}/leave", zoe, page)
        await refused(api, code, "POST", f"{base}/stats", zoe, report(ADA_TAB))
        await refused(api, code, "GET", f"{base}/stats", zoe)


async def test_another_persons_page_is_nobodys(api: Api) -> None:
    """It cannot be joined, nor taken out, nor reported for; nor one that is not connected."""
    ada, session, path = await room(api)
    bob = await api.guest("Bob")
    async with (
        await api.enter(ada, session.session_id, ADA_TAB) as ada_page,
        await api.enter(bob, session.session_id, BOB_TAB),
    ):
        await api.call("POST", f"{path}/join", ada, {"tab_id": ADA_TAB})
        for tab_id in (ADA_TAB, OTHER_TAB):
            await refused(api, Code.PEER_UNKNOWN, "POST", f"{path}/join", bob, {"tab_id": tab_id})
            await refused(api, Code.PEER_UNKNOWN, "POST", f"{path}/stats", bob, report(tab_id))
            await api.call("POST", f"{path}/leave", bob, {"tab_id": tab_id})
        for what in ("join", "leave"):
            body = {"tab_id": ADA_TAB, "user_id": ada.user_id}
            await refused(api, Code.IDENTITY_MISMATCH, "POST", f"{path}/{what}", bob, body)
        claimed = QualityReport(tab_id=BOB_TAB, carrier=CarrierKind.MESH, score=1, user_id=ada.user_id)
        await refused(api, Code.IDENTITY_MISMATCH, "POST", f"{path}/stats", bob, claimed)
        opened = await api.call("POST", "/webrtc/sessions", bob, {"session_id": session.session_id}, WebRtcSession)
        assert opened.peers == (ada_page.peer_id,)
        assert (await api.call("GET", f"{path}/stats", ada, None, WebRtcStats)).peers == ()


@pytest.mark.parametrize("ban", [False, True], ids=["removed", "banned"])
async def test_who_was_removed_has_no_way_back_by_rest(api: Api, ban: bool) -> None:
    """Neither their page nor their reports, and nobody is told to offer to them."""
    ada, session, path = await room(api)
    bob, page = await api.guest("Bob"), {"tab_id": BOB_TAB}
    async with await api.enter(bob, session.session_id, BOB_TAB):
        await api.call("POST", f"{path}/join", bob, page)
        await api.call("POST", f"{path}/stats", bob, report(BOB_TAB))
        person = f"/sessions/{session.session_id}/participants/{bob.user_id}"
        await api.call("DELETE", f"{person}?ban={str(ban).lower()}", ada)
        code = Code.PARTICIPANT_BANNED if ban else Code.ROLE_INSUFFICIENT
        await refused(api, code, "POST", f"{path}/join", bob, page)
        await refused(api, code, "POST", f"{path}/leave", bob, page)
        await refused(api, code, "POST", f"{path}/stats", bob, report(BOB_TAB))
        await refused(api, code, "GET", f"{path}/stats", bob)
    opened = await api.call("POST", "/webrtc/sessions", ada, {"session_id": session.session_id}, WebRtcSession)
    assert opened.peers == ()
    assert (await api.call("GET", f"{path}/stats", ada, None, WebRtcStats)).peers == ()


LINK = {"peer_id": "ada.adatab01", "path": "direct", "score": 4}
REPORT = {"tab_id": ADA_TAB, "carrier": "mesh", "score": 3}


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("join", {}),
        ("join", {"tab_id": "no"}),
        ("join", {"tab_id": ADA_TAB, "rtc": True}),
        ("leave", {"tab_id": None}),
        ("stats", {"tab_id": ADA_TAB}),
        ("stats", {**REPORT, "score": 5}),
        ("stats", {**REPORT, "carrier": "pigeon"}),
        ("stats", {**REPORT, "links": [{**LINK, "rtt_ms": -1}]}),
        ("stats", {**REPORT, "links": [{**LINK, "loss": 1.01}]}),
        ("stats", {**REPORT, "links": [{**LINK, "peer_id": "nobody"}]}),
        ("stats", {**REPORT, "links": [LINK] * (limits.LINKS_REPORTED + 1)}),
    ],
    ids=range(11),
)
async def test_a_body_that_is_none_is_refused(api: Api, what: str, body: object) -> None:
    """Each of its rules, before anything is looked up."""
    ada, _, path = await room(api)
    await refused(api, Code.BODY_INVALID, "POST", f"{path}/{what}", ada, body)


async def test_a_path_and_a_body_that_are_none(api: Api) -> None:
    """A session's id has its shape, in a path and in a body."""
    ada = await api.guest("Ada")
    await refused(api, Code.PATH_INVALID, "GET", "/webrtc/sessions/here/stats", ada)
    await refused(api, Code.BODY_INVALID, "POST", "/webrtc/sessions", ada, {"session_id": "here"})


async def test_an_ended_session_leaves_no_reports(api: Api, stack: Stack) -> None:
    """Whoever ends it erases them with it."""
    ada, session, path = await room(api)
    async with await api.enter(ada, session.session_id, ADA_TAB):
        await api.call("POST", f"{path}/stats", ada, report(ADA_TAB))
    await api.call("DELETE", f"/sessions/{session.session_id}", ada)
    await refused(api, Code.SESSION_UNKNOWN, "GET", f"{path}/stats", ada)
    assert await asyncio.to_thread(media_items, stack, session.session_id) == []


def media_items(stack: Stack, session_id: str) -> list[str]:
    """What the media table has of a session."""
    dynamodb = boto3.client(
        "dynamodb",
        endpoint_url=stack.env["AWS_ENDPOINT_URL_DYNAMODB"],
        region_name=stack.env["AWS_REGION"],
        aws_access_key_id=stack.env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=stack.env["AWS_SECRET_ACCESS_KEY"],
    )
    found = dynamodb.query(
        TableName=stack.env["TABLE_PREFIX"] + "media",
        KeyConditionExpression="pk=:s",
        ExpressionAttributeValues={":s": {"S": session_id}},
    )
    return [item["sk"]["S"] for item in found["Items"]]
