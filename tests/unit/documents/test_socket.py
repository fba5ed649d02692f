"""The room's messages: what is handed to the drainer, what is rejected at once, and what is fetched."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import pytest

from chalicelib.documents.model import Waiting
from chalicelib.documents.socket import Socket
from chalicelib.wire import limits
from chalicelib.wire.codes import MESSAGE, Code
from chalicelib.wire.decode import decode_server_message
from chalicelib.wire.documents import CreateDocument, EntityUpdate, PublicOperation
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import DocCommits, DocFetch, OpRejected, OpSubmit
from chalicelib.wire.operations import Add, Create, Set
from chalicelib.wire.types import Delivery
from tests.fakes.papers import ADA, BOX, SCENE, SESSION, Papers


@dataclass
class Wire:
    """A connection of ada's, what was posted to it, and what was handed to the drainer."""

    connection_id: str = "c-ada"
    session_id: str = SESSION
    user_id: str = "ada"
    papers: Papers = field(default_factory=Papers)
    posted: list[tuple[str, msgspec.Struct]] = field(default_factory=list)
    drained: list[tuple[str, str, Waiting]] = field(default_factory=list)
    down: AppError | None = None

    @property
    def room(self) -> Socket:
        """The room."""
        return Socket(
            self.papers.documents,
            self,
            self.post,
            now_ms=lambda: self.papers.now,
            new_id=lambda: "x",
            correlation=lambda: "corr",
        )

    async def post(self, connection_id: str, data: bytes) -> Delivery:
        """Keeps it."""
        self.posted.append((connection_id, decode_server_message(data)))
        return Delivery.SENT

    async def submit(self, document_id: str, session_id: str, waiting: Waiting) -> None:
        """Keeps it, unless it is down."""
        if self.down:
            raise self.down
        self.drained.append((document_id, session_id, waiting))


def op(operations: Sequence[PublicOperation], document_id: str = SCENE, user_id: str | None = None) -> OpSubmit:
    """One transaction."""
    return OpSubmit(
        id="r1",
        document_id=document_id,
        client="ada00000",
        seq=7,
        base=5,
        seen=3,
        operations=tuple(operations),
        user_id=user_id,
    )


async def test_a_transaction_is_handed_over() -> None:
    """With whom to answer, the ids to answer with, and a place behind all earlier ones; nothing is answered here."""
    wire = Wire()
    await wire.room.submit(wire, op((Add(id=BOX, path=("n",), by=1),), user_id="ada"))
    ((document_id, session_id, waiting),) = wire.drained
    assert (document_id, session_id, waiting.connection_id) == (SCENE, SESSION, "c-ada")
    assert (waiting.request_id, waiting.correlation_id, waiting.sent) == ("r1", "corr", None)
    sent = waiting.submission
    assert (sent.client, sent.seq, sent.base, sent.seen, sent.user_id) == ("ada00000", 7, 5, 3, "ada")
    assert wire.posted == []
    wire.papers.now += 1
    await wire.room.submit(wire, op((Add(id=BOX, path=("n",), by=1),)))
    assert wire.drained[1][2].place > waiting.place


async def test_sugar_is_kept_beside_what_it_becomes() -> None:
    """For the answer, should it be refused later."""
    wire = Wire()
    sugar = EntityUpdate(entity_id=BOX, props={"colour": "red"})
    await wire.room.submit(wire, op((sugar,)))
    waiting = wire.drained[0][2]
    assert waiting.sent == (sugar,)
    assert waiting.submission.operations == (Set(id=BOX, path=("colour",), value="red"),)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (op((Create(id="bob00000.1"),)), Code.OPERATION_INVALID),
        (op((Create(id=BOX),), user_id="bob"), Code.IDENTITY_MISMATCH),
        (op((Create(id=BOX),), "doc_" + "z" * 20), Code.DOCUMENT_UNKNOWN),
    ],
)
async def test_what_cannot_be_submitted(message: OpSubmit, code: Code) -> None:
    """Is rejected at once with what was sent; the drainer never hears of it."""
    wire = Wire()
    await wire.room.submit(wire, message)
    ((connection_id, rejected),) = wire.posted
    assert isinstance(rejected, OpRejected)
    assert (connection_id, rejected.code, rejected.id, rejected.seq) == ("c-ada", code, "r1", 7)
    assert rejected.message.startswith(MESSAGE[code])
    assert (rejected.correlation_id, rejected.operations) == ("corr", message.operations)
    assert wire.drained == []


async def test_a_queue_that_does_not_answer() -> None:
    """Its client is told to come again."""
    wire = Wire(down=AppError(Code.UPSTREAM_UNAVAILABLE))
    await wire.room.submit(wire, op((Create(id=BOX),)))
    ((_, rejected),) = wire.posted
    assert isinstance(rejected, OpRejected)
    assert rejected.code is Code.UPSTREAM_UNAVAILABLE


async def test_a_fetch_fits_a_message() -> None:
    """It has what came since, as much as fits, and where the head is."""
    wire = Wire()
    await wire.papers.submit(ADA, 1, 0, Create(id=BOX))
    for seq in range(2, 10):
        await wire.papers.submit(ADA, seq, seq - 1, *(Set(id=BOX, path=(p,), value="x" * 15_000) for p in "abc"))
    await wire.room.fetch(wire, DocFetch(id="f1", document_id=SCENE, since=1))
    ((_, page),) = wire.posted
    assert isinstance(page, DocCommits)
    assert (page.id, page.since, page.head) == ("f1", 1, 9)
    assert [commit.revision for commit in page.commits] == [2, 3]
    assert len(msgspec.json.encode(page)) < limits.WS_MESSAGE_BYTES


async def test_other_documents_of_the_session_too() -> None:
    """But none of another's: that is unknown."""
    wire = Wire()
    made = await wire.papers.documents.create(SESSION, ADA, CreateDocument(name="Plan"))
    await wire.room.fetch(wire, DocFetch(document_id=made.document_id, since=0))
    assert len(wire.posted) == 1
    elsewhere = Wire(session_id="ses_" + "b" * 20, papers=wire.papers)
    with pytest.raises(AppError, match=Code.DOCUMENT_UNKNOWN):
        await wire.room.fetch(elsewhere, DocFetch(document_id=made.document_id, since=0))


def test_it_answers_two_messages() -> None:
    """By their types."""
    assert set(Wire().room.table()) == {OpSubmit, DocFetch}
