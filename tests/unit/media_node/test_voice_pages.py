"""Pages in a room's voice: they come, go, come again, are replaced; a person may have several."""

from dataclasses import replace
from itertools import pairwise

import pytest

from chalicelib.wire import limits
from chalicelib.wire.voice import (
    VoicePrefer,
    VoiceSlots,
    VoiceSpeaking,
)
from media_node.rtp import MARKER
from tests.fakes.relay import FakeLink, person
from tests.fakes.talk import FRAME, Hall, Mouth, audio, goodbye


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
    hall.voice.media_control(hall.links["bob"], goodbye(1), hall.now)
    hall.links["bob"].audio = audio(2)
    hall.pass_s(0.5, {"ada": 25, "bob": 25})
    assert (hall.voices("bob"), hall.voices("ada")) == ({"ada"}, {"bob"})


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
