"""Documents on a node: who is answered by what, and that the same bytes go to everybody."""

import asyncio

import msgspec

from chalicelib.documents.courier import committed
from chalicelib.documents.model import Listener
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import DocFetch, ErrorMessage, OpCommitted, OpSubmit
from chalicelib.wire.operations import Create
from chalicelib.wire.types import Delivery
from media_node.committer import Channels, Operations, answer, on_channel
from media_node.member import Member
from media_node.model import Person
from media_node.room import Room
from tests.fakes.relay import SESSION, FakeCarrying, FakeLink, FakePosts, person

DOCUMENT = "doc_" + "a" * 20
LONG = committed(DOCUMENT, 1, [b'{"revision":%d}' % number for number in range(100)])
SHORT = committed(DOCUMENT, 3)


class Hall:
    """A room with Ada and Bob on the relay, and Eve on the WebSocket alone."""

    def __init__(self) -> None:
        self.the_room: Room | None = Room(SESSION, FakeCarrying(), now_ms=lambda: 1, new_id=lambda: "corr")
        self.links = {name: FakeLink(person(name)) for name in ("ada", "bob")}
        for name, link in self.links.items():
            self.the_room.join(link, person(name))
        self.posts = FakePosts()
        self.channels = Channels(self, SESSION, self.posts)
        self.listeners = tuple(
            Listener(connection_id=f"c-{name}", user_id=name, may_edit=True, reachable=name != "cyd")
            for name in ("ada", "bob", "eve", "cyd")
        )

    def room(self, _session_id: str) -> Room | None:
        """The only one."""
        return self.the_room

    def member_at(self, connection_id: str) -> Member | None:
        """In the only one."""
        return self.the_room.member_at(connection_id) if self.the_room else None

    async def post(self, connection_id: str, data: bytes) -> Delivery:
        """As a node answers."""
        return await answer(self, self.posts, connection_id, data)


def test_long_messages_are_compressed_and_short_ones_are_not() -> None:
    """Compressing saves packets, or nothing."""
    assert on_channel(SHORT) == SHORT.decode()
    assert len(on_channel(LONG)) < len(LONG) / 3


async def test_everybody_is_told_once_by_channel_or_by_post() -> None:
    """Who cannot be reached is not."""
    hall = Hall()
    hall.channels.tell(hall.listeners, SHORT)
    await hall.channels.close(SHORT)
    assert [len(hall.links[name].of(OpCommitted)) for name in ("ada", "bob")] == [1, 1]
    assert {c: len(got) for c, got in hall.posts.got.items()} == {"c-eve": 1}


async def test_who_has_just_come_by_channel_is_told_though_no_row_shows_them() -> None:
    """The rows may be a second old."""
    hall = Hall()
    hall.channels.tell((), SHORT)
    assert len(hall.links["ada"].of(OpCommitted)) == 1


async def test_an_answer_goes_by_channel_or_by_post() -> None:
    """Whichever there is at that moment."""
    hall = Hall()
    hall.links["bob"].open = False
    for name in ("ada", "bob", "eve"):
        hall.channels.send(f"c-{name}", SHORT)
    await hall.channels.close(SHORT)
    assert len(hall.links["ada"].of(OpCommitted)) == 1
    assert set(hall.posts.got) == {"c-bob", "c-eve"}
    assert [hall.channels.hears(f"c-{name}") for name in ("ada", "bob", "eve")] == [True, False, False]


async def test_without_a_room_everybody_has_a_post() -> None:
    """The room was given up while its document is served still."""
    hall = Hall()
    hall.the_room = None
    hall.channels.send("c-ada", SHORT)
    hall.channels.tell(hall.listeners, SHORT)
    await hall.channels.close(SHORT)
    assert {c: len(got) for c, got in hall.posts.got.items()} == {"c-ada": 2, "c-bob": 1, "c-eve": 1}
    assert not hall.channels.hears("c-ada")


async def test_a_channel_that_takes_no_more_is_let_go_and_its_page_told_by_post() -> None:
    """Nothing queues without end."""
    hall = Hall()
    link, room = hall.links["ada"], hall.the_room
    assert room is not None
    link.control_buffered = limits.CONTROL_BUFFER_BYTES + 1
    link.closing = lambda: room.leave(link)
    hall.channels.tell(hall.listeners, SHORT)
    await hall.channels.close(SHORT)
    assert link.ended == "slow"
    assert len(hall.links["bob"].of(OpCommitted)) == 1
    assert len(hall.posts.of("c-ada", OpCommitted)) == 1


class FakeSocket:
    """The documents' socket, which refuses what it is told to."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.refusal = refusal
        self.asked: list[tuple[str, str]] = []

    async def submit(self, connection: Person, message: OpSubmit) -> None:
        """Notes it."""
        self.asked.append((connection.connection_id, message.document_id))

    async def fetch(self, connection: Person, message: DocFetch) -> None:
        """Notes it, and refuses."""
        self.asked.append((connection.connection_id, message.document_id))
        if self.refusal:
            raise self.refusal


class FakeDrainer:
    """A drainer that serves one document."""

    served = 1

    def __init__(self) -> None:
        self.retired = False

    def heads(self, session_id: str) -> dict[str, int]:
        """One that was told, one that was not yet."""
        return {DOCUMENT: 7, "doc_" + "b" * 20: 0}

    async def retire(self) -> None:
        """At once."""
        self.retired = True


def submit() -> OpSubmit:
    """One transaction."""
    return OpSubmit(document_id=DOCUMENT, client="ada00000", seq=1, base=0, operations=(Create(id="ada00000.1"),))


async def test_submissions_and_fetches_are_the_sockets() -> None:
    """Its refusals are told, with the request's id."""
    hall = Hall()
    socket, drainer = FakeSocket(AppError(Code.DOCUMENT_UNKNOWN)), FakeDrainer()
    operations = Operations(socket, drainer, hall.post, lambda: "corr")
    operations.handle(person("ada"), submit())
    operations.handle(person("ada"), DocFetch(id="f", document_id=DOCUMENT, since=0))
    operations.handle(person("eve"), DocFetch(id="f", document_id=DOCUMENT, since=0))
    await operations.retire()
    assert drainer.retired
    assert len(socket.asked) == 3
    (error,) = hall.links["ada"].of(ErrorMessage)
    assert (error.id, error.code, error.correlation_id) == ("f", Code.DOCUMENT_UNKNOWN, "corr")
    assert len(hall.posts.of("c-eve", ErrorMessage)) == 1


async def test_what_fails_is_said_to_whoever_waits_for_it() -> None:
    """Whatever it was that nobody thought of; no more than that is told."""
    hall = Hall()
    operations = Operations(FakeSocket(RuntimeError("secret")), FakeDrainer(), hall.post, lambda: "corr")
    operations.handle(person("ada"), DocFetch(id="f", document_id=DOCUMENT, since=0))
    await operations.retire()
    (error,) = hall.links["ada"].of(ErrorMessage)
    assert (error.id, error.code, "secret" in error.message) == ("f", Code.INTERNAL, False)


async def test_hints_say_how_far_the_documents_are() -> None:
    """Of those of which anything was told."""
    operations = Operations(FakeSocket(), FakeDrainer(), FakePosts(), lambda: "corr")
    assert [msgspec.json.decode(hint)["head"] for hint in operations.hints(SESSION)] == [7]
    await asyncio.sleep(0)
