"""A room whose documents are drained by several containers, over stores in memory and a time of its own."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from chalicelib.documents.committer import Committer
from chalicelib.documents.courier import Courier, Telling
from chalicelib.documents.drain import Audience, Drainer
from chalicelib.documents.model import Desk, Listener, Record, Submission, Waiting
from chalicelib.documents.pace import FUNCTION, Pace
from chalicelib.wire.decode import decode_server_message
from chalicelib.wire.documents import Lock
from chalicelib.wire.errors import AppError
from chalicelib.wire.operations import Add, Operation
from chalicelib.wire.types import Delivery
from tests.fakes.documents import MemoryLog, MemoryQueue
from tests.fakes.time import VirtualTime

D = "doc_" + "a" * 20
SESSION = "ses_" + "a" * 20
E = "ada00000.1"
M = TypeVar("M", bound=msgspec.Struct)


@dataclass
class Mail:
    """What was posted to each connection; a delivery may be slow, refused or broken."""

    time: VirtualTime
    got: dict[str, list[msgspec.Struct]] = field(default_factory=dict)
    slow_s: dict[str, float] = field(default_factory=dict)
    outcome: dict[str, Delivery | Exception] = field(default_factory=dict)

    async def post(self, connection_id: str, data: bytes) -> Delivery:
        """Delivers, unless it was told not to."""
        if connection_id in self.slow_s:
            await self.time.sleep(self.slow_s[connection_id])
        outcome = self.outcome.get(connection_id, Delivery.SENT)
        if isinstance(outcome, Exception):
            raise outcome
        if outcome is Delivery.SENT:
            self.got.setdefault(connection_id, []).append(decode_server_message(data))
        return outcome

    def of(self, connection_id: str, type_: type[M]) -> list[M]:
        """Messages of one type that a connection got."""
        return [message for message in self.got.get(connection_id, []) if isinstance(message, type_)]


@dataclass
class FailingLog(MemoryLog):
    """A log that does not answer for as often as it is told."""

    unreadable: list[AppError] = field(default_factory=list)
    unappendable: list[AppError] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    async def since(self, document_id: str, revision: int, limit: int, *, boundary: bool = False) -> tuple[Record, ...]:
        """Fails first."""
        if self.unreadable:
            raise self.unreadable.pop(0)
        return await super().since(document_id, revision, limit, boundary=boundary)

    async def append(self, document_id: str, records: tuple[Record, ...]) -> bool:
        """Fails first."""
        if self.unappendable:
            raise self.unappendable.pop(0)
        return await super().append(document_id, records)


@dataclass
class FailingQueue(MemoryQueue):
    """A queue whose removals may fail or be slow, and whose desk may show only so many submissions at once."""

    time: VirtualTime
    unremovable: list[AppError] = field(default_factory=list)
    unwantable: list[AppError] = field(default_factory=list)
    page: int = 1000
    removal_s: float = 0
    reading_s: float = 0

    def __post_init__(self) -> None:
        super().__init__()

    async def desk(self, document_id: str) -> Desk:
        """The first page."""
        desk = await super().desk(document_id)
        if self.reading_s:
            await self.time.sleep(self.reading_s)
        return replace(desk, waiting=desk.waiting[: self.page], more=len(desk.waiting) > self.page)

    async def want(self, document_id: str) -> None:
        """Fails first."""
        if self.unwantable:
            raise self.unwantable.pop(0)
        await super().want(document_id)

    async def remove(self, document_id: str, places: tuple[str, ...]) -> None:
        """Fails first."""
        if self.removal_s:
            await self.time.sleep(self.removal_s)
        if self.unremovable:
            raise self.unremovable.pop(0)
        await super().remove(document_id, places)


class Room:
    """Its people, its queue and its log; `container` makes another process that drains it."""

    def __init__(self) -> None:
        self.time = VirtualTime()
        self.mail = Mail(self.time)
        self.log = FailingLog()
        self.queue = FailingQueue(self.time)
        self.listeners: dict[str, Listener] = {}
        self.absent: list[AppError] = []
        self.kept_up: list[int] = []
        self.tasks: list[asyncio.Task[None]] = []
        self._made = 0
        for name in ("ada", "bob"):
            self.enter(name)

    def enter(self, name: str, *, may_edit: bool = True, reachable: bool = True) -> None:
        """A connection `c-<name>` of a user."""
        listener = Listener(connection_id=f"c-{name}", user_id=name, may_edit=may_edit, reachable=reachable)
        self.listeners[name] = listener

    def container(
        self,
        *,
        pace: Pace = FUNCTION,
        courier: Callable[[str], Telling] | None = None,
        audience: Audience | None = None,
    ) -> Drainer:
        """Another process."""
        committer = Committer(self.log, now_ms=self.time.now_ms, jitter=lambda: 0.0, sleep=self.time.sleep)
        return Drainer(
            self.queue,
            committer,
            audience or self._audience,
            courier or (lambda _: Courier(self.mail.post)),
            self._keep_up,
            now_ms=self.time.now_ms,
            new_id=self._new_id,
            sleep=self.time.sleep,
            pace=pace,
        )

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """In the background."""
        self.tasks.append(asyncio.create_task(work))
        return self.tasks[-1]

    def submit(self, drainer: Drainer, name: str, seq: int, *operations: Operation) -> asyncio.Task[None]:
        """Somebody's transaction, by a container."""
        return self.start(drainer.submit(D, SESSION, self.waiting(name, seq, *operations)))

    def waiting(self, name: str, seq: int, *operations: Operation) -> Waiting:
        """Somebody's transaction, made on all that is in the log where it is not the first."""
        made = operations or (Add(id=E, path=("n",), by=1),)
        base = len(self.log.logs.get(D, [])) if seq > 1 else 0
        return Waiting(
            place=f"{self.time.at_ms:013d}#{name}#{seq}#{self._new_id()}",
            connection_id=f"c-{name}",
            request_id=f"r{seq}",
            correlation_id="corr",
            sent=None,
            submission=Submission(client=f"{name}00000", seq=seq, base=base, user_id=name, operations=made),
        )

    async def lock(self, name: str, object_id: str = E) -> Lock | None:
        """Somebody holds an object for a minute."""
        now = self.time.at_ms
        wanted = Lock(object_id=object_id, user_id=name, token=0, expires_at_ms=now + 60_000)
        return await self.queue.lock(D, wanted, now, take=True)

    async def finish(self) -> None:
        """Until nobody drains any more."""
        for task in self.tasks:
            await self.time.run(task)

    @property
    def committed(self) -> list[tuple[str, int]]:
        """(client's user, seq) in the log's order."""
        return [(record.user_id, record.seq) for record in self.log.logs.get(D, [])]

    async def _audience(self, session_id: str, _connections: frozenset[str]) -> tuple[Listener, ...]:
        assert session_id == SESSION
        if self.absent:
            raise self.absent.pop(0)
        return tuple(self.listeners.values())

    async def _keep_up(self, _document_id: str, head: int) -> None:
        self.kept_up.append(head)

    def _new_id(self) -> str:
        self._made += 1
        return f"id{self._made:04d}"
