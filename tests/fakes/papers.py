"""The documents room over stores in memory: its service, its locks, and what it told others."""

from collections.abc import Sequence

from chalicelib.documents.committer import Committer
from chalicelib.documents.locks import Locks
from chalicelib.documents.model import Record
from chalicelib.documents.service import Documents, scene_id
from chalicelib.documents.snapshots import Snapshots
from chalicelib.wire.codes import Code
from chalicelib.wire.documents import PublicOperation, SubmitOperations
from chalicelib.wire.errors import AppError
from chalicelib.wire.operations import Create, Set
from chalicelib.wire.tokens import Identity
from chalicelib.wire.types import UserKind
from tests.fakes.documents import MemoryLog, MemoryObjects, MemoryQueue, MemoryShelf

SESSION = "ses_" + "a" * 20
SCENE = "doc_" + "a" * 20
MADE_MS = 1_700_000_000_000
BOX = "ada00000.1"


def who(user_id: str) -> Identity:
    """Somebody with an account."""
    return Identity(user_id, user_id.title(), UserKind.ACCOUNT)


ADA, BOB, EVE, ZOE = who("ada"), who("bob"), who("eve"), who("zoe")
"""The owner, an editor, a viewer, and a stranger."""


class Gate:
    """The sessions room: one session, whose people have roles."""

    def __init__(self) -> None:
        self.roles = {"ada": "owner", "bob": "editor", "eve": "viewer"}

    async def view(self, session_id: str, identity: Identity) -> tuple[str, int]:
        """Any of them."""
        return self._checked(session_id, identity, {"owner", "editor", "viewer"})

    async def edit(self, session_id: str, identity: Identity) -> tuple[str, int]:
        """No viewer."""
        return self._checked(session_id, identity, {"owner", "editor"})

    async def configure(self, session_id: str, identity: Identity) -> None:
        """Its owner."""
        self._checked(session_id, identity, {"owner"})

    def _checked(self, session_id: str, identity: Identity, roles: set[str]) -> tuple[str, int]:
        if session_id != SESSION or identity.user_id not in self.roles:
            raise AppError(Code.SESSION_UNKNOWN)
        if self.roles[identity.user_id] not in roles:
            raise AppError(Code.ROLE_INSUFFICIENT)
        return "ada", MADE_MS


class DownObjects(MemoryObjects):
    """A bucket that does not answer for as often as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.down = 0

    async def put(self, key: str, data: bytes) -> None:
        """Fails first."""
        self._meet()
        await super().put(key, data)

    async def get(self, key: str) -> bytes | None:
        """Fails first."""
        self._meet()
        return await super().get(key)

    def _meet(self) -> None:
        if self.down:
            self.down -= 1
            raise AppError(Code.UPSTREAM_UNAVAILABLE)


class Papers:
    """The room. `container` makes another process of it."""

    def __init__(self) -> None:
        self.now = MADE_MS + 1000
        self.log = MemoryLog()
        self.queue = MemoryQueue()
        self.shelf = MemoryShelf()
        self.objects = DownObjects()
        self.gate = Gate()
        self.told: list[tuple[str, str, list[int]]] = []
        self.notes: list[tuple[str, str, str, str]] = []
        self._made = 0
        self.states = self.snapshots()
        self.documents = self.container(self.states)
        self.locks = Locks(self.queue, self.gate, self._note, scene_id, now_ms=lambda: self.now)

    def snapshots(self) -> Snapshots:
        """Those of another process."""
        return Snapshots(self.log, self.shelf, self.objects)

    def container(self, states: Snapshots) -> Documents:
        """Another process."""
        return Documents(
            self.log,
            self.queue,
            self.shelf,
            states,
            Committer(self.log, now_ms=lambda: self.now, jitter=lambda: 0.0),
            self.gate,
            self._tell,
            now_ms=lambda: self.now,
            random_id=self.random_id,
        )

    def random_id(self, length: int) -> str:
        """Counts."""
        self._made += 1
        return f"{self._made:0{length}d}"

    async def submit(
        self, identity: Identity, seq: int, base: int, *operations: PublicOperation, document_id: str = SCENE
    ) -> Record:
        """One transaction."""
        made = operations or (Set(id=BOX, path=("n",), value=seq),)
        body = SubmitOperations(client=f"{identity.user_id}00000", seq=seq, base=base, operations=made)
        return (await self.documents.submit(document_id, identity, body)).operation

    async def counted(self, to: int) -> None:
        """A box in the scene whose `n` is r at revision r."""
        await self.submit(ADA, 1, 0, Create(id=BOX, props={"n": 1}))
        for revision in range(2, to + 1):
            await self.submit(ADA, revision, revision - 1)

    def filled(self, to: int) -> None:
        """The same, without the room: as others wrote it."""
        log = self.log.logs.setdefault(SCENE, [])
        for revision in range(len(log) + 1, to + 1):
            operation = Create(id=BOX, props={"n": 1}) if revision == 1 else Set(id=BOX, path=("n",), value=revision)
            log.append(
                Record(
                    revision=revision,
                    client="cyd00000",
                    seq=revision,
                    user_id="cyd",
                    at_ms=MADE_MS,
                    base=revision - 1,
                    operations=(operation,),
                )
            )

    async def _tell(self, document_id: str, session_id: str, commits: Sequence[Record]) -> None:
        self.told.append((document_id, session_id, [commit.revision for commit in commits]))

    async def _note(self, session_id: str, kind: str, identity: Identity, object_id: str) -> None:
        self.notes.append((session_id, kind, identity.user_id, object_id))
