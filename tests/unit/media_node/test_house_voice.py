"""A house and its rooms' voice: when it is read, and what is carried from link to link by it."""

from chalicelib.voice.model import MAIN, VoiceRules
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.voice import VoicePerson, VoiceState
from media_node import rtcp
from media_node.rtp import parse
from tests.fakes.relay import SESSION, FakeLink, person
from tests.fakes.site import Site
from tests.fakes.talk import Mouth, audio, speaker_of


def in_voice(*names: str, revision: int = 1, muted: tuple[str, ...] = ()) -> VoiceRules:
    """Rules by which these have joined."""
    people = tuple(
        VoicePerson(user_id=name, channel_id="main", peers=(person(name).peer_id,), muted=name in muted)
        for name in names
    )
    return VoiceRules(VoiceState(revision=revision, channels=(MAIN,), people=people))


class Talk:
    """Two people on a node, with audio; one of them speaks."""

    def __init__(self, site: Site) -> None:
        self.site, self.mouth = site, Mouth("ada")

    async def begin(self) -> None:
        """They enter, and are in voice."""
        self.site.voices.rules_of = {SESSION: in_voice("ada", "bob")}
        for number, name in enumerate(("ada", "bob"), 1):
            link = await self.site.enter(name)
            link.audio = audio(number)
        await self.site.time.rest()
        self.site.house.rounds.tick(1)
        await self.site.house.rounds.choose()

    def heard(self) -> set[str]:
        """Whom the other hears of some packets."""
        link = self.site.link("bob")
        link.media.clear()
        for _ in range(3):
            self.site.house.media(self.site.link("ada"), self.mouth.say(), self.site.time.at_ms / 1000)
        packets = [parse(data, None) for data in link.media]
        return {speaker_of(packet) for packet in packets if packet is not None}


async def test_voice_is_read_as_a_room_begins_and_carried_from_link_to_link() -> None:
    """Also what a page misses; a link of no room is nobody's."""
    site = Site()
    talk = Talk(site)
    await talk.begin()
    assert talk.heard() == {"ada"}
    sent = site.link("bob").media[0]
    nack = rtcp.nack(1, int.from_bytes(sent[8:12], "big"), [int.from_bytes(sent[2:4], "big")])
    site.house.media_control(site.link("bob"), nack, site.time.at_ms / 1000)
    assert site.link("bob").media[-1] == sent
    stranger = FakeLink(person("eve", session_id="ses_" + "z" * 20))
    site.house.media(stranger, sent, 1.0)
    site.house.media_control(stranger, nack, 1.0)
    assert stranger.media == []


async def test_a_notice_that_voice_changed_has_it_read_at_once() -> None:
    """A moderator's mute stops packets then; of a room that is not here it means nothing."""
    site = Site()
    talk = Talk(site)
    await talk.begin()
    site.voices.rules_of = {SESSION: in_voice("ada", "bob", revision=2, muted=("ada",))}
    site.house.voice_changed("ses_" + "z" * 20)
    assert talk.heard() == {"ada"}
    site.house.voice_changed(SESSION)
    await site.time.rest()
    assert talk.heard() == set()
    assert site.tap.followed[-1].revision == 2


async def test_voice_is_read_every_few_seconds_in_any_case_and_what_is_known_stays_so() -> None:
    """While anybody is there; a database that is away changes nothing."""
    site = Site()
    talk = Talk(site)
    await talk.begin()
    site.voices.away = AppError(Code.UPSTREAM_UNAVAILABLE)
    reads = site.voices.reads
    for _ in range(limits.VOICE_STATE_S):
        await site.census()
    await site.time.rest()
    assert site.voices.reads == reads + 1
    assert talk.heard() == {"ada"}
    site.voices.away = None
    site.voices.rules_of = {SESSION: in_voice("bob", revision=2)}
    for _ in range(limits.VOICE_STATE_S):
        await site.census()
    await site.time.rest()
    assert talk.heard() == set()


async def test_nothing_is_kept_of_voices_that_have_gone() -> None:
    """Nor of a room that was given up; whoever records is told."""
    site = Site()
    talk = Talk(site)
    await talk.begin()
    talk.heard()
    assert site.house.kept > 0
    for name in ("ada", "bob"):
        site.leave(name, "left")
    assert site.house.kept == 0
    site.house.give_up(SESSION, "moved")
    assert site.tap.ended == [SESSION]
