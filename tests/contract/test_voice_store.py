"""One contract for a room's voice and people's blocks, run on the fake, on moto and on Amazon's DynamoDB Local."""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

import pytest

from chalicelib.voice.book import Book, Member, Person
from chalicelib.voice.changes import Books
from chalicelib.voice.model import MAIN
from chalicelib.voice.reading import Shelf
from chalicelib.voice.service import Blocks
from chalicelib.wire import limits
from chalicelib.wire.voice import (
    ActiveRecording,
    ChannelKind,
    Distance,
    DistanceModel,
    Speakers,
    VoiceChannel,
    Zone,
)
from tests.contract.tables import Database, voice_store

NOW = 1_700_000_000_000
BOB, BOTH = frozenset({"bob"}), frozenset({"bob", "eve"})
S, T = "ses_" + "a" * 20, "ses_" + "b" * 20


class Store(Books, Blocks, Shelf, Protocol):
    """All that is asked of one."""


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    """The implementation under test, empty."""
    async with voice_store(database) as made:
        yield made


def full(revision: int = 1) -> Book:
    """A book with all there is in it."""
    stage = VoiceChannel(
        channel_id="vch_000000000001",
        name="Bühne \N{MICROPHONE}",
        kind=ChannelKind.STAGE,
        capacity=7,
        speakers=Speakers.NAMED,
        speaker_ids=("ann", "bob"),
        distance=Distance(model=DistanceModel.LINEAR, reference_m=0.5, rolloff=0.25, max_m=9.5),
        zone=Zone(least=(-1.5, 0.0, 2.0), greatest=(1.5, 3.0, 4.25)),
    )
    person = Person(
        channel_id=stage.channel_id,
        self_muted=True,
        muted=True,
        unmute_requested=True,
        priority=True,
        removed=True,
        hand_raised_at_ms=NOW,
        left_at_ms=NOW + 1,
    )
    recording = ActiveRecording(
        recording_id="rec_" + "0" * 20, channel_id="main", started_by="ann", started_at_ms=NOW, consented=("ann",)
    )
    return Book(
        revision=revision,
        channels={stage.channel_id: stage, "main": MAIN},
        people={"ann": person, "bob": Person()},
        members={"ann.tab00001": Member("pc_1", NOW, True), "bob.tab00001": Member("pc_2", NOW)},
        recording=recording,
    )


async def test_a_room_without_voice_has_a_blank_book(store: Store) -> None:
    """Nothing is made by reading."""
    assert await store.read(S) == Book()
    assert await store.swap(S, 0, Book(revision=1), NOW)


async def test_a_book_is_read_as_it_was_written(store: Store) -> None:
    """All of it, channels in their order; other rooms' are apart."""
    assert await store.swap(S, 0, full(), NOW)
    assert await store.read(S) == full()
    assert list((await store.read(S)).channels) == list(full().channels)
    assert await store.read(T) == Book()


async def test_a_book_is_written_on_the_one_before(store: Store) -> None:
    """And on no other, nor where there is none yet."""
    assert not await store.swap(S, 1, full(2), NOW)
    assert await store.swap(S, 0, full(1), NOW)
    assert not await store.swap(S, 0, Book(revision=1), NOW)
    assert not await store.swap(S, 2, Book(revision=3), NOW)
    assert await store.read(S) == full(1)
    assert await store.swap(S, 1, Book(revision=2), NOW)
    assert await store.read(S) == Book(revision=2)


async def test_of_all_who_write_at_once_one_does(store: Store) -> None:
    """However many race, each revision is one book's."""
    for revision in range(3):
        books = [Book(revision=revision + 1, people={f"u{n}": Person()}) for n in range(8)]
        won = await asyncio.gather(*(store.swap(S, revision, book, NOW) for book in books))
        assert sum(won) == 1
        assert await store.read(S) == books[won.index(True)]


async def test_an_ended_session_leaves_nothing(store: Store) -> None:
    """Its book is gone; once more is harmless."""
    await store.swap(S, 0, full(), NOW)
    await store.swap(T, 0, full(), NOW)
    await store.erase(S)
    await store.erase(S)
    assert (await store.read(S), await store.read(T)) == (Book(), full())


async def test_blocks_are_a_set_of_each_person(store: Store) -> None:
    """Twice is once, and taking away what is not there is nothing."""
    assert await store.blocked("ann") == frozenset()
    await store.unblock("ann", "bob")
    assert await store.block("ann", "bob", ends=False, now_ms=NOW) == BOB
    assert await store.block("ann", "bob", ends=False, now_ms=NOW) == BOB
    assert await store.block("ann", "eve", ends=True, now_ms=NOW) == BOTH
    assert (await store.blocked("ann"), await store.blocked("bob")) == (BOTH, frozenset())
    for other in ("bob", "bob", "eve", "eve"):
        await store.unblock("ann", other)
    assert await store.blocked("ann") == frozenset()
    assert await store.block("ann", "bob", ends=False, now_ms=NOW) == BOB


async def test_nobody_blocks_more_than_they_may(store: Store) -> None:
    """However many are added at once; who is blocked already may be again."""
    for n in range(limits.VOICE_BLOCKS_MAX - 2):
        await store.block("ann", f"u{n:03}", ends=False, now_ms=NOW)
    outcomes = await asyncio.gather(*(store.block("ann", f"v{n}", ends=False, now_ms=NOW) for n in range(6)))
    assert sum(outcome is not None for outcome in outcomes) == 2
    assert len(await store.blocked("ann")) == limits.VOICE_BLOCKS_MAX
    assert await store.block("ann", "u000", ends=False, now_ms=NOW) == await store.blocked("ann")


async def test_blocks_of_many_at_once(store: Store) -> None:
    """More than one batch takes; whoever blocks nobody is left out."""
    people = [f"u{n:03}" for n in range(150)]
    for user_id in people[::3]:
        await store.block(user_id, "eve", ends=False, now_ms=NOW)
    await store.block("u000", "bob", ends=False, now_ms=NOW)
    await store.unblock("u003", "eve")
    found = await store.blocked_by([*people, "nobody"])
    assert found.pop("u000") == {"eve", "bob"}
    assert found == {user_id: frozenset({"eve"}) for user_id in people[6::3]}
    assert await store.blocked_by([]) == {}
