"""A room's voice as the tables have it: read when somebody says that it changed, and now and then in any case.

The law: after a notice, what is read began to be read after it. So a reading that is under way when a notice comes counts
for nothing, and any number of notices meanwhile are one reading more. A database that is away changes nothing: what is known
stays so.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from chalicelib.voice.model import VoiceRules
from chalicelib.wire import limits
from chalicelib.wire.types import SessionId
from media_node.voice import Voice


class VoiceReading(Protocol):
    """As much as is read; `chalicelib.voice.reading`."""

    async def rules(self, session_id: SessionId) -> VoiceRules:
        """What holds in a room now. UPSTREAM_UNAVAILABLE."""
        ...


class Ruling:
    """One room's."""

    def __init__(self, session_id: str, voice: Voice, reading: VoiceReading, now_ms: Callable[[], int]) -> None:
        self._session_id = session_id
        self._voice = voice
        self._reading = reading
        self._now_ms = now_ms
        self._lock = asyncio.Lock()
        self._asked = self._served = 0
        self._read_at_ms = 0

    @property
    def due(self) -> bool:
        """Whether it was read longer than VOICE_STATE_S ago."""
        return self._now_ms() - self._read_at_ms >= limits.VOICE_STATE_S * 1000

    async def read(self) -> None:
        """What is so now, or is by the time that this is done. UPSTREAM_UNAVAILABLE."""
        self._asked += 1
        asked = self._asked
        async with self._lock:
            if self._served >= asked:
                return
            serving, self._read_at_ms = self._asked, self._now_ms()
            rules = await self._reading.rules(self._session_id)
            self._served = serving
            self._voice.follow(rules)
