"""Who is within earshot: what is passed over could not have had a slot."""

from math import dist
from random import Random

import msgspec
import pytest

from chalicelib.voice.model import MAIN
from chalicelib.wire.voice import ChannelKind, Distance, DistanceModel
from media_node.earshot import Crowd, heard_by, one_each
from media_node.gain import law_of
from media_node.member import Member
from media_node.party import Party
from media_node.slots import FIRST, QUIET, choose
from tests.fakes.relay import FakeLink, person, state_at
from tests.fakes.talk import audio

NAMES = "abcdefghijklmnop"


class Square:
    """People in a place, as loud and as near as the seed has it."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.distance = Distance(
            model=chance.choice(list(DistanceModel)),
            reference_m=chance.uniform(0.2, 5),
            rolloff=chance.choice((0.0, 0.3, 1.0, 3.0)),
            max_m=chance.uniform(1, 30),
        )
        kind = chance.choice((ChannelKind.SPATIAL, ChannelKind.SPATIAL, ChannelKind.STAGE))
        self.channel = msgspec.structs.replace(MAIN, kind=kind, distance=self.distance)
        self.parties = [self._party(number, name) for number, name in enumerate(NAMES, 1)]

    def _party(self, number: int, name: str) -> Party:
        link = FakeLink(person(name))
        link.audio = audio(number)
        party = Party(Member(link, person(name), number, state=state_at((0.0, 0.0, 0.0))), link.audio, self.chance, 0.0)
        party.channel, party.joined = self.channel, True
        party.priority = self.chance.random() < 0.1
        party.speaker.allow(may_speak=self.chance.random() < 0.9)
        party.deaf = frozenset({name, *self.chance.sample(NAMES, 2)})
        return party

    def step(self) -> Crowd:
        """They move, and speak or not."""
        crowd = Crowd(self.channel)
        for party in self.parties:
            party.want(self.chance.choice((0, 2, 4, 4, 4, 4)))
            if self.chance.random() < 0.95:
                party.position = (self.chance.uniform(-20, 20), 0.0, self.chance.uniform(-20, 20))
            loudness = party.speaker.loudness
            loudness.speaking = self.chance.random() < 0.7
            loudness.amplitude = 10 ** -self.chance.uniform(1, 2.5) if loudness.speaking else QUIET
        for party in one_each(self.parties):
            crowd.add(party)
        return crowd

    def all_heard_by(self, here: Party) -> dict[Party, float]:
        """Everybody who speaks, by the definition."""
        louds = {}
        for party in (*[p for p in here.held if p], *[p for p in self.parties if p not in here.held]):
            loud = party.speaker.loudness.amplitude
            if not party.may_be_heard or party.user_id in here.deaf:
                continue
            if party.priority:
                louds[party] = loud * (FIRST if loud > QUIET else 2.0)
            elif self.channel.kind is ChannelKind.STAGE or here.position is None or party.position is None:
                louds[party] = loud
            elif (metres := dist(here.position, party.position)) <= self.distance.max_m:
                louds[party] = loud * law_of(self.distance)(metres)
        return louds


@pytest.mark.parametrize("seed", range(60))
def test_whoever_would_have_a_slot_of_all_has_one_of_those_within_earshot(seed: int) -> None:
    """Seeded: every law, stages, priority, blocks, people without a place, turn by turn."""
    square = Square(Random(seed))
    for _ in range(12):
        crowd = square.step()
        for here in square.parties:
            found = choose(here.held, heard_by(here, crowd), here.wanted)
            every = square.all_heard_by(here)
            loud = {
                party: value for party, value in every.items() if party.speaker.loudness.speaking or party in here.held
            }
            wanted = choose(here.held, loud, here.wanted)
            if None not in wanted[: here.wanted]:
                assert set(found) == set(wanted)
            else:  # the rest is for the silent
                assert {each for each in wanted if each} <= set(found)
                assert sum(each is not None for each in found) == min(here.wanted, len(every))
            here.seat(found)


def test_free_slots_are_for_the_nearest_of_the_silent() -> None:
    """Whoever begins to speak there is heard from the first word on."""
    square = Square(Random(1))
    square.channel = msgspec.structs.replace(MAIN, distance=Distance())
    crowd = Crowd(square.channel)
    for number, party in enumerate(square.parties):
        party.channel, party.priority, party.deaf = square.channel, False, frozenset({party.user_id})
        party.position = (float(number), 0.0, 0.0)
        party.speaker.allow(may_speak=True)
        crowd.add(party)
    here = square.parties[0]
    assert [party.user_id for party in heard_by(here, crowd)] == list("bcde")
