"""The messages of pages and media nodes, over the fakes; and who may connect as a node."""

import asyncio

import pytest

from chalicelib.peers.admission import Admission
from chalicelib.peers.model import Relay
from chalicelib.peers.socket import Socket
from chalicelib.presence.model import Connection, NodeConnection
from chalicelib.wire import PROTOCOL_VERSION, limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import Ping, Pong
from chalicelib.wire.peers import RelayStatus
from chalicelib.wire.signals import NodeEnter, NodeGone, NodeState, PeerBye, RelayChanged, RelayRequest
from chalicelib.wire.tokens import NodeClaims, SigningKey, sign
from tests.fakes.plaza import N1, Plaza, S, request
from tests.fakes.users import KEY, OLD_KEY

NODE = NodeConnection(f"n-{N1}", N1)
NOW_S = 1_700_000_000


class Hall(Plaza):
    """A plaza with its socket."""

    def __init__(self) -> None:
        super().__init__()
        self.wait_ms = 0
        self.pinged: list[str] = []
        self.socket = Socket(
            self.peers,
            self.signals,
            self.sender.post,
            now_ms=self.clock,
            relay_wait_ms=lambda connection_id: self.wait_ms,
        )
        self.table = self.socket.table(self._ping)
        self.node_table = self.socket.node_table()

    async def _ping(self, connection: Connection, message: Ping) -> None:
        self.pinged.append(connection.peer_id)


@pytest.fixture
async def hall() -> Hall:
    """Nobody there."""
    return Hall()


async def test_a_request_is_answered(hall: Hall) -> None:
    """With its id; the news that everybody gets has none."""
    await hall.node()
    (page, *_) = await hall.crowd(limits.MESH_MAX + 1)
    await hall.table[RelayRequest](page, RelayRequest(id="q1", reason=request().reason))
    assert [(m.id, m.relay.status) for m in hall.told("p0", RelayChanged)] == [
        (None, RelayStatus.READY),
        ("q1", RelayStatus.READY),
    ]


async def test_requests_are_few(hall: Hall) -> None:
    """Each reads the whole room."""
    (page,) = await hall.crowd(1)
    hall.wait_ms = 700
    with pytest.raises(AppError) as caught:
        await hall.table[RelayRequest](page, request())
    assert (caught.value.code, caught.value.retry_after_ms) == (Code.RATE_LIMITED, 700)


async def test_a_ping_looks_at_the_relay(hall: Hall) -> None:
    """Beside what else it does."""
    (page,) = await hall.crowd(1)
    await hall.table[Ping](page, Ping())
    assert hall.pinged == ["p0.tab00001"]
    assert hall.peers._looked == {S: hall.clock.ms}


async def test_a_node_enters_and_is_given_what_waits(hall: Hall) -> None:
    """It hears who it is first."""
    await hall.crowd(limits.MESH_MAX + 1)
    await hall.peers.crowded(S)
    await hall.beat()
    await hall.node_table[NodeEnter](NODE, NodeEnter(id="e", protocol=PROTOCOL_VERSION))
    (state,) = hall.told_node(N1, NodeState)
    assert (state.id, state.node_id, state.connection_id) == ("e", N1, NODE.connection_id)
    assert hall.told("p0", RelayChanged)[-1].relay.peer_id == f"{N1}.relay"


async def test_a_node_that_speaks_otherwise(hall: Hall) -> None:
    """It is told, and serves nobody."""
    await hall.beat()
    with pytest.raises(AppError) as caught:
        await hall.node_table[NodeEnter](NODE, NodeEnter(protocol=PROTOCOL_VERSION + 1))
    assert caught.value.code is Code.PROTOCOL_UNSUPPORTED
    assert hall.nodes.rows[N1].connection_id == ""


async def test_the_newest_connection_of_a_node_holds(hall: Hall) -> None:
    """An overlap before WS_LIFETIME_S: the older one may end, and nothing is moved."""
    await hall.node()
    newer = NodeConnection("n-newer", N1)
    await hall.node_table[NodeEnter](newer, NodeEnter(protocol=PROTOCOL_VERSION))
    await hall.peers.node_disconnected(N1, NODE.connection_id)
    assert hall.nodes.rows[N1].connection_id == "n-newer"


async def test_a_node_drains_and_pings_and_signals(hall: Hall) -> None:
    """All that a node says."""
    await hall.node()
    await hall.crowd(limits.MESH_MAX + 1)
    await hall.nodes.change(Relay(S, N1, 1), hall.clock.ms)
    await hall.node_table[Ping](NODE, Ping(id="p", at_ms=5))
    assert hall.told_node(N1, Pong) == [Pong(id="p", at_ms=5, server_time_ms=hall.clock.ms)]
    await hall.node_table[PeerBye](NODE, PeerBye(to="p0.tab00001", link="link0001", session_id=S))
    assert len(hall.told("p0", PeerBye)) == 1
    await hall.node_table[NodeGone](NODE, NodeGone(sessions=(S,)))
    await asyncio.sleep(0)
    assert hall.told("p0", RelayChanged)[-1].relay.status is RelayStatus.STARTING


# -- admission --


class Burnt(set[str]):
    """Used tokens."""

    def burn(self, jti: str, expires_at_s: int) -> bool:
        """True the first time."""
        fresh = jti not in self
        self.add(jti)
        return fresh


def token(sub: str = N1, key: SigningKey = KEY, now_s: int = NOW_S) -> str:
    """A node's."""
    return sign(NodeClaims(jti="j1", sub=sub), key, now_s=now_s, ttl_s=limits.NODE_TOKEN_TTL_S)


def test_a_token_is_good_once() -> None:
    """Under a name that no page's ticket can have."""
    burnt = Burnt()
    admission = Admission((KEY, OLD_KEY), burnt, now_s=lambda: NOW_S)
    assert admission.admit(token()).sub == N1
    assert burnt == {"node#j1"}
    with pytest.raises(AppError) as caught:
        admission.admit(token())
    assert caught.value.code is Code.TICKET_USED


@pytest.mark.parametrize(
    "bad",
    [
        token(key=OLD_KEY),
        token(now_s=NOW_S - limits.NODE_TOKEN_TTL_S - limits.CLOCK_SKEW_S),
        token(sub="ada"),
        token(sub=N1 + "\n"),
        "nonsense",
    ],
    ids=["another key", "expired", "no node's id", "a line's end", "nonsense"],
)
def test_what_is_no_nodes_token(bad: str) -> None:
    """It burns nothing."""
    burnt = Burnt()
    with pytest.raises(AppError) as caught:
        Admission((KEY,), burnt, now_s=lambda: NOW_S).admit(bad)
    assert (caught.value.code, burnt) == (Code.TICKET_INVALID, set())


def test_without_keys_there_are_no_nodes() -> None:
    """Every token is refused."""
    with pytest.raises(AppError) as caught:
        Admission((), Burnt(), now_s=lambda: NOW_S).admit(token())
    assert caught.value.code is Code.TICKET_INVALID
