"""A room's voice: who is passed on to whom, in which slot, under which numbers, and what is told of it."""

from dataclasses import replace
from itertools import pairwise

import msgspec
import pytest

from chalicelib.voice.model import MAIN, VoiceRules
from chalicelib.wire import limits
from chalicelib.wire.types import Role
from chalicelib.wire.voice import (
    ActiveRecording,
    ChannelKind,
    Distance,
    Speakers,
    VoiceSlots,
    VoiceSpeaking,
    Zone,
)
from media_node.rtp import parse
from media_node.voice import FEW
from tests.fakes.relay import SESSION, person
from tests.fakes.talk import LEVEL_ID, FakeTap, Hall, number_of, speaker_of

STAGE = msgspec.structs.replace(MAIN, channel_id="vch_" + "s" * 12, kind=ChannelKind.STAGE)
RECORDING = ActiveRecording(
    recording_id="rec_" + "a" * 20, channel_id="main", started_by="ada", started_at_ms=1, consented=("bob",)
)
ROOM = msgspec.structs.replace(
    MAIN, channel_id="vch_" + "r" * 12, zone=Zone(least=(0.0, 0.0, 0.0), greatest=(4.0, 3.0, 4.0))
)


def test_everybody_hears_the_others_and_nobody_themselves() -> None:
    """From the first packet on, where there are slots for all."""
    hall = Hall("ada", "bob", "cyd")
    hall.pass_s(1, {"ada": 25, "bob": 30})
    assert [number_of(packet) for packet in hall.heard("cyd") if speaker_of(packet) == "ada"] == list(range(50))
    assert hall.voices("ada") == {"bob"}
    assert hall.voices("bob") == {"ada"}


def test_slots_are_told_before_the_first_packet_of_whom_they_name() -> None:
    """On the control channel, which is sent on first."""
    hall = Hall("ada", "bob", "cyd", "dan", "eve", "fay")
    order: list[str] = []
    link = hall.links["ada"]

    def note(data: str | bytes) -> None:
        told = msgspec.json.decode(data)
        if told["type"] == "voice.slots":
            order.extend(f"told {slot['peer_id']}" for slot in told["slots"] if slot["peer_id"])

    def sent(packet: bytes) -> None:
        read = parse(packet, None)
        assert read is not None
        order.append(f"sent {person(speaker_of(read)).peer_id}")

    link.send_control, link.send_media = note, sent  # type: ignore[method-assign]
    hall.room.leave(link)
    hall.room.join(link, person("ada"))
    hall.pass_s(2, {"bob": 20, "cyd": 22})
    hall.pass_s(2, {"dan": 20, "eve": 22, "fay": 24})
    for name in ("bob", "cyd", "dan", "eve", "fay"):
        peer_id = person(name).peer_id
        assert order.index(f"told {peer_id}") < order.index(f"sent {peer_id}")


def test_the_loudest_where_the_listener_stands_are_heard() -> None:
    """By level and distance together."""
    hall = Hall(*"abcdefgh")
    for number, name in enumerate("abcdefgh"):
        hall.stand(name, (2.0 * number, 0.0, 0.0))
    hall.pass_s(1, dict.fromkeys("bcdefgh", 30))
    hall.voices("a")
    hall.pass_s(1, dict.fromkeys("bcdefgh", 30))
    assert hall.voices("a") == set("bcde")
    hall.pass_s(1, {**dict.fromkeys("bcdef", 45), "g": 20, "h": 20})
    hall.voices("a")
    hall.pass_s(1, {**dict.fromkeys("bcdef", 45), "g": 20, "h": 20})
    assert {"g", "h"} < hall.voices("a")


def test_beyond_the_farthest_nobody_is_sent() -> None:
    """On a stage there is no distance."""
    hall = Hall("ada", "bob")
    hall.stand("ada", (0.0, 0.0, 0.0))
    hall.stand("bob", (41.0, 0.0, 0.0))
    hall.pass_s(0.5, {"bob": 25})
    hall.voices("ada")
    hall.pass_s(0.5, {"bob": 25})
    assert hall.voices("ada") == set()
    hall.channels[STAGE.channel_id] = STAGE
    for name in ("ada", "bob"):
        hall.change(name, channel_id=STAGE.channel_id)
    hall.pass_s(0.5, {"bob": 25})
    assert hall.voices("ada") == {"bob"}


def test_a_place_is_kept_while_a_voice_is_there() -> None:
    """Others come and go around it."""
    hall = Hall(*"abcdefg")
    hall.pass_s(1, {"b": 25, "c": 25, "d": 25, "e": 25})
    before = hall.slots("a")
    assert set(before) == set("bcde")
    hall.pass_s(2, {"b": 25, "c": 25, "f": 25, "g": 25})
    after = hall.slots("a")
    assert set(after) == set("bcfg")
    assert [after.index(name) for name in "bc"] == [before.index(name) for name in "bc"]


def test_a_slot_is_not_lost_to_whoever_is_a_little_louder() -> None:
    """Six decibels; nor by a pause between words."""
    hall = Hall(*"abcdef")
    hall.pass_s(1, dict.fromkeys("bcde", 30))
    hall.pass_s(2, {**dict.fromkeys("bcde", 30), "f": 26})
    assert "f" not in hall.slots("a")
    hall.pass_s(limits.VOICE_HOLD_MS / 1000 - 0.15, {"f": 26, "b": 30, "c": 30, "d": 30})
    assert "e" in hall.slots("a")
    hall.pass_s(0.4, {"f": 26, "b": 30, "c": 30, "d": 30})
    assert "f" in hall.slots("a")
    assert "e" not in hall.slots("a")


def test_a_liar_gains_no_more_than_a_speaker() -> None:
    """Always 0 dBov: takes no slot from voices that have one; silent packets give it none at all."""
    hall = Hall(*"abcdef")
    hall.pass_s(1, dict.fromkeys("bcde", 26))
    hall.pass_s(3, {**dict.fromkeys("bcde", 26), "f": 0})
    assert set(hall.slots("a")) == set("bcde")
    quiet = Hall(*"abcdef")
    quiet.pass_s(1, dict.fromkeys("bcde", 26))
    quiet.pass_s(2, {"b": 26, "c": 26, "d": 26})
    for _ in range(20):
        quiet.pass_s(0.1, {"b": 26, "c": 26, "d": 26, "e": 30})
        for _ in range(5):
            quiet.voice.media(quiet.links["f"], quiet.mouths["f"].say(0, size=3), quiet.now)
    assert "f" not in quiet.slots("a")
    assert "f" not in quiet.speakers("a")


def test_a_flood_is_cut_to_what_a_speaker_may_send() -> None:
    """Burst and rate; the others are heard as before, and the numbers go on."""
    hall = Hall("ada", "bob", "cyd")
    for _ in range(100):
        for _ in range(19):
            hall.voice.media(hall.links["bob"], hall.mouths["bob"].say(0), hall.now)
        hall.pass_s(0.02, {"bob": 0, "cyd": 25})
    heard = hall.heard("ada")
    flood = [packet for packet in heard if speaker_of(packet) == "bob"]
    assert len(flood) <= limits.VOICE_PACKETS_BURST + 2 * limits.VOICE_PACKETS_PER_S + 1
    assert {(after.sequence - before.sequence) & 0xFFFF for before, after in pairwise(flood)} == {1}
    assert sum(speaker_of(packet) == "cyd" for packet in heard) == 100


def test_a_muted_person_is_not_passed_on_from_the_next_packet_on() -> None:
    """By a moderator or by themselves; and is not shown to speak."""
    hall = Hall("ada", "bob")
    for flag in ("muted", "self_muted"):
        hall.pass_s(0.5, {"bob": 25})
        assert hall.voices("ada") == {"bob"}
        assert hall.speakers("ada") == {"bob"}
        hall.change("bob", **{flag: True})
        hall.pass_s(0.5, {"bob": 25})
        assert hall.voices("ada") == set()
        assert hall.speakers("ada") == set()
        hall.change("bob", **{flag: False})
    hall.pass_s(0.1, {"bob": 25})
    hall.pass_s(0.1, {"bob": 25})
    assert hall.voices("ada") == {"bob"}


def test_a_role_counts_at_once() -> None:
    """Where a channel is spoken in by some only."""
    hall = Hall("ada", "bob")
    hall.channels["main"] = msgspec.structs.replace(MAIN, speakers=Speakers.EDITORS)
    hall.follow()
    hall.pass_s(0.5, {"bob": 25})
    assert hall.voices("ada") == {"bob"}
    hall.room.change_role("bob", Role.VIEWER)
    hall.voice.media(hall.links["bob"], hall.mouths["bob"].say(), hall.now)
    assert hall.voices("ada") == set()
    hall.room.change_role("bob", Role.OWNER)
    hall.pass_s(0.3, {"bob": 25})
    assert hall.voices("ada") == {"bob"}


def test_named_speakers_speak_and_nobody_else() -> None:
    """Owners may always."""
    hall = Hall("ada", "bob", "cyd")
    hall.enter("own", Role.OWNER)
    hall.channels["main"] = msgspec.structs.replace(MAIN, speakers=Speakers.NAMED, speaker_ids=("bob",))
    hall.people["own"] = msgspec.structs.replace(hall.people["own"])
    hall.follow()
    hall.pass_s(0.5, {"bob": 25, "cyd": 20, "own": 25})
    assert hall.voices("ada") == {"bob", "own"}


def test_a_block_counts_at_once_in_both_directions() -> None:
    """For the others nothing changes; when it ends they hear each other again."""
    hall = Hall("ada", "bob", "cyd")
    speaking = {"ada": 25, "bob": 25}
    hall.pass_s(0.3, speaking)
    for name in ("ada", "bob", "cyd"):
        hall.voices(name)
    hall.blocks = {"ada": frozenset({"bob"})}
    hall.follow()
    hall.pass_s(0.5, speaking)
    assert [hall.voices(name) for name in ("ada", "bob", "cyd")] == [set(), set(), {"ada", "bob"}]
    assert "ada" not in hall.slots("bob")
    hall.blocks = {}
    hall.follow()
    hall.pass_s(0.5, speaking)
    assert [hall.voices(name) for name in ("ada", "bob")] == [{"bob"}, {"ada"}]


def test_whoever_is_silenced_takes_no_slot() -> None:
    """From the moment on in which the listener says so."""
    hall = Hall("ada", "bob", "cyd")
    hall.pass_s(0.3, {"bob": 25, "cyd": 25})
    hall.voices("ada")
    hall.prefer("ada", "bob")
    hall.pass_s(0.3, {"bob": 25, "cyd": 25})
    assert hall.voices("ada") == {"cyd"}
    assert "bob" not in hall.slots("ada")
    hall.prefer("ada")
    hall.pass_s(0.3, {"bob": 25, "cyd": 25})
    assert hall.voices("ada") == {"bob", "cyd"}


def test_whoever_says_what_they_want_is_told_again_who_is_heard_and_who_speaks() -> None:
    """A page that left voice and came again before the node read of it knows of nobody, and the node of no change."""
    hall = Hall("ada", "bob", "cyd")
    link = hall.links["ada"]
    hall.pass_s(1, {"bob": 25})
    for speaking in ({"bob": 25}, {}):
        hall.pass_s(1, speaking)
        slots, speakers = hall.slots("ada"), hall.speakers("ada")
        assert "bob" in slots
        assert speakers == set(speaking)
        before = len(link.of(VoiceSlots)), len(link.of(VoiceSpeaking))
        hall.pass_s(0.5, speaking)
        assert (len(link.of(VoiceSlots)), len(link.of(VoiceSpeaking))) == before
        hall.prefer("ada")
        hall.pass_s(0.5, speaking)
        assert (len(link.of(VoiceSlots)), len(link.of(VoiceSpeaking))) == (before[0] + 1, before[1] + 1)
        assert (hall.slots("ada"), hall.speakers("ada")) == (slots, speakers)


def test_a_listener_may_want_fewer_voices() -> None:
    """Or none."""
    hall = Hall(*"abcde")
    speaking = {"b": 20, "c": 30, "d": 32, "e": 34}
    hall.pass_s(1, speaking)
    hall.voices("a")
    for slots, voices in ((1, {"b"}), (0, set()), (2, {"b", "c"})):
        hall.prefer("a", slots=slots)
        hall.pass_s(0.15, speaking)
        hall.voices("a")
        hall.pass_s(0.5, speaking)
        assert hall.voices("a") == voices


def test_priority_comes_first_whatever_the_distance() -> None:
    """While they speak; they leave the others their slots when they do not."""
    hall = Hall(*"abcdef")
    for number, name in enumerate("abcde"):
        hall.stand(name, (float(number), 0.0, 0.0))
    hall.stand("f", (900.0, 0.0, 0.0))
    hall.change("f", priority=True)
    hall.pass_s(1, {**dict.fromkeys("bcde", 20), "f": 45})
    hall.voices("a")
    hall.pass_s(0.5, {**dict.fromkeys("bcde", 20), "f": 45})
    assert "f" in hall.voices("a")
    hall.pass_s(2, dict.fromkeys("bcde", 20))
    assert set(hall.slots("a")) == set("bcde")


def test_walking_into_a_zone_changes_the_channel_and_out_of_it_beyond_its_edge() -> None:
    """Who is in another channel is neither heard nor shown to speak."""
    hall = Hall("ada", "bob")
    hall.channels[ROOM.channel_id] = ROOM
    hall.follow()
    heard = []
    for x in (-1.0, 0.0, -0.4, -0.6, -0.4, 1.0):
        hall.stand("ada", (x, 1.0, 1.0))
        hall.stand("bob", (-1.0, 1.0, 1.0))
        hall.pass_s(0.7, {"bob": 25})
        hall.voices("ada")
        hall.pass_s(0.3, {"bob": 25})
        heard.append((hall.voices("ada") == {"bob"}, hall.speakers("ada") == {"bob"}))
    assert [both for both, _ in heard] == [True, False, False, True, True, False]
    assert heard == [(both, both) for both, _ in heard]


def test_speaking_is_told_on_change_by_channel() -> None:
    """Heard or not; not more than VOICE_SPEAKING_HZ times a second."""
    hall = Hall(*"abcdefg")
    hall.pass_s(3, dict.fromkeys("bcdefg", 25))
    assert hall.speakers("a") == set("bcdefg")
    assert len(hall.links["a"].of(VoiceSpeaking)) == 1
    hall.pass_s(1)
    assert hall.speakers("a") == set()
    assert len(hall.links["a"].of(VoiceSpeaking)) == 2


def test_a_state_that_begins_anew_is_followed() -> None:
    """The table forgets a room's voice some hours after its last change; then its revisions begin again."""
    hall = Hall("ada", "bob")
    hall.revision = 50
    hall.change("bob", muted=True)
    hall.revision = 0
    hall.change("bob", muted=False)
    hall.pass_s(0.3, {"bob": 25})
    assert hall.voices("ada") == {"bob"}


def test_a_state_without_channels_is_one_with_main() -> None:
    """Whatever was read."""
    hall = Hall("ada", "bob")
    hall.channels = {}
    hall.follow()
    hall.pass_s(0.3, {"bob": 25})
    assert hall.voices("ada") == {"bob"}


@pytest.mark.parametrize("tick_s", [0.05, 0.1, 0.2, 0.4])
def test_a_node_that_ticks_more_slowly_gives_everybody_slots_all_the_same(tick_s: float) -> None:
    """Nothing of what comes between two ticks is dropped."""
    hall = Hall(*"abcdefgh")
    hall.tick_s = tick_s
    hall.pass_s(2, dict.fromkeys("abcd", 25))
    hall.prefer("a", slots=4)
    for name in "abcdefgh":
        hall.voices(name)
    hall.pass_s(1, dict.fromkeys("abcd", 25))
    assert [len(hall.heard(name)) for name in "abcdefgh"] == [150] * 4 + [200] * 4
    assert hall.voice.counts()["voice_late"] == 0


def test_slots_are_given_to_a_few_at_a_time_and_nobody_is_given_who_left_meanwhile() -> None:
    """What was gathered for the turn is not so any more; who waits and has left gets nothing."""
    names = [f"p{number:02d}" for number in range(2 * FEW + 4)]
    hall = Hall(*names)
    hall.pass_s(0.2)
    gone = next(name for name in hall.slots("p19") if name)

    def given() -> int:
        """Turns until nobody waits any more."""
        turns = 0
        while hall.voice.waits:
            hall.voice.choose()
            turns += 1
        return turns

    given()
    hall.voice.tick(hall.now + 0.2)
    hall.voice.choose()
    hall.leave(gone)
    hall.leave("p18")
    assert given() == 2
    for name in hall.links.keys() - names[:FEW]:
        assert {gone, "p18"}.isdisjoint(hall.slots(name))
        assert None not in hall.slots(name)


def test_a_reading_that_says_nothing_new_changes_nothing() -> None:
    """It is read every few seconds; whoever records is told all the same."""
    tap = FakeTap()
    hall = Hall("ada", "bob", tap=tap)
    before = hall.voice.rules
    told = len(tap.followed)
    hall.voice.follow(VoiceRules(before.state, dict(before.blocks)))
    assert hall.voice.rules is before
    assert len(tap.followed) == told + 1


def test_what_passed_the_rules_is_recorded_and_nothing_else() -> None:
    """While something is; whoever writes is told what is so."""
    tap = FakeTap()
    hall = Hall("ada", "bob", tap=tap)
    hall.pass_s(0.2, {"bob": 25})
    assert tap.packets == []
    state = msgspec.structs.replace(hall.voice.rules.state, revision=99, recording=RECORDING)
    hall.voice.follow(replace(hall.voice.rules, state=state))
    packet = hall.mouths["bob"].say(31)
    hall.voice.media(hall.links["bob"], packet, hall.now)
    hall.voice.media(hall.links["bob"], packet, hall.now)
    hall.voice.media(hall.links["bob"], b"\x80", hall.now)
    assert tap.packets == [(SESSION, person("bob").peer_id, "bob", "main", parse(packet, LEVEL_ID))]
    assert tap.followed[-1].recording == RECORDING


def test_nobody_has_a_place_before_they_say_where_they_are() -> None:
    """Then there is no distance: better heard too well than not at all."""
    hall = Hall("ada", "bob")
    hall.channels["main"] = msgspec.structs.replace(MAIN, distance=Distance(max_m=1.0))
    hall.follow()
    hall.stand("ada", (500.0, 0.0, 0.0))
    hall.pass_s(0.5, {"bob": 25})
    assert hall.voices("ada") == {"bob"}
