"""What a house knows of each of its rooms, and of whoever was verified for a link to one."""

from dataclasses import dataclass, replace

from media_node.census import Census
from media_node.model import Person
from media_node.room import Room
from media_node.ruling import Ruling


@dataclass(slots=True)
class Lodging:
    """A room, and what the house knows of it."""

    room: Room
    census: Census
    ruling: Ruling
    peopled_at_ms: int
    reachable: frozenset[str] = frozenset()
    """WebSockets that could be told at the last census."""


@dataclass(frozen=True, slots=True)
class Known:
    """Whom signalling verified, for which link, and when."""

    person: Person
    link_id: str
    at_ms: int


def as_it_is_now(known: Known, census: Census) -> Person | None:
    """Whoever was verified when they offered, with what a newer census says; None where it says that they have gone."""
    person = known.person
    row = census.rows.get(person.peer_id)
    if census.read_at_ms <= known.at_ms:
        return replace(person, role=census.pushed(person.user_id) or person.role)
    return None if row is None else replace(person, role=census.role(row), connection_id=row.connection_id)
