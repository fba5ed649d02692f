"""People who edit one document while everything goes wrong, and everything that they sent, heard and read, written down."""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

import aiohttp
import msgspec

from benchmarks.client import Api, Person, Refused
from benchmarks.editor import DocumentClient, Way
from chalicelib.aws.dynamo import Dynamo
from chalicelib.documents.store import LogStore
from chalicelib.ot.editor import BEHIND, LATER
from chalicelib.ot.state import Entity
from chalicelib.wire.documents import Commit, HistoryPage, OperationPage, Snapshot
from chalicelib.wire.messages import DocCommits, OpAck, OpCommitted, OpRejected, OpSubmit
from chalicelib.wire.operations import Add, Create, Cut, Delete, Move, Operation, Restore, Set, Text
from tests.faults import history as seen
from tests.faults.history import History

T = TypeVar("T")
Weather = Callable[[random.Random, Way], Iterable[float]]
"""The delays of each copy of a message, as `benchmarks.editor.Faults` has them."""

LOST: Final = (OSError, TimeoutError, aiohttp.ClientError, msgspec.DecodeError, Refused)
DEADLINE_S: Final = 90.0
BOOK: Final = "book"
"""The entity in whose text everybody writes a token with each edit, which nobody deletes. Made by the first hand."""


def calm(_rng: random.Random, _way: Way) -> Iterable[float]:
    """Nothing goes wrong with messages."""
    return (0.0,)


class Flight(msgspec.Struct):
    """The part of what an editor saves that is in flight."""

    seq: int
    operations: tuple[Operation, ...]
    acknowledged: bool = False


class Kept(msgspec.Struct):
    """What an editor saves."""

    flight: Flight | None
    buffer: list[tuple[Operation, ...]]


async def until(condition: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Waits for something that must happen."""
    ends = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > ends:
            raise AssertionError(f"not in time: {what}")
        await asyncio.sleep(0.01)


class _Ears(Api):
    """An interface that notes which snapshots were taken through it."""

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url)
        self.loads: list[Snapshot] = []

    async def call(self, method: str, path: str, *rest: Any, **more: Any) -> Any:
        """As it is."""
        answer = await super().call(method, path, *rest, **more)
        if isinstance(answer, Snapshot):
            self.loads.append(answer)
        return answer


class Hand:
    """One person who edits. It can be reloaded: what it saved is all that it has then."""

    def __init__(self, crew: "Crew", number: int) -> None:
        self.crew = crew
        self.rng = random.Random(f"{crew.seed}.{number}")
        self.api = _Ears(crew.base_url)
        self.who: Person
        self.client: DocumentClient
        self.saved = b""
        self.made = 0
        self.books = ""

    @property
    def name(self) -> str:
        """The client's id, the same over reloads."""
        return self.client.editor.client

    async def open(self) -> None:
        """Joins, or comes back with what was saved, however often it must try."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                try:
                    self.client = await self.crew.client.open(
                        self.api,
                        self.who,
                        self.crew.session_id,
                        saved=self.saved or None,
                        save=self._save,
                        faults=self._carried,
                    )
                    return
                except LOST:
                    await asyncio.sleep(0.05)

    async def reload(self) -> None:
        """The page is gone without a word, and comes back."""
        await self.client.close()
        await self.open()

    async def edit(self, *operations: Operation, token: bool = True) -> str:
        """One transaction, with its token in the book."""
        self.made += 1
        written = f"<{self.name}:{self.made}>"
        made = list(operations)
        if token:
            self.crew.history.made.append(seen.Made(client=self.name, token=written))
            length = len(self.client.entities[self.crew.book].props["t"])
            at = self.rng.choice([0, length])
            made.append(Text(id=self.crew.book, path=("t",), edit=(at, written) if at else (written,)))
        await self.client.edit(made)
        return written

    async def work(self, edits: int) -> None:
        """So many random edits, of which many meet others'."""
        for _ in range(edits):
            await self.client.until(lambda: self.client.editor.ready, None)
            await self.edit(*(deed(self.rng, self) for _ in range(self.rng.randint(1, 2))))
            await asyncio.sleep(self.rng.uniform(0, 0.05))

    def end(self) -> seen.End:
        """What it has now."""
        editor = self.client.editor
        kept = msgspec.json.decode(editor.saved(), type=Kept)
        pending: dict[int, tuple[Operation, ...]] = {}
        if kept.flight is not None and not kept.flight.acknowledged:
            pending[kept.flight.seq] = kept.flight.operations
        if kept.buffer:
            pending[0] = tuple(operation for part in kept.buffer for operation in part)
        return seen.End(
            client=self.name,
            user_id=self.who.user_id,
            revision=editor.revision,
            entities=editor.entities,
            pending=pending,
            rejected=tuple(editor.rejected),
            fallen=tuple(editor.fallen),
        )

    def _save(self, saved: bytes) -> None:
        self.saved = saved

    def _carried(self, way: Way, message: msgspec.Struct) -> Iterable[float]:
        copies = tuple(self.crew.weather(self.rng, way))
        note(self.crew.history, self.client_id, message, delivered=bool(copies))
        return copies

    @property
    def client_id(self) -> str:
        """Also while it is being opened."""
        return msgspec.json.decode(self.saved)["client"] if self.saved else self.name


def note(history: History, client: str, message: msgspec.Struct, *, delivered: bool) -> None:
    """Writes down what a message says. That an acknowledgement was lost again does not make it untrue."""
    if isinstance(message, OpSubmit):
        history.sent.append(
            seen.Sent(
                client=client,
                seq=message.seq,
                base=message.base,
                seen=message.seen,
                operations=operations_of(message.operations),
            )
        )
    elif isinstance(message, OpAck):
        commit = message.operation
        history.acked.append(seen.Acked(at=time.monotonic_ns(), client=client, seq=commit.seq, commit=commit))
        if delivered:
            history.heard.append(seen.Heard(client=client, commit=commit))
    elif isinstance(message, OpRejected) and delivered:
        history.refused.append(
            seen.Refused(
                client=message.client,
                seq=message.seq,
                code=message.code,
                final=message.code not in LATER | BEHIND,
                operations=operations_of(message.operations),
            )
        )
    elif isinstance(message, OpCommitted | DocCommits) and delivered:
        history.acked += [
            seen.Acked(at=time.monotonic_ns(), client=client, seq=commit.seq, commit=commit)
            for commit in message.commits
            if commit.client == client
        ]
        history.heard += [seen.Heard(client=client, commit=commit) for commit in message.commits]


def operations_of(sent: Iterable[object]) -> tuple[Operation, ...]:
    """No sugar is sent here."""
    found: list[Operation] = []
    for each in sent:
        assert isinstance(each, Operation)
        found.append(each)
    return tuple(found)


def deed(rng: random.Random, hand: Hand) -> Operation:
    """Any operation on what everybody quarrels about."""
    entities = hand.client.entities
    ids = sorted(each for each in entities if each != hand.crew.book)
    kind = rng.choice(("create", "set", "set", "absent", "add", "text", "text", "move", "delete", "restore"))
    if kind == "create" and len(ids) < 12:
        return Create(id=hand.client.new_id(), parent=rng.choice([None, *ids]), props={"t": "hello", "n": 1})
    target = rng.choice(ids[:3] if rng.random() < 0.7 else ids)
    path = rng.choice((("t",), ("n",), ("a", "b"), ("a",)))
    if kind == "move":
        return Move(
            id=target, parent=rng.choice([None, *(each for each in ids if each != target)]), order=rng.choice("AVz")
        )
    if kind in {"delete", "restore"}:
        return Delete(id=target) if kind == "delete" else Restore(id=target)
    if kind == "add":
        return Add(id=target, path=path, by=rng.randint(-3, 3))
    if kind == "absent":
        return Set(id=target, path=path, absent=True)
    if kind == "text":
        return Text(id=target, path=("t",), edit=_scribble(rng, entities[target]))
    return Set(id=target, path=path, value=rng.choice((1, 2.5, "text", {"b": 1}, [1, 0])))


def _scribble(rng: random.Random, entity: Entity) -> tuple[int | str | Cut, ...]:
    old = entity.props.get("t")
    length = len(old) if isinstance(old, str) else 0
    at = rng.randint(0, length)
    what = Cut(rng.randint(1, length - at)) if length > at and rng.random() < 0.4 else rng.choice(("ab", "é", "😀x"))
    return (at, what) if at else (what,)


class Crew:
    """Some hands on one scene, and somebody who reads its log by REST all the while."""

    def __init__(
        self,
        base_url: str,
        direct_url: str,
        database_url: str,
        seed: int,
        client: type[DocumentClient] = DocumentClient,
    ) -> None:
        self.base_url = base_url
        self.client = client
        """What the hands edit with: the WebSocket alone, or a media node's channels too."""
        self._database_url = database_url
        self.seed = seed
        self.history = History()
        self.weather: Weather = calm
        self.hands: list[Hand] = []
        self.session_id = ""
        self.book = ""
        self.boxes: list[str] = []
        self._direct = Api(direct_url)
        self._reader: asyncio.Task[None] | None = None

    @property
    def document_id(self) -> str:
        """The session's scene."""
        return f"doc_{self.session_id.removeprefix('ses_')}"

    async def begin(self, hands: int) -> None:
        """A room with a book and three boxes, before anything goes wrong."""
        await self._direct.__aenter__()
        owner = await self._direct.guest("Ada")
        self.session_id = (await self._direct.create(owner, "Faults")).session_id
        self.hands = [Hand(self, number) for number in range(hands)]
        others = await asyncio.gather(*(self._direct.guest(f"Hand {number}") for number in range(1, hands)))
        for hand, who in zip(self.hands, (owner, *others), strict=True):
            await hand.api.__aenter__()
            hand.who = who
        await asyncio.gather(*(hand.open() for hand in self.hands))
        first = self.hands[0].client
        self.book = first.new_id()
        self.boxes = [first.new_id() for _ in range(3)]
        shared = [Create(id=box, props={"t": "hello", "n": 1}) for box in self.boxes]
        await self.hands[0].edit(Create(id=self.book, props={"t": "|"}), *shared, token=False)
        for hand in self.hands:
            await hand.client.until(lambda hand=hand: self.book in hand.client.entities, DEADLINE_S)  # type: ignore[misc]
        self._reader = asyncio.create_task(self._read())

    async def work(self, edits: int) -> None:
        """Everybody at once."""
        await asyncio.gather(*(hand.work(edits) for hand in self.hands))

    async def work_until(self, condition: Callable[[], bool], what: str) -> None:
        """Everybody edits now and then until that many appends were met: one append may hold all that was edited so far."""
        waiting = asyncio.create_task(until(condition, what))
        while not (await asyncio.wait({waiting}, timeout=0.5))[0]:
            await self.work(1)
        await waiting

    async def fill(self, revisions: int) -> None:
        """The log has so many revisions at least, by somebody who is not here any more."""
        head = (await self._insist(self._page, 0)).head
        records = tuple(
            Commit(
                revision=revision,
                client="seed0000",
                seq=revision,
                user_id=self.hands[0].who.user_id,
                at_ms=revision,
                base=revision - 1,
                operations=(Set(id=self.boxes[revision % 3], path=(f"p{revision % 7}",), value=revision),),
            )
            for revision in range(head + 1, revisions + 1)
        )
        database = Dynamo(self._database_url, "us-east-1")
        try:
            assert await LogStore(database, "holodeck-local-").append(self.document_id, records)
        finally:
            await database.close()

    async def settle(self) -> None:
        """Nothing goes wrong any more: until everybody has all, and the log stands still."""
        for hand in self.hands:
            await hand.client.settled(DEADLINE_S)
        async with asyncio.timeout(DEADLINE_S):
            head = -1
            while head != (head := (await self._insist(self._page, self._last)).head):
                for hand in self.hands:
                    editor = hand.client.editor
                    await hand.client.until(
                        lambda e=editor: e.ready and e.current and e.settled and e.revision >= head,  # type: ignore[misc]
                        DEADLINE_S,
                    )

    async def evidence(self, states: int) -> History:
        """The whole history, with the states of the last revisions, and of some before."""
        await self._stop_reading()
        found = self.history
        while (page := await self._insist(self._page, len(found.log))).operations:
            found.log += page.operations
        before = ""
        while True:
            told = await self._get(f"/history?limit=100{before}", HistoryPage)
            found.told += told.entries
            if told.before is None:
                break
            before = f"&before={told.before}"
        revisions = range(1, len(found.log) + 1)
        for revision in sorted({*revisions[-states:], *revisions[:: max(1, len(revisions) // 8)]}):
            found.snapshots[revision] = state_of(await self._get(f"?revision={revision}", Snapshot))
        found.ends = [hand.end() for hand in self.hands]
        for hand in self.hands:
            found.loaded += [
                seen.Loaded(client=hand.name, revision=each.revision, entities=state_of(each))
                for each in hand.api.loads
            ]
        return found

    async def close(self) -> None:
        """Everybody goes."""
        await self._stop_reading()
        for hand in self.hands:
            await hand.client.close()
            await hand.api.__aexit__(None, None, None)
        await self._direct.__aexit__(None, None, None)

    async def _stop_reading(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    @property
    def _last(self) -> int:
        return max((read.head for read in self.history.reads), default=0)

    async def _page(self, since: int) -> OperationPage:
        began = time.monotonic_ns()
        path = f"/documents/{self.document_id}/operations?since={since}"
        page = await self._direct.call("GET", path, self.hands[0].who, None, OperationPage)
        self.history.reads.append(
            seen.Read(began=began, ended=time.monotonic_ns(), since=since, head=page.head, commits=page.operations)
        )
        return page

    async def _read(self) -> None:
        while True:
            with contextlib.suppress(*LOST):
                await self._page(max(0, self._last - 3))
            await asyncio.sleep(0.1)

    async def _get(self, path: str, type_: type[T]) -> T:
        path = f"/documents/{self.document_id}{path}"
        return await self._insist(lambda _: self._direct.call("GET", path, self.hands[0].who, None, type_), 0)

    async def _insist(self, ask: Callable[[int], Awaitable[T]], argument: int) -> T:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                try:
                    return await ask(argument)
                except LOST:
                    await asyncio.sleep(0.1)


def state_of(snapshot: Snapshot) -> Mapping[str, Entity]:
    """As the algebra has it."""
    return {
        key: Entity(alive=e.alive, parent=e.parent, order=e.order, props=e.props)
        for key, e in snapshot.entities.items()
    }
