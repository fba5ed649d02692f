"""Which speakers a listener is sent: how loud each is, and who gets a slot. Pure; the same in, the same out.

Theory of operation. How loud somebody is they say themselves (RFC 6464), in every packet, and the node cannot check it
without decoding. So what is believed is bounded on three sides:

- A level counts as no louder than LOUDEST_DB, which is what a normal voice close to its microphone comes to (the
  browser's gain control aims there). The difference to a quiet voice is within VOICE_STICKY_DB, so whoever claims 0 dBov
  for ever takes a slot from no normal speaker who has one, and gets a free one as any speaker would.
- A voice is its running mean over the time in which it speaks, and pauses do not lower it: an honest speaker, with gaps
  between words, is not outdone by one who never makes a pause. A single loud packet is a click, and moves the mean by
  little.
- Only a packet that can hold speech counts: one of SILENT_BYTES or fewer is Opus saying that there is nothing (DTX),
  whatever level it claims, and a share of a second with fewer than SPEECH_PACKETS of the others is no speech. A liar
  who says nothing must at least send what a speaker sends, all the time, and is then heard to be silent by four ears
  instead of none.

A loudness at a listener's place is the mean times the gain there (`gain.py`). Whoever has a slot counts VOICE_STICKY_DB
louder, keeps their mean while they are silent for VOICE_HOLD_MS, and after that keeps the slot until somebody who
speaks needs it: who begins to speak again there is heard from their first packet on. Free slots are given to the silent
too, the nearest first. Who begins to speak without one (`begins`) waits for no turn where a slot has nobody who speaks.
"""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Final, TypeVar

from chalicelib.wire import limits

LOUDEST_DB: Final = 20
"""Below full scale; a level nearer to it counts as this."""
SILENT_BYTES: Final = 8
"""The payload of a packet without speech; a frame of speech at 16 kbit/s has 40."""
SPEECH_PACKETS: Final = 2
"""In one turn of choosing, of the five that speech of 20 ms has."""
UNKNOWN_DB: Final = 40
"""What a packet counts for that does not say."""
QUIET: Final = 1e-6
"""How loud the silent are: less than anybody who can be heard."""
FIRST: Final = 1e6
"""How much louder than itself a voice with priority counts."""
STICKY: Final = 10 ** (limits.VOICE_STICKY_DB / 20)
_FASTNESS: Final = 0.4
_HOLD_S: Final = limits.VOICE_HOLD_MS / 1000
_by_loudness: Final = itemgetter(1)

K = TypeVar("K")


class Loudness:
    """One sender's. `amplitude` is linear, 1 at full scale, QUIET while they are silent."""

    __slots__ = ("_heard", "_mean_db", "_sum_db", "_until", "amplitude", "speaking")

    def __init__(self) -> None:
        self.amplitude = QUIET
        self.speaking = False
        self._mean_db = limits.VOICE_SILENCE_DB
        self._sum_db = 0
        self._heard = 0
        self._until = 0.0

    def hear(self, level: int | None, size: int) -> None:
        """A packet with so long a payload."""
        loud = UNKNOWN_DB if level is None else level
        if loud < limits.VOICE_SILENCE_DB and size > SILENT_BYTES:
            self._heard += 1
            self._sum_db += loud if loud > LOUDEST_DB else LOUDEST_DB

    @property
    def begins(self) -> bool:
        """Whether enough came in this turn, of somebody who was silent, to be speech."""
        return self._heard >= SPEECH_PACKETS and not self.speaking

    def begin(self, now: float) -> None:
        """Speaks from now on, as loud as the next turn would find with what came; which judges it with all of the turn."""
        self._speak(self._risen_db(), now)

    def settle(self, now: float) -> None:
        """What came since the last turn is judged."""
        if self._heard >= SPEECH_PACKETS:
            self._mean_db = self._risen_db()
            self._speak(self._mean_db, now)
        elif self.speaking and now >= self._until:
            self.silence()
        self._heard = self._sum_db = 0

    def silence(self) -> None:
        """Says nothing from now on: over, or not allowed to."""
        self._mean_db, self.speaking, self.amplitude = limits.VOICE_SILENCE_DB, False, QUIET
        self._heard = self._sum_db = 0

    def _risen_db(self) -> float:
        return self._mean_db + _FASTNESS * (self._sum_db / self._heard - self._mean_db)

    def _speak(self, level_db: float, now: float) -> None:
        self._until, self.speaking, self.amplitude = now + _HOLD_S, True, 10.0 ** (-level_db / 20)


def choose(held: Sequence[K | None], heard: Mapping[K, float], count: int) -> list[K | None]:
    """Who is in which slot now: of all who may be heard, by loudness at the listener, the `count` loudest.

    `held` is who was in each slot, and its length the number of slots. A speaker's place never changes while they have one.
    Of two as loud, whoever is earlier in `heard`.
    """
    if len(heard) > count:
        ranked = dict(heard)
        for key in held:
            if key is not None and key in ranked:
                ranked[key] *= STICKY
        best = dict(sorted(ranked.items(), key=_by_loudness, reverse=True)[:count])
    else:
        best = dict(heard)
    slots: list[K | None] = [None] * len(held)
    for place, key in enumerate(held):
        if key is not None and key in best:
            slots[place] = key
            del best[key]
    free = [place for place, key in enumerate(slots) if key is None]
    for place, key in zip(free, best, strict=False):
        slots[place] = key
    return slots
