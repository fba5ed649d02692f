"""A room's voice, read when it changed and now and then."""

import asyncio
from random import Random

import pytest

from chalicelib.voice.model import MAIN, VoiceRules
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.voice import VoiceState
from media_node.ruling import Ruling
from media_node.voice import Voice
from tests.fakes.relay import SESSION
from tests.fakes.talk import FakeTap, FakeVoices
from tests.fakes.time import VirtualTime


class SlowVoices(FakeVoices):
    """What is read is what was so when the reading began; it takes until the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.revision = 1
        self.waiting: list[asyncio.Event] = []

    async def rules(self, session_id: str) -> VoiceRules:
        """Of a moment ago."""
        begun = VoiceRules(VoiceState(revision=self.revision, channels=(MAIN,), people=()))
        gate = asyncio.Event()
        self.waiting.append(gate)
        await super().rules(session_id)
        await gate.wait()
        return begun


async def test_what_is_read_after_a_notice_began_to_be_read_after_it() -> None:
    """However many notices come meanwhile: one reading more."""
    time, voices, tap = VirtualTime(), SlowVoices(), FakeTap()
    voice = Voice(SESSION, tap, wall_ms=time.now_ms, chance=Random(1))
    ruling = Ruling(SESSION, voice, voices, time.now_ms)
    asked = [asyncio.ensure_future(ruling.read())]
    await time.rest()
    voices.revision = 2
    asked += [asyncio.ensure_future(ruling.read()) for _ in range(5)]
    await time.rest()
    assert len(voices.waiting) == 1
    voices.waiting[0].set()
    await time.rest()
    assert (voice.rules.state.revision, len(voices.waiting)) == (1, 2)
    voices.waiting[1].set()
    await asyncio.gather(*asked)
    assert [state.revision for state in tap.followed] == [1, 2]


async def test_a_reading_that_fails_is_tried_again_when_it_is_due() -> None:
    """Not sooner; a notice is."""
    time, voices = VirtualTime(), FakeVoices(away=AppError(Code.UPSTREAM_UNAVAILABLE))
    ruling = Ruling(SESSION, Voice(SESSION, FakeTap(), wall_ms=time.now_ms, chance=Random(1)), voices, time.now_ms)
    due = [ruling.due]
    with pytest.raises(AppError):
        await ruling.read()
    due.append(ruling.due)
    time.at_ms += limits.VOICE_STATE_S * 1000
    due.append(ruling.due)
    assert due == [True, False, True]
    voices.away = None
    await ruling.read()
    await ruling.read()
    assert voices.reads == 3
