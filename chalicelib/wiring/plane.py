"""The real-time plane by REST, joined to its store, to its settings, and to the rooms that it asks."""

import asyncio
from collections.abc import Sequence

from chalicelib import wiring
from chalicelib.aws import log, secret
from chalicelib.aws.once import once
from chalicelib.peers.plane import Page, Plane
from chalicelib.peers.turn import configured
from chalicelib.wire import limits
from chalicelib.wire.limiter import Limiter
from chalicelib.wire.peers import RelayState
from chalicelib.wire.tokens import Identity


class _Room:
    """The sessions room, which computes in threads; presence; and who relays."""

    async def viewer(self, session_id: str, identity: Identity) -> None:
        await asyncio.to_thread(wiring.sessions().viewer, session_id, identity)

    async def pages(self, session_id: str) -> Sequence[Page]:
        return await wiring.presence().rows(session_id)

    async def set_rtc(self, session_id: str, peer_id: str, rtc: bool) -> bool:
        return await wiring.presence().set_rtc(session_id, peer_id, rtc)

    async def relay(self, session_id: str) -> RelayState:
        return await wiring.peers.service().state(session_id)

    async def crowded(self, session_id: str) -> RelayState:
        return await wiring.peers.service().crowded(session_id)


@once
def plane() -> Plane:
    """What the routes do."""
    from chalicelib.peers.quality_store import QualityStore  # noqa: PLC0415

    s = wiring.settings()
    ice = configured(s.stun_urls, s.turn_urls, lambda: secret.read(s.turn_secret_file, s.turn_secret_parameter))
    return Plane(_Room(), QualityStore(wiring.dynamo(), s.table_prefix), ice, log.event, now_ms=wiring.now_ms)


@once
def _join_rate() -> Limiter:
    return Limiter(rate=limits.JOIN_REFILL_PER_S, burst=limits.JOIN_BURST)


def join_wait_ms(user_id: str) -> int:
    """0 where a page may join or leave now."""
    return _join_rate().take(user_id, wiring.now_ms()).wait_ms


@once
def _report_rate() -> Limiter:
    return Limiter(rate=limits.QUALITY_REFILL_PER_S, burst=limits.QUALITY_BURST)


def report_wait_ms(user_id: str) -> int:
    """0 where a report may be made now."""
    return _report_rate().take(user_id, wiring.now_ms()).wait_ms
