"""Editors over a network that does everything wrong: what zero data loss means, whatever happens (Z1, Z2, Z6, Z7)."""

import os
from collections import Counter

import pytest

from chalicelib.ot.canonical import state_hash
from chalicelib.wire.operations import Create, Operation, Text
from tests.unit.ot.faulty import SHARED, Seat, World, replayed

FIRST = int(os.environ.get("OT_FUZZ_SEED", "0"))
SEEDS = range(FIRST, FIRST + int(os.environ.get("OT_FUZZ_ROUNDS", "200")) // 10)


@pytest.mark.parametrize("seed", SEEDS)
async def test_nothing_is_lost_and_nothing_is_done_twice(seed: int) -> None:
    """Losses, copies, delays, refusals, reconnects and restarts; then quiet, and everybody has what the log has."""
    world = World(seed)
    await begin(world)
    for _ in range(250):
        world.now_ms += world.rng.choice((1, 10, 50, 400))
        seat = world.rng.choice(world.seats)
        chance = world.rng.random()
        if chance < 0.5:
            world.edit(seat)
        elif chance < 0.53:
            world.disconnect(seat)
        elif chance < 0.58:
            world.connect(seat)
        elif chance < 0.61:
            world.restart(seat)
        elif chance < 0.63:
            world.snapshot(seat)
        for each in world.seats:
            world.poll(each)
        await world.deliver()
    await settle(world)
    check(world)


async def begin(world: World) -> None:
    """The shared book is in the log before anything goes wrong."""
    maker = Seat("shared00")
    maker.editor.edit([Create(id=SHARED, props={"t": "|", "n": 0})])
    world.seats.append(maker)
    faults, refusals = world.faults, world.refusals
    world.faults = world.refusals = 0.0
    await quiet(world)
    world.faults, world.refusals = faults, refusals
    world.seats.remove(maker)


async def quiet(world: World) -> None:
    """Everybody is connected; nothing goes wrong until nothing is left to do."""
    for each in world.seats:
        world.connect(each)
    for _ in range(20_000):
        wakes = [world.poll(each) for each in world.seats]
        await world.deliver()
        world.now_ms += 20
        if not any(wakes) and world.silent and all(each.editor.settled for each in world.seats):
            return
    raise AssertionError([each.editor.saved() for each in world.seats])


async def settle(world: World) -> None:
    """What is still on its way arrives, and all catch up."""
    world.faults = world.refusals = 0.0
    await quiet(world)
    await quiet(world)


def check(world: World) -> None:
    """All the promises."""
    records = world.records
    state = replayed(records)
    assert [r.revision for r in records] == list(range(1, len(records) + 1))
    assert max(Counter((r.client, r.seq) for r in records).values()) == 1, "a transaction is in the log once"
    text, rejected = state[SHARED].props["t"], 0
    for seat in world.seats:
        editor = seat.editor
        assert state_hash(dict(editor.entities)) == state_hash(state), seat.client
        assert editor.current
        assert editor.settled
        assert editor.ready
        refused = [t for each in editor.rejected for t in tokens((*each.operations, *each.along))]
        rejected += len(refused)
        for token in seat.tokens:
            assert text.count(token) + refused.count(token) == 1, f"{token} is neither lost nor there twice"
        assert seat.acknowledged <= {r.seq for r in records if r.client == seat.client}
    assert state[SHARED].props["n"] == sum(len(seat.tokens) for seat in world.seats) - rejected


def tokens(operations: tuple[Operation, ...]) -> list[str]:
    """The entries in the book that operations make; composed ones make many."""
    found = []
    for operation in operations:
        if isinstance(operation, Text) and operation.id == SHARED:
            written = "".join(step for step in operation.edit if isinstance(step, str))
            found += [f"<{each}" for each in written.split("<")[1:]]
    return found
