"""$connect, $disconnect and $default on the fakes: who gets in, what is answered, what is closed."""

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from chalicelib.gateway.dispatch import Dispatch, Limits
from chalicelib.gateway.lifecycle import Lifecycle
from chalicelib.presence.broadcast import Broadcaster
from chalicelib.presence.model import Connection, NodeConnection, Row
from chalicelib.presence.service import Presence
from chalicelib.presence.socket import Socket
from chalicelib.wire import limits
from chalicelib.wire.bodies import ErrorBody, Session, SessionSettings
from chalicelib.wire.codes import Code
from chalicelib.wire.decode import decode_server_message
from chalicelib.wire.errors import AppError
from chalicelib.wire.limiter import Limiter
from chalicelib.wire.messages import ErrorMessage, Pong, PresenceFrame, RoomState
from chalicelib.wire.peers import RelayState, RelayStatus
from chalicelib.wire.signals import NodeEnter, PeerBye
from chalicelib.wire.tokens import Identity, NodeClaims, TicketClaims, sign
from chalicelib.wire.types import Role, SessionStatus, UserKind, Visibility
from tests.fakes.presence import Clock, MemoryRows, MemorySender
from tests.fakes.users import KEY
from tests.unit.presence.test_frames import S

NODE = "node_" + "a" * 12
NODE_TOKEN = sign(NodeClaims(jti="j", sub=NODE), KEY, now_s=1_700_000_000, ttl_s=limits.NODE_TOKEN_TTL_S)


@dataclass(frozen=True, slots=True)
class Ada:
    """Who is seated."""

    session_id: str = S
    user_id: str = "ada"
    name: str = "Ada"
    color: str = "#aabbcc"
    role: Role = Role.EDITOR
    kind: UserKind = UserKind.GUEST


class House:
    """The gateway's handlers over fakes. Tickets are `sub` names; `full` and `broken` make things go wrong."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.rows = MemoryRows()
        self.sender = MemorySender()
        self.logged: list[str] = []
        self.full = False
        self.removed = False
        broadcaster = Broadcaster(
            self.rows, self.sender, self._on_gone, now_ms=self.clock, new_id=lambda: "h", sleep=self.clock.sleep
        )
        presence = Presence(self.rows, self.sender, broadcaster, now_ms=self.clock)
        self.lifecycle = Lifecycle(self, self, self, presence, self._run, self._log)
        socket = Socket(presence, self.sender.post, self._session_of, self.clock, self._relay_of)
        self.signalled: list[tuple[object, object]] = []
        self.dispatch = Dispatch(
            {**socket.table(), PeerBye: self._signal},
            {PeerBye: self._signal, NodeEnter: self._signal},
            presence,
            self.sender,
            Limits(
                messages=Limiter(rate=limits.MESSAGE_REFILL_PER_S, burst=limits.MESSAGE_BURST),
                signals=Limiter(rate=limits.SIGNAL_REFILL_PER_S, burst=limits.SIGNAL_BURST),
                nodes=Limiter(rate=limits.NODE_SIGNAL_PER_S, burst=limits.NODE_SIGNAL_BURST),
            ),
            run=self._run,
            now_ms=self.clock,
            log=self._log,
            log_failure=self._log,
            correlate=lambda _: None,
        )

    def consume(self, ticket: str) -> TicketClaims:
        if ticket == "used":
            raise AppError(Code.TICKET_USED)
        return TicketClaims(jti="j", sub=ticket, name="Ada", kind=UserKind.GUEST, sid=S, tab="tab00001")

    def admit(self, token: str) -> NodeClaims:
        if token != NODE_TOKEN:
            raise AppError(Code.TICKET_INVALID)
        return NodeClaims(jti="j", sub=NODE)

    async def disconnected(self, node_id: str, connection_id: str) -> None:
        self.logged.append(f"{node_id} lost {connection_id}")

    async def _relay_of(self, session_id: str) -> RelayState:
        return RelayState(status=RelayStatus.STARTING, generation=3)

    async def _signal(self, caller: object, message: object) -> None:
        self.signalled.append((caller, message))

    def ensure_seated(self, session_id: str, identity: Identity) -> Ada:
        if self.full:
            raise AppError(Code.SESSION_FULL)
        return Ada(user_id=identity.user_id)

    def confirm_seated(self, session_id: str, user_id: str) -> None:
        if self.removed:
            raise AppError(Code.PARTICIPANT_BANNED)

    def connect(self, ticket: str | None, connection_id: str = "c1=") -> dict[str, Any]:
        query = None if ticket is None else {"ticket": ticket}
        context = {"connectionId": connection_id, "requestId": "req-1"}
        return self.lifecycle.connect({"requestContext": context, "queryStringParameters": query})

    def disconnect(self, status: int | None = None, connection_id: str = "c1=") -> dict[str, Any]:
        context = {"connectionId": connection_id, "disconnectStatusCode": status}
        return self.lifecycle.disconnect({"requestContext": context})

    def send(self, message: object, connection_id: str = "c1=") -> list[Any]:
        """What one message is answered with."""
        before = len(self.sender.to(connection_id))
        body = message if isinstance(message, str) else json.dumps(message)
        event = {"requestContext": {"connectionId": connection_id, "requestId": "req-2"}, "body": body}
        assert self.dispatch.message(event) == {"statusCode": 200}
        return [decode_server_message(d) for d in self.sender.to(connection_id)[before:]]

    def enter(self) -> list[Any]:
        self.connect("ada")
        return self.send({"type": "room.enter", "id": "e1", "protocol": 1, "epoch": 1})

    def _session_of(self, connection: Connection) -> Session:
        return Session(
            session_id=S,
            name="Room",
            description="",
            visibility=Visibility.LINK,
            status=SessionStatus.ACTIVE,
            max_participants=50,
            participant_count=1,
            settings=SessionSettings(),
            owner_id="ada",
            created_at_ms=0,
            updated_at_ms=0,
            version=1,
        )

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run(work)

    def _log(self, name: str, **fields: object) -> None:
        self.logged.append(name)

    async def _on_gone(self, row: Row) -> None:
        return


@pytest.fixture
def house() -> House:
    """An empty house."""
    return House()


def test_a_ticket_opens(house: House) -> None:
    """A good ticket and a seat make a connection of that peer."""
    assert house.connect("ada") == {"statusCode": 200}
    opened = house.rows.connections["c1="]
    assert isinstance(opened, Connection)
    assert opened.peer_id == "ada.tab00001"
    assert house.rows.rows[S, "ada.tab00001"].connection_id == "c1="


@pytest.mark.parametrize(
    ("ticket", "status", "code"), [(None, 401, Code.TICKET_INVALID), ("used", 401, Code.TICKET_USED)]
)
def test_a_bad_ticket_does_not(house: House, ticket: str | None, status: int, code: Code) -> None:
    """The handshake is refused with the code's status, typed, and nothing is written."""
    answer = house.connect(ticket)
    assert answer["statusCode"] == status
    body = msgspec.json.decode(answer["body"], type=ErrorBody)
    assert (body.code, body.correlation_id) == (code, "req-1")
    assert house.rows.connections == {}


def test_no_seat_no_connection(house: House) -> None:
    """A full session refuses the handshake."""
    house.full = True
    assert house.connect("ada")["statusCode"] == 409


def test_removed_while_connecting(house: House) -> None:
    """Whoever loses their seat while the handshake is under way is refused, and nothing of the connection is left."""
    house.removed = True
    answer = house.connect("ada")
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (403, Code.PARTICIPANT_BANNED)
    assert house.rows.rows == {}
    assert house.rows.connections == {}


def test_entering(house: House) -> None:
    """Entering answers with the room, the request's id, and everyone who is there."""
    state, frame, *_ = house.enter()
    assert isinstance(state, RoomState)
    assert (state.id, state.you.peer_id, state.presence_hz) == ("e1", "ada.tab00001", limits.PRESENCE_HZ)
    assert state.relay == RelayState(status=RelayStatus.STARTING, generation=3)
    assert isinstance(frame, PresenceFrame)
    assert frame.full


def test_updates_are_echoed_in_a_frame(house: House) -> None:
    """An update has no answer of its own; a frame with it is its confirmation."""
    house.enter()
    answers = house.send({"type": "presence.update", "epoch": 1, "counter": 4, "state": {}})
    assert [s.counter for f in answers for s in f.states] == [4]


def test_ping(house: House) -> None:
    """A ping is answered, with its id and time."""
    house.enter()
    pong = house.send({"type": "ping", "id": "p1", "at_ms": 5})[0]
    assert pong == Pong(id="p1", at_ms=5, server_time_ms=pong.server_time_ms)


def test_goodbye(house: House) -> None:
    """Leaving is at once, by message or by the close codes of RFC 6455 that a page sends."""
    house.enter()
    house.send({"type": "room.leave"})
    assert (S, "ada.tab00001") not in house.rows.rows
    house.enter()
    house.disconnect(1001)
    assert (S, "ada.tab00001") not in house.rows.rows


def test_a_drop_keeps_the_row_for_the_grace(house: House) -> None:
    """A connection that ends without a goodbye leaves its row until the grace is over, then the broadcaster removes it."""
    house.enter()
    before = house.clock.ms
    house.disconnect(1006)
    assert house.clock.ms - before >= limits.LEAVE_GRACE_S * 1000
    assert (S, "ada.tab00001") not in house.rows.rows


def test_the_end_of_an_unknown_connection_is_nothing(house: House) -> None:
    """A connection that was removed before it closed has nothing left to do."""
    assert house.disconnect(1000, "other=") == {"statusCode": 200}


def test_an_unknown_connection_is_told_and_closed(house: House) -> None:
    """A message on a connection that is none of ours is answered connection.gone, and the connection closed."""
    (error,) = house.send({"type": "ping", "id": "p1"})
    assert isinstance(error, ErrorMessage)
    assert (error.code, error.id, error.correlation_id) == (Code.CONNECTION_GONE, "p1", "req-2")
    assert house.sender.closed == ["c1="]


@pytest.mark.parametrize(
    ("body", "code", "request_id"),
    [
        ("", Code.BODY_MALFORMED, None),
        ('{"type":"ping","id":"p7","extra":1}', Code.BODY_INVALID, "p7"),
        ({"type": "room.enter", "id": "e", "protocol": 2, "epoch": 1}, Code.PROTOCOL_UNSUPPORTED, "e"),
        (
            {"type": "presence.update", "epoch": 1, "counter": 1, "state": {}, "user_id": "bob"},
            Code.IDENTITY_MISMATCH,
            None,
        ),
    ],
)
def test_bad_messages(house: House, body: object, code: Code, request_id: str | None) -> None:
    """Each is answered with its code and, even where it could not be decoded, its id; the connection stays."""
    house.enter()
    (error,) = house.send(body)
    assert (error.code, error.id) == (code, request_id)
    assert house.sender.closed == []


def test_ones_own_user_id_may_be_sent(house: House) -> None:
    """An id in the body is allowed where it is the connection's own."""
    house.enter()
    answers = house.send({"type": "presence.update", "epoch": 1, "counter": 1, "state": {}, "user_id": "ada"})
    assert not [a for a in answers if isinstance(a, ErrorMessage)]


def test_a_flood_is_refused_then_closed(house: House) -> None:
    """Past the burst a message is refused with a wait; past the violations the connection is closed."""
    house.connect("ada")
    errors = []
    for _ in range(limits.MESSAGE_BURST + 3):
        errors += [a for a in house.send("{}") if isinstance(a, ErrorMessage)]
    assert errors[-1].code is Code.RATE_LIMITED
    assert (errors[-1].retry_after_ms or 0) > 0
    for _ in range(limits.VIOLATIONS_MAX):
        house.send("{}")
    assert house.sender.closed[0] == "c1="


def test_nonsense_that_goes_on_is_closed(house: House) -> None:
    """Malformed messages below the rate are answered one by one, but not for ever."""
    house.connect("ada")
    for _ in range(limits.VIOLATIONS_MAX + 1):
        house.clock.ms += 200
        house.send("nonsense")
    assert house.sender.closed == ["c1="]


def test_a_fault_is_ours_and_says_nothing(house: House) -> None:
    """An unexpected exception is logged and answered `internal`, without what it said."""

    async def broken(connection: Connection, message: object) -> None:
        raise RuntimeError("secret internals")

    house.connect("ada")
    house.dispatch._table = dict.fromkeys(house.dispatch._table, broken)
    (error,) = house.send({"type": "ping", "id": "p1"})
    assert (error.code, error.id) == (Code.INTERNAL, "p1")
    assert "secret" not in error.message
    assert "message.failed" in house.logged


def bye(number: int = 0) -> dict[str, object]:
    """A signal."""
    return {"type": "peer.bye", "id": f"s{number}", "to": "bob.tab00001", "link": "abcdefgh"}


def test_a_media_nodes_token_opens_a_nodes_connection(house: House) -> None:
    """It belongs to no session; when it is over, the nodes' side hears of it."""
    assert house.connect(NODE_TOKEN, "n1=") == {"statusCode": 200}
    assert house.rows.connections["n1="] == NodeConnection("n1=", NODE)
    assert house.rows.rows == {}
    house.disconnect(1006, "n1=")
    assert house.rows.connections == {}
    assert f"{NODE} lost n1=" in house.logged


def test_another_nodes_token_does_not(house: House) -> None:
    """What is wrong with a node's token is said as of any ticket."""
    other = sign(NodeClaims(jti="j", sub="node_" + "b" * 12), KEY, now_s=1_700_000_000, ttl_s=30)
    assert house.connect(other, "n1=")["statusCode"] == 401
    assert house.rows.connections == {}


def test_each_may_send_what_is_its_own(house: House) -> None:
    """A participant is no media node, and a node no participant; both may signal."""
    house.enter()
    house.connect(NODE_TOKEN, "n1=")
    (error,) = house.send({"type": "node.enter", "id": "e", "protocol": 1})
    assert (error.code, error.id) == (Code.ROLE_INSUFFICIENT, "e")
    (error,) = house.send({"type": "room.enter", "id": "e", "protocol": 1, "epoch": 1}, "n1=")
    assert (error.code, error.id) == (Code.ROLE_INSUFFICIENT, "e")
    assert house.send({"type": "node.enter", "protocol": 1}, "n1=") == []
    assert house.send(bye(), "n1=") == house.send(bye()) == []
    assert [type(caller) for caller, _ in house.signalled] == [NodeConnection, NodeConnection, Connection]
    assert house.sender.closed == []


def test_signals_have_a_bucket_of_their_own(house: House) -> None:
    """The start of a mesh takes nothing from what presence needs, and is bounded itself; a node has a larger one."""
    house.enter()
    house.connect(NODE_TOKEN, "n1=")
    answers = [house.send(bye(n)) for n in range(limits.SIGNAL_BURST + 1)]
    assert [len(a) for a in answers] == [0] * limits.SIGNAL_BURST + [1]
    assert (answers[-1][0].code, answers[-1][0].id) == (Code.RATE_LIMITED, f"s{limits.SIGNAL_BURST}")
    assert isinstance(house.send({"type": "ping"})[0], Pong)
    assert not any(house.send(bye(n), "n1=") for n in range(limits.SIGNAL_BURST + 1))


def test_signals_of_nobody(house: House) -> None:
    """A connection that is none of ours is told so, and closed, before anything is counted."""
    (error,) = house.send(bye(), "other=")
    assert (error.code, error.id) == (Code.CONNECTION_GONE, "s0")
    assert house.sender.closed == ["other="]
