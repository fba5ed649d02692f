"""The documents room's messages: what is answered at once, and what is handed to whoever drains."""

from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.documents import CreateDocument
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import DocCommits, DocFetch, OpRejected, OpSubmit
from chalicelib.wire.operations import Create
from tests.unit.documents.house import D, E, House, S, person, put, seat
from tests.unit.documents.test_service import code_of

ELSEWHERE = f"doc_{'z' * 20}"


async def test_what_cannot_be_submitted_is_rejected_at_once(house: House) -> None:
    """Z6: another session's document, another's name, a broken operation: code, message and payload."""
    container = house.container()
    await container.submit("ada", document_id=ELSEWHERE)
    await container.submit("ada", Create(id="somebody.1"))
    message = OpSubmit(document_id=D, client="ada00000", seq=1, base=0, operations=(put(),), user_id="bob")
    await container.socket.submit(seat("ada"), message)
    rejected = house.heard("ada", OpRejected)
    assert [one.code for one in rejected] == [Code.DOCUMENT_UNKNOWN, Code.OPERATION_INVALID, Code.IDENTITY_MISMATCH]
    assert rejected[1].operations == (Create(id="somebody.1"),)
    assert all(one.message and one.correlation_id == "k-1" for one in rejected)
    assert house.records() == []


async def test_a_queue_that_cannot_be_written_rejects(house: House) -> None:
    """The client keeps it and sends it again."""

    async def fails(*_: object) -> tuple[str, int]:
        raise AppError(Code.UPSTREAM_UNAVAILABLE, retry_after_ms=500)

    house.queue.acquire = fails  # type: ignore[method-assign, assignment]
    await house.container().submit("ada")
    assert house.refusals("ada") == [Code.UPSTREAM_UNAVAILABLE]


async def test_another_document_of_the_session(house: House) -> None:
    """It is committed to by its id, like the scene."""
    container = house.container()
    made = await container.documents.create(S, person("ada"), CreateDocument(name="Plan"))
    await container.submit("ada", document_id=made.document_id)
    assert house.acks("ada") == [1]
    assert len(house.records(made.document_id)) == 1


async def test_what_was_committed_is_fetched(house: House) -> None:
    """From any revision, as much as fits; the head says whether there is more."""
    container = house.container()
    for seq in range(1, 13):
        await container.submit("ada", put("x" * 15_000, entity=f"{E}{seq}"), seq=seq, base=seq - 1)
    await container.socket.fetch(seat("vic"), DocFetch(id="f", document_id=D, since=0))
    (first,) = house.heard("vic", DocCommits)
    assert (first.id, first.since, first.head) == ("f", 0, 12)
    assert 1 <= len(first.commits) < 12
    assert sum(len(str(c)) for c in first.commits) < limits.WS_MESSAGE_BYTES
    await container.socket.fetch(seat("vic"), DocFetch(document_id=D, since=first.commits[-1].revision))
    _, second = house.heard("vic", DocCommits)
    assert second.commits[0].revision == first.commits[-1].revision + 1
    await container.socket.fetch(seat("vic"), DocFetch(document_id=D, since=99))
    assert house.heard("vic", DocCommits)[-1].commits == ()


async def test_only_ones_own_sessions_documents_are_fetched(house: House) -> None:
    """Whatever the id."""
    fetch = DocFetch(document_id=ELSEWHERE, since=0)
    assert await code_of(house.container().socket.fetch(seat("ada"), fetch)) is Code.DOCUMENT_UNKNOWN


def test_the_room_answers_two_messages(house: House) -> None:
    """For the dispatch table."""
    assert set(house.container().socket.table()) == {OpSubmit, DocFetch}
