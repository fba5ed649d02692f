"""One contract for the rows of presence, run on the fake, on moto and on Amazon's DynamoDB Local."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from chalicelib.presence.model import Connection, Lease, NodeConnection, Row
from chalicelib.presence.service import Rows
from chalicelib.wire import limits
from chalicelib.wire.types import Role, UserKind
from tests.contract.tables import Database, presence_rows

NOW = 1_700_000_000_000
S = "ses_" + "a" * 20


def row(peer: str = "ada.tab00001", connection: str = "c1=", at_ms: int = NOW, *, entered: bool = False) -> Row:
    """A peer's row as $connect writes it."""
    return Row(
        S,
        peer,
        peer.partition(".")[0],
        connection,
        "Ada",
        "#aabbcc",
        Role.EDITOR,
        UserKind.GUEST,
        at_ms,
        at_ms,
        entered,
    )


@pytest.fixture
async def rows(database: Database) -> AsyncIterator[Rows]:
    """The implementation under test, empty."""
    async with presence_rows(database) as made:
        yield made


async def test_attach_then_read(rows: Rows) -> None:
    """A row comes back as it was attached, and a new room is empty."""
    assert (await rows.room(S)).rows == ()
    assert not await rows.attach(row())
    room = await rows.room(S)
    assert room.rows == (row(),)
    assert room.lease is None


async def test_resume_keeps_state(rows: Rows) -> None:
    """A peer that attaches again within its time keeps its state and when it joined."""
    await rows.attach(row())
    await rows.put_state(S, "ada.tab00001", "c1=", (1, 7), b'{"x":1}', NOW + 1)
    await rows.leave(S, "ada.tab00001", "c1=", NOW + 5000)
    assert await rows.attach(row(connection="c2=", at_ms=NOW + 2000))
    (found,) = (await rows.room(S)).rows
    assert (found.connection_id, found.joined_at_ms, found.order, found.fragment) == ("c2=", NOW, (1, 7), b'{"x":1}')
    assert found.leaving_at_ms == 0


@pytest.mark.parametrize("how", ["left", "silent"])
async def test_return_begins_anew(rows: Rows, how: str) -> None:
    """A peer that had gone, by leaving or by silence, comes back without its old state."""
    await rows.attach(row())
    await rows.put_state(S, "ada.tab00001", "c1=", (1, 7), b'{"x":1}', NOW)
    later = NOW + 6000
    if how == "left":
        await rows.leave(S, "ada.tab00001", "c1=", NOW + 5000)
    else:
        later = NOW + limits.PRESENCE_TTL_S * 1000 + 1
    assert not await rows.attach(row(connection="c2=", at_ms=later))
    (found,) = (await rows.room(S)).rows
    assert (found.joined_at_ms, found.order, found.fragment) == (later, (0, 0), b"")


async def test_only_newer_states(rows: Rows) -> None:
    """States come in any order; only a greater (epoch, counter) replaces what is there."""
    await rows.attach(row())
    for order, fragment in [
        ((2, 5), b"a"),
        ((2, 4), b"b"),
        ((1, 99), b"c"),
        ((2, 5), b"d"),
        ((2, 6), b"e"),
        ((3, 0), b"f"),
    ]:
        assert await rows.put_state(S, "ada.tab00001", "c1=", order, fragment, NOW)
    (found,) = (await rows.room(S)).rows
    assert (found.order, found.fragment) == ((3, 0), b"f")


async def test_only_the_owner_writes(rows: Rows) -> None:
    """A connection that was replaced, or whose row was removed, writes nothing and is told so."""
    await rows.attach(row(connection="c2="))
    assert not await rows.put_state(S, "ada.tab00001", "c1=", (9, 9), b"x", NOW)
    assert not await rows.enter(S, "ada.tab00001", "c1=", NOW)
    assert not await rows.touch(S, "ada.tab00001", "c1=", NOW)
    assert not await rows.leave(S, "ada.tab00001", "c1=", NOW)
    assert not await rows.put_state(S, "bob.tab00001", "c1=", (9, 9), b"x", NOW)
    (found,) = (await rows.room(S)).rows
    assert found == row(connection="c2=")


async def test_enter_and_touch(rows: Rows) -> None:
    """Entering and pinging are remembered with their times."""
    await rows.attach(row())
    assert await rows.enter(S, "ada.tab00001", "c1=", NOW + 10)
    assert await rows.touch(S, "ada.tab00001", "c1=", NOW + 20)
    (found,) = (await rows.room(S)).rows
    assert (found.entered, found.seen_at_ms) == (True, NOW + 20)


async def test_set_role_of_a_row_that_is_there(rows: Rows) -> None:
    """A role changes what is announced; it makes no row for who has gone."""
    await rows.attach(row())
    await rows.set_role(S, "ada.tab00001", Role.VIEWER)
    await rows.set_role(S, "bob.tab00001", Role.VIEWER)
    assert [(r.peer_id, r.role) for r in (await rows.room(S)).rows] == [("ada.tab00001", Role.VIEWER)]


async def test_set_rtc_of_a_row_that_is_there(rows: Rows) -> None:
    """Whether a page can be offered to is kept; it makes no row for who has gone."""
    await rows.attach(row())
    for rtc in (True, True, False):
        assert await rows.set_rtc(S, "ada.tab00001", rtc)
        assert [r.rtc for r in (await rows.room(S)).rows] == [rtc]
    assert not await rows.set_rtc(S, "bob.tab00001", True)
    assert not await rows.set_rtc(S, "bob.tab00001", False)
    assert [(r.peer_id, r.rtc) for r in (await rows.room(S)).rows] == [("ada.tab00001", False)]


async def test_rtc_is_kept_by_who_resumes_and_not_by_who_returns(rows: Rows) -> None:
    """A WebSocket that dropped takes no peer connection with it; a page that had gone is another page."""
    await rows.attach(row())
    await rows.set_rtc(S, "ada.tab00001", True)
    await rows.attach(row(connection="c2=", at_ms=NOW + 2000))
    assert [r.rtc for r in (await rows.room(S)).rows] == [True]
    await rows.attach(row(connection="c3=", at_ms=NOW + 2001 + limits.PRESENCE_TTL_S * 1000))
    assert [r.rtc for r in (await rows.room(S)).rows] == [False]


async def test_delete_if_unchanged(rows: Rows) -> None:
    """A sweep does not remove a peer that came back meanwhile."""
    await rows.attach(row())
    (seen,) = (await rows.room(S)).rows
    await rows.attach(row(connection="c2=", at_ms=NOW + 1))
    assert not await rows.delete_row(seen, only_if_unchanged=True)
    assert len((await rows.room(S)).rows) == 1
    assert await rows.delete_row(seen, only_if_unchanged=False)
    assert (await rows.room(S)).rows == ()


async def test_one_lease(rows: Rows) -> None:
    """Of many that reach for a free lease at once, one gets it and all learn which."""
    offers = [Lease(f"h{i}", NOW + 2000 + i) for i in range(20)]
    held = await asyncio.gather(*(rows.acquire(S, offer, NOW) for offer in offers))
    assert len(set(held)) == 1
    assert held[0] in offers
    assert (await rows.room(S)).lease == held[0]


async def test_lease_runs_out(rows: Rows) -> None:
    """A lease is taken over when it has run out, and its old holder cannot renew it."""
    first, second = Lease("h1", NOW + 2000), Lease("h2", NOW + 4001)
    assert await rows.acquire(S, first, NOW) == first
    assert await rows.renew(S, replace(first, until_ms=NOW + 2500))
    assert (await rows.acquire(S, second, NOW + 2400)).holder == "h1"
    assert await rows.acquire(S, second, NOW + 2501) == second
    assert not await rows.renew(S, replace(first, until_ms=NOW + 9000))


async def test_connections(rows: Rows) -> None:
    """A connection is found as it was put, until it is deleted; deleting twice is harmless."""
    made = Connection("L0SM9cOFvHcCIhw=", S, "ada.tab00001", "ada", "Ada é", "#aabbcc", UserKind.ACCOUNT)
    assert await rows.connection(made.connection_id) is None
    await rows.put_connection(made, NOW)
    assert await rows.connection(made.connection_id) == made
    await rows.delete_connection(made.connection_id)
    await rows.delete_connection(made.connection_id)
    assert await rows.connection(made.connection_id) is None


async def test_rooms_are_apart_and_erased_whole(rows: Rows) -> None:
    """A room's rows are its own, and erasing leaves nothing of it and all of the others."""
    other = "ses_" + "b" * 20
    await rows.attach(row())
    await rows.attach(replace(row(), session_id=other))
    await rows.acquire(S, Lease("h", NOW + 1), NOW)
    await rows.erase(S)
    room = await rows.room(S)
    assert (room.rows, room.lease) == ((), None)
    assert len((await rows.room(other)).rows) == 1


async def test_a_large_room_is_read_whole(rows: Rows) -> None:
    """A room past 1 MB comes in several pages, all of them."""
    fragment = b'"' + b"x" * 6000 + b'"'
    peers = [f"u{i}.tab00001" for i in range(200)]
    for peer in peers:
        await rows.attach(row(peer))
        await rows.put_state(S, peer, "c1=", (1, 1), fragment, NOW)
    room = await rows.room(S)
    assert sorted(r.peer_id for r in room.rows) == sorted(peers)


async def test_a_media_nodes_connection(rows: Rows) -> None:
    """It is told apart from a participant's, and ends like one."""
    node = NodeConnection("n1=", "node_" + "0" * 12)
    await rows.put_connection(node, NOW)
    assert await rows.connection("n1=") == node
    await rows.delete_connection("n1=")
    assert await rows.connection("n1=") is None


async def test_who_can_be_offered_to(rows: Rows) -> None:
    """It is kept when a peer resumes, not when it begins anew; nobody is made by it."""
    assert not await rows.set_rtc(S, "ada.tab00001", True)
    assert (await rows.room(S)).rows == ()
    await rows.attach(row())
    assert await rows.set_rtc(S, "ada.tab00001", True)
    await rows.attach(row(connection="c2=", at_ms=NOW + 2000))
    assert (await rows.room(S)).rows[0].rtc
    assert await rows.set_rtc(S, "ada.tab00001", False)
    assert not (await rows.room(S)).rows[0].rtc
    await rows.set_rtc(S, "ada.tab00001", True)
    later = NOW + limits.PRESENCE_TTL_S * 1000 + 2001
    assert not await rows.attach(row(connection="c3=", at_ms=later))
    assert not (await rows.room(S)).rows[0].rtc


async def test_some_peers(rows: Rows) -> None:
    """As the room has them, with their newest states; who is not there is left out, and so is one who is named twice."""
    for name in ("ada", "bob", "cyd"):
        await rows.attach(row(f"{name}.tab00001", f"c-{name}="))
    await rows.put_state(S, "bob.tab00001", "c-bob=", (1, 7), b'{"x":1}', NOW + 9)
    asked = ("ada.tab00001", "bob.tab00001", "dan.tab00001", "ada.tab00001")
    room = {r.peer_id: r for r in (await rows.room(S)).rows}
    assert await rows.peers(S, asked) == {i: room[i] for i in ("ada.tab00001", "bob.tab00001")}
    assert await rows.peers("ses_" + "b" * 20, ("ada.tab00001",)) == {}


async def test_who_resumes_is_seen_on_but_reached_once_it_has_entered(rows: Rows) -> None:
    """Between the handshake and `room.enter` the others must not see it leave, and no frame may be posted to it."""
    peer = "ada.tab00001"
    await rows.attach(row())
    await rows.enter(S, peer, "c1=", NOW)
    await rows.leave(S, peer, "c1=", NOW + 5000)
    assert await rows.attach(row(connection="c2=", at_ms=NOW + 2000))
    (found,) = (await rows.room(S)).rows
    assert (found.visible(NOW + 2000), found.reachable(NOW + 2000)) == (True, False)
    assert await rows.enter(S, peer, "c2=", NOW + 2500)
    (found,) = (await rows.room(S)).rows
    assert (found.visible(NOW + 2500), found.reachable(NOW + 2500)) == (True, True)


async def test_who_begins_anew_is_not_seen_before_it_enters(rows: Rows) -> None:
    """Whatever it was before."""
    await rows.attach(row())
    await rows.enter(S, "ada.tab00001", "c1=", NOW)
    later = NOW + limits.PRESENCE_TTL_S * 1000 + 1
    assert not await rows.attach(row(connection="c2=", at_ms=later))
    (found,) = (await rows.room(S)).rows
    assert (found.entered, found.resuming) == (False, False)
