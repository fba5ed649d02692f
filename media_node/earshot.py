"""Who of a channel a listener could be sent, and how loud each would be there. Pure.

This runs for each listener and speaker VOICE_SELECT_HZ times a second, and is what choosing costs. So the silent are
looked at only where slots are free for them. And where all slots have somebody who speaks, another must be heard
VOICE_STICKY_DB louder than the least of them: whoever stands farther away than even the loudest could be so is passed
over by their distance alone.
"""

from collections.abc import Collection, Iterable
from math import inf, sqrt

from chalicelib.wire.voice import ChannelKind, VoiceChannel
from media_node.gain import law_of, reach_m
from media_node.party import Party
from media_node.slots import FIRST, QUIET, STICKY


class Crowd:
    """Those in one channel who may speak: who does now, and who does not."""

    __slots__ = ("channel", "loudest", "silent", "speaking")

    def __init__(self, channel: VoiceChannel) -> None:
        self.channel = channel
        self.speaking: list[Party] = []
        self.silent: list[Party] = []
        self.loudest = 0.0
        """Of all who speak, at no distance."""

    def add(self, party: Party) -> None:
        """One who may speak."""
        loudness = party.speaker.loudness
        if loudness.speaking:
            self.speaking.append(party)
            self.loudest = max(self.loudest, FIRST if party.priority else loudness.amplitude)
        else:
            self.silent.append(party)

    def has(self, party: Party) -> bool:
        """Whether somebody is of it."""
        return party.front and party.may_be_heard and party.channel is self.channel


def one_each(parties: Collection[Party]) -> Iterable[Party]:
    """Of all who may be heard one page for each person: the one by which they are already, unless only another speaks.

    So nobody takes more than one slot of anybody's, with however many pages.
    """
    fronts: dict[str, Party] = {}
    for party in parties:
        if party.may_be_heard:
            other = fronts.get(party.user_id)
            if other is None or _claim(party) > _claim(other):
                fronts[party.user_id] = party
    for party in parties:
        party.front = fronts.get(party.user_id) is party
    return fronts.values()


def heard_by(here: Party, crowd: Crowd) -> dict[Party, float]:
    """Whom a listener may be sent, and how loud: who is in its slots, and of the others who speak all who could take one.

    Others who are silent only where there are slots for them, the nearest before the farther.
    """
    if not here.wanted:
        return {}
    held = [each for each in here.held if each is not None and crowd.has(each)]
    heard = _louds(here, held, crowd.channel, {}, 0.0, inf)
    least = min(heard.values(), default=0.0) * STICKY if len(heard) == here.wanted else 0.0
    if crowd.loudest > least:
        reach = reach_m(crowd.channel.distance, least / crowd.loudest)
        heard.update(_louds(here, crowd.speaking, crowd.channel, heard, least, reach))
    free = here.wanted - len(heard)
    if free > 0 and crowd.silent:
        others = _louds(here, crowd.silent, crowd.channel, heard, 0.0, inf)
        heard.update(sorted(others.items(), key=_nearest_first)[:free])
    return heard


def _claim(party: Party) -> tuple[bool, bool]:
    return party.speaker.loudness.speaking, party.front


def _nearest_first(item: tuple[Party, float]) -> float:
    return -item[1]


def _louds(
    here: Party, others: list[Party], channel: VoiceChannel, known: dict[Party, float], least: float, reach: float
) -> dict[Party, float]:
    """Of these, but for the known, those who are within earshot, and reach, and may be louder than `least`.

    Priority knows no distance; before the place is known there is none.
    """
    deaf, position = here.deaf, here.position
    flat = channel.kind is ChannelKind.STAGE or position is None
    x, y, z = position or (0.0, 0.0, 0.0)
    law, max_m = law_of(channel.distance), min(channel.distance.max_m, reach)
    louds: dict[Party, float] = {}
    for party in others:
        loud, place = party.speaker.loudness.amplitude, party.position
        if party.priority:
            there = loud * (FIRST if loud > QUIET else 2.0)
        elif flat or place is None:
            if loud <= least:
                continue
            there = loud
        else:  # first of all: by far the most of a large room are too far away
            dx, dy, dz = place[0] - x, place[1] - y, place[2] - z
            metres = sqrt(dx * dx + dy * dy + dz * dz)
            if metres > max_m:
                continue
            there = loud * law(metres)
        if party.user_id not in deaf and party not in known:
            louds[party] = there
    return louds
