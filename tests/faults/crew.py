"""People who edit one document through the whole system, whatever goes wrong, and write down all that they see.

Every edit has a text of its own, so that it can be looked for at the end. What comes and goes may be lost, doubled,
delayed (and so overtaken) between a client and its socket; connections are cut; clients are killed and started again
with what they had saved.
"""

import asyncio
import random
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from benchmarks.client import Api, Person, Refused
from benchmarks.editor import DocumentClient, Way, scene_of
from chalicelib.ot.canonical import state_hash
from chalicelib.ot.state import Entity
from chalicelib.wire.documents import Commit, OperationPage, OperationResult, Snapshot, SubmitOperations
from chalicelib.wire.messages import DocCommits, OpAck, OpCommitted, OpRejected, OpSubmit
from chalicelib.wire.operations import Add, Create, Delete, Move, Operation, Restore, Set, Text
from tests.faults.checker import Acked, Ending, History, Loaded, Read, Rejected, Submitted, Told, Violation, check

THINGS: Final = ("t1", "t2", "t3")
PATIENCE_S: Final = 90.0


@dataclass(slots=True)
class Line:
    """What the way between a client and its socket does to a message: how often it is lost, doubled or late."""

    lost: float = 0.0
    doubled: float = 0.0
    late: float = 0.0
    late_s: float = 0.4


@dataclass(slots=True)
class Member:
    """One client, over all its lives."""

    who: Person
    client: DocumentClient
    saved: bytes = b""
    made: list[str] = field(default_factory=list)
    dead: bool = False

    @property
    def name(self) -> str:
        """Its name in the log."""
        return self.client.editor.client


class Crew:
    """Several members in one session, and the history of what they see. `async with await Crew.gather(...)`."""

    def __init__(self, api: Api, session_id: str, seed: int) -> None:
        self.api = api
        self.session_id = session_id
        self.document_id = scene_of(session_id)
        self.history = History()
        self.line = Line()
        self.rng = random.Random(seed)
        self.members: list[Member] = []
        self._newest_acked = 0

    @classmethod
    async def gather(cls, api: Api, seed: int, count: int = 3) -> "Crew":
        """A session with so many editors, and the things that all of them reach for."""
        people = [await api.guest(f"P{n}") for n in range(count)]
        session = await api.create(people[0], "Under fire")
        crew = cls(api, session.session_id, seed)
        for person in people:
            await crew._join(person)
        maker = crew.members[0]
        await crew.edit(maker, *(Create(id=crew.thing(key), props={"n": 0, "t": "|"}) for key in THINGS))
        await maker.client.settled()
        return crew

    async def __aenter__(self) -> "Crew":
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(member.client.close() for member in self.members))

    def thing(self, key: str) -> str:
        """The id of something shared."""
        return f"{self.members[0].name}.{key}"

    # -- what they do --

    async def edit(self, member: Member, *operations: Operation) -> None:
        """One transaction; waits while its client may not be edited."""
        await member.client.edit(operations)

    async def work(self, steps: int, pause_s: float = 0.02) -> None:
        """Everybody makes so many random edits."""
        await asyncio.gather(*(self._work(member, steps, pause_s) for member in self.members))

    async def fill(self, body: dict[str, Any]) -> int:
        """A commit by REST, sent again until it is answered. Its revision."""
        sent = msgspec.convert(body, SubmitOperations)
        self.history.events.append(Submitted((sent.client, sent.seq), tuple(sent.operations)))  # type: ignore[arg-type]
        path = f"/documents/{self.document_id}/operations"
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    done = await self.api.call("POST", path, self.members[0].who, body, OperationResult)
                except Refused as exc:
                    if exc.status < 500 and exc.status != 429:
                        raise
                    await asyncio.sleep(0.05)
                else:
                    self.history.events.append(Acked((sent.client, sent.seq), done.operation.revision))
                    return done.operation.revision

    async def cut(self, member: Member) -> None:
        """Its connection breaks, without a word."""
        peer = member.client.peer
        if peer is not None:
            raw = peer.socket.get_extra_info("socket")
            if raw is not None:
                raw.shutdown(socket.SHUT_RDWR)

    async def restart(self, member: Member) -> None:
        """Its process is killed, and started again with what it had saved."""
        member.dead = True
        await member.client.close()
        member.client = await self._open(member.who, member, member.saved)
        member.dead = False

    async def read(self) -> None:
        """Somebody reads the head, which may not be older than what was acknowledged before."""
        floor = self._newest_acked
        try:
            found = await self._snapshot(None)
        except Refused:
            return  # the system says that it cannot; that is no lie
        self.history.events.append(Read(floor, found.revision, _hash(found)))

    # -- what became of it --

    async def verdict(self) -> list[Violation]:
        """When all is quiet: reads everything back, and judges."""
        self.line = Line()
        for member in self.members:
            await member.client.settled(PATIENCE_S)
        head = (await self._snapshot(None)).revision
        for member in self.members:
            editor = member.client.editor
            await member.client.until(lambda editor=editor: editor.current and editor.revision >= head, PATIENCE_S)  # type: ignore[misc]
        self.history.log = await self._log()
        revisions = {0, head, *self.rng.sample(range(head + 1), min(12, head + 1))}
        for revision in revisions:
            self.history.snapshots[revision] = _hash(await self._snapshot(revision))
        for member in self.members:
            kept = tuple(o for each in member.client.editor.rejected for o in (*each.operations, *each.along))
            self.history.endings[member.name] = Ending(
                hash=state_hash(dict(member.client.editor.entities)),
                pending=not member.client.editor.settled,
                kept=kept,
                made=tuple(member.made),
            )
        return check(self.history)

    async def _log(self) -> list[Commit]:
        log: list[Commit] = []
        while True:
            path = f"/documents/{self.document_id}/operations?since={len(log)}&limit=100"
            page = await self.api.call("GET", path, self.members[0].who, None, OperationPage)
            log += page.operations
            if len(log) >= page.head:
                return log

    async def _snapshot(self, revision: int | None) -> Snapshot:
        query = "" if revision is None else f"?revision={revision}"
        return await self.api.call("GET", f"/documents/{self.document_id}{query}", self.members[0].who, None, Snapshot)

    # -- one member --

    async def _join(self, person: Person) -> None:
        member = Member(person, None)  # type: ignore[arg-type]
        member.client = await self._open(person, member, None)
        self.members.append(member)

    async def _open(self, person: Person, member: Member, saved: bytes | None) -> DocumentClient:
        def keep(data: bytes) -> None:
            if not member.dead:
                member.saved = data

        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    client = await DocumentClient.open(
                        self.api,
                        person,
                        self.session_id,
                        saved=saved,
                        save=keep,
                        faults=lambda way, message: self._way(member, way, message),
                    )
                    break
                except Refused as exc:
                    if exc.status < 500 and exc.status != 429:
                        raise
                except OSError:
                    pass
                await asyncio.sleep(0.2)
        self.history.events.append(Loaded(client.editor.client, client.editor.revision))
        load = client.editor.load

        def loading(snapshot: Snapshot) -> None:
            load(snapshot)
            self.history.events.append(Loaded(client.editor.client, client.editor.revision))

        client.editor.load = loading  # type: ignore[method-assign]
        return client

    async def _work(self, member: Member, steps: int, pause_s: float) -> None:
        for _ in range(steps):
            mark = f"<{member.name}.{len(member.made)}>"
            member.made.append(mark)
            await self.edit(member, *self._random(member, mark))
            await asyncio.sleep(self.rng.random() * 2 * pause_s)

    def _random(self, member: Member, mark: str) -> list[Operation]:
        """An edit whose mark nothing overrides, beside one that others meet."""
        rng, thing = self.rng, self.thing(self.rng.choice(THINGS))
        if rng.random() < 0.5:
            marked: Operation = Text(id=self.thing("t1"), path=("t",), edit=(mark,))
        else:
            marked = Create(id=member.client.new_id(), props={"mark": mark})
        beside: Sequence[Operation] = rng.choice(
            (
                (Set(id=thing, path=("a",), value=rng.randrange(1000)),),
                (Set(id=thing, path=("b",), value=[rng.randrange(1000), 0, 0]), Add(id=thing, path=("n",), by=1)),
                (Delete(id=thing),),
                (Restore(id=thing),),
                (Move(id=thing, parent=None, order=rng.choice(("A", "V", "k"))),),
            )
        )
        return [marked, *beside]

    def _way(self, member: Member, _way: Way, message: msgspec.Struct) -> Iterable[float]:
        """Writes down what passes, and what happens to it on its way."""
        self._note(member.name, message)
        rng, line = self.rng, self.line
        copies = 0 if rng.random() < line.lost else 2 if rng.random() < line.doubled else 1
        return [rng.random() * line.late_s if rng.random() < line.late else 0.0 for _ in range(copies)]

    def _note(self, name: str, message: msgspec.Struct) -> None:
        events = self.history.events
        if isinstance(message, OpSubmit):
            events.append(Submitted((message.client, message.seq), tuple(message.operations)))  # type: ignore[arg-type]
        elif isinstance(message, OpAck):
            operation = message.operation
            self._newest_acked = max(self._newest_acked, operation.revision)
            events += [Acked((operation.client, operation.seq), operation.revision), Told(name, (operation,))]
        elif isinstance(message, OpRejected):
            events.append(Rejected((message.client, message.seq), message.code, message.operations))
        elif isinstance(message, OpCommitted | DocCommits):
            events.append(Told(name, message.commits))


def _hash(found: Snapshot) -> str:
    entities = {
        key: Entity(alive=e.alive, parent=e.parent, order=e.order, props=e.props) for key, e in found.entities.items()
    }
    return state_hash(entities)
