"""One page in a room's voice: as it speaks, as it listens, and where it stands by the rules of the moment."""

from random import Random
from typing import Protocol

from chalicelib.voice.model import MAIN, VoiceRules
from chalicelib.wire import limits
from chalicelib.wire.types import PresenceState, Vec3
from chalicelib.wire.voice import VoiceChannel
from media_node.listener import Listener
from media_node.model import Person
from media_node.ports import Audio, Link
from media_node.speaker import Speaker

_NOBODY = 1
"""Who the node is in the feedback to a page that hears nobody: an SSRC is needed, and is looked at by none."""


class Present(Protocol):
    """As much as is needed of a room's member."""

    @property
    def link(self) -> Link: ...
    @property
    def person(self) -> Person: ...
    @property
    def state(self) -> PresenceState: ...


class Party:
    """See the module. What it holds ends with its link."""

    __slots__ = (
        "_wished",
        "audio",
        "channel",
        "deaf",
        "front",
        "held",
        "joined",
        "link",
        "listener",
        "member",
        "peer_id",
        "position",
        "priority",
        "report_at",
        "silenced",
        "speaker",
        "told_slots",
        "told_speaking",
        "user_id",
        "wanted",
    )

    def __init__(self, member: Present, audio: Audio, chance: Random, now: float) -> None:
        self.member, self.link, self.audio = member, member.link, audio
        self.peer_id, self.user_id = member.person.peer_id, member.person.user_id
        ssrc = audio.slots[0] if audio.slots else _NOBODY
        self.speaker = Speaker(audio, member.link.send_media_control, ssrc, now)
        self.listener = Listener(audio, member.link.send_media, chance, now)
        self.held: list[Party | None] = [None] * len(audio.slots)
        """Who is in each slot."""
        self.front = False
        """Whether it is the one of its person's pages that they are heard by."""
        self.joined = False
        self.channel: VoiceChannel = MAIN
        self.position: Vec3 | None = None
        self.priority = False
        self.silenced: frozenset[str] = frozenset()
        """Whom its page wants to hear nothing of."""
        self.deaf: frozenset[str] = frozenset({self.user_id})
        """Whom it hears nothing of: those, whoever is kept apart from it, and its own person."""
        self.want(limits.VOICE_SLOTS)
        self.report_at = now + chance.random() * limits.VOICE_REPORT_S
        """Not all in one moment."""
        self.told_slots: list[str | None] | None = None
        self.told_speaking: tuple[str, ...] | None = ()
        """Nobody, before it is told. None: it is to be told again, whoever it is."""

    @property
    def may_be_heard(self) -> bool:
        """Whether it has something to send, and may."""
        return self.speaker.may_speak and self.audio.sends

    @property
    def hears_silence(self) -> bool:
        """Whether it could be sent one more who speaks without anybody who speaks losing their slot."""
        speaking = 0
        for each in self.held:
            if each is not None and each.speaker.loudness.speaking:
                speaking += 1
        return speaking < self.wanted

    def keep_from(self, rules: VoiceRules) -> None:
        """Whom it hears nothing of, by the blocks of now."""
        self.deaf = rules.kept_from(self.user_id) | self.silenced | {self.user_id}

    def seat(self, slots: "list[Party | None]") -> None:
        """These are in its slots from now on."""
        for line, before, after in zip(self.listener.lines, self.held, slots, strict=True):
            if before is not after:
                if before is not None:
                    before.speaker.detach(line)
                if after is not None:
                    after.speaker.attach(line)
        self.held = slots

    def renegotiated(self, audio: Audio) -> None:
        """Something else was agreed on; the slots' SSRCs never change."""
        self.audio = self.speaker.audio = audio
        held, count = self.held, len(audio.slots)
        self.seat([None] * len(held))
        self.listener.agree(audio)
        self.held = [None] * count
        self.want(self._wished)
        self.seat([*held, *self.held][:count])

    def want(self, slots: int) -> None:
        """It wants no more than so many speakers at once."""
        self._wished = slots
        self.wanted = min(slots, len(self.held))
