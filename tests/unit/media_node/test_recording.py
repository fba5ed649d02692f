"""A node writes what it may, while it may, and lets go of it well."""

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from chalicelib.voice import recordings_model as model
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.types import Vec3
from chalicelib.wire.voice import ActiveRecording, RecordingStatus, TimelineEvent, VoiceState
from media_node.recorded import Heard, records
from media_node.recorder import TrackOf
from media_node.recording import Recordings
from tests.fakes.recordings import RECORDING, SESSION, START_MS, MemoryFiles, MemoryShelf, row, rtp, until

ADA, BOB = "ada.tab00001", "bob.tab00001"


class Node:
    """A node with one room, whose recording was started."""

    def __init__(
        self, name: str = "node_1", shelf: MemoryShelf | None = None, files: MemoryFiles | None = None
    ) -> None:
        self.shelf = shelf or MemoryShelf()
        self.files = files or MemoryFiles()
        self.now_ms = START_MS + 1000
        self.people: dict[str, tuple[str, Vec3 | None]] = {ADA: ("Ada", (1.0, 0.0, 0.0)), BOB: ("Bob", None)}
        self.looks = 0
        self.asked: list[tuple[str, str]] = []
        if shelf is None:
            self.shelf.rows[SESSION, RECORDING] = row(until_ms=START_MS + 90_000)
        self.recordings = Recordings(
            name, self.shelf, self.files, self._who, lambda *due: self.asked.append(due), lambda: self.now_ms
        )

    def _who(self, session_id: str) -> Mapping[str, tuple[str, Vec3 | None]]:
        assert session_id == SESSION
        self.looks += 1
        return self.people

    def state(self, *consented: str, recording_id: str | None = RECORDING) -> None:
        """Voice is so now."""
        active = None
        if recording_id:
            active = ActiveRecording(
                recording_id=recording_id,
                channel_id="main",
                started_by="ada",
                started_at_ms=START_MS,
                consented=consented,
            )
        self.recordings.follow(SESSION, VoiceState(revision=1, channels=(), people=(), recording=active))

    def say(self, peer_id: str, text: bytes, channel_id: str = "main") -> None:
        """A packet."""
        user_id = peer_id.partition(".")[0]
        self.recordings.heard(SESSION, peer_id, user_id, channel_id, rtp(b"\xf8" + text, 1, 960))

    async def until(self, what: str) -> None:
        """Lets everything go on until the row is of that holder."""
        await until(lambda: self.shelf.row.holder == what)

    def written(self) -> list[bytes]:
        """What is in the bucket, by part."""
        found = [record for key in sorted(self.files.held) for record in records(self.files.held[key])]
        return [record.opus[1:] for record in found if isinstance(record, Heard)]

    def events(self) -> list[tuple[str, str]]:
        """Who did what."""
        found = [record for key in sorted(self.files.held) for record in records(self.files.held[key])]
        return [(record.user_id, record.event) for record in found if isinstance(record, TimelineEvent)]


@pytest.fixture
def node() -> Node:
    """One."""
    return Node()


async def test_only_who_consented_is_written_and_only_in_that_channel(node: Node) -> None:
    """And nobody any more, once they say no."""
    node.state("ada")
    node.say(ADA, b"one")
    node.say(BOB, b"no consent")
    node.say(ADA, b"another channel", "vch_" + "a" * 12)
    node.state("bob")
    node.say(ADA, b"withdrawn")
    node.say(BOB, b"two")
    await node.until("node_1")
    await node.recordings.close()
    assert node.written() == [b"one", b"two"]
    assert node.events() == [("ada", "joined"), ("ada", "left"), ("bob", "joined")]


async def test_it_lets_go_when_it_is_stopped(node: Node) -> None:
    """All is stored, the row is nobody's, and what is due is asked for at once. Later packets are nothing."""
    node.state("ada")
    node.say(ADA, b"one")
    await node.until("node_1")
    stopped = model.stopped(node.shelf.row, node.now_ms)
    assert stopped is not None
    assert stopped.holder == "node_1"
    await node.shelf.change(node.shelf.row, stopped)
    node.state(recording_id=None)
    node.say(ADA, b"late")
    await node.until("")
    assert node.shelf.row.status is RecordingStatus.FINISHING
    assert node.shelf.row.due(node.now_ms) is model.Work.FINISH
    await until(lambda: node.asked)
    assert (node.asked, node.written()) == ([(SESSION, RECORDING)], [b"one"])
    assert node.recordings.under_way == 0


async def test_a_part_is_stored_each_three_seconds(node: Node) -> None:
    """A crash loses no more than what came since."""
    node.state("ada")
    node.say(ADA, b"one")
    await node.until("node_1")
    node.now_ms += limits.RECORDING_PART_S * 1000
    await until(lambda: node.files.held)
    (key,) = node.files.held
    assert key == f"parts/{SESSION}/{RECORDING}/0000001000-000000-node_1"
    node.say(ADA, b"two")
    await node.recordings.close()
    assert node.written() == [b"one", b"two"]


async def test_the_next_node_goes_on_at_once(node: Node) -> None:
    """Whoever relays the room writes it; the one before finds out at its next renewal."""
    node.state("ada")
    node.say(ADA, b"one")
    await node.until("node_1")
    other = Node("node_2", node.shelf, node.files)
    other.now_ms += 2000
    other.state("ada")
    other.say(ADA, b"two")
    await node.until("node_2")
    node.now_ms += limits.RECORDING_LEASE_S * 1000
    await until(lambda: node.files.held)
    node.say(ADA, b"nobody hears")
    await node.recordings.close()
    assert node.shelf.row.holder == "node_2"
    await other.recordings.close()
    assert node.shelf.row.holder == ""
    assert node.shelf.row.status is RecordingStatus.RECORDING
    assert node.written() == [b"one", b"two"]


async def test_a_page_too_many_is_not_written_and_costs_nothing_more(node: Node) -> None:
    """Who is in the room is asked for it once, not with each of its packets."""
    pages = [f"ada.tab{n:05}" for n in range(limits.RECORDING_TRACKS_OF_ONE + 1)]
    node.people = dict.fromkeys(pages, ("Ada", None))
    node.state("ada", "bob")
    for page in pages:
        node.say(page, page.encode())
    asked = node.looks
    node.say(pages[-1], b"again")
    assert node.looks == asked
    node.say(BOB, b"bob")
    await node.until("node_1")
    await node.recordings.close()
    assert node.written() == [*(page.encode() for page in pages[:-1]), b"bob"]


async def test_nobody_records_what_was_stopped_before(node: Node) -> None:
    """The row says so, whatever the room's state does."""
    node.shelf.rows[SESSION, RECORDING] = row(status=RecordingStatus.FINISHING)
    node.state("ada")
    node.say(ADA, b"one")
    await node.recordings.close()
    assert node.files.held == {}


async def test_a_table_that_is_away_is_asked_again(node: Node) -> None:
    """What is said meanwhile is kept."""
    node.shelf.away = 1
    node.state("ada")
    node.say(ADA, b"one")
    await node.until("node_1")
    await node.recordings.close()
    assert node.written() == [b"one"]


async def test_a_bucket_that_is_away_is_asked_again(node: Node) -> None:
    """In order, until it takes it."""
    refusals = [AppError(Code.UPSTREAM_UNAVAILABLE)]

    def refuse(_key: str) -> None:
        if refusals:
            raise refusals.pop()

    node.files.refuse = refuse
    node.state("ada")
    node.say(ADA, b"one")
    await node.until("node_1")
    await node.recordings.close()
    assert node.written() == [b"one"]


async def test_what_was_deleted_leaves_nothing(node: Node) -> None:
    """The parts that this node has stored go as well."""
    node.state("ada")
    node.say(ADA, b"one")
    await node.until("node_1")
    node.shelf.rows.clear()
    await node.recordings.close()
    assert node.files.held == {}


async def test_it_ends_by_itself_after_as_long_as_one_may(node: Node) -> None:
    """Though nobody stops it."""
    node.state("ada")
    node.say(ADA, b"one")
    await node.until("node_1")
    node.now_ms = START_MS + limits.RECORDING_LONGEST_S * 1000
    await node.until("")
    assert node.shelf.row.status is RecordingStatus.FINISHING
    node.say(ADA, b"late")
    await node.recordings.close()
    assert node.written() == [b"one"]


async def test_who_moves_and_who_goes_is_in_the_timeline(node: Node) -> None:
    """Where they stand is looked at four times a second."""
    node.state("ada", "bob")
    for peer in (ADA, BOB):
        node.say(peer, b"one")
    await node.until("node_1")
    node.people = {ADA: ("Ada", (5.0, 0.0, 0.0))}

    def later() -> bool:
        node.now_ms += limits.RECORDING_PART_S * 1000
        return ("bob", "left") in node.events()

    await until(later)
    await node.recordings.close()
    assert ("ada", "moved") in node.events()
    assert any(of == (0, TrackOf(ADA, "ada", "Ada")) for key in node.files.held for of in records(node.files.held[key]))


def test_rows_are_of_nobody_else() -> None:
    """A step by who does not hold it is none."""
    held = replace(row(), holder="node_1")
    assert model.kept(held, "node_2", 0) is None
    assert model.written(held, "node_2", 0) is None
