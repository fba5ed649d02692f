"""A room's voice is one item, and an item has its bound: the largest book that there can be is below it."""

from collections.abc import Callable
from typing import Final

import msgspec
import pytest

from chalicelib.voice import acts
from chalicelib.voice.book import Book, Member, Person, present
from chalicelib.voice.model import MAIN_ID
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.voice import (
    ActiveRecording,
    Distance,
    DistanceModel,
    JoinVoice,
    VoiceChannelSettings,
    VoicePersonChange,
    Zone,
)

ITEM_BYTES: Final = 400 * 1024
"""Of DynamoDB (Service quotas), names and keys included."""
BESIDE_BYTES: Final = 1024
"""More than names, keys, `revision` and `expires_at` have."""
NOW: Final = 9_999_999_999_999
CHANNELS: Final = (MAIN_ID, *(f"vch_{n:012}" for n in range(limits.VOICE_CHANNELS_MAX - 1)))
LONG: Final = -9999.999999999998
"""As many characters as a number of the wire has."""


def name(kind: str, number: int) -> str:
    """The longest user id."""
    return f"{kind}{number:063}"


def longest(channel_id: str) -> VoiceChannelSettings:
    """A channel with all there can be in it."""
    made = VoiceChannelSettings(
        name="\N{MUSICAL NOTE}" * limits.VOICE_NAME_CHARS,
        speaker_ids=tuple(name("s", n) for n in range(limits.VOICE_SPEAKERS_MAX)),
        distance=Distance(model=DistanceModel.EXPONENTIAL, reference_m=-LONG, rolloff=9.999999999999998, max_m=-LONG),
        zone=None if channel_id == MAIN_ID else Zone(least=(LONG, LONG, LONG), greatest=(-LONG, -LONG, -LONG)),
    )
    return msgspec.json.decode(msgspec.json.encode(made), type=VoiceChannelSettings)


@pytest.fixture(scope="module")
def largest() -> Book:
    """As many of everything as are let in, with all that is kept of each."""
    here = [name("h", n) for n in range(limits.VOICE_MEMBERS_MAX)]
    book = Book(revision=2**53 - 1)
    for channel_id in CHANNELS:
        book = acts.make_channel(book, channel_id, longest(channel_id))
    where = CHANNELS[-1]
    joined = Person(channel_id=where, self_muted=True, unmute_requested=True, priority=True, hand_raised_at_ms=NOW)
    away = Person(channel_id=where, self_muted=True, priority=True, left_at_ms=NOW)
    kept_out = msgspec.structs.replace(away, muted=True, removed=True)
    remembered = range(limits.VOICE_REMEMBERED_MAX)
    people = dict.fromkeys(here, joined)
    people |= dict.fromkeys([name("a", n) for n in remembered], away)
    people |= dict.fromkeys([name("o", n) for n in remembered], kept_out)
    members = {f"{user_id}.{tab:016}": Member("pc_" + "x" * 20, NOW) for user_id in here for tab in range(2)}
    recording = ActiveRecording(
        recording_id="rec_" + "0" * 20,
        channel_id=where,
        started_by=name("x", 0),
        started_at_ms=NOW,
        consented=(*here, name("x", 0)),
    )
    return msgspec.structs.replace(book, people=people, members=members, recording=recording)


def test_the_largest_book_fits_an_item(largest: Book) -> None:
    """Whatever people do, a change of a room's voice can be written."""
    assert len(msgspec.json.encode(largest)) + BESIDE_BYTES < ITEM_BYTES


def test_nothing_more_comes_into_the_largest_book(largest: Book) -> None:
    """Else it were not the largest: everything in it is kept, and one more of anything is refused."""
    pages = dict.fromkeys(largest.members, NOW)
    assert present(largest, pages, NOW) == largest
    tab, newcomer = "tab00001", name("n", 0)
    tries: tuple[tuple[Code, Callable[[], Book]], ...] = (
        (Code.VOICE_CHANNEL_LIMIT, lambda: acts.make_channel(largest, "vch_" + "z" * 12, longest("vch"))),
        (Code.VOICE_FULL, lambda: acts.join(largest, f"{newcomer}.{tab}", NOW, JoinVoice(tab_id=tab), "pc")),
        (Code.VOICE_FULL, lambda: acts.join(largest, f"{name('h', 0)}.{tab}", NOW, JoinVoice(tab_id=tab), "pc")),
        (
            Code.BODY_INVALID,
            lambda: acts.change_person(largest, newcomer, VoicePersonChange(muted=True), known=True, now_ms=NOW),
        ),
    )
    for code, attempt in tries:
        with pytest.raises(AppError) as caught:
            attempt()
        assert caught.value.code is code
    more = msgspec.structs.replace(largest, people={**largest.people, newcomer: Person(left_at_ms=NOW - 1)})
    assert present(more, pages, NOW) == largest
