"""Who of a channel a listener could be sent, and how loud each would be there. Pure.

This runs for each listener and speaker VOICE_SELECT_HZ times a second, and is what choosing costs. So the silent are
looked at only where slots are free for them, and where nobody speaks that is all.
"""

from math import dist

from chalicelib.wire.voice import ChannelKind, VoiceChannel
from media_node.gain import law_of
from media_node.party import Party
from media_node.slots import FIRST, QUIET


class Crowd:
    """Those in one channel who may speak: who does now, and who does not."""

    __slots__ = ("channel", "silent", "speaking")

    def __init__(self, channel: VoiceChannel) -> None:
        self.channel = channel
        self.speaking: list[Party] = []
        self.silent: list[Party] = []

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
        heard.update(_louds(here, [each for each in silent if crowd.has(each)], crowd.channel))
    free = here.wanted - len(heard)
    if free > 0 and crowd.silent:
        others = _louds(here, [each for each in crowd.silent if each not in heard], crowd.channel)
        heard.update(sorted(others.items(), key=_nearest_first)[:free])
    return heard


def _nearest_first(item: tuple[Party, float]) -> float:
    return -item[1]


def _louds(here: Party, others: list[Party], channel: VoiceChannel) -> dict[Party, float]:
    """Of these, those who are within earshot. Priority knows no distance, and before the place is known there is none."""
    deaf, position = here.deaf, here.position
    flat = channel.kind is ChannelKind.STAGE or position is None
    law, max_m = law_of(channel.distance), channel.distance.max_m
    louds: dict[Party, float] = {}
    for other in others:
        if other.user_id in deaf:
            continue
        loud = other.speaker.loudness.amplitude
        there = other.position
        if other.priority:
            loud *= FIRST if loud > QUIET else 2.0
        elif not flat and there is not None and position is not None:
            metres = dist(position, there)
            if metres > max_m:
                continue
            loud *= law(metres)
        louds[other] = loud
    return louds
