"""What may be done to a room's voice, as values before and after."""

from collections.abc import Callable

import pytest

from chalicelib.voice import acts
from chalicelib.voice.book import Book, Person, present, told
from chalicelib.voice.model import MAIN, MAIN_ID
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.types import Vec3
from chalicelib.wire.voice import (
    ActiveRecording,
    Distance,
    JoinVoice,
    VoiceChannelSettings,
    VoicePerson,
    VoicePersonChange,
    Zone,
)

NOW = 1_700_000_000_000
TAB = "tab00001"
SIDE = "vch_000000000001"
Change = VoicePersonChange


def join(book: Book, user_id: str, channel_id: str | None = None, tab: str = TAB, *, listening: bool = False) -> Book:
    body = JoinVoice(tab_id=tab, channel_id=channel_id, listening=listening)
    return acts.join(book, f"{user_id}.{tab}", NOW, body, f"pc_{user_id}.{tab}")


def joined(*names: str, book: Book | None = None) -> Book:
    made = book or Book()
    for name in names:
        made = join(made, name)
    return made


def settings(name: str = "Side", **fields: object) -> VoiceChannelSettings:
    return VoiceChannelSettings(name=name, **fields)  # type: ignore[arg-type]


def change(book: Book, user_id: str, what: VoicePersonChange, *, known: bool = True) -> Book:
    return acts.change_person(book, user_id, what, known=known, now_ms=NOW)


def refusal(book: Book, user_id: str, what: VoicePersonChange, *, known: bool = True) -> Code:
    with pytest.raises(AppError) as caught:
        change(book, user_id, what, known=known)
    return caught.value.code


def people(book: Book) -> dict[str, VoicePerson]:
    return {person.user_id: person for person in told(book).people}


@pytest.fixture
def side() -> Book:
    """A room with a channel beside `main`, for two."""
    return acts.make_channel(Book(), SIDE, settings(capacity=2))


def test_whoever_joins_is_in_main() -> None:
    """With all of their pages; as a listener where none has a microphone."""
    book = join(join(joined("ann"), "bob", listening=True), "ann", tab="tab00002", listening=True)
    assert people(book) == {
        "ann": VoicePerson(user_id="ann", channel_id=MAIN_ID, peers=("ann.tab00001", "ann.tab00002")),
        "bob": VoicePerson(user_id="bob", channel_id=MAIN_ID, peers=("bob.tab00001",), listening=True),
    }


def test_joining_again_changes_nothing() -> None:
    """But whether one only listens; the page's stay keeps its name."""
    book = joined("ann")
    assert joined("ann", book=book) == book
    again = acts.join(book, f"ann.{TAB}", NOW, JoinVoice(tab_id=TAB, listening=True), "pc_other")
    assert [(m.stay, m.listening) for m in again.members.values()] == [(f"pc_ann.{TAB}", True)]


def test_a_channel_takes_as_many_people_as_it_may(side: Book) -> None:
    """People, not pages; who is in it is not in their own way; who is refused is where they were."""
    book = join(join(side, "ann", SIDE), "bob", SIDE)
    assert join(book, "ann", SIDE, tab="tab00002").members.keys() == {*book.members, "ann.tab00002"}
    with pytest.raises(AppError) as caught:
        join(book, "cyd", SIDE)
    assert caught.value.code is Code.VOICE_CHANNEL_FULL
    book = joined("cyd", book=book)
    assert refusal(book, "cyd", Change(channel_id=SIDE)) is Code.VOICE_CHANNEL_FULL
    assert change(book, "ann", Change(channel_id=SIDE)) == book
    moved = change(change(book, "ann", Change(channel_id=MAIN_ID)), "cyd", Change(channel_id=SIDE))
    assert {p.user_id: p.channel_id for p in told(moved).people} == {"ann": MAIN_ID, "bob": SIDE, "cyd": SIDE}


def test_a_channel_that_is_not_there(side: Book) -> None:
    """Cannot be joined, changed, dropped, or moved to."""
    gone, book = "vch_" + "9" * 12, joined("ann", book=side)
    tries: tuple[Callable[[], Book], ...] = (
        lambda: join(book, "bob", gone),
        lambda: change(book, "ann", Change(channel_id=gone)),
        lambda: acts.change_channel(book, gone, settings()),
        lambda: acts.drop_channel(book, gone),
    )
    for attempt in tries:
        with pytest.raises(AppError) as caught:
            attempt()
        assert caught.value.code is Code.VOICE_CHANNEL_UNKNOWN


def test_who_comes_again_is_where_they_were(side: Book) -> None:
    """Unless that is full, or gone, by now."""
    book = acts.leave(join(side, "ann", SIDE), f"ann.{TAB}", NOW)
    assert people(joined("ann", book=book))["ann"].channel_id == SIDE
    full = join(join(book, "bob", SIDE), "cyd", SIDE)
    assert people(joined("ann", book=full))["ann"].channel_id == MAIN_ID
    assert people(joined("ann", book=acts.drop_channel(book, SIDE)))["ann"].channel_id == MAIN_ID


def test_a_room_has_so_many_in_voice() -> None:
    """People, and pages; a page more of somebody who is in it is one of theirs."""
    book = joined(*(f"u{n}" for n in range(limits.VOICE_MEMBERS_MAX)))
    book = join(book, "u0", tab="tab00002")
    tries: tuple[Callable[[], Book], ...] = (lambda: joined("ann", book=book), lambda: join(book, "ann", MAIN_ID))
    for attempt in tries:
        with pytest.raises(AppError) as caught:
            attempt()
        assert caught.value.code is Code.VOICE_FULL
    assert len(told(joined("u0", book=book)).people) == limits.VOICE_MEMBERS_MAX
    for n in range(1, limits.VOICE_MEMBERS_MAX):
        book = join(book, f"u{n}", tab="tab00002")
    with pytest.raises(AppError) as caught:
        join(book, "u0", tab="tab00003")
    assert caught.value.code is Code.VOICE_FULL


def test_main_is_there_and_stays() -> None:
    """It may be made anything but a zone; it comes first."""
    assert told(Book()).channels == (MAIN,)
    book = acts.make_channel(Book(), SIDE, settings())
    book = acts.change_channel(book, MAIN_ID, settings("Hall", capacity=3, distance=Distance(max_m=9.0)))
    assert [(c.channel_id, c.name, c.capacity) for c in told(book).channels] == [
        (MAIN_ID, "Hall", 3),
        (SIDE, "Side", limits.VOICE_MEMBERS_MAX),
    ]
    zone = Zone(least=(0, 0, 0), greatest=(1, 1, 1))
    tries: tuple[Callable[[], Book], ...] = (
        lambda: acts.change_channel(book, MAIN_ID, settings(zone=zone)),
        lambda: acts.drop_channel(book, MAIN_ID),
    )
    for attempt in tries:
        with pytest.raises(AppError) as caught:
            attempt()
        assert caught.value.code is Code.VOICE_CHANNEL_FIXED


def test_a_room_has_so_many_channels() -> None:
    """`main` among them; making the same one again is no further one."""
    book = Book()
    for n in range(limits.VOICE_CHANNELS_MAX - 1):
        book = acts.make_channel(book, f"vch_{n:012}", settings())
    with pytest.raises(AppError) as caught:
        acts.make_channel(book, "vch_" + "9" * 12, settings())
    assert caught.value.code is Code.VOICE_CHANNEL_LIMIT
    assert acts.make_channel(book, "vch_" + "0" * 12, settings()) == book
    changed = acts.change_channel(book, MAIN_ID, settings("Hall"))
    assert len(told(changed).channels) == limits.VOICE_CHANNELS_MAX


@pytest.mark.parametrize(
    ("one", "other"), [((1, 0, 2), (0, 1, -1.5)), ((0, 0, -1.5), (1, 1, 2))], ids=["crossed", "sorted"]
)
def test_a_zone_is_a_box_by_any_two_opposite_corners(one: Vec3, other: Vec3) -> None:
    """It is kept by its least and greatest one."""
    book = acts.make_channel(Book(), SIDE, settings(zone=Zone(least=one, greatest=other)))
    assert book.channels[SIDE].zone == Zone(least=(0, 0, -1.5), greatest=(1, 1, 2))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (settings(zone=Zone(least=(1, 2, 3), greatest=(1, 2, 3))), "zone"),
        (settings(zone=Zone(least=(0, 1, 0), greatest=(4, 1, 4))), "zone"),
        (settings(distance=Distance(reference_m=50, max_m=1)), "distance"),
    ],
    ids=["a point", "flat", "loud beyond its end"],
)
def test_a_channel_that_makes_no_sense_is_refused(side: Book, wrong: VoiceChannelSettings, said: str) -> None:
    """Made or changed: one would stand in it by chance alone, or never hear it fade."""
    tries: tuple[Callable[[], Book], ...] = (
        lambda: acts.make_channel(Book(), SIDE, wrong),
        lambda: acts.change_channel(side, SIDE, wrong),
    )
    for attempt in tries:
        with pytest.raises(AppError) as caught:
            attempt()
        assert (caught.value.code, caught.value.detail.partition(":")[0]) == (Code.VOICE_CHANNEL_INVALID, said)


def test_a_dropped_channel_leaves_its_people_in_main(side: Book) -> None:
    """However full that is."""
    book = acts.change_channel(side, MAIN_ID, settings("Hall", capacity=1))
    book = joined("cyd", book=join(join(book, "ann", SIDE), "bob", SIDE))
    after = told(acts.drop_channel(book, SIDE))
    assert [c.channel_id for c in after.channels] == [MAIN_ID]
    assert {p.channel_id for p in after.people} == {MAIN_ID}
    assert len(after.people) == 3


def test_a_channel_that_is_recorded_is_not_dropped(side: Book) -> None:
    """Else the recording went on, for everybody to see, of a channel that nobody can be in."""
    recorded = acts.record(
        side, ActiveRecording(recording_id="rec_" + "a" * 20, channel_id=SIDE, started_by="ann", started_at_ms=NOW)
    )
    with pytest.raises(AppError) as caught:
        acts.drop_channel(recorded, SIDE)
    assert caught.value.code is Code.RECORDING_UNDER_WAY
    assert caught.value.message == "Something is being recorded in this room; stop that first. (it is this channel)"
    other = acts.make_channel(recorded, "vch_000000000002", settings())
    assert len(told(acts.drop_channel(other, "vch_000000000002")).channels) == 2
    assert len(told(acts.drop_channel(acts.record(recorded, None), SIDE)).channels) == 1


def test_a_smaller_channel_throws_nobody_out(side: Book) -> None:
    """It takes nobody more."""
    book = acts.change_channel(join(join(side, "ann", SIDE), "bob", SIDE), SIDE, settings(capacity=1))
    assert {p.channel_id for p in told(book).people} == {SIDE}
    with pytest.raises(AppError):
        join(book, "cyd", SIDE)


@pytest.mark.parametrize(
    ("what", "own", "others"),
    [
        (Change(self_muted=True), "anyone", "nobody"),
        (Change(self_muted=False), "anyone", "nobody"),
        (Change(hand_raised=True), "anyone", "nobody"),
        (Change(hand_raised=False), "anyone", "owner"),
        (Change(channel_id=MAIN_ID), "anyone", "owner"),
        (Change(unmute_requested=False), "anyone", "owner"),
        (Change(unmute_requested=True), "owner", "owner"),
        (Change(muted=True), "owner", "owner"),
        (Change(muted=False), "owner", "owner"),
        (Change(priority=True), "owner", "owner"),
        (Change(removed=True), "owner", "owner"),
        (Change(removed=False), "owner", "owner"),
        (Change(muted=True, self_muted=True), "owner", "nobody"),
        (Change(), "anyone", "owner"),
    ],
    ids=range(14),
)
def test_who_may_say_what(what: VoicePersonChange, own: str, others: str) -> None:
    """Of oneself and of others, with and without moderating."""
    for is_own, who in ((True, own), (False, others)):
        assert acts.allowed(what, own=is_own, moderates=True) is (who != "nobody")
        assert acts.allowed(what, own=is_own, moderates=False) is (who == "anyone")


def test_a_moderators_mute_and_ones_own_are_two() -> None:
    """Lifting one leaves the other."""
    book = change(joined("ann"), "ann", Change(self_muted=True))
    book = change(book, "ann", Change(muted=True))
    lifted = people(change(book, "ann", Change(muted=False)))["ann"]
    assert (lifted.muted, lifted.self_muted) == (False, True)
    opened = people(change(book, "ann", Change(self_muted=False)))["ann"]
    assert (opened.muted, opened.self_muted) == (True, False)


def test_nobody_escapes_a_mute_by_coming_again() -> None:
    """Nor by taking a channel, nor by another page, nor by waiting."""
    book = change(joined("ann"), "ann", Change(muted=True, priority=True))
    book = acts.leave(join(book, "ann", tab="tab00002"), f"ann.{TAB}", NOW)
    book = acts.leave(book, "ann.tab00002", NOW)
    later = present(book, {}, NOW + 10 * limits.VOICE_MEMBER_TTL_S * 1000)
    assert people(join(later, "ann", MAIN_ID))["ann"].muted


def test_somebody_is_asked_to_unmute() -> None:
    """Where they muted themselves; it is over when they do, decline, or go."""
    book = joined("ann")
    assert change(book, "ann", Change(unmute_requested=True)) == book
    asked = change(change(book, "ann", Change(self_muted=True)), "ann", Change(unmute_requested=True))
    assert people(asked)["ann"].unmute_requested
    for what in (Change(self_muted=False), Change(unmute_requested=False)):
        assert not people(change(asked, "ann", what))["ann"].unmute_requested
    again = people(joined("ann", book=acts.leave(asked, f"ann.{TAB}", NOW)))["ann"]
    assert (again.self_muted, again.unmute_requested) == (True, False)


def test_a_hand_is_raised_once() -> None:
    """From when it went up, until it goes down, or they do."""
    book = change(joined("ann"), "ann", Change(hand_raised=True))
    later = acts.change_person(book, "ann", Change(hand_raised=True), known=True, now_ms=NOW + 5)
    assert people(later)["ann"].hand_raised_at_ms == NOW
    assert people(change(book, "ann", Change(hand_raised=False)))["ann"].hand_raised_at_ms is None
    gone = acts.leave(book, f"ann.{TAB}", NOW)
    assert people(joined("ann", book=gone))["ann"].hand_raised_at_ms is None


def test_who_is_removed_is_out_until_they_are_let() -> None:
    """All their pages, at once; everybody sees whom."""
    book = change(join(joined("ann", "bob"), "ann", tab="tab00002"), "ann", Change(removed=True))
    assert list(people(book)) == ["bob"]
    assert told(book).removed == ("ann",)
    with pytest.raises(AppError) as caught:
        joined("ann", book=book)
    assert caught.value.code is Code.VOICE_REMOVED
    let = change(book, "ann", Change(removed=False), known=False)
    assert list(people(joined("ann", book=let))) == ["ann", "bob"]


def test_who_is_not_in_voice_can_be_muted_and_removed_only() -> None:
    """Somebody in the room, or who was in voice; of nobody else is anything kept."""
    for what in (
        Change(self_muted=True),
        Change(hand_raised=True),
        Change(priority=True),
        Change(unmute_requested=True),
        Change(channel_id=MAIN_ID),
        Change(muted=True, hand_raised=False),
    ):
        assert refusal(Book(), "ann", what) is Code.VOICE_NOT_JOINED
    assert refusal(Book(), "ann", Change(muted=True), known=False) is Code.PARTICIPANT_UNKNOWN
    muted = change(Book(), "ann", Change(muted=True, user_id="olga"))
    assert people(joined("ann", book=muted))["ann"].muted


def test_what_is_remembered_ends() -> None:
    """Of who left long ago, or longest ago of too many; a moderator's word stays."""
    book = acts.make_channel(Book(), SIDE, settings())
    count = limits.VOICE_REMEMBERED_MAX + 5
    for n in range(count):
        book = acts.leave(join(book, f"u{n:04}", SIDE), f"u{n:04}.{TAB}", NOW + n)
    book = change(book, "u0000", Change(removed=True))
    kept = present(book, {}, NOW + count).people
    assert set(kept) == {"u0000", *(f"u{n:04}" for n in range(5, count))}
    late = present(book, {}, NOW + limits.VOICE_MEMBER_TTL_S * 1000 + count)
    assert set(late.people) == {"u0000"}


def test_so_many_are_muted_or_removed() -> None:
    """Further ones are refused; letting one go is not."""
    book = Book(people={f"u{n}": Person(muted=True) for n in range(limits.VOICE_REMEMBERED_MAX)})
    assert refusal(book, "ann", Change(removed=True)) is Code.BODY_INVALID
    assert change(book, "u1", Change(removed=True)).people["u1"].removed
    assert not change(book, "u1", Change(muted=False)).people["u1"].muted


def test_a_page_that_went_or_came_anew_is_out() -> None:
    """A page counts while it is the one that joined, since when it was."""
    book = joined("ann", "bob", "cyd")
    pages = {f"ann.{TAB}": NOW, f"bob.{TAB}": NOW + 1}
    after = present(book, pages, NOW + 2)
    assert list(people(after)) == ["ann"]
    assert (after.people["bob"].left_at_ms, after.people["ann"].left_at_ms) == (NOW + 2, 0)
    assert present(after, pages, NOW + 3) == after
