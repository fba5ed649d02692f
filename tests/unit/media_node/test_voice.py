"""A room's voice: who is passed on to whom, in which slot, under which numbers, and what is told of it."""

from dataclasses import replace
from itertools import pairwise
from random import Random

import msgspec
import pytest

from chalicelib.voice.model import MAIN
from chalicelib.wire import limits
from chalicelib.wire.types import Role
from chalicelib.wire.voice import (
    ActiveRecording,
    ChannelKind,
    Distance,
    Speakers,
    VoicePrefer,
    VoiceSlots,
    VoiceSpeaking,
    Zone,
)
from media_node import rtcp
from media_node.rtcp import Nack, ReceiverReport, SenderReport
from media_node.rtp import MARKER, Rtp, parse
from tests.fakes.relay import SESSION, FakeLink, person
from tests.fakes.talk import FRAME, FakeTap, Hall, Mouth, audio, number_of, speaker_of, weather

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


def test_whoever_has_not_joined_neither_speaks_nor_hears() -> None:
    """Nor has a page of somebody whose other page has."""
    hall = Hall("ada", "bob")
    hall.enter("eve", joined=False)
    hall.follow()
    hall.pass_s(1, {"ada": 25, "eve": 20})
    assert hall.voices("eve") == set()
    assert hall.voices("bob") == {"ada"}
    assert (hall.links["eve"].of(VoiceSlots), hall.links["eve"].of(VoiceSpeaking)) == ([], [])


def test_a_page_without_audio_or_before_it_has_any_part_in_nothing() -> None:
    """It may agree on some later."""
    hall = Hall("ada", "bob")
    hall.links["bob"].audio = None
    hall.voice.leave(hall.links["bob"])
    member = next(member for member in hall.room if member.person.user_id == "bob")
    hall.voice.join(member)
    hall.pass_s(0.5, {"ada": 25, "bob": 25})
    assert hall.voices("bob") == hall.voices("ada") == set()
    hall.voice.prefer(hall.links["bob"], VoicePrefer())
    hall.voice.media_control(hall.links["bob"], rtcp.bye([1]), hall.now)
    hall.links["bob"].audio = audio(2)
    hall.pass_s(0.5, {"ada": 25, "bob": 25})
    assert (hall.voices("bob"), hall.voices("ada")) == ({"ada"}, {"bob"})


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
        if not 192 <= packet[1] < 224:
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


def page_of(hall: Hall, name: str, number: int) -> None:
    """Another page of somebody's, by their name and its number."""
    other = replace(person(name), peer_id=f"{name}.tab0000{number}", connection_id=f"c-{name}{number}")
    link = FakeLink(other, f"link-{name}{number}")
    link.audio = audio(20 + number)
    hall.links[f"{name}{number}"], hall.mouths[f"{name}{number}"] = link, Mouth(f"{name}{number}")
    hall.room.join(link, other)
    hall.change(name, peers=(*hall.people[name].peers, other.peer_id))


def test_a_second_page_of_a_person_does_not_hear_the_first() -> None:
    """They sit before the same loudspeaker."""
    hall = Hall("ada", "bob")
    page_of(hall, "ada", 2)
    hall.pass_s(0.5, {"ada": 25, "bob": 25})
    assert hall.voices("ada2") == {"bob"}


def test_a_person_is_heard_by_one_page_however_many_speak() -> None:
    """Else one person, with a page a slot, would take all of everybody's; who is heard by one goes on by that one."""
    hall = Hall("ada", "bob", "cyd", "dan", "eve")
    for number in range(2, 6):
        page_of(hall, "eve", number)
    floods = dict.fromkeys(("eve", "eve2", "eve3", "eve4", "eve5"), 0)
    hall.pass_s(1, floods)
    first = hall.slots("ada")
    assert first.count("eve") == 1
    hall.pass_s(1, {**dict.fromkeys(("bob", "cyd", "dan"), 40), **floods})
    assert sorted(filter(None, hall.slots("ada"))) == ["bob", "cyd", "dan", "eve"]
    hall.voices("ada")
    hall.pass_s(1, {**dict.fromkeys(("bob", "cyd", "dan"), 40), **floods})
    assert len(hall.voices("ada") & set(floods)) == 1
    assert hall.slots("ada").index("eve") == first.index("eve")


def test_another_page_of_a_person_is_heard_once_the_first_falls_silent() -> None:
    """They went on to another device, and left that one open; both are silent at first."""
    hall = Hall("ada", "eve")
    page_of(hall, "eve", 2)
    hall.pass_s(1, {"eve": 25})
    assert hall.voices("ada") == {"eve"}
    hall.pass_s(limits.VOICE_HOLD_MS / 1000 + 0.3, {"eve2": 25})
    hall.voices("ada")
    hall.pass_s(1, {"eve2": 25})
    assert hall.voices("ada") == {"eve2"}
    hall.room.leave(hall.links["eve2"])
    hall.pass_s(1, {"eve": 25})
    hall.voices("ada")
    hall.pass_s(0.5, {"eve": 25})
    assert hall.voices("ada") == {"eve"}


def test_speaking_is_told_on_change_by_channel() -> None:
    """Heard or not; not more than VOICE_SPEAKING_HZ times a second."""
    hall = Hall(*"abcdefg")
    hall.pass_s(3, dict.fromkeys("bcdefg", 25))
    assert hall.speakers("a") == set("bcdefg")
    assert len(hall.links["a"].of(VoiceSpeaking)) == 1
    hall.pass_s(1)
    assert hall.speakers("a") == set()
    assert len(hall.links["a"].of(VoiceSpeaking)) == 2


def test_in_loss_a_listener_sees_each_slot_as_one_stream_with_the_gaps_that_were_real() -> None:
    """Seeded, 5 and 10 percent, to the node; what comes again when it is asked for fills them."""
    for seed, loss in ((1, 0.05), (2, 0.1)):
        hall = Hall("ada", "bob", "cyd")
        chance = Random(seed)
        events = []
        for name in ("bob", "cyd"):
            sent = [(hall.now + number * 0.02, hall.mouths[name].say()) for number in range(1000)]
            came = weather(sent, chance, loss=loss)
            there = {data for _, data in came}
            events += [(at, name, data) for at, data in came]
            events += [(at + 0.06, name, data) for at, data in sent if data not in there and chance.random() >= loss]
        lost = 2000 - len(events)
        for at, name, data in sorted(events, key=lambda event: event[0]):
            hall.pass_until(at)
            hall.voice.media(hall.links[name], data, hall.now)
        by_ssrc: dict[int, list[Rtp]] = {}
        for packet in hall.heard("ada"):
            by_ssrc.setdefault(packet.ssrc, []).append(packet)
        missing = 0
        for packets in by_ssrc.values():
            first = packets[0].sequence
            numbers = sorted(((packet.sequence - first + 0x8000) & 0xFFFF) - 0x8000 for packet in packets)
            assert len(set(numbers)) == len(numbers)
            missing += numbers[-1] - numbers[0] + 1 - len(numbers)
        assert len(by_ssrc) == 2
        assert missing <= lost
        assert missing < 2000 * loss * loss * 2


@pytest.mark.parametrize(("seed", "loss"), [(1, 0.05), (2, 0.1), (3, 0.3)])
def test_a_listener_that_asks_for_what_it_misses_ends_with_every_packet(seed: int, loss: float) -> None:
    """Seeded, from the node on: speakers who change places, and what comes again is lost as often."""
    hall, chance = Hall(*"abcdefg"), Random(seed)
    link, got, sent = hall.links["a"], dict[tuple[int, int], bytes](), dict[tuple[int, int], bytes]()
    for _ in range(60):
        hall.pass_s(0.25, {name: 20 + chance.randrange(20) for name in "bcdefg" if chance.random() < 0.7})
        for _ in range(8):
            media, link.media = link.media, []
            for data in media:
                number = int.from_bytes(data[8:12], "big"), int.from_bytes(data[2:4], "big")
                if 192 <= data[1] < 224:
                    continue
                assert sent.setdefault(number, data) == data
                if chance.random() >= loss:
                    got[number] = data
            for ssrc in {ssrc for ssrc, _ in sent}:
                missing = sorted(number[1] for number in sent.keys() - got.keys() if number[0] == ssrc)
                hall.voice.media_control(link, rtcp.nack(1, ssrc, missing), hall.now)
    assert len(sent) > 2000
    assert got == sent
    for ssrc in {ssrc for ssrc, _ in sent}:
        numbers = sorted(sequence for each, sequence in sent if each == ssrc)
        assert numbers == list(range(numbers[0], numbers[-1] + 1))


def test_what_is_missing_is_asked_for_at_once_and_once_more() -> None:
    """Where the page can send again, and somebody listens."""
    hall = Hall("ada", "bob")
    hall.pass_s(0.5, {"bob": 25})
    hall.links["bob"].media.clear()
    hall.mouths["bob"].skip(2)
    missing = [(hall.mouths["bob"].sequence - back) & 0xFFFF for back in (2, 1)]
    hall.pass_s(0.3, {"bob": 25})
    nacks = [item for data in hall.links["bob"].media if 192 <= data[1] < 224 for item in rtcp.parse(data)]
    asked = [list(item.sequences) for item in nacks if isinstance(item, Nack)]
    assert asked == [missing, missing]
    assert {item.ssrc for item in nacks if isinstance(item, Nack)} == {hall.mouths["bob"].ssrc}


def test_what_is_recorded_is_asked_for_though_nobody_hears_it() -> None:
    """Whoever is alone may record themselves."""
    hall = Hall("bob")
    state = msgspec.structs.replace(hall.voice.rules.state, recording=RECORDING)
    hall.voice.follow(replace(hall.voice.rules, state=state))
    hall.pass_s(0.2, {"bob": 25})
    hall.mouths["bob"].skip(2)
    hall.pass_s(0.02, {"bob": 25})
    items = [item for data in hall.links["bob"].media if 192 <= data[1] < 224 for item in rtcp.parse(data)]
    assert [len(item.sequences) for item in items if isinstance(item, Nack)] == [2]


def test_nothing_is_asked_for_where_nobody_hears_or_the_page_cannot_send_again() -> None:
    """It would be for nothing."""
    for hall in (Hall("bob"), Hall("ada", "bob")):
        hall.links["bob"].audio = audio(7, nack=False)
        hall.pass_s(0.5, {"bob": 25})
        hall.mouths["bob"].skip(2)
        hall.pass_s(0.3, {"bob": 25})
        items = [item for data in hall.links["bob"].media if 192 <= data[1] < 224 for item in rtcp.parse(data)]
        assert not any(isinstance(item, Nack) for item in items)


def test_a_listener_gets_again_what_it_misses_as_it_was() -> None:
    """The same bytes."""
    hall = Hall("ada", "bob")
    hall.pass_s(0.4, {"bob": 25})
    link = hall.links["ada"]
    sent = [data for data in link.media if not 192 <= data[1] < 224]
    link.media.clear()
    ssrc, sequence = int.from_bytes(sent[3][8:12], "big"), int.from_bytes(sent[3][2:4], "big")
    hall.voice.media_control(link, rtcp.nack(1, ssrc, [sequence, sequence + 1]), hall.now)
    assert link.media == sent[3:5]


def test_a_flood_of_nacks_is_answered_up_to_a_bound() -> None:
    """Of others' slots, of what never was: nothing."""
    hall = Hall("ada", "bob")
    hall.pass_s(0.4, {"bob": 25})
    link = hall.links["ada"]
    sent = [data for data in link.media if not 192 <= data[1] < 224]
    ssrc, sequence = int.from_bytes(sent[3][8:12], "big"), int.from_bytes(sent[3][2:4], "big")
    link.media.clear()
    for _ in range(1000):
        hall.voice.media_control(link, rtcp.nack(1, ssrc, range(sequence, sequence + 10)), hall.now)
    assert len(link.media) <= limits.VOICE_NACKS_PER_S
    assert hall.voice.malformed == 1000 - limits.VOICE_NACKS_PER_S
    eve = hall.enter("eve")
    hall.follow()
    hall.voice.media_control(eve, rtcp.nack(1, ssrc, [sequence]), hall.now)
    assert eve.media == []


def test_who_asks_for_everything_at_once_gets_the_newest() -> None:
    """One request for six thousand packets, by the masks: no more of it is looked at than anybody could have."""
    hall = Hall("ada", "bob")
    hall.pass_s(1, {"bob": 25})
    link = hall.links["ada"]
    sent = [data for data in link.media if not 192 <= data[1] < 224]
    ssrc, newest = int.from_bytes(sent[-1][8:12], "big"), int.from_bytes(sent[-1][2:4], "big")
    link.media.clear()
    pairs = [(newest - 16 - 17 * back) & 0xFFFF for back in reversed(range(350))]
    storm = bytes((0x81, 205)) + (2 + len(pairs)).to_bytes(2) + (1).to_bytes(4) + ssrc.to_bytes(4)
    storm += b"".join(first.to_bytes(2) + b"\xff\xff" for first in pairs)
    (asked,) = rtcp.parse(storm)
    assert isinstance(asked, Nack)
    assert asked.sequences[-1] == newest
    assert len(asked.sequences) == 17 * limits.VOICE_RING_PACKETS
    hall.voice.media_control(link, storm, hall.now)
    assert 0 < len(link.media) <= limits.VOICE_NACKS_PER_S
    assert hall.voice.counts()["voice_not_resent"] == len(asked.sequences) - len(link.media)


def test_what_is_no_rtcp_is_counted_and_nothing_more() -> None:
    """Whatever it is."""
    hall = Hall("ada")
    hall.voice.media_control(hall.links["ada"], b"\x80\xc8\x00\xff", hall.now)
    hall.voice.media_control(FakeLink(person("eve")), b"", hall.now)
    assert hall.voice.malformed == 1


def test_a_packet_that_is_none_or_of_another_payload_type_goes_nowhere() -> None:
    """Nor one of a link that is nobody's."""
    hall = Hall("ada", "bob")
    hall.pass_s(0.2, {"bob": 25})
    hall.voices("ada")
    bob = hall.links["bob"]
    for data in (b"", b"\x80" * 20, hall.mouths["bob"].say(payload_type=96), hall.mouths["bob"].say(size=800)):
        hall.voice.media(bob, data, hall.now)
    hall.voice.media(FakeLink(person("eve")), hall.mouths["bob"].say(), hall.now)
    assert hall.voices("ada") == set()


def test_whatever_bytes_come_nothing_breaks_and_the_others_are_heard() -> None:
    """Seeded: packets and reports with bytes and ends gone wrong, numbers that jump, SSRCs of others."""
    hall, chance = Hall("ada", "bob", "eve"), Random(9)
    eve, nack = hall.links["eve"], rtcp.nack(1, 3000, range(50)) + rtcp.bye([5])
    for _ in range(3000):
        data = bytearray(chance.choice((hall.mouths["eve"].say(), nack, chance.randbytes(chance.randrange(90)))))
        for _ in range(chance.randrange(4)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        cut = bytes(data[: chance.randrange(len(data) + 1)])
        hall.voice.media(eve, cut, hall.now)
        hall.voice.media_control(eve, cut, hall.now)
        hall.pass_s(0.02, {"bob": 25})
    assert sum(packet.payload.startswith(b"bob ") for packet in hall.heard("ada")) == 3000
    counts = hall.voice.counts()
    assert (counts["voice_pages"], counts["voice_malformed"] > 0, counts["voice_dropped"] > 0) == (3, True, True)


def test_an_ssrc_that_is_anothers_says_nothing() -> None:
    """Whose a packet is, is the link that it came by."""
    hall = Hall("ada", "bob", "eve")
    hall.change("eve", muted=True)
    hall.mouths["eve"].ssrc = hall.mouths["bob"].ssrc
    hall.pass_s(0.5, {"bob": 25, "eve": 10})
    assert hall.voices("ada") == {"bob"}
    hall.change("eve", muted=False)
    hall.mouths["eve"].ssrc = 1000  # ada's first slot
    hall.pass_s(0.5, {"bob": 25, "eve": 25})
    heard = hall.heard("ada")
    by_ssrc = {packet.ssrc: speaker_of(packet) for packet in heard}
    assert set(by_ssrc.values()) == {"bob", "eve"}
    assert all(by_ssrc[packet.ssrc] == speaker_of(packet) for packet in heard)


def test_reports_say_each_second_what_was_sent_and_how_it_came() -> None:
    """By slot, with the sender's clock; to each sender how it is received."""
    hall = Hall("ada", "bob")
    hall.pass_s(0.5, {"bob": 25})
    mouth = hall.mouths["bob"]
    wall_s = int(hall.now * 1000) / 1000
    report = SenderReport(mouth.ssrc, rtcp.ntp_of(wall_s - 3600), mouth.timestamp, 25, 1500)
    hall.voice.media_control(hall.links["bob"], rtcp.sender_report(report), hall.now)
    hall.links["ada"].media.clear()
    mouth.skip(5)
    hall.pass_s(0.1)
    hall.pass_s(2, {"bob": 25})
    told = [item for data in hall.links["ada"].media if 192 <= data[1] < 224 for item in rtcp.parse(data)]
    media = {packet.sequence: packet for packet in hall.heard("ada")}
    reports = [item for item in told if isinstance(item, SenderReport)]
    assert len(reports) == 2
    newest = media[max(media)] if max(media) - min(media) < 1000 else None
    assert newest is not None
    for each in reports:
        at_s = rtcp.seconds_of(each.ntp)
        passed = ((newest.timestamp - each.timestamp + 2**31) & 0xFFFFFFFF) - 2**31
        assert passed / 48_000 == pytest.approx(hall.now - 0.02 - at_s, abs=0.002)
    assert reports[-1].packets - reports[0].packets == pytest.approx(50, abs=5)
    assert reports[-1].octets == reports[-1].packets * 60
    blocks = [
        block
        for data in hall.links["bob"].media
        if 192 <= data[1] < 224
        for item in rtcp.parse(data)
        if isinstance(item, ReceiverReport | SenderReport)
        for block in item.blocks
    ]
    assert [block.ssrc for block in blocks] == [mouth.ssrc] * len(blocks)
    assert len(blocks) >= 2
    assert blocks[-1].lost == 5
    assert blocks[-1].last_sr == rtcp.middle(report.ntp)
    assert 0 < blocks[-1].delay <= 2 * 65_536


def test_a_link_that_is_replaced_takes_its_page_along() -> None:
    """Its slots begin under their own SSRCs; what still comes by the old link is nobody's."""
    hall = Hall("ada", "bob")
    hall.pass_s(0.5, {"ada": 25, "bob": 25})
    old = hall.links["ada"]
    new = hall.links["ada"] = FakeLink(person("ada"), "link0099")
    new.audio = audio(50)
    hall.room.join(new, person("ada"))
    hall.voices("bob")
    hall.voice.media(old, hall.mouths["ada"].say(), hall.now)
    assert hall.voices("bob") == set()
    old.media.clear()
    hall.pass_s(0.5, {"ada": 25, "bob": 25})
    assert hall.voices("ada") == {"bob"}
    assert hall.voices("bob") == {"ada"}
    assert old.media == []
    assert hall.slots("ada")[0] == "bob"
    hall.room.leave(old)
    hall.pass_s(0.3, {"bob": 25})
    assert hall.voices("ada") == {"bob"}


def test_a_renegotiation_goes_on_under_the_same_numbers() -> None:
    """More slots or fewer, another payload type; a slot's SSRC never begins anew."""
    hall = Hall("ada", "bob")
    hall.pass_s(0.5, {"bob": 25})
    before = hall.heard("ada")
    for agreed in (audio(1, 2), audio(1, 0), replace(audio(1), payload_type=96)):
        hall.links["ada"].audio = agreed
        hall.pass_s(0.3, {"bob": 25})
    after = hall.heard("ada")
    assert after[-1].payload_type == 96
    assert after[-1].ssrc == before[-1].ssrc
    assert {(b.sequence - a.sequence) & 0xFFFF for a, b in pairwise(before + after)} == {1}
    assert sum(packet.marker == MARKER for packet in after) >= 2


def test_a_hundred_who_join_and_leave_leave_nothing_behind() -> None:
    """Neither of those who stay: who was in their slots is forgotten as well."""
    hall = Hall("ada", "bob")
    hall.pass_s(0.5, {"ada": 25, "bob": 25})
    kept = hall.voice.kept
    for number in range(100):
        name = f"guest{number}"
        hall.enter(name)
        hall.follow()
        hall.pass_s(0.3, {name: 20, "bob": 25})
        assert name in hall.voices("ada")
        hall.leave(name)
        hall.follow()
    hall.pass_s(0.3, {"ada": 25, "bob": 25})
    assert hall.voice.kept == kept
    assert set(hall.slots("ada")) == {"bob", None}
    for name in ("ada", "bob"):
        hall.leave(name)
    assert hall.voice.kept == 0


def test_leaving_voice_ends_it_and_coming_again_goes_on_under_the_same_numbers() -> None:
    """The link stays: its slots are told anew, their SSRCs' numbers are not begun anew."""
    hall = Hall("ada", "bob")
    hall.pass_s(0.5, {"bob": 25})
    before = hall.heard("ada")
    away = hall.people.pop("ada")
    hall.follow()
    hall.pass_s(0.5, {"bob": 25})
    assert hall.heard("ada") == []
    hall.people["ada"] = away
    hall.follow()
    hall.pass_s(0.5, {"bob": 25})
    after = hall.heard("ada")
    assert ((after[0].sequence - before[-1].sequence) & 0xFFFF, after[0].marker) == (1, MARKER)
    assert (after[0].timestamp - before[-1].timestamp) & 0xFFFFFFFF == pytest.approx(26 * FRAME, abs=FRAME)
    assert hall.slots("ada")[0] == "bob"


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
    """Of either half; nothing of what comes between two ticks is dropped."""
    hall = Hall(*"abcdefgh")
    hall.tick_s = tick_s
    hall.pass_s(2, dict.fromkeys("abcd", 25))
    hall.prefer("a", slots=4)
    for name in "abcdefgh":
        hall.voices(name)
    hall.pass_s(1, dict.fromkeys("abcd", 25))
    assert [len(hall.heard(name)) for name in "abcdefgh"] == [150] * 4 + [200] * 4
    assert hall.voice.counts()["voice_late"] == 0


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
    assert tap.packets == [(SESSION, person("bob").peer_id, "bob", "main", packet, 31)]
    assert tap.followed[-1].recording == RECORDING


def test_nobody_has_a_place_before_they_say_where_they_are() -> None:
    """Then there is no distance: better heard too well than not at all."""
    hall = Hall("ada", "bob")
    hall.channels["main"] = msgspec.structs.replace(MAIN, distance=Distance(max_m=1.0))
    hall.follow()
    hall.stand("ada", (500.0, 0.0, 0.0))
    hall.pass_s(0.5, {"bob": 25})
    assert hall.voices("ada") == {"bob"}
