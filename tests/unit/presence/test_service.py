"""The presence service on the fakes."""

from dataclasses import dataclass, replace

import pytest

from chalicelib.presence.broadcast import Broadcaster
from chalicelib.presence.model import Connection, Row
from chalicelib.presence.service import Presence
from chalicelib.wire import limits
from chalicelib.wire.bodies import UpdateCursor
from chalicelib.wire.codes import Code
from chalicelib.wire.decode import decode_server_message
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import ParticipantChanged, ParticipantRemoved, PresenceFrame, PresenceUpdate, SessionEnded
from chalicelib.wire.types import Activity, Pointer, PresenceState, Role, UserKind
from tests.fakes.presence import Clock, MemoryRows, MemorySender
from tests.unit.presence.test_frames import S


@dataclass(frozen=True, slots=True)
class Someone:
    """A participant, as sessions resolves one."""

    session_id: str = S
    user_id: str = "ada"
    name: str = "Ada"
    color: str = "#aabbcc"
    role: Role = Role.EDITOR
    kind: UserKind = UserKind.GUEST


def connection(name: str = "ada", tab: str = "tab00001", number: int = 1) -> Connection:
    """One of a person's connections."""
    return Connection(f"c-{name}-{tab}-{number}", S, f"{name}.{tab}", name, name, "#aabbcc", UserKind.GUEST)


class House:
    """A presence service with everything under it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.rows = MemoryRows()
        self.sender = MemorySender()
        self.left: list[str] = []
        broadcaster = Broadcaster(
            self.rows, self.sender, self._on_gone, now_ms=self.clock, new_id=lambda: "h", sleep=self.clock.sleep
        )
        self.presence = Presence(self.rows, self.sender, broadcaster, now_ms=self.clock)

    async def enter(self, made: Connection, role: Role = Role.EDITOR) -> list[bytes]:
        await self.presence.connect(made, role)
        _, frames = await self.presence.enter(made)
        return frames

    async def _on_gone(self, row: Row) -> None:
        self.left.append(row.peer_id)


@pytest.fixture
async def house() -> House:
    """An empty house."""
    return House()


def update(counter: int, cursor: Pointer | None = None) -> PresenceUpdate:
    """A state with a cursor."""
    return PresenceUpdate(epoch=1, counter=counter, state=PresenceState(cursor=cursor, activity=Activity.EDITING))


async def refused(work: object) -> Code:
    """The code that a call is refused with."""
    with pytest.raises(AppError) as caught:
        await work  # type: ignore[misc]
    return caught.value.code


async def test_a_newcomer_is_told_everything(house: House) -> None:
    """Entering gives a full frame with everyone, oneself included, and their last states."""
    await house.enter(connection("bob"))
    await house.presence.update(connection("bob"), update(3))
    (frame,) = [decode_server_message(f) for f in await house.enter(connection("ada"))]
    assert isinstance(frame, PresenceFrame)
    assert frame.full
    assert sorted(p.user_id for p in frame.joined) == ["ada", "bob"]
    assert [s.counter for s in frame.states] == [3]


async def test_the_state_is_stored_before_anyone_is_told(house: House) -> None:
    """An update is in its row, and only then in a frame."""
    made = connection()
    await house.enter(made)
    await house.presence.update(made, update(1))
    assert house.rows.rows[S, made.peer_id].state().activity is Activity.EDITING
    assert house.sender.posted == []
    await house.presence.broadcast(S)
    assert house.sender.to(made.connection_id)


async def test_a_removed_connection_is_refused_everything(house: House) -> None:
    """Once a peer's row is gone, entering, moving and pinging answer connection.gone."""
    made = connection()
    await house.presence.connect(made, Role.VIEWER)
    del house.rows.rows[S, made.peer_id]
    assert await refused(house.presence.enter(made)) is Code.CONNECTION_GONE
    assert await refused(house.presence.update(made, update(1))) is Code.CONNECTION_GONE
    assert await refused(house.presence.touch(made)) is Code.CONNECTION_GONE


async def test_a_ping_keeps_alive(house: House) -> None:
    """A peer that pings does not expire; one that is silent does."""
    made = connection()
    await house.enter(made)
    house.clock.ms += limits.PRESENCE_TTL_S * 1000 - 1
    await house.presence.touch(made)
    house.clock.ms += 2
    assert await house.presence.connected_users(S) == {"ada"}
    house.clock.ms += limits.PRESENCE_TTL_S * 1000
    assert await house.presence.connected_users(S) == set()
    assert (await house.presence.presence(S)).peers == ()


async def test_unknown_connections(house: House) -> None:
    """A connection is found by its record, remembered, and refused when there is none."""
    made = connection()
    assert await refused(house.presence.caller("nobody")) is Code.CONNECTION_GONE
    await house.presence.connect(made, Role.VIEWER)
    assert await house.presence.caller(made.connection_id) == made
    house.rows.connections.clear()
    assert await house.presence.caller(made.connection_id) == made


async def test_memory_of_connections_is_bounded(house: House) -> None:
    """A container that has served very many connections forgets them rather than growing."""
    made = connection()
    await house.presence.connect(made, Role.VIEWER)
    house.presence._known = {str(i): made for i in range(10_001)}
    await house.presence.caller(made.connection_id)
    assert len(house.presence._known) == 1


async def test_a_new_connection_replaces_the_old(house: House) -> None:
    """The same page on a new connection resumes as the same peer; the old connection is closed and forgotten."""
    await house.enter(connection(number=1))
    await house.presence.update(connection(number=1), update(5))
    await house.enter(connection(number=2))
    assert house.sender.closed == [connection(number=1).connection_id]
    row = house.rows.rows[S, "ada.tab00001"]
    assert (row.connection_id, row.counter) == (connection(number=2).connection_id, 5)
    await house.presence.disconnected(connection(number=1), at_once=True)
    assert not row.leaving_at_ms


async def test_several_pages_of_one_person(house: House) -> None:
    """Each page is a peer of its own, up to a limit per person; the one past it is refused."""
    for i in range(limits.PEERS_PER_USER):
        await house.enter(connection(tab=f"tab0000{i}"))
    assert len((await house.presence.presence(S)).peers) == limits.PEERS_PER_USER
    assert await refused(house.presence.connect(connection(tab="tab99999"), Role.VIEWER)) is Code.CONNECTION_LIMIT
    await house.presence.connect(connection(tab="tab00003", number=2), Role.VIEWER)


async def test_a_drop_has_grace_and_a_goodbye_has_none(house: House) -> None:
    """A dropped connection counts as there for LEAVE_GRACE_S; one that said goodbye is gone at once."""
    await house.enter(connection("ada"))
    await house.enter(connection("bob"))
    await house.presence.disconnected(connection("ada"), at_once=False)
    await house.presence.disconnected(connection("bob"), at_once=True)
    assert await house.presence.connected_users(S) == {"ada"}
    house.clock.ms += limits.LEAVE_GRACE_S * 1000
    assert await house.presence.connected_users(S) == set()
    await house.presence.broadcast(S)
    assert sorted(house.left) == ["ada.tab00001", "bob.tab00001"]


async def test_announce_reaches_everyone_who_entered(house: House) -> None:
    """A change is posted to each connection once."""
    await house.enter(connection("ada"))
    await house.presence.connect(connection("bob"), Role.VIEWER)
    await house.presence.announce(S, ParticipantChanged(user_id="ada", role=Role.OWNER, by="ada"))
    assert [c for c, _ in house.sender.posted] == [connection("ada").connection_id]


async def test_a_removed_person_loses_every_carrier(house: House) -> None:
    """Every page of theirs is told why, closed, and forgotten; the others stay."""
    await house.enter(connection("ada", "tab00001"))
    await house.enter(connection("ada", "tab00002"))
    await house.enter(connection("bob"))
    await house.presence.expel(S, "ada", ParticipantRemoved(user_id="ada", banned=True, by="bob"))
    assert sorted(house.sender.closed) == ["c-ada-tab00001-1", "c-ada-tab00002-1"]
    assert set(house.rows.connections) == {"c-bob-tab00001-1"}
    assert await house.presence.connected_users(S) == {"bob"}
    assert await refused(house.presence.update(connection("ada"), update(9))) is Code.CONNECTION_GONE


async def test_an_ended_room_leaves_nothing(house: House) -> None:
    """Everyone is told and closed; no row, lease or connection remains."""
    await house.enter(connection("ada"))
    await house.presence.broadcast(S)
    await house.presence.close_room(S, SessionEnded(session_id=S))
    assert house.sender.closed == ["c-ada-tab00001-1"]
    assert isinstance(decode_server_message(house.sender.posted[-1][1]), SessionEnded)
    assert (house.rows.rows, house.rows.connections, house.rows.leases) == ({}, {}, {})


async def test_a_new_role_is_seen(house: House) -> None:
    """A role changes on every page of the person, and on nobody else's."""
    await house.enter(connection("ada"))
    await house.enter(connection("bob"))
    await house.presence.change_role(S, "ada", Role.OWNER)
    assert {p.user_id: p.role for p in (await house.presence.presence(S)).peers} == {
        "ada": Role.OWNER,
        "bob": Role.EDITOR,
    }


async def test_a_page_that_can_be_offered_to_is_told_of_at_once(house: House) -> None:
    """To everybody; who has gone is nobody to offer to."""
    await house.enter(connection("ada"))
    await house.enter(connection("bob"))
    await house.presence.set_rtc(S, "ada.tab00001", True)
    (frame,) = [decode_server_message(data) for data in house.sender.to("c-bob-tab00001-1")]
    assert isinstance(frame, PresenceFrame)
    assert {p.user_id: p.rtc for p in frame.joined} == {"ada": True, "bob": False}
    posted = len(house.sender.posted)
    assert not await house.presence.set_rtc(S, "eve.tab00001", True)
    assert len(house.sender.posted) == posted


async def test_cursors_of_those_who_point(house: House) -> None:
    """The list has who points, with the person's colour, and not who does not."""
    await house.enter(connection("ada"))
    await house.enter(connection("bob"))
    pointer = Pointer(position=(1.0, 2.0, 3.0), target="plinth-1")
    await house.presence.update(connection("ada"), update(1, pointer))
    (cursor,) = (await house.presence.cursors(S)).cursors
    assert (cursor.user_id, cursor.position, cursor.target, cursor.color) == (
        "ada",
        (1.0, 2.0, 3.0),
        "plinth-1",
        "#aabbcc",
    )


async def test_a_cursor_by_rest_is_seen_and_expires(house: House) -> None:
    """Someone without a page points by REST: the room sees it at once, the newest wins, and it expires."""
    await house.enter(connection("bob"))
    await house.presence.point(Someone(), UpdateCursor(position=(1.0, 0.0, 0.0)))
    house.clock.ms += 1
    await house.presence.point(Someone(), UpdateCursor(position=(2.0, 0.0, 0.0)))
    frames = [decode_server_message(d) for d in house.sender.to(connection("bob").connection_id)]
    assert all(isinstance(f, PresenceFrame) for f in frames)
    assert [c.position for c in (await house.presence.cursors(S)).cursors] == [(2.0, 0.0, 0.0)]
    house.clock.ms += limits.PRESENCE_TTL_S * 1000
    assert (await house.presence.cursors(S)).cursors == ()


async def test_enter_of_a_row_that_vanishes_meanwhile(house: House) -> None:
    """A removal between the write and the read is a removal."""
    made = connection()
    await house.presence.connect(made, Role.VIEWER)

    class Vanishing(MemoryRows):
        async def enter(self, session_id: str, peer_id: str, connection_id: str, now_ms: int) -> bool:
            return True

    house.presence._rows = Vanishing()
    assert await refused(house.presence.enter(made)) is Code.CONNECTION_GONE


async def test_someone_else_with_the_same_tab_is_someone_else(house: House) -> None:
    """Tabs are named by clients; a peer is the user's and the tab's together."""
    await house.enter(connection("ada"))
    await house.enter(replace(connection("bob"), peer_id="bob.tab00001"))
    assert len((await house.presence.presence(S)).peers) == 2
    assert house.sender.closed == []
