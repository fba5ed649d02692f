"""The first word of somebody who begins to speak: who hears it from where, and how often the node hurries for it."""

from itertools import pairwise
from random import Random

from chalicelib.wire import limits
from chalicelib.wire.voice import VoiceSlots
from media_node.rtp import MARKER, Rtp
from media_node.slots import QUIET, Loudness
from tests.fakes.talk import FRAME, Hall, number_of, speaker_of

CROWD = "abcdefghijkl"


def crowded(*speaking: str, seed: int = 1) -> tuple[Hall, dict[str, int]]:
    """Twelve who came first and have each other in their slots, these of them speaking, and `z`, who has said nothing yet."""
    hall, chance = Hall(*CROWD, "z"), Random(seed)
    for name in (*CROWD, "z"):
        hall.stand(name, (chance.uniform(-6, 6), 0.0, chance.uniform(-6, 6)))
    levels = dict.fromkeys(speaking, 30)
    hall.pass_s(2 + chance.randrange(10) / 50, levels)
    for name in CROWD:
        hall.heard(name)
    return hall, levels


def of_z(hall: Hall, name: str) -> list[Rtp]:
    """What somebody was sent of `z` since they were asked last."""
    return [packet for packet in hall.heard(name) if speaker_of(packet) == "z"]


def test_a_first_word_is_heard_whole_where_a_slot_has_nobody_who_speaks() -> None:
    """By everybody in the room, whenever between two turns it begins: from the first packet of speech on."""
    for seed in range(10):
        hall, levels = crowded("a", "b", seed=seed)
        assert all("z" not in hall.slots(name) for name in CROWD)
        hall.pass_s(0.2, {**levels, "z": 25})
        for name in CROWD:
            first = of_z(hall, name)[0]
            assert (number_of(first), first.marker) in ((0, MARKER), (1, MARKER))  # 1: a turn ended in between


def test_what_was_said_before_a_slot_was_given_comes_as_one_stream() -> None:
    """Numbers and times go on by one packet each; the marker is on the first alone."""
    hall, levels = crowded("a", "b")
    hall.pass_s(0.5, {**levels, "z": 25})
    packets = of_z(hall, "c")
    for before, after in pairwise(packets):
        assert (after.sequence - before.sequence) & 0xFFFF == 1
        assert (after.timestamp - before.timestamp) & 0xFFFFFFFF == FRAME
        assert after.marker == 0


def test_it_takes_a_slot_from_nobody_who_speaks() -> None:
    """Where all have speakers, it waits for its turn, and for being louder by what sticks."""
    hall, levels = crowded(*"abcdefgh")
    before = {name: hall.slots(name) for name in CROWD}
    hall.pass_s(0.06, {**levels, "z": 30})
    assert {name: hall.slots(name) for name in CROWD} == before
    assert all(of_z(hall, name) == [] for name in CROWD)


def test_whom_a_listener_may_not_hear_begins_for_the_others_alone() -> None:
    """By the rules of every turn: blocks, and distance."""
    hall, levels = crowded("a", "b")
    hall.blocks["c"] = frozenset({"z"})
    hall.follow()
    hall.stand("d", (200.0, 0.0, 0.0))
    hall.pass_s(0.2, levels)
    hall.pass_s(0.2, {**levels, "z": 25})
    assert (of_z(hall, "c"), of_z(hall, "d")) == ([], [])
    assert of_z(hall, "e") != []


def test_what_came_long_before_is_no_part_of_the_word() -> None:
    """A packet of DTX has the number before the word's, and a time of long ago."""
    hall, levels = crowded("a", "b")
    hall.voice.media(hall.links["z"], hall.mouths["z"].say(127, size=3), hall.now)
    mouth = hall.mouths["z"]
    mouth.timestamp = (mouth.timestamp + 20 * FRAME) & 0xFFFFFFFF
    hall.pass_s(0.4, levels)
    hall.pass_s(0.2, {**levels, "z": 25})
    assert 0 not in [number_of(packet) for packet in of_z(hall, "c")]


def test_the_node_hurries_so_often_and_no_oftener() -> None:
    """However many begin at once: whoever is one too many waits for the next turn as everybody did."""
    hall = Hall(*(f"p{number:02d}" for number in range(40)))
    hall.pass_s(1)
    link = hall.links["p00"]
    told = len(link.of(VoiceSlots))
    hurried = 0
    for name in list(hall.links):
        speaker = next(party for party in hall.voice._parties.values() if party.user_id == name).speaker
        for _ in range(2):
            hall.voice.media(hall.links[name], hall.mouths[name].say(25), hall.now)
        hurried += speaker.loudness.speaking
    assert hurried == limits.VOICE_ONSETS_PER_S
    assert len(link.of(VoiceSlots)) - told <= limits.VOICE_SLOTS


def test_a_page_that_its_person_is_not_heard_by_is_not_hurried_for() -> None:
    """They have one slot of anybody's; by which of their pages, the turn says."""
    hall, levels = crowded("a", "b")
    page = next(party for party in hall.voice._parties.values() if party.user_id == "z")
    page.front = False
    hall.voice.media(hall.links["z"], hall.mouths["z"].say(25), hall.now)
    hall.voice.media(hall.links["z"], hall.mouths["z"].say(25), hall.now)
    assert not page.speaker.loudness.speaking
    hall.pass_s(0.3, {**levels, "z": 25})
    assert of_z(hall, "c") != []


def test_one_who_begins_again_and_again_does_so_once_a_hold() -> None:
    """Falling silent takes VOICE_HOLD_MS, whatever is sent."""
    loudness, began = Loudness(), 0
    for packet in range(500):
        loudness.hear(25, 60)
        if loudness.begins:
            began += 1
            loudness.begin(packet / 50)
        if packet % 5 == 4:
            loudness.settle(packet / 50)
    assert began == 1


def test_beginning_says_what_the_turn_would_and_counts_once() -> None:
    """As loud as after a turn of the same packets; the turn itself does not raise it a second time."""
    early, late = Loudness(), Loudness()
    for loudness in (early, late):
        loudness.hear(25, 60)
        loudness.hear(25, 60)
    assert early.amplitude == QUIET
    early.begin(0.04)
    late.settle(0.1)
    assert early.amplitude == late.amplitude
    early.settle(0.1)
    assert early.amplitude == late.amplitude
