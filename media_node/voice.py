"""The voice of one room: who is in which slot of whom, who speaks, what is passed on, and what is told of it.

The laws. Whose a packet is, is the link that it came by. Who may speak and who hears whom are the rules of
`chalicelib.voice.model` over the room's state as it was read last, and roles and places as the room knows them now: a
change of any of them counts at once. A packet costs a step for each of those who hear its sender, and nothing else:
choosing is done VOICE_SELECT_HZ times a second, after the node's tick and for a few listeners at a time, and at once, at
most VOICE_ONSETS_PER_S times a second, for somebody who begins to speak where a slot has nobody who does. No timer, task
or queue a page; what a page had ends with its link.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from random import Random
from typing import Final

from chalicelib.voice.model import MAIN, MAIN_ID, VoiceRules, channel_at, may_speak
from chalicelib.wire import limits
from chalicelib.wire.voice import VoiceChannel, VoicePerson, VoicePrefer
from media_node import rtcp
from media_node.earshot import Crowd, heard_by, one_each
from media_node.party import Party, Present
from media_node.ports import Link
from media_node.rtcp import Nack, RtcpError, SenderReport
from media_node.slots import SPEECH_PACKETS, choose
from media_node.source import Bucket
from media_node.tap import Tap
from media_node.telling import report, tell_slots, tell_speaking

FEW: Final = 16
"""Listeners to whom slots are given in one go."""
_TICK_S: Final = 1 / limits.RELAY_HZ


class Turn:
    """Something that is done so many times a second, on ticks."""

    __slots__ = ("_due", "_every_s")

    def __init__(self, every_s: float) -> None:
        self._every_s, self._due = every_s, 0.0

    def comes(self, now: float) -> bool:
        """Whether it is due in this tick, to half of one."""
        if now < self._due - _TICK_S / 2:
            return False
        self._due = max(self._due + self._every_s, now)
        return True


class Voice:
    """See the module. `wall_ms` is the time of day, for sender reports."""

    def __init__(self, session_id: str, tap: Tap, *, wall_ms: Callable[[], int], chance: Random) -> None:
        self.rules = VoiceRules()
        self.malformed = 0
        """RTCP that was none, or too much of it."""
        self._session_id = session_id
        self._tap = tap
        self._wall_ms = wall_ms
        self._chance = chance
        self._now = 0.0
        self._members: dict[Link, Present] = {}
        self._parties: dict[Link, Party] = {}
        self._control: dict[Link, Bucket] = {}
        self._people: dict[str, VoicePerson] = {}
        self._channels: dict[str, VoiceChannel] = {}
        self._zones = False
        self._waiting: list[Party] = []
        """Whose slots are to be given anew."""
        self._crowds: dict[str, Crowd] | None = None
        """Of this turn, by channel; None: not gathered, or not so any more."""
        self._onsets = Bucket(limits.VOICE_ONSETS_PER_S, limits.VOICE_ONSETS_PER_S, self._now)
        self._selecting = Turn(1 / limits.VOICE_SELECT_HZ)
        self._speaking = Turn(1 / limits.VOICE_SPEAKING_HZ)
        self._learn(self.rules)

    @property
    def kept(self) -> int:
        """Entries of all that is kept of pages: nothing, once all have gone."""
        held = sum(line.stretches for party in self._parties.values() for line in party.listener.lines)
        tables = (self._members, self._parties, self._control)
        return sum(len(table) for table in tables) + held

    def counts(self) -> Counter[str]:
        """Of this moment: pages in voice, and who speaks. Since each page came: packets that were not taken, were late, were
        asked for and not sent again.
        """
        counts: Counter[str] = Counter(voice_malformed=self.malformed)
        for party in self._parties.values():
            counts["voice_pages"] += party.joined
            counts["voice_speaking"] += party.speaker.loudness.speaking
            counts["voice_dropped"] += party.speaker.dropped
            counts["voice_late"] += party.listener.budget.dropped
            counts["voice_not_resent"] += party.listener.refused
        return counts

    # -- coming and going --

    def join(self, member: Present) -> None:
        """A link opened; whatever an older one of the same page had is over."""
        for link in [link for link, other in self._members.items() if other is member]:
            self.leave(link)
        self._members[member.link] = member
        self._admit(member)

    def leave(self, link: Link) -> None:
        """A link ended, and everything of it."""
        self._members.pop(link, None)
        self._control.pop(link, None)
        party = self._parties.pop(link, None)
        if party is None:
            return
        self._crowds = None
        party.seat([None] * len(party.held))
        for other in self._parties.values():
            if party in other.held:
                other.seat([None if each is party else each for each in other.held])
            other.listener.forget(party.speaker)

    def _admit(self, member: Present) -> None:
        """Once audio was agreed on, which may be after the link opened."""
        audio, party = member.link.audio, self._parties.get(member.link)
        if audio is None or (party is not None and party.audio is audio):
            return
        if party is not None:
            party.renegotiated(audio)
            return
        party = self._parties[member.link] = Party(member, audio, self._chance, self._now)
        self._control[member.link] = Bucket(limits.VOICE_NACKS_PER_S, limits.VOICE_NACKS_PER_S, self._now)
        party.keep_from(self.rules)
        self._judge(party)

    # -- what is so --

    def follow(self, rules: VoiceRules) -> None:
        """The room's voice is so, as read last: one reading after the other, of a table that forgets rooms in time."""
        self._tap.follow(self._session_id, rules.state)
        if rules == self.rules:
            return
        self.rules = rules
        self._learn(rules)
        for party in self._parties.values():
            party.keep_from(rules)
        self.refresh()

    def refresh(self) -> None:
        """Somebody's role or the rules changed: it counts for the next packet."""
        for party in self._parties.values():
            self._judge(party)
        self._crowds = None
        self._give(self._parties.values())

    def prefer(self, link: Link, message: VoicePrefer) -> None:
        """What a listener wants. It is told anew who is in its slots, and who speaks."""
        party = self._parties.get(link)
        if party is not None:
            party.told_slots = party.told_speaking = None  # a page that begins anew to hear knows nothing of either
            party.silenced = frozenset(message.silenced)
            party.want(message.slots)
            party.keep_from(self.rules)
            party.seat([None if each is None or each.user_id in party.deaf else each for each in party.held])

    def _learn(self, rules: VoiceRules) -> None:
        state = rules.state
        self._people = {peer_id: person for person in state.people for peer_id in person.peers}
        self._channels = {channel.channel_id: channel for channel in state.channels}
        self._zones = any(channel.zone is not None for channel in state.channels)
        self._recorded = state.recording is not None

    def _judge(self, party: Party) -> None:
        """Where it is, and what it may, by everything that is known now."""
        person, pose = self._people.get(party.peer_id), party.member.state.pose
        party.position = pose.position if pose is not None else None
        party.joined = person is not None
        if person is None:
            party.speaker.allow(may_speak=False)
            party.told_slots, party.told_speaking = None, ()
            party.seat([None] * len(party.held))
            return
        channel_id = person.channel_id
        if self._zones or channel_id not in self._channels:
            was = party.channel.channel_id
            channel_id = channel_at(self.rules.state.channels, channel_id, was, party.position)
        party.channel = self._channels.get(channel_id) or self._channels.get(MAIN_ID, MAIN)
        party.priority = person.priority
        party.speaker.recorded = self._recorded
        party.speaker.allow(may_speak=may_speak(person, party.channel, party.member.person.role))

    # -- packets --

    def media(self, link: Link, packet: bytes, now: float) -> None:
        """RTP of a link, authenticated and decrypted."""
        party = self._parties.get(link)
        if party is None:
            return
        taken = party.speaker.take(packet, now)
        if party.speaker.loudness.begins:
            self._begin(party, now)
        if taken is not None and self._recorded:
            self._tap.heard(self._session_id, party.peer_id, party.user_id, party.channel.channel_id, taken)

    def media_control(self, link: Link, packet: bytes, now: float) -> None:
        """RTCP of a link, authenticated and decrypted."""
        party, bucket = self._parties.get(link), self._control.get(link)
        if party is None or bucket is None:
            return
        try:
            items = rtcp.parse(packet) if bucket.take(now) else None
        except RtcpError:
            items = None
        if items is None:
            self.malformed += 1
            return
        for item in items:
            if isinstance(item, Nack):
                party.listener.resend(item, now)
            elif isinstance(item, SenderReport):
                party.speaker.clock.take(item, now, self._wall_ms() / 1000)

    # -- time --

    def tick(self, now: float) -> None:
        """RELAY_HZ times a second; `choose` is to follow, while anybody `waits`."""
        self._now = now
        for party in self._parties.values():
            party.listener.budget.refill(now)
            if party.speaker.awaits:
                party.speaker.remind(now, (party.link.rtt_ms or 0.0) / 1000)
            if now >= party.report_at:
                party.report_at = max(party.report_at + limits.VOICE_REPORT_S, now)
                report(party, now, self._wall_ms() / 1000)
        if self._selecting.comes(now):
            for member in self._members.values():
                self._admit(member)
            for party in self._parties.values():
                party.speaker.loudness.settle(now)
                self._judge(party)
            self._waiting, self._crowds = list(self._parties.values()), None
        if self._speaking.comes(now):
            tell_speaking(self._parties.values())

    @property
    def waits(self) -> bool:
        """Whether somebody's slots are to be given anew."""
        return bool(self._waiting)

    def choose(self) -> None:
        """Gives a few their slots: packets wait as long as this takes."""
        few, self._waiting = self._waiting[:FEW], self._waiting[FEW:]
        self._give([party for party in few if self._parties.get(party.link) is party])

    def _give(self, parties: Iterable[Party]) -> None:
        """To each the slots that it has by now."""
        if self._crowds is None:
            self._crowds = self._gathered()
        for party in parties:
            if not party.joined:
                continue
            crowd = self._crowds.get(party.channel.channel_id)
            heard = heard_by(party, crowd) if crowd is not None else {}
            slots = choose(party.held, heard, party.wanted)
            if slots != party.held:
                party.seat(slots)
            tell_slots(party)

    def _begin(self, party: Party, now: float) -> None:
        """Somebody begins to speak: whoever has a slot for them is sent it now, by the rules of every turn."""
        if not party.front or not self._onsets.take(now):
            return
        party.speaker.loudness.begin(now)
        crowd = Crowd(party.channel)
        crowd.add(party)
        for other in self._parties.values():
            if other.joined and other.channel is party.channel and other.hears_silence and party not in other.held:
                slots = choose(other.held, heard_by(other, crowd), other.wanted)
                if slots != other.held:
                    other.seat(slots)
                    tell_slots(other)
        party.speaker.catch_up(SPEECH_PACKETS, now)

    def _gathered(self) -> dict[str, Crowd]:
        crowds: dict[str, Crowd] = {}
        for party in one_each(self._parties.values()):
            crowd = crowds.get(party.channel.channel_id)
            if crowd is None:
                crowd = crowds[party.channel.channel_id] = Crowd(party.channel)
            crowd.add(party)
        return crowds
