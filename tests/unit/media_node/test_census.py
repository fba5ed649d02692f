"""Who is in a session: by the rows, by what was pushed meanwhile, and looked up anew where somebody is unknown."""

import pytest

from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.types import Role
from media_node.census import Census
from tests.fakes.relay import SESSION, FakeRegistry, row
from tests.fakes.time import VirtualTime


class Watched:
    """A census of a session with Ada in it."""

    def __init__(self) -> None:
        self.time = VirtualTime()
        self.registry = FakeRegistry(rows=[row("ada"), row("eve", Role.VIEWER)])
        self.census = Census(SESSION, self.registry, self.time.now_ms)

    async def editors(self, *connections: str) -> dict[str, bool]:
        """Who may edit, as a drainer is told."""
        found = await self.census.listeners(frozenset(connections))
        return {listener.user_id: listener.may_edit for listener in found}


async def test_what_is_known_is_read_again_after_a_second() -> None:
    """Not for every round."""
    watched = Watched()
    assert await watched.editors("c-ada") == {"ada": True, "eve": False}
    watched.time.at_ms += 900
    await watched.editors("c-ada")
    assert watched.registry.reads == 1
    watched.time.at_ms += 200
    await watched.editors("c-ada")
    assert watched.registry.reads == 2


async def test_somebody_unknown_is_looked_for_at_once_but_not_again_and_again() -> None:
    """Whoever has just come is there; whoever is nobody's costs one read in a while."""
    watched = Watched()
    await watched.editors("c-ada")
    watched.time.at_ms += 150
    watched.registry.rows.append(row("bob"))
    assert (await watched.editors("c-bob"))["bob"]
    await watched.editors("c-ghost")
    assert watched.registry.reads == 2


async def test_a_role_that_was_pushed_counts_until_the_rows_must_have_it() -> None:
    """And then the rows do."""
    watched = Watched()
    await watched.editors()
    watched.census.change_role("ada", Role.VIEWER)
    assert await watched.editors() == {"ada": False, "eve": False}
    watched.time.at_ms += 1100
    assert (await watched.editors())["ada"] is False
    watched.time.at_ms += 3000
    assert (await watched.editors())["ada"] is True


async def test_whoever_was_removed_is_gone_at_once() -> None:
    """Though the rows still have them."""
    watched = Watched()
    await watched.editors()
    watched.census.remove("eve")
    assert await watched.editors() == {"ada": True}
    watched.time.at_ms += 1100
    assert await watched.editors("c-eve") == {"ada": True}


async def test_who_has_no_connection_is_told_nothing() -> None:
    """A cursor by REST is nobody's WebSocket."""
    watched = Watched()
    assert len(await watched.census.listeners(frozenset())) == 2
    assert set(watched.census.rows) == {"ada.tab00001", "eve.tab00001"}


async def test_a_database_that_is_away_is_said_so() -> None:
    """Nobody may commit on what is not known."""
    watched = Watched()
    watched.registry.away = AppError(Code.UPSTREAM_UNAVAILABLE)
    with pytest.raises(AppError):
        await watched.editors()
