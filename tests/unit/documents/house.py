"""The documents room on the fakes: as many containers as a test wants over the same tables, and what each person heard."""

import itertools
import random
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from chalicelib.documents.committer import Committer
from chalicelib.documents.drain import Drainer
from chalicelib.documents.locks import Locks
from chalicelib.documents.model import Listener, Record, Submission, Waiting
from chalicelib.documents.service import Documents, scene_id
from chalicelib.documents.snapshots import Snapshots
from chalicelib.documents.socket import Socket
from chalicelib.presence.model import Connection
from chalicelib.wire.codes import Code
from chalicelib.wire.decode import decode_server_message
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import OpAck, OpCommitted, OpRejected, OpSubmit, ServerMessage
from chalicelib.wire.operations import Operation, Set
from chalicelib.wire.tokens import Identity
from chalicelib.wire.types import Role, UserKind
from tests.fakes.documents import MemoryLog, MemoryObjects, MemoryQueue, MemoryShelf
from tests.fakes.presence import Clock, MemorySender

M = TypeVar("M", bound=ServerMessage)

S = f"ses_{1:020}"
D = scene_id(S)
E = "ada00000.1"


def person(name: str) -> Identity:
    """Somebody with a token."""
    return Identity(name, name.title(), UserKind.GUEST)


def seat(name: str, session_id: str = S) -> Connection:
    """Somebody's WebSocket."""
    return Connection(f"c-{name}", session_id, f"{name}.tab00001", name, name.title(), "#aabbcc", UserKind.GUEST)


def put(value: object = 1, path: str = "a", entity: str = E) -> Set:
    """The usual operation."""
    return Set(id=entity, path=(path,), value=value)


class House:
    """What all containers share. `roles` says who is in the session; `away` who is not to be told."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.queue = MemoryQueue()
        self.log = MemoryLog()
        self.shelf = MemoryShelf()
        self.objects = MemoryObjects()
        self.sender = MemorySender()
        self.roles: dict[str, Role] = {"ada": Role.OWNER, "bob": Role.EDITOR, "vic": Role.VIEWER}
        self.away: set[str] = set()
        self.noted: list[tuple[str, str, str]] = []
        self.audience_fails = False
        self._ids = itertools.count(1000)

    def container(self) -> "Container":
        """Another one."""
        return Container(self)

    def new_id(self, characters: int = 20) -> str:
        """Never the same."""
        return f"{next(self._ids):0{characters}}"

    async def audience(self, session_id: str) -> tuple[Listener, ...]:
        """Everybody in the room."""
        if self.audience_fails:
            raise AppError(Code.UPSTREAM_UNAVAILABLE, retry_after_ms=500)
        return tuple(
            Listener(
                connection_id=f"c-{name}",
                user_id=name,
                may_edit=role in {Role.OWNER, Role.EDITOR},
                reachable=name not in self.away,
            )
            for name, role in self.roles.items()
        )

    def heard(self, name: str, kind: type[M]) -> list[M]:
        """The messages of one kind that somebody got."""
        every = [decode_server_message(data) for data in self.sender.to(f"c-{name}")]
        return [message for message in every if isinstance(message, kind)]

    def acks(self, name: str) -> list[int]:
        """The revisions that were acknowledged to somebody."""
        return [message.operation.revision for message in self.heard(name, OpAck)]

    def refusals(self, name: str) -> list[Code]:
        """Why somebody's submissions were rejected."""
        return [message.code for message in self.heard(name, OpRejected)]

    def told(self, name: str) -> list[int]:
        """The revisions that somebody was told of."""
        return [commit.revision for message in self.heard(name, OpCommitted) for commit in message.commits]

    def records(self, document_id: str = D) -> list[Record]:
        """The log."""
        return self.log.logs.get(document_id, [])

    # -- the gate --

    async def view(self, session_id: str, identity: Identity) -> tuple[str, int]:
        """Whoever has a role."""
        if session_id != S or identity.user_id not in self.roles:
            raise AppError(Code.SESSION_UNKNOWN)
        return "ada", 7

    async def edit(self, session_id: str, identity: Identity) -> tuple[str, int]:
        """Owners and editors."""
        await self.view(session_id, identity)
        if self.roles[identity.user_id] not in {Role.OWNER, Role.EDITOR}:
            raise AppError(Code.ROLE_INSUFFICIENT)
        return "ada", 7

    async def configure(self, session_id: str, identity: Identity) -> None:
        """Owners."""
        await self.edit(session_id, identity)
        if self.roles[identity.user_id] is not Role.OWNER:
            raise AppError(Code.ROLE_INSUFFICIENT)

    async def note(self, session_id: str, kind: str, identity: Identity, object_id: str) -> None:
        """The feed."""
        self.noted.append((kind, identity.user_id, object_id))

    async def tell(self, document_id: str, session_id: str, commits: Sequence[Record]) -> None:
        """Everybody."""
        message = OpCommitted(document_id=document_id, head=commits[-1].revision, commits=tuple(commits))
        for listener in await self.audience(session_id):
            await self.sender.post(listener.connection_id, msgspec.json.encode(message))


class Container:
    """One function's container: everything that it keeps in memory."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.snapshots = Snapshots(house.log, house.shelf, house.objects)
        self.committer = Committer(
            house.log, now_ms=house.clock, jitter=random.Random(1).random, sleep=house.clock.sleep
        )
        self.drainer = Drainer(
            house.queue,
            self.committer,
            house.audience,
            house.sender.post,
            self.snapshots.keep_up,
            now_ms=house.clock,
            new_id=house.new_id,
            sleep=house.clock.sleep,
        )
        self.documents = Documents(
            house.log,
            house.queue,
            house.shelf,
            self.snapshots,
            self.committer,
            house,
            house.tell,
            now_ms=house.clock,
            random_id=house.new_id,
        )
        self.locks = Locks(house.queue, house, house.note, scene_id, now_ms=house.clock)
        self.socket = Socket(
            self.documents,
            self.drainer,
            house.sender.post,
            now_ms=house.clock,
            new_id=house.new_id,
            correlation=lambda: "k-1",
        )

    async def submit(
        self, name: str, *operations: Operation, seq: int = 1, base: int = 0, document_id: str = D
    ) -> None:
        """Somebody's `op.submit`."""
        message = OpSubmit(
            id=f"{name}-{seq}",
            document_id=document_id,
            client=f"{name:0<8}",
            seq=seq,
            base=base,
            operations=operations or (put(f"{name}-{seq}"),),
        )
        await self.socket.submit(seat(name), message)


def waiting(house: House, name: str, seq: int = 1, value: object = 1) -> Waiting:
    """What somebody has put into the queue."""
    submission = Submission(client=f"{name:0<8}", seq=seq, base=0, user_id=name, operations=(put(value),))
    return Waiting(
        place=f"{house.clock():013d}#{house.new_id()}",
        connection_id=f"c-{name}",
        request_id=f"{name}-{seq}",
        correlation_id="k-1",
        sent=None,
        submission=submission,
    )
