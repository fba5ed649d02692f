"""A room's voice as it is kept: one value, read whole and changed whole. Pure.

Theory of operation. All of it is one item, changed by compare-and-set on `revision` (`voice.changes`). So revisions are an
order of all changes without gaps, whatever functions race, and the state of the greater revision is the newer one; and
every bound (who is in a channel, who is in voice, how many channels there are) is checked against exactly what
the change is made to. See docs/adr/0011.

Whoever is in voice is a page (`Member`) that joined, and that is still there: a page counts while presence has it with
the same `joined_at_ms`. One that crashed, or was put out of the room, is out of voice with nothing written, and
is swept away by whichever change comes next. What is known of a person outlives their pages: `muted`
and `removed` for good, for nobody gets rid of them by coming again; the rest for VOICE_MEMBER_TTL_S.
"""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.voice.model import MAIN, MAIN_ID
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.voice import ActiveRecording, VoiceChannel, VoicePerson, VoiceState

Pages = Mapping[str, int]
"""Peer ids of the pages that are in a room, and since when each has been (`joined_at_ms`)."""


class Member(Struct, frozen=True, array_like=True):
    """A page in voice. `stay` is its `peer_connection_id`, `since_ms` when the page came into the room."""

    stay: str
    since_ms: int
    listening: bool = False


class Person(Struct, frozen=True, omit_defaults=True):
    """What is known of somebody. `left_at_ms` is when their last page left voice; 0 while one is in it."""

    channel_id: str = MAIN_ID
    self_muted: bool = False
    muted: bool = False
    unmute_requested: bool = False
    priority: bool = False
    removed: bool = False
    hand_raised_at_ms: int | None = None
    left_at_ms: int = 0

    @property
    def lasting(self) -> bool:
        """Whether a moderator's word holds for them, though they go."""
        return self.muted or self.removed


class Book(Struct, frozen=True, omit_defaults=True):
    """All of it. Channels but `main`, unless that was changed; people by user id; members by peer id."""

    revision: int = 0
    channels: dict[str, VoiceChannel] = {}
    people: dict[str, Person] = {}
    members: dict[str, Member] = {}
    recording: ActiveRecording | None = None


def user_of(peer_id: str) -> str:
    """Whose page a peer is."""
    return peer_id.partition(".")[0]


def channels_of(book: Book) -> tuple[VoiceChannel, ...]:
    """`main` first, then as they were made."""
    return (book.channels.get(MAIN_ID, MAIN), *(c for c in book.channels.values() if c.channel_id != MAIN_ID))


def channel_of(book: Book, channel_id: str) -> VoiceChannel:
    """A channel; VOICE_CHANNEL_UNKNOWN."""
    found = book.channels.get(channel_id, MAIN if channel_id == MAIN_ID else None)
    if found is None:
        raise AppError(Code.VOICE_CHANNEL_UNKNOWN)
    return found


def person_of(book: Book, user_id: str) -> Person:
    """What is known of somebody; a blank one where nothing is."""
    return book.people.get(user_id, Person())


def users_of(book: Book) -> set[str]:
    """Who is in voice."""
    return {user_of(peer_id) for peer_id in book.members}


def present(book: Book, pages: Pages, now_ms: int) -> Book:
    """The book without pages that have gone, and without what was remembered of people for long enough."""
    return forgetting(without(book, {p for p, m in book.members.items() if pages.get(p) != m.since_ms}, now_ms), now_ms)


def without(book: Book, peer_ids: set[str], now_ms: int) -> Book:
    """The book without some pages. Whoever has none left in it has left voice: their hand is down, nobody waits for them."""
    members = {peer_id: member for peer_id, member in book.members.items() if peer_id not in peer_ids}
    if len(members) == len(book.members):
        return book
    after = replace(book, members=members)
    left = users_of(book) - users_of(after)
    gone = {
        user_id: replace(person_of(book, user_id), hand_raised_at_ms=None, unmute_requested=False, left_at_ms=now_ms)
        for user_id in left
    }
    return replace(after, people={**book.people, **gone})


def forgetting(book: Book, now_ms: int) -> Book:
    """The book without who left long ago, or, where too many are remembered, longest ago; a moderator's word stays."""
    here = users_of(book)
    away = sorted(
        ((p.left_at_ms, user_id) for user_id, p in book.people.items() if user_id not in here and not p.lasting),
        reverse=True,
    )
    oldest_ms = now_ms - limits.VOICE_MEMBER_TTL_S * 1000
    lost = {
        user_id for n, (at_ms, user_id) in enumerate(away) if at_ms <= oldest_ms or n >= limits.VOICE_REMEMBERED_MAX
    }
    if not lost:
        return book
    return replace(book, people={user_id: p for user_id, p in book.people.items() if user_id not in lost})


def person_told(book: Book, user_id: str) -> VoicePerson:
    """Somebody as everybody is told; without pages where they are not in voice."""
    person = person_of(book, user_id)
    peers = sorted(peer_id for peer_id in book.members if user_of(peer_id) == user_id)
    return VoicePerson(
        user_id=user_id,
        channel_id=person.channel_id,
        peers=tuple(peers),
        listening=bool(peers) and all(book.members[peer_id].listening for peer_id in peers),
        self_muted=person.self_muted,
        muted=person.muted,
        unmute_requested=person.unmute_requested,
        priority=person.priority,
        hand_raised_at_ms=person.hand_raised_at_ms,
    )


def told(book: Book) -> VoiceState:
    """As everybody is told, people by user id."""
    return VoiceState(
        revision=book.revision,
        channels=channels_of(book),
        people=tuple(person_told(book, user_id) for user_id in sorted(users_of(book))),
        recording=book.recording,
        removed=tuple(sorted(user_id for user_id, person in book.people.items() if person.removed)),
    )
