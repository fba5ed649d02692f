"""Who may speak, who is in which channel, and who is kept from whom. Pure: a room's voice and the moment in, decisions out.

The law: node, functions and pages decide by the same rules from the same state. `channel_at` is mirrored by
`web/src/voice/where.ts`; tests/vectors/voice_where.json holds the two together. See docs/voice.md, "Channels".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from chalicelib.sessions.model import Permission, allows
from chalicelib.wire import limits
from chalicelib.wire.types import Role, Vec3
from chalicelib.wire.voice import ChannelKind, Distance, Speakers, VoiceChannel, VoicePerson, VoiceState, Zone

MAIN_ID: Final = "main"
MAIN: Final = VoiceChannel(
    channel_id=MAIN_ID,
    name="Main",
    kind=ChannelKind.SPATIAL,
    capacity=limits.VOICE_MEMBERS_MAX,
    speakers=Speakers.EVERYONE,
    speaker_ids=(),
    distance=Distance(),
    zone=None,
)
"""What `main` is until somebody changes it."""


@dataclass(frozen=True, slots=True)
class VoiceRules:
    """All that decides who hears whom in a room: its state, and whom each of its people blocks, by blocker."""

    state: VoiceState = field(default=VoiceState(revision=0, channels=(MAIN,), people=()))
    blocks: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def kept_from(self, user_id: str) -> frozenset[str]:
        """Whom somebody neither hears nor is heard by: those whom they block, and those who block them."""
        blockers = (other_id for other_id, blocked in self.blocks.items() if user_id in blocked)
        return self.blocks.get(user_id, frozenset()).union(blockers)


def may_speak(person: VoicePerson | None, channel: VoiceChannel, role: Role) -> bool:
    """Whether what somebody sends is passed on, in the channel that they are in now. None: they have not joined."""
    if person is None or person.muted or person.self_muted:
        return False
    if channel.speakers is Speakers.EVERYONE or may_moderate(role):
        return True
    if channel.speakers is Speakers.EDITORS:
        return allows(role, Permission.EDIT)
    return person.user_id in channel.speaker_ids


def may_moderate(role: Role | None) -> bool:
    """Whether a role makes channels, mutes, moves, removes, and gives priority."""
    return allows(role, Permission.MANAGE_PARTICIPANTS)


def channel_at(channels: Iterable[VoiceChannel], put_id: str, was_id: str | None, position: Vec3 | None) -> str:
    """The channel of somebody who was put in one, was in one a moment ago (None: nowhere), and stands somewhere.

    The smallest zone that they stand in; of two of one volume, the one whose id sorts first. Whoever was in a zone's channel
    stands in it up to VOICE_ZONE_EDGE_M beyond its box. Else where they were put; `main` where that channel is no more.
    """
    chosen, least = MAIN_ID, None
    for channel in channels:
        if channel.channel_id == put_id and least is None:
            chosen = put_id
        if channel.zone is None or position is None:
            continue
        edge_m = limits.VOICE_ZONE_EDGE_M if channel.channel_id == was_id else 0.0
        size = (_volume_m3(channel.zone), channel.channel_id)
        if _within(channel.zone, position, edge_m) and (least is None or size < least):
            chosen, least = channel.channel_id, size
    return chosen


def _within(zone: Zone, position: Vec3, edge_m: float) -> bool:
    (x, y, z), (a, b, c), (d, e, f) = position, zone.least, zone.greatest
    return a - edge_m <= x <= d + edge_m and b - edge_m <= y <= e + edge_m and c - edge_m <= z <= f + edge_m


def _volume_m3(zone: Zone) -> float:
    (a, b, c), (d, e, f) = zone.least, zone.greatest
    return (d - a) * (e - b) * (f - c)
