"""Two people and more in a room, through real HTTP, WebSocket, workers and tables."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from benchmarks.client import Api, PeerClient, Person
from chalicelib.wire import PROTOCOL_VERSION, limits
from chalicelib.wire.bodies import PresenceList, Ticket
from chalicelib.wire.codes import Code
from chalicelib.wire.messages import (
    ErrorMessage,
    ParticipantChanged,
    ParticipantRemoved,
    Pong,
    PresenceFrame,
    RoomEnter,
    RoomState,
    SessionChanged,
    SessionEnded,
)
from chalicelib.wire.types import Activity, Pointer, Pose, PresenceState, Role

pytestmark = pytest.mark.stack
TAB = "tab00001"


async def room(api: Api, **fields: Any) -> tuple[Person, str]:
    """A session and its owner."""
    owner = await api.guest("Ada")
    session = await api.create(owner, "Room", **fields)
    return owner, session.session_id


def at(x: float) -> PresenceState:
    """A person at x, pointing."""
    return PresenceState(
        pose=Pose(position=(x, 1.6, 0.0), rotation=(0.0, 0.0, 0.0, 1.0)),
        cursor=Pointer(position=(x, 0.0, -2.0), target="plinth-1"),
        activity=Activity.EDITING,
    )


def sees(me: PeerClient, other: str, x: float) -> bool:
    """Whether one peer knows another to be at x."""
    known = me.states.get(other)
    return known is not None and known[1].pose is not None and known[1].pose.position[0] == x


async def test_two_people_see_each_other_move_and_leave(api: Api) -> None:
    """Joining, moving and leaving of one are told to the other; one's own state comes back as confirmation."""
    owner, session_id = await room(api)
    guest = await api.guest("Bob")
    async with await api.enter(owner, session_id, TAB) as ada:
        assert ada.room is not None
        assert (ada.room.you.role, ada.room.session.session_id) == (Role.OWNER, session_id)
        async with await api.enter(guest, session_id, TAB) as bob:
            await ada.until(lambda: bob.peer_id in ada.peers)
            await bob.update(at(3.0))
            await ada.until(lambda: sees(ada, bob.peer_id, 3.0))
            await bob.until(lambda: sees(bob, bob.peer_id, 3.0))
            await ada.update(at(-1.0))
            await bob.until(lambda: sees(bob, ada.peer_id, -1.0))
        await ada.until(lambda: bob.peer_id not in ada.peers)
        assert ada.errors == []


async def test_a_late_joiner_sees_what_was(api: Api) -> None:
    """The last known states are there for who comes later, and by REST."""
    owner, session_id = await room(api)
    async with await api.enter(owner, session_id, TAB) as ada:
        await ada.update(at(5.0))
        await ada.until(lambda: sees(ada, ada.peer_id, 5.0))
        async with await api.enter(await api.guest("Bob"), session_id, TAB) as bob:
            await bob.until(lambda: sees(bob, ada.peer_id, 5.0))
        cursors: dict[str, Any] = await api.call("GET", f"/collaboration/sessions/{session_id}/cursors", owner)
        assert cursors["success"] is True
        assert [(c["user_id"], c["position"], c["target"]) for c in cursors["cursors"]] == [
            (owner.user_id, [5.0, 0.0, -2.0], "plinth-1")
        ]
        there = await api.call("GET", f"/collaboration/sessions/{session_id}/presence", owner, None, PresenceList)
        assert {p.user_id: p.state.activity for p in there.peers}[owner.user_id] is Activity.EDITING


async def test_a_cursor_by_rest_reaches_the_room(api: Api) -> None:
    """A person without a page points by REST, and those in the room see it."""
    owner, session_id = await room(api)
    bot = await api.guest("Bot")
    await api.join(bot, session_id)
    async with await api.enter(owner, session_id, TAB) as ada:
        answer: dict[str, Any] = await api.call(
            "POST", f"/collaboration/sessions/{session_id}/cursors", bot, {"position": [1.0, 2.0, 3.0]}
        )
        assert answer == {"success": True, "message": "Cursor updated successfully"}
        await ada.until(lambda: f"{bot.user_id}.rest" in ada.states)


async def test_resume_without_leaving(api: Api) -> None:
    """A connection that drops and comes back within the grace is the same peer; nobody sees it leave."""
    owner, session_id = await room(api)
    guest = await api.guest("Bob")
    async with await api.enter(owner, session_id, TAB) as ada:
        gone: list[str] = []
        ada.on_message = lambda m, _: gone.extend(m.left) if isinstance(m, PresenceFrame) else None
        bob = await api.enter(guest, session_id, TAB)
        await bob.__aenter__()
        await bob.update(at(2.0))
        await ada.until(lambda: sees(ada, bob.peer_id, 2.0))
        assert bob.socket._response.connection is not None
        transport = bob.socket._response.connection.transport
        assert transport is not None
        transport.abort()
        async with await api.enter(guest, session_id, TAB, join=False) as again:
            again.epoch, again.counter = bob.epoch, bob.counter
            await again.update(at(4.0))
            await ada.until(lambda: sees(ada, bob.peer_id, 4.0))
            assert again.peer_id == bob.peer_id
            assert bob.peer_id not in gone
        await bob.close()


async def test_several_tabs_are_several_peers(api: Api) -> None:
    """Two pages of one person are two peers, and one participant."""
    owner, session_id = await room(api)
    async with (
        await api.enter(owner, session_id, "tab00001") as first,
        await api.enter(owner, session_id, "tab00002") as second,
    ):
        await first.until(lambda: {first.peer_id, second.peer_id} <= set(first.peers))
        people: dict[str, Any] = await api.call("GET", f"/sessions/{session_id}/participants", owner)
        assert [(p["user_id"], p["online"]) for p in people["participants"]] == [(owner.user_id, True)]


async def test_ping(api: Api) -> None:
    """A ping is answered with its own time and the server's."""
    owner, session_id = await room(api)
    async with await api.enter(owner, session_id, TAB) as ada:
        await ada.ping()
        pong = await ada.next(Pong)
        assert pong.server_time_ms >= pong.at_ms > 0


async def test_roles_and_removal_reach_the_room(api: Api) -> None:
    """A new role is announced; a removed person is told, cut off on every carrier, and stays out when banned."""
    owner, session_id = await room(api)
    guest = await api.guest("Bob")
    async with await api.enter(owner, session_id, TAB) as ada, await api.enter(guest, session_id, TAB) as bob:
        changing = asyncio.create_task(bob.next(ParticipantChanged))
        await asyncio.sleep(0)
        await api.call("PUT", f"/sessions/{session_id}/participants/{guest.user_id}", owner, {"role": "viewer"})
        assert (await changing).role is Role.VIEWER
        removing = asyncio.create_task(bob.next(ParticipantRemoved))
        await asyncio.sleep(0)
        await api.call("DELETE", f"/sessions/{session_id}/participants/{guest.user_id}?ban=true", owner)
        assert (await removing).banned
        await bob.until(lambda: bob.socket.closed)
        await ada.until(lambda: bob.peer_id not in ada.peers)
        with pytest.raises(Exception, match=Code.PARTICIPANT_BANNED):
            await api.join(guest, session_id)


async def test_changes_and_the_end_reach_the_room(api: Api) -> None:
    """A changed session is announced; a deleted one is over for everyone in it, and leaves nothing."""
    owner, session_id = await room(api)
    async with await api.enter(await api.guest("Bob"), session_id, TAB) as bob:
        changing = asyncio.create_task(bob.next(SessionChanged))
        await asyncio.sleep(0)
        await api.call("PUT", f"/sessions/{session_id}", owner, {"name": "Renamed"})
        assert (await changing).session.name == "Renamed"
        ending = asyncio.create_task(bob.next(SessionEnded))
        await asyncio.sleep(0)
        await api.call("DELETE", f"/sessions/{session_id}", owner)
        assert (await ending).session_id == session_id
        await bob.until(lambda: bob.socket.closed)
    with pytest.raises(Exception, match=Code.SESSION_UNKNOWN):
        await api.call("GET", f"/sessions/{session_id}", owner)


async def test_a_ticket_opens_one_connection(api: Api) -> None:
    """A ticket is good once; without one, or with another's, the handshake is refused."""
    owner, session_id = await room(api)
    await api.join(owner, session_id)
    ticket = await api.call("POST", "/auth/tickets", owner, {"session_id": session_id, "tab_id": TAB}, Ticket)
    socket = await api.connect(ticket)
    for bad in (ticket, Ticket(ticket="nonsense", url=ticket.url, peer_id=ticket.peer_id, expires_at_ms=0)):
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await api.connect(bad)
        assert caught.value.status == 401
    await socket.close()


BAD_FRAMES: list[tuple[str, Code]] = [
    ("", Code.BODY_MALFORMED),
    ("not json", Code.BODY_MALFORMED),
    ("[1,2]", Code.BODY_INVALID),
    ('{"type":"no.such"}', Code.MESSAGE_UNKNOWN),
    (
        '{"type":"presence.update","id":"r1","epoch":1,"counter":1,"state":{"pose":{"position":[NaN,0,0]}}}',
        Code.BODY_MALFORMED,
    ),
    (
        '{"type":"presence.update","id":"r1","epoch":1,"counter":1,"state":{"cursor":{"position":[1e400,0,0]}}}',
        Code.BODY_INVALID,
    ),
    ('{"type":"presence.update","id":"r1","epoch":1,"counter":1,"state":{},"extra":1}', Code.BODY_INVALID),
    ('{"type":"presence.update","id":"r1","epoch":-1,"counter":1,"state":{}}', Code.BODY_INVALID),
    (
        '{"type":"presence.update","id":"r1","epoch":1,"counter":1,"state":{},"user_id":"somebody_else"}',
        Code.IDENTITY_MISMATCH,
    ),
    ('{"type":"ping","id":"r1","at_ms":' + "[" * 5000 + "}", Code.BODY_INVALID),
    (json.dumps({"type": "room.enter", "id": "r1", "protocol": 999, "epoch": 1}), Code.PROTOCOL_UNSUPPORTED),
]


@pytest.mark.parametrize(("frame", "code"), BAD_FRAMES)
async def test_bad_frames_get_typed_errors(api: Api, frame: str, code: Code) -> None:
    """Whatever is wrong with a message is said with a code, the request's id and a correlation id; the connection stays."""
    owner, session_id = await room(api)
    async with await api.enter(owner, session_id, TAB) as ada:
        waiting = asyncio.create_task(ada.next(ErrorMessage))
        await asyncio.sleep(0)
        await ada.socket.send_str(frame)
        error = await waiting
        assert error.code is code
        assert error.correlation_id != "-"
        if '"id":"r1"' in frame or '"id": "r1"' in frame:
            assert error.id == "r1"
        await ada.ping()
        await ada.next(Pong)


async def test_a_flood_is_limited_and_then_closed(api: Api) -> None:
    """Messages past the rate are refused with a wait; a connection that goes on and on is closed; others do not notice."""
    owner, session_id = await room(api)
    async with (
        await api.enter(owner, session_id, TAB) as ada,
        await api.enter(await api.guest("Bob"), session_id, TAB) as bob,
    ):
        for _ in range(2 * limits.MESSAGE_BURST):
            await bob.ping()
        limited = await bob.next(ErrorMessage)
        assert (limited.code, (limited.retry_after_ms or 0) > 0) == (Code.RATE_LIMITED, True)
        for _ in range(400):
            if bob.socket.closed:
                break
            await bob.socket.send_str('{"type":"ping"}')
            await asyncio.sleep(0.002)
        await bob.until(lambda: bob.socket.closed)
        await ada.ping()
        await ada.next(Pong)


async def test_an_oversize_frame_closes_with_1009(api: Api) -> None:
    """A frame past API Gateway's limit ends the connection with the code that API Gateway uses."""
    owner, session_id = await room(api)
    async with await api.enter(owner, session_id, TAB) as ada:
        await ada.socket.send_str("x" * (limits.WS_MESSAGE_BYTES + 1))
        await ada.until(lambda: ada.socket.closed)
        assert ada.socket.close_code == 1009


async def test_entering_again_is_harmless(api: Api) -> None:
    """A client that is in doubt enters again and gets the room and a full frame again."""
    owner, session_id = await room(api)
    async with await api.enter(owner, session_id, TAB) as ada:
        answers: list[object] = []
        ada.on_message = lambda message, _: answers.append(message)
        await ada.send(RoomEnter(id="again", protocol=PROTOCOL_VERSION, epoch=ada.epoch))
        state = await ada.next(RoomState)
        assert state.id == "again"
        await ada.until(lambda: any(isinstance(a, PresenceFrame) and a.full for a in answers))
