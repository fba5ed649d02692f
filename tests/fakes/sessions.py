"""Sessions in memory: the repository as the store keeps it, and the room's other ports, which remember what they were told.

`MemorySessions` passes the same contract suite as the real store (tests/contract/test_sessions_store.py).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import Any

from chalicelib.sessions.model import (
    Change,
    FormerRole,
    InviteRecord,
    ParticipantChange,
    ParticipantRecord,
    SessionRecord,
    changed,
)
from chalicelib.sessions.paging import Position
from chalicelib.sessions.ports import Ports
from chalicelib.sessions.service import Sessions
from chalicelib.wire import limits
from chalicelib.wire.bodies import CreateSession, JoinBody
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import ServerMessage
from chalicelib.wire.tokens import Identity
from chalicelib.wire.types import Role, SessionStatus, UserKind, Visibility


class Clock:
    """Milliseconds that pass only when told to."""

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self.ms = now_ms

    def __call__(self) -> int:
        return self.ms

    def advance_s(self, seconds: int) -> None:
        """Lets time pass."""
        self.ms += seconds * 1000


class MemorySessions:
    """The sessions table. `before` runs ahead of a named operation: for what somebody else does in between."""

    def __init__(self) -> None:
        self.sessions: dict[str, SessionRecord] = {}
        self.people: dict[tuple[str, str], ParticipantRecord] = {}
        self.former: dict[tuple[str, str], FormerRole] = {}
        self.links: dict[tuple[str, str], InviteRecord] = {}
        self.before: dict[str, Callable[[], object]] = {}
        self.down: set[str] = set()
        self._lock = RLock()

    def _meet(self, operation: str) -> None:
        if operation in self.down:
            raise AppError(Code.UPSTREAM_UNAVAILABLE, retry_after_ms=500)
        interloper = self.before.pop(operation, None)
        if interloper is not None:
            interloper()

    def create(self, record: SessionRecord) -> bool:
        self._meet("create")
        with self._lock:
            return self.sessions.setdefault(record.session_id, record) is record

    def session(self, session_id: str) -> SessionRecord | None:
        self._meet("session")
        return self.sessions.get(session_id)

    def load(self, session_id: str, user_id: str) -> tuple[SessionRecord | None, ParticipantRecord | None]:
        self._meet("load")
        with self._lock:
            return self.sessions.get(session_id), self.people.get((session_id, user_id))

    def load_many(
        self, session_ids: Iterable[str], user_id: str
    ) -> dict[str, tuple[SessionRecord, ParticipantRecord | None]]:
        self._meet("load_many")
        return {i: (self.sessions[i], self.people.get((i, user_id))) for i in session_ids if i in self.sessions}

    def change(self, record: SessionRecord, change: Change, *, now_ms: int) -> SessionRecord | None:
        self._meet("change")
        with self._lock:
            now = self._active(record.session_id)
            if now is None or now.version != record.version:
                return None
            if change.max_participants is not None and len(now.seats) > change.max_participants:
                return None
            self.sessions[record.session_id] = changed(now, change, now_ms)
            return self.sessions[record.session_id]

    def end(self, session_id: str, *, now_ms: int, seating: int | None = None) -> bool:
        self._meet("end")
        with self._lock:
            now = self._active(session_id)
            if now is None or seating not in {None, now.seating}:
                return False
            self.sessions[session_id] = replace(
                now, status=SessionStatus.ENDED, updated_at_ms=now_ms, version=now.version + 1
            )
            return True

    def erase_children(self, session_id: str) -> None:
        self._meet("erase_children")
        with self._lock:
            self.people = {k: v for k, v in self.people.items() if k[0] != session_id}
            self.links = {k: v for k, v in self.links.items() if k[0] != session_id}
            self.former = {k: v for k, v in self.former.items() if k[0] != session_id}

    def forget(self, session_id: str) -> None:
        self._meet("forget")
        self.sessions.pop(session_id, None)

    def take_seat(self, session_id: str, user_id: str) -> SessionRecord | None:
        self._meet("take_seat")
        with self._lock:
            now = self._active(session_id)
            if now is None or user_id in now.banned:
                return None
            if len(now.seats) >= now.max_participants and user_id not in now.seats:
                return None
            self.sessions[session_id] = replace(now, seats=now.seats | {user_id}, seating=now.seating + 1)
            return self.sessions[session_id]

    def free_seat(self, session_id: str, user_id: str) -> None:
        self._meet("free_seat")
        with self._lock:
            now = self.sessions.get(session_id)
            if now is not None:
                self.sessions[session_id] = replace(now, seats=now.seats - {user_id})

    def reclaim_seats(self, session_id: str, user_ids: frozenset[str], *, seating: int) -> bool:
        self._meet("reclaim_seats")
        with self._lock:
            now = self._active(session_id)
            if now is None or now.seating != seating:
                return False
            self.sessions[session_id] = replace(now, seats=now.seats - user_ids)
            return True

    def add_participant(self, person: ParticipantRecord, *, now_ms: int) -> bool:
        self._meet("add_participant")
        key = (person.session_id, person.user_id)
        with self._lock:
            known = self.people.get(key)
            if known is not None and not known.lapsed(now_ms):
                return False
            self.people[key] = person
            return True

    def update_participant(
        self, session_id: str, user_id: str, change: ParticipantChange, *, assigned_at_ms: int | None = None
    ) -> ParticipantRecord | None:
        self._meet("update_participant")
        with self._lock:
            known = self.people.get((session_id, user_id))
            if known is None or assigned_at_ms not in {None, known.assigned_at_ms}:
                return None
            fields = ("role", "name", "color", "seated_at_ms", "assigned_at_ms")
            given: dict[str, Any] = {f: getattr(change, f) for f in fields if getattr(change, f) is not None}
            if change.confirm:
                given["expires_at_s"] = None
            self.people[session_id, user_id] = replace(known, **given)
            return self.people[session_id, user_id]

    def drop_participant(self, session_id: str, user_id: str, *, only_pending: bool = False) -> None:
        self._meet("drop_participant")
        with self._lock:
            known = self.people.get((session_id, user_id))
            if known is not None and (known.expires_at_s is not None or not only_pending):
                del self.people[session_id, user_id]

    def remember_role(self, session_id: str, user_id: str, former: FormerRole, *, now_ms: int) -> None:
        self._meet("remember_role")
        self.former[session_id, user_id] = former

    def former_role(self, session_id: str, user_id: str) -> FormerRole | None:
        self._meet("former_role")
        return self.former.get((session_id, user_id))

    def participants(
        self, session_id: str, *, limit: int, after: str | None
    ) -> tuple[tuple[ParticipantRecord, ...], str | None]:
        self._meet("participants")
        ours = sorted((p for p in self.people.values() if p.session_id == session_id), key=lambda p: p.user_id)
        rest = [p for p in ours if after is None or p.user_id > after]
        page = tuple(rest[:limit])
        return page, page[-1].user_id if len(rest) > limit else None

    def participants_of(self, session_id: str, user_ids: Iterable[str]) -> tuple[ParticipantRecord, ...]:
        self._meet("participants_of")
        with self._lock:
            found = (self.people.get((session_id, user_id)) for user_id in set(user_ids))
            return tuple(p for p in found if p is not None)

    def mine(self, user_id: str, *, limit: int, after: Position | None) -> tuple[tuple[str, ...], Position | None]:
        self._meet("mine")
        return _page(
            [(p.joined_at_ms, p.session_id) for p in self.people.values() if p.user_id == user_id], limit, after
        )

    def public(self, *, limit: int, after: Position | None) -> tuple[tuple[str, ...], Position | None]:
        self._meet("public")
        listed = (s for s in self.sessions.values() if s.visibility is Visibility.PUBLIC)
        active = [(s.created_at_ms, s.session_id) for s in listed if s.status is SessionStatus.ACTIVE]
        return _page(active, limit, after)

    def put_invite(self, invite: InviteRecord) -> None:
        self._meet("put_invite")
        self.links[invite.session_id, invite.invite_id] = invite

    def invite(self, session_id: str, invite_id: str) -> InviteRecord | None:
        self._meet("invite")
        return self.links.get((session_id, invite_id))

    def invites(self, session_id: str) -> tuple[InviteRecord, ...]:
        self._meet("invites")
        with self._lock:
            return tuple(i for i in self.links.values() if i.session_id == session_id)

    def use_invite(self, session_id: str, invite_id: str, user_id: str, *, now_ms: int) -> InviteRecord | None:
        self._meet("use_invite")
        with self._lock:
            known = self.links.get((session_id, invite_id))
            if known is None or known.problem(user_id, now_ms) is not None:
                return None
            used = (
                replace(known, use_count=known.use_count + 1)
                if known.max_uses is None
                else replace(known, used_by=known.used_by | {user_id})
            )
            self.links[session_id, invite_id] = used
            return used

    def drop_invite(self, session_id: str, invite_id: str) -> bool:
        self._meet("drop_invite")
        return self.links.pop((session_id, invite_id), None) is not None

    def hold_invite_slot(self, session_id: str, invite_id: str) -> bool:
        self._meet("hold_invite_slot")
        with self._lock:
            now = self._active(session_id)
            if now is None or len(now.invites) >= limits.INVITES_PER_SESSION:
                return False
            self.sessions[session_id] = replace(now, invites=now.invites | {invite_id})
            return True

    def free_invite_slots(self, session_id: str, invite_ids: frozenset[str]) -> None:
        self._meet("free_invite_slots")
        with self._lock:
            now = self.sessions.get(session_id)
            if now is not None:
                self.sessions[session_id] = replace(now, invites=now.invites - invite_ids)

    def _active(self, session_id: str) -> SessionRecord | None:
        now = self.sessions.get(session_id)
        return now if now is not None and now.status is SessionStatus.ACTIVE else None


def _page(found: list[tuple[int, str]], limit: int, after: Position | None) -> tuple[tuple[str, ...], Position | None]:
    newest = sorted(found, reverse=True)
    rest = [f for f in newest if after is None or f < (after.at_ms, after.key)]
    page = rest[:limit]
    return tuple(key for _, key in page), Position(*page[-1]) if len(rest) > limit else None


@dataclass
class Told:
    """A RoomNotifier that remembers."""

    announced: list[ServerMessage] = field(default_factory=list)
    roles: list[tuple[str, Role]] = field(default_factory=list)
    expelled: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    def announce(self, session_id: str, message: ServerMessage) -> None:
        self.announced.append(message)

    def change_role(self, session_id: str, user_id: str, role: Role) -> None:
        self.roles.append((user_id, role))

    def expel(self, session_id: str, user_id: str, message: ServerMessage) -> None:
        self.expelled.append(user_id)

    def close(self, session_id: str, message: ServerMessage) -> None:
        self.closed.append(session_id)


@dataclass
class Connected:
    """An Occupancy that is told who is connected."""

    users: set[str] = field(default_factory=set)

    def connected_users(self, session_id: str) -> set[str]:
        return set(self.users)


@dataclass
class Feed:
    """An ActivityLog that remembers the kinds and who they were about."""

    entries: list[tuple[str, str]] = field(default_factory=list)
    details: list[dict[str, str]] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)

    def record(self, session_id: str, kind: str, user_id: str, name: str, **detail: str) -> None:
        self.entries.append((kind, user_id))
        self.details.append(detail)

    def erase(self, session_id: str) -> None:
        self.erased.append(session_id)


class Belongings:
    """Notes which sessions' belongings were removed."""

    def __init__(self) -> None:
        self.erased: list[str] = []

    def erase(self, session_id: str) -> None:
        """Notes it."""
        self.erased.append(session_id)


@dataclass
class House:
    """The whole room over fakes, and everything to look at."""

    repository: MemorySessions = field(default_factory=MemorySessions)
    told: Told = field(default_factory=Told)
    connected: Connected = field(default_factory=Connected)
    feed: Feed = field(default_factory=Feed)
    documents: Belongings = field(default_factory=Belongings)
    clock: Clock = field(default_factory=Clock)
    pauses: list[int] = field(default_factory=list)
    made: int = 0

    def __post_init__(self) -> None:
        self.ports = Ports(
            repository=self.repository,
            notifier=self.told,
            occupancy=self.connected,
            activity=self.feed,
            documents=self.documents,
            now_ms=self.clock,
            random_id=self._random_id,
            random_secret=lambda: self._random_id(22),
            pause=self.pauses.append,
        )
        self.sessions = Sessions(self.ports)

    def _random_id(self, length: int) -> str:
        self.made += 1
        return f"{self.made:0{length}d}"

    # -- people, for tests --

    def room(self, **body: Any) -> str:
        """A session owned by `ann`, who has a seat."""
        session_id = self.sessions.create(account("ann"), CreateSession(name="Room", **body)).session_id
        self.enter(session_id, "ann")
        return session_id

    def enter(self, session_id: str, *users: str) -> None:
        """Joins each of the users a second apart."""
        for user_id in users:
            self.clock.advance_s(1)
            self.sessions.join(session_id, account(user_id), JoinBody())

    def give(self, session_id: str, user_id: str, role: Role) -> None:
        """Lets somebody in with a role."""
        self.enter(session_id, user_id)
        self.sessions.people.set_role(session_id, account("ann"), user_id, role)

    def record(self, session_id: str) -> SessionRecord:
        """The session as it is stored."""
        return self.repository.sessions[session_id]


def account(user_id: str) -> Identity:
    """Somebody with an account."""
    return Identity(user_id, user_id.title(), UserKind.ACCOUNT)


def guest(user_id: str, session_id: str | None = None) -> Identity:
    """A guest, perhaps bound to one session."""
    return Identity(user_id, user_id.title(), UserKind.GUEST, session_id)
