"""The voice room, joined to its store and to the rooms that it asks."""

import asyncio
import random
from typing import TYPE_CHECKING

from chalicelib import wiring
from chalicelib.aws import log
from chalicelib.aws.once import once
from chalicelib.sessions.model import Permission
from chalicelib.voice.changes import Changes
from chalicelib.voice.model import may_moderate
from chalicelib.voice.recordings import RecordingService
from chalicelib.voice.service import Voice
from chalicelib.wire import limits
from chalicelib.wire.limiter import Limiter
from chalicelib.wire.peers import IceServers, RelayState
from chalicelib.wire.tokens import Identity

if TYPE_CHECKING:
    from chalicelib.voice.store import VoiceStore


class _Gate:
    """The sessions room, which computes in threads."""

    async def moderates(self, session_id: str, identity: Identity) -> bool:
        found = await asyncio.to_thread(wiring.sessions().member, session_id, identity, Permission.PRESENCE)
        return may_moderate(found.role)


class _Carrier:
    """The peers room."""

    async def relay(self, session_id: str) -> RelayState:
        return await wiring.peers.service().state(session_id)

    def ice_servers(self, identity: Identity) -> IceServers:
        return wiring.plane.plane().ice_servers(identity)


@once
def _store() -> "VoiceStore":
    from chalicelib.voice.store import VoiceStore  # noqa: PLC0415

    return VoiceStore(wiring.dynamo(), wiring.settings().table_prefix)


@once
def service() -> Voice:
    """Who speaks where."""
    changes = Changes(
        _store(),
        wiring.presence(),
        wiring.peers.service(),
        now_ms=wiring.now_ms,
        jitter=random.random,
        log=log.event,
    )
    return Voice(_Gate(), changes, _store(), _Carrier(), now_ms=wiring.now_ms, new_id=wiring.random_id)


@once
def recordings() -> RecordingService:
    """What of it is written down."""
    from chalicelib.aws.files import FileStore  # noqa: PLC0415
    from chalicelib.voice.recordings_store import RecordingStore  # noqa: PLC0415

    s = wiring.settings()
    return RecordingService(
        _Gate(),
        RecordingStore(wiring.dynamo(), s.table_prefix),
        FileStore(s.documents_bucket, s.s3_endpoint, s.region, s.files_url),
        service(),
        wiring.peers.service(),
        now_ms=wiring.now_ms,
        new_id=wiring.random_id,
        log=log.event,
    )


@once
def _change_rate() -> Limiter:
    return Limiter(rate=limits.VOICE_CHANGE_PER_S, burst=limits.VOICE_CHANGE_BURST)


def change_wait_ms(user_id: str) -> int:
    """0 where somebody may change something now."""
    return _change_rate().take(user_id, wiring.now_ms()).wait_ms
