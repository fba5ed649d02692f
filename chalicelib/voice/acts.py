"""What may be done to a room's voice: a book before, a book after, or the refusal. Pure.

Who may do it was asked before, but where that depends on what is asked for (`allowed`). Pages that have gone are out of the
book already. Doing anything a second time changes nothing (but a channel is dropped once), so that a write whose answer
was lost may be done again.
"""

from typing import Final

from msgspec.structs import replace

from chalicelib.voice.book import (
    Book,
    Member,
    Person,
    channel_of,
    channels_of,
    person_of,
    user_of,
    users_of,
    without,
)
from chalicelib.voice.model import MAIN_ID
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.voice import (
    ActiveRecording,
    JoinVoice,
    VoiceChannel,
    VoiceChannelSettings,
    VoicePersonChange,
    Zone,
)

_PAGES_MAX: Final = 2 * limits.VOICE_MEMBERS_MAX
"""Of all people in voice: an item has its bound (400 KB)."""


def join(book: Book, peer_id: str, since_ms: int, body: JoinVoice, stay: str) -> Book:
    """A page is in voice. `stay` names it, unless it was in it already.

    VOICE_REMOVED, VOICE_FULL, VOICE_CHANNEL_UNKNOWN, VOICE_CHANNEL_FULL. Whoever names no channel goes where they were,
    or, where that is full by now, to `main`.
    """
    user_id = user_of(peer_id)
    person = person_of(book, user_id)
    if person.removed:
        raise AppError(Code.VOICE_REMOVED)
    users, known = users_of(book), book.members.get(peer_id)
    crowded = user_id not in users and len(users) >= limits.VOICE_MEMBERS_MAX
    if known is None and (crowded or len(book.members) >= _PAGES_MAX):
        raise AppError(Code.VOICE_FULL)
    channel_id = body.channel_id or _where(book, user_id, person)
    _place(book, user_id, channel_id)
    member = Member(known.stay if known else stay, since_ms, body.listening)
    return replace(
        book,
        people={**book.people, user_id: replace(person, channel_id=channel_id, left_at_ms=0)},
        members={**book.members, peer_id: member},
    )


def leave(book: Book, peer_id: str, now_ms: int) -> Book:
    """A page is out of voice; one that was not in it is so already."""
    return without(book, {peer_id}, now_ms)


def record(book: Book, recording: ActiveRecording | None) -> Book:
    """What is recorded."""
    return replace(book, recording=recording)


def make_channel(book: Book, channel_id: str, settings: VoiceChannelSettings) -> Book:
    """One channel more; VOICE_CHANNEL_LIMIT, and what `change_channel` says of settings."""
    if channel_id not in book.channels and len(channels_of(book)) >= limits.VOICE_CHANNELS_MAX:
        raise AppError(Code.VOICE_CHANNEL_LIMIT)
    return replace(book, channels={**book.channels, channel_id: _channel(channel_id, settings)})


def change_channel(book: Book, channel_id: str, settings: VoiceChannelSettings) -> Book:
    """A channel is so from now on; who is in it stays, however small it becomes.

    VOICE_CHANNEL_UNKNOWN, VOICE_CHANNEL_FIXED for a zone of `main`; VOICE_CHANNEL_INVALID for one that nobody can stand in,
    and where voices were at full loudness beyond where they end.
    """
    channel_of(book, channel_id)
    return replace(book, channels={**book.channels, channel_id: _channel(channel_id, settings)})


def drop_channel(book: Book, channel_id: str) -> Book:
    """A channel less. Who was in it is in `main`, however full.

    VOICE_CHANNEL_UNKNOWN, VOICE_CHANNEL_FIXED for `main`, RECORDING_UNDER_WAY for one that is recorded.
    """
    if channel_id == MAIN_ID:
        raise AppError(Code.VOICE_CHANNEL_FIXED)
    channel_of(book, channel_id)
    if book.recording is not None and book.recording.channel_id == channel_id:
        raise AppError(Code.RECORDING_UNDER_WAY, "it is this channel")
    return replace(
        book,
        channels={known: channel for known, channel in book.channels.items() if known != channel_id},
        people={
            user_id: replace(person, channel_id=MAIN_ID) if person.channel_id == channel_id else person
            for user_id, person in book.people.items()
        },
    )


def allowed(change: VoicePersonChange, *, own: bool, moderates: bool) -> bool:
    """Whether somebody may ask for a change, of themselves (`own`) or of another.

    Only one's own hand goes up, and only one's own microphone is muted or opened by oneself: no moderator can.
    """
    if not own and (change.self_muted is not None or change.hand_raised):
        return False
    moderation = change.muted is not None or change.priority is not None or change.removed is not None
    return moderates or (own and not moderation and not change.unmute_requested)


def choose(book: Book, channel_id: str | None, *, moderates: bool) -> None:
    """Refuses a channel with a zone to who does not moderate: one walks into it, for all to see. ROLE_INSUFFICIENT."""
    zoned = channel_id in book.channels and book.channels[channel_id].zone is not None
    if zoned and not moderates:
        raise AppError(Code.ROLE_INSUFFICIENT, "one walks into this channel")


def change_person(book: Book, user_id: str, change: VoicePersonChange, *, known: bool, now_ms: int) -> Book:
    """Somebody is so from now on; what is left out stays. `known`: they are in the room, if not in voice.

    PARTICIPANT_UNKNOWN; VOICE_NOT_JOINED for who is not in voice, but by `muted` and `removed`, which wait for them;
    VOICE_CHANNEL_UNKNOWN, VOICE_CHANNEL_FULL; BODY_INVALID where more are muted and removed than are remembered.
    """
    joined = user_id in users_of(book)
    if not (joined or known or user_id in book.people):
        raise AppError(Code.PARTICIPANT_UNKNOWN)
    if not joined and replace(change, muted=None, removed=None, user_id=None) != VoicePersonChange():
        raise AppError(Code.VOICE_NOT_JOINED)
    person = _changed(person_of(book, user_id), change, now_ms)
    if change.channel_id is not None and not person.removed:
        _place(book, user_id, change.channel_id)
        person = replace(person, channel_id=change.channel_id)
    if not joined and not person.left_at_ms:
        person = replace(person, left_at_ms=now_ms)
    after = replace(book, people={**book.people, user_id: person})
    _bounded(book, after)
    if not person.removed:
        return after
    return without(after, {peer_id for peer_id in book.members if user_of(peer_id) == user_id}, now_ms)


def _changed(person: Person, change: VoicePersonChange, now_ms: int) -> Person:
    self_muted = person.self_muted if change.self_muted is None else change.self_muted
    asked = person.unmute_requested if change.unmute_requested is None else change.unmute_requested
    raised_ms = person.hand_raised_at_ms
    if change.hand_raised is not None:
        raised_ms = (raised_ms or now_ms) if change.hand_raised else None
    return replace(
        person,
        self_muted=self_muted,
        muted=person.muted if change.muted is None else change.muted,
        unmute_requested=asked and self_muted,
        priority=person.priority if change.priority is None else change.priority,
        removed=person.removed if change.removed is None else change.removed,
        hand_raised_at_ms=raised_ms,
    )


def _bounded(before: Book, after: Book) -> None:
    lasting = sum(person.lasting for person in after.people.values())
    if lasting > limits.VOICE_REMEMBERED_MAX and lasting > sum(p.lasting for p in before.people.values()):
        raise AppError(Code.BODY_INVALID, f"{limits.VOICE_REMEMBERED_MAX} people are muted or removed here already")


def _where(book: Book, user_id: str, person: Person) -> str:
    """The channel of who names none."""
    there = person.channel_id
    if user_id in users_of(book) or there not in book.channels:
        return there if there in book.channels else MAIN_ID
    return MAIN_ID if _full(book, book.channels[there], user_id) else there


def _place(book: Book, user_id: str, channel_id: str) -> None:
    """Refuses a channel that is not there, or has no place for one more."""
    channel = channel_of(book, channel_id)
    there = user_id in users_of(book) and person_of(book, user_id).channel_id == channel_id
    if not there and _full(book, channel, user_id):
        raise AppError(Code.VOICE_CHANNEL_FULL)


def _full(book: Book, channel: VoiceChannel, user_id: str) -> bool:
    others = users_of(book) - {user_id}
    return sum(person_of(book, other).channel_id == channel.channel_id for other in others) >= channel.capacity


def _channel(channel_id: str, settings: VoiceChannelSettings) -> VoiceChannel:
    if channel_id == MAIN_ID and settings.zone is not None:
        raise AppError(Code.VOICE_CHANNEL_FIXED)
    if settings.distance.reference_m > settings.distance.max_m:
        raise AppError(Code.VOICE_CHANNEL_INVALID, "distance: reference_m is beyond max_m")
    return VoiceChannel(
        channel_id=channel_id,
        name=settings.name,
        kind=settings.kind,
        capacity=settings.capacity,
        speakers=settings.speakers,
        speaker_ids=settings.speaker_ids,
        distance=settings.distance,
        zone=None if settings.zone is None else _box(settings.zone),
    )


def _box(zone: Zone) -> Zone:
    """The box of two opposite corners, whichever they are; VOICE_CHANNEL_INVALID for one without volume."""
    (a, b, c), (d, e, f) = zone.least, zone.greatest
    if a == d or b == e or c == f:
        raise AppError(Code.VOICE_CHANNEL_INVALID, "zone: it has no volume; its corners differ in x, y and z")
    return Zone(least=(min(a, d), min(b, e), min(c, f)), greatest=(max(a, d), max(b, e), max(c, f)))
