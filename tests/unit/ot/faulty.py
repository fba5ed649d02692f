"""Editors and a real committer over a network that loses, doubles, delays and reorders; and editors that die.

Time is a number that the test moves on. Everything that crosses the network is encoded and decoded as the wire has it.
"""

import asyncio
import heapq
import random
from collections.abc import Mapping

import msgspec

from chalicelib.documents.committer import Committer
from chalicelib.documents.model import Reason, Record, Refused, Submission
from chalicelib.ot.apply import apply_all
from chalicelib.ot.editor import Editor
from chalicelib.ot.state import Entity
from chalicelib.ot.sugar import plain
from chalicelib.wire.codes import Code
from chalicelib.wire.decode import decode_client_message, decode_server_message
from chalicelib.wire.documents import DocumentKind, EntityState, SharedDocument, Snapshot
from chalicelib.wire.messages import DocCommits, DocFetch, ErrorMessage, OpAck, OpCommitted, OpRejected, OpSubmit
from chalicelib.wire.operations import Add, Create, Cut, Delete, Move, Operation, Restore, Set, Text
from tests.fakes.documents import MemoryLog

DOCUMENT = "doc_" + "a" * 20
SHARED = "shared00.1"
CODES = {
    Reason.BASE_AHEAD: Code.BASE_AHEAD,
    Reason.BASE_TOO_OLD: Code.BASE_TOO_OLD,
    Reason.BASE_BEHIND_OWN: Code.BASE_BEHIND_OWN,
}


def replayed(records: list[Record]) -> dict[str, Entity]:
    """The state that a log makes."""
    entities: dict[str, Entity] = {}
    for record in records:
        apply_all(entities, record.operations)
    return entities


def snapshot_of(records: list[Record], head: int | None = None) -> Snapshot:
    """What `GET /documents/{id}` answers."""
    return Snapshot(
        document=SharedDocument(
            document_id=DOCUMENT,
            session_id="ses_" + "a" * 20,
            name="Scene",
            kind=DocumentKind.SCENE,
            created_at_ms=0,
            created_by="ada",
        ),
        revision=len(records),
        head=len(records) if head is None else head,
        entities={
            key: EntityState(alive=e.alive, parent=e.parent, order=e.order, props=e.props)
            for key, e in replayed(records).items()
        },
    )


class Seat:
    """One editor, what it keeps on disk, and what it has made."""

    def __init__(self, client: str) -> None:
        self.client = client
        self.editor = Editor(DOCUMENT, client)
        self.disk = self.editor.saved()
        self.connection = 0
        self.connected = False
        self.made = 0
        self.tokens: list[str] = []
        self.acknowledged: set[int] = set()


class World:
    """Three seats, one log, and everything that may go wrong between them."""

    def __init__(self, seed: int, page: int = 3) -> None:
        self.rng = random.Random(seed)
        self.page = page
        self.now_ms = 0
        self.faults = 0.15
        self.refusals = 0.05
        self.log = MemoryLog()
        self.committer = Committer(self.log, now_ms=lambda: self.now_ms, jitter=lambda: 0.0)
        self.seats = [Seat(f"editor0{i}") for i in range(3)]
        self.refused: set[tuple[str, int]] = set()
        self._network: list[tuple[int, int, int, int, bytes, bool]] = []
        self._count = 0

    @property
    def silent(self) -> bool:
        """Whether nothing is on its way."""
        return not self._network

    @property
    def records(self) -> list[Record]:
        """The log."""
        return self.log.logs.setdefault(DOCUMENT, [])

    # -- the network --

    def carry(self, seat: Seat, message: msgspec.Struct, *, up: bool) -> None:
        """Lost, doubled, late: or none of it."""
        copies = 1
        if self.rng.random() < self.faults:
            copies = self.rng.choice((0, 0, 2))
        for _ in range(copies):
            late = self.rng.random() < self.faults
            due = self.now_ms + self.rng.randrange(5, 3000 if late else 60)
            self._count += 1
            raw = msgspec.json.encode(message)
            item = (due, self._count, self.seats.index(seat), seat.connection, raw, up)
            heapq.heappush(self._network, item)

    async def deliver(self) -> None:
        """All that is due. What goes to a connection that is gone is lost; what comes from one may still arrive."""
        batch: list[tuple[Seat, OpSubmit]] = []
        while self._network and self._network[0][0] <= self.now_ms:
            _, _, place, connection, raw, up = heapq.heappop(self._network)
            seat = self.seats[place]
            if up:
                sent = decode_client_message(raw)
                if isinstance(sent, OpSubmit):
                    batch.append((seat, sent))
                elif isinstance(sent, DocFetch):
                    self._answer(seat, sent)
            elif seat.connected and connection == seat.connection:
                message = decode_server_message(raw)
                assert isinstance(message, OpAck | OpCommitted | OpRejected | DocCommits | ErrorMessage)
                if isinstance(message, OpAck):
                    seat.acknowledged.add(message.operation.seq)
                seat.editor.receive(message, self.now_ms)
        await asyncio.gather(*(self._commit(seat, submit) for seat, submit in batch))

    # -- the server --

    def _answer(self, seat: Seat, fetch: DocFetch) -> None:
        if self.rng.random() < self.refusals:
            self.carry(seat, self._error(fetch.id), up=False)
            return
        commits = tuple(self.records[fetch.since : fetch.since + self.page])
        answer = DocCommits(document_id=DOCUMENT, since=fetch.since, head=len(self.records), commits=commits)
        self.carry(seat, answer, up=False)

    def _error(self, request: str | None) -> ErrorMessage:
        return ErrorMessage(id=request, code=Code.RATE_LIMITED, message="", correlation_id="c", retry_after_ms=200)

    async def _commit(self, seat: Seat, submit: OpSubmit) -> None:
        head = len(self.records)
        chance = self.rng.random()
        known = any((r.client, r.seq) == (submit.client, submit.seq) for r in self.records)
        if (submit.client, submit.seq) in self.refused or (chance < self.refusals and not known):
            self.refused.add((submit.client, submit.seq))  # whoever may not, may not later either
            self._reject(seat, submit, Code.ROLE_INSUFFICIENT)
        elif chance < 2 * self.refusals:
            self._reject(seat, submit, self.rng.choice((Code.DOCUMENT_BUSY, Code.BASE_TOO_OLD, Code.BASE_AHEAD)))
        elif chance < 3 * self.refusals:
            self.carry(seat, self._error(submit.id), up=False)
        else:
            submission = Submission(
                client=submit.client,
                seq=submit.seq,
                base=submit.base,
                user_id=submit.client,
                operations=plain(submit.operations, submit.client, submit.seq),
            )
            try:
                record = await self.committer.submit(DOCUMENT, submission)
            except Refused as exc:
                self._reject(seat, submit, CODES[exc.reason])
                return
            self.carry(seat, OpAck(document_id=DOCUMENT, operation=record, transformed=False), up=False)
            if record.revision > head:
                for each in self.seats:
                    told = OpCommitted(document_id=DOCUMENT, head=len(self.records), commits=(record,))
                    self.carry(each, told, up=False)

    def _reject(self, seat: Seat, submit: OpSubmit, code: Code) -> None:
        self.carry(
            seat,
            OpRejected(
                document_id=DOCUMENT,
                client=submit.client,
                seq=submit.seq,
                code=code,
                message="",
                correlation_id="c",
                operations=submit.operations,
            ),
            up=False,
        )

    # -- the editors --

    def poll(self, seat: Seat) -> int | None:
        """Sends what is to be sent, having stored the state before."""
        messages, wake = seat.editor.poll(self.now_ms)
        if messages:
            seat.disk = seat.editor.saved()
        for message in messages:
            self.carry(seat, message, up=True)
        again = seat.editor.poll(self.now_ms)
        assert again == ((), wake), "nothing is due twice at one moment"
        assert wake is None or wake > self.now_ms, "nobody wakes at once, again and again"
        return wake

    def connect(self, seat: Seat) -> None:
        """A new connection."""
        seat.connection += 1
        seat.connected = True
        seat.editor.reconnected(self.now_ms)

    def disconnect(self, seat: Seat) -> None:
        """The connection is lost."""
        seat.connected = False
        seat.editor.disconnected()

    def restart(self, seat: Seat) -> None:
        """The process dies, and another begins with what was stored; perhaps with a snapshot, perhaps an old one."""
        self.disconnect(seat)
        seat.editor = Editor.restore(seat.disk)
        self.snapshot(seat)

    def snapshot(self, seat: Seat) -> None:
        """Somebody loads a snapshot, or does not."""
        if self.rng.random() < 0.7:
            upto = self.rng.randint(0, len(self.records))
            seat.editor.load(snapshot_of(self.records[:upto], len(self.records)))

    def edit(self, seat: Seat) -> None:
        """One transaction: now and then with an entry in the shared book, which nothing overrides."""
        if not seat.editor.ready:
            return
        entities = seat.editor.entities
        made: list[Operation] = [something(self.rng, seat, entities) for _ in range(self.rng.randint(1, 2))]
        if SHARED in entities and self.rng.random() < 0.6:
            seat.made += 1
            token = f"<{seat.client}:{seat.made}>"
            seat.tokens.append(token)
            length = len(entities[SHARED].props["t"])
            at = self.rng.choice([0, length])
            edit = (at, token) if at else (token,)
            made += [Add(id=SHARED, path=("n",), by=1), Text(id=SHARED, path=("t",), edit=edit)]
        seat.editor.edit(made)
        seat.disk = seat.editor.saved()


def something(rng: random.Random, seat: Seat, entities: Mapping[str, Entity]) -> Operation:
    """Any operation on what everybody quarrels about."""
    ids = sorted(each for each in entities if each != SHARED)
    kind = rng.choice(("create", "set", "set", "absent", "add", "text", "text", "move", "delete", "restore"))
    if kind == "create" or not ids:
        seat.made += 1
        parent = rng.choice([None, *ids])
        return Create(id=f"{seat.client}.{seat.made}", parent=parent, props={"t": "hello", "n": 1})
    entity_id = rng.choice(ids)
    path = rng.choice((("t",), ("t",), ("n",), ("a", "b"), ("a",)))
    if kind == "move":
        others = [each for each in ids if each != entity_id]
        return Move(id=entity_id, parent=rng.choice([None, *others]), order=rng.choice("AVz"))
    if kind == "delete":
        return Delete(id=entity_id)
    if kind == "restore":
        return Restore(id=entity_id)
    if kind == "add":
        return Add(id=entity_id, path=path, by=rng.randint(-3, 3))
    if kind == "absent":
        return Set(id=entity_id, path=path, absent=True)
    if kind == "text":
        old = entities[entity_id].props.get("t")
        length = len(old) if isinstance(old, str) else 0
        at = rng.randint(0, length)
        if length > at and rng.random() < 0.4:
            cut = Cut(rng.randint(1, length - at))
            return Text(id=entity_id, path=("t",), edit=(at, cut) if at else (cut,))
        return Text(id=entity_id, path=("t",), edit=(at, rng.choice(("é", "😀x"))) if at else ("ab",))
    return Set(id=entity_id, path=path, value=rng.choice((1, 2.5, "text", {"b": 1}, [1, 0])))
