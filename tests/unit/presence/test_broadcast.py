"""The broadcaster: one at a time, nothing untold, whatever is killed. On a clock that is moved by hand."""

import asyncio
from dataclasses import replace

import pytest

from chalicelib.presence.broadcast import Broadcaster
from chalicelib.presence.model import Lease, Row
from chalicelib.wire import limits
from chalicelib.wire.decode import decode_server_message
from chalicelib.wire.messages import PresenceFrame
from tests.fakes.presence import Clock, MemoryRows, MemorySender
from tests.unit.presence.test_frames import S, row, state


class House:
    """A room's rows, a sender, and as many containers as a test asks for."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.rows = MemoryRows()
        self.sender = MemorySender()
        self.gone: list[str] = []
        self._ids = 0

    def container(self) -> Broadcaster:
        """A broadcaster with a memory of its own."""
        return Broadcaster(
            self.rows, self.sender, self._on_gone, now_ms=self.clock, new_id=self._new_id, sleep=self.clock.sleep
        )

    def put(self, peer: Row) -> None:
        self.rows.rows[S, peer.peer_id] = replace(peer, seen_at_ms=self.clock.ms)

    def move(self, name: str, counter: int) -> None:
        key = (S, f"{name}.tab00001")
        self.rows.rows[key] = replace(
            self.rows.rows[key], counter=counter, fragment=state(key[1], counter), seen_at_ms=self.clock.ms
        )

    def frames(self, connection: str) -> list[PresenceFrame]:
        decoded = [decode_server_message(data) for data in self.sender.to(connection)]
        return [d for d in decoded if isinstance(d, PresenceFrame)]

    async def _on_gone(self, peer: Row) -> None:
        self.gone.append(peer.peer_id)

    def _new_id(self) -> str:
        self._ids += 1
        return f"h{self._ids}"


@pytest.fixture
def house() -> House:
    """Two people, one of whom has moved."""
    made = House()
    made.put(row("ada", 1))
    made.put(row("bob"))
    return made


async def test_one_change_is_told_to_everyone(house: House) -> None:
    """Whoever writes first becomes the broadcaster, tells everyone, and ends when the room is quiet."""
    await house.container().ensure(S)
    assert [s.counter for f in house.frames("c-ada") for s in f.states] == [1]
    assert [s.counter for f in house.frames("c-bob") for s in f.states] == [1]
    lease = house.rows.leases[S]
    assert lease.until_ms < house.clock.ms


async def test_many_changes_make_one_post_a_tick(house: House) -> None:
    """Ten writes within a tick reach a recipient as one frame with the newest state."""
    task = asyncio.create_task(house.container().ensure(S))
    await asyncio.sleep(0)
    for counter in range(2, 12):
        house.move("ada", counter)
    await task
    counters = [s.counter for f in house.frames("c-bob") for s in f.states]
    assert counters[-1] == 11
    assert len(house.frames("c-bob")) <= 2


async def test_the_others_only_write(house: House) -> None:
    """While one container broadcasts, another's `ensure` returns at once, and asks the table only once."""
    serving = asyncio.create_task(house.container().ensure(S))
    await asyncio.sleep(0)
    other = house.container()
    before = house.clock.ms
    await other.ensure(S)
    reads = house.rows.reads
    await other.ensure(S)
    assert (house.clock.ms, house.rows.reads) == (before, reads)
    await serving


async def test_nothing_is_left_untold_at_the_end(house: House) -> None:
    """At every moment of a broadcaster's life a write that relies on its promise is told by it."""
    for late_ms in range(0, 4200, 50):
        house = House()
        house.put(row("ada", 1))
        house.put(row("bob"))
        serving = asyncio.create_task(house.container().ensure(S))
        other = house.container()
        start = house.clock.ms
        while house.clock.ms < start + late_ms and not serving.done():  # noqa: ASYNC110 - the clock moves by hand
            await asyncio.sleep(0)
        house.move("ada", 2)
        await other.ensure(S)
        await serving
        assert [s.counter for f in house.frames("c-bob") for s in f.states][-1] == 2, late_ms


async def test_a_killed_broadcaster_is_replaced(house: House) -> None:
    """When the holder dies its lease runs out, and the next writer tells everything, its own change and the dead one's."""
    house.rows.leases[S] = Lease("dead", house.clock.ms + limits.BROADCAST_LEASE_MS)
    writer = house.container()
    await writer.ensure(S)
    assert house.frames("c-bob") == []
    house.clock.ms += limits.BROADCAST_LEASE_MS
    house.move("ada", 5)
    await writer.ensure(S)
    assert house.frames("c-bob")[0].full
    assert [s.counter for f in house.frames("c-bob") for s in f.states][-1] == 5


async def test_a_broadcaster_hands_over_before_the_integration_times_out(house: House) -> None:
    """In a room that never rests, one invocation serves no longer than it may, and the next goes on."""
    first = house.clock.ms
    running = True

    async def never_rest() -> None:
        counter = 2
        while running:
            house.move("ada", counter)
            counter += 1
            await asyncio.sleep(0)

    mover = asyncio.create_task(never_rest())
    await house.container().ensure(S)
    assert 20_000 < house.clock.ms - first < limits.INTEGRATION_TIMEOUT_S * 1000 - 2000
    running = False
    await mover
    await house.container().ensure(S)
    assert house.rows.leases[S].holder != "h1"


async def test_a_slow_recipient_delays_nobody(house: House) -> None:
    """A post that hangs holds up only its own recipient, who gets the newest state when it is free."""
    house.sender.stuck["c-bob"] = asyncio.Event()
    task = asyncio.create_task(house.container().ensure(S))
    for counter in range(2, 6):
        house.move("ada", counter)
        for _ in range(30):
            await asyncio.sleep(0)
    assert [s.counter for f in house.frames("c-ada") for s in f.states][-1] == 5
    assert house.frames("c-bob") == []
    house.sender.stuck.pop("c-bob").set()
    await task
    assert [s.counter for f in house.frames("c-bob") for s in f.states][-1] == 5


async def test_a_connection_that_is_gone_leaves(house: House) -> None:
    """410 instead of a $disconnect: the peer has its grace, then the others are told and its row is removed."""
    house.sender.gone.add("c-bob")
    await house.container().ensure(S)
    assert house.gone == ["bob.tab00001"]
    assert house.frames("c-ada")[-1].left == ("bob.tab00001",)
    assert [r.peer_id for r in (await house.rows.room(S)).rows] == ["ada.tab00001"]


async def test_a_failed_post_is_made_good(house: House) -> None:
    """A post that did not arrive is followed by a full frame once the recipient answers again."""
    house.sender.failing.add("c-bob")
    task = asyncio.create_task(house.container().ensure(S))
    for _ in range(100):
        await asyncio.sleep(0)
    house.sender.failing.clear()
    await task
    assert house.frames("c-bob")[0].full


async def test_grace_keeps_the_broadcaster(house: House) -> None:
    """Somebody's leaving is told when their grace ends, though nothing else happens in the room."""
    bob = house.rows.rows[S, "bob.tab00001"]
    house.rows.rows[S, "bob.tab00001"] = replace(bob, leaving_at_ms=house.clock.ms + limits.LEAVE_GRACE_S * 1000)
    await house.container().ensure(S)
    assert house.frames("c-ada")[-1].left == ("bob.tab00001",)
    assert house.gone == ["bob.tab00001"]


async def test_tell_once(house: House) -> None:
    """A caller that cannot stay posts one full frame, and none while a broadcaster is at work."""
    other = house.container()
    await other.tell_once(S)
    assert [f.full for f in house.frames("c-bob")] == [True]
    house.rows.leases[S] = Lease("someone", house.clock.ms + 1000)
    await other.tell_once(S)
    await other.tell_once(S)
    assert len(house.frames("c-bob")) == 1


async def test_a_lost_lease_is_not_renewed(house: House) -> None:
    """A broadcaster that was paused past its lease finds another holder and ends by its own promise."""
    task = asyncio.create_task(house.container().ensure(S))
    await asyncio.sleep(0)
    house.rows.leases[S] = Lease("other", house.clock.ms + 60_000)
    await task
    assert house.rows.leases[S].holder == "other"


async def test_memory_of_promises_is_bounded(house: House) -> None:
    """A container that has seen very many rooms forgets old promises rather than growing."""
    container = house.container()
    container._promised = {f"s{i}": 1 for i in range(10_001)}
    await container.ensure(S)
    assert len(container._promised) <= 2
