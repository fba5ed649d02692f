"""Who of a channel a listener could be sent, and how loud each would be there. Pure.

This runs for each listener and speaker VOICE_SELECT_HZ times a second, and is what choosing costs. So the silent are
looked at only where slots are free for them, and where nobody speaks that is all.
"""

from collections.abc import Iterable
from math import dist

from chalicelib.wire.types import Vec3
from chalicelib.wire.voice import ChannelKind, VoiceChannel
from media_node.gain import law_of
from media_node.party import Party
from media_node.slots import FIRST, QUIET

Heard = tuple[Party, str, float, bool, Vec3 | None]
"""Who, of which person, how loud, with priority, and where."""


class Crowd:
    """Those in one channel who may speak: who does now, and who does not."""

    __slots__ = ("channel", "silent", "speaking")

    def __init__(self, channel: VoiceChannel) -> None:
        self.channel = channel
        self.speaking: list[Heard] = []
        self.silent: list[Party] = []

    def add(self, party: Party) -> None:
        """One who may speak."""
        if party.speaker.loudness.speaking:
            self.speaking.append(_heard(party))
        else:
            self.silent.append(party)

    def has(self, party: Party) -> bool:
        """Whether somebody is of it."""
        return party.may_be_heard and party.channel is self.channel


def heard_by(here: Party, crowd: Crowd) -> dict[Party, float]:
    """Whom a listener may be sent, and how loud: who speaks, and who is in its slots and silent now.

    Others who are silent only where there are slots for them, the nearest before the farther.
    """
    heard = _louds(here, crowd.speaking, crowd.channel)
    silent = [each for each in here.held if each is not None and not each.speaker.loudness.speaking]
    if silent:
        heard.update(_louds(here, [_heard(each) for each in silent if crowd.has(each)], crowd.channel))
    free = here.wanted - len(heard)
    if free > 0 and crowd.silent:
        others = _louds(here, [_heard(each) for each in crowd.silent if each not in heard], crowd.channel)
        heard.update(sorted(others.items(), key=_nearest_first)[:free])
    return heard


def _heard(party: Party) -> Heard:
    return party, party.user_id, party.speaker.loudness.amplitude, party.priority, party.position


def _nearest_first(item: tuple[Party, float]) -> float:
    return -item[1]


def _louds(here: Party, others: Iterable[Heard], channel: VoiceChannel) -> dict[Party, float]:
    """Of these, those who are within earshot. Priority knows no distance, and before the place is known there is none."""
    deaf, position = here.deaf, here.position
    flat = channel.kind is ChannelKind.STAGE
    law, max_m = law_of(channel.distance), channel.distance.max_m
    louds: dict[Party, float] = {}
    for party, user_id, loud, priority, place in others:
        if user_id in deaf:
            continue
        if priority:
            louds[party] = loud * (FIRST if loud > QUIET else 2.0)
        elif flat or position is None or place is None:
            louds[party] = loud
        else:
            metres = dist(position, place)
            if metres <= max_m:
                louds[party] = loud * law(metres)
    return louds
