"""Participants of Holodeck as pages come: guest, seat, WebSocket, voice by REST, one connection to the room's media node."""

import asyncio
import secrets
from collections.abc import Callable
from typing import Final

import msgspec

from benchmarks.client import Api, PeerClient, Person
from benchmarks.relayed import RelayClient
from benchmarks.voices import sdp
from benchmarks.voices.link import Link, Network
from chalicelib.wire import limits
from chalicelib.wire.messages import PresenceUpdate
from chalicelib.wire.peers import RelayReason, RelayState, RelayStatus
from chalicelib.wire.signals import PeerAnswer, PeerBye, PeerOffer
from chalicelib.wire.types import Pose, PresenceState, Vec3
from chalicelib.wire.voice import JoinVoice, VoiceJoined

DIRECTIONS: Final[tuple[sdp.Direction, ...]] = ("sendonly", *("recvonly",) * limits.VOICE_SLOTS)
_PING_S: Final = 15.0
_ANSWER_S: Final = 40.0
_REPEATS_S: Final = (0.0, 0.15, 0.3)  # of a place, for the channel may lose it
_UPRIGHT: Final = (0.0, 0.0, 0.0, 1.0)


Hear = Callable[[int, bytes], None]
"""Stream and message."""


class Seat:
    """One page of one person in a room, by WebSocket, which it keeps."""

    def __init__(self, peer: PeerClient) -> None:
        self.peer = peer
        self._pinging = asyncio.create_task(self._ping())

    async def close(self) -> None:
        """Goes."""
        self._pinging.cancel()
        await self.peer.close()

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(_PING_S)
            await self.peer.ping()


class Page:
    """A page that is connected to the room's media node."""

    def __init__(self, seat: Seat, link: Link) -> None:
        self.link = link
        self._seat = seat
        self._peer = seat.peer

    @property
    def peer_id(self) -> str:
        """As the room knows it."""
        return self._peer.peer_id

    def moves(self, state: PresenceState) -> int:
        """A newer state, by the presence channel; returns its counter."""
        self._peer.counter += 1
        update = PresenceUpdate(epoch=self._peer.epoch, counter=self._peer.counter, state=state)
        text = msgspec.json.encode(update).decode()
        self.link.send_message(limits.PRESENCE_CHANNEL, text, reliable=False)
        return self._peer.counter

    async def close(self) -> None:
        """Goes."""
        self.link.close()
        await self._seat.close()


async def seated(api: Api, person: Person, session_id: str, tab_id: str) -> Seat:
    """In the room by WebSocket, and to be offered to."""
    peer = await api.enter(person, session_id, tab_id)
    await peer.__aenter__()
    await api.offerable(person, session_id, tab_id)
    return Seat(peer)


async def speaks(api: Api, person: Person, session_id: str, tab_id: str) -> VoiceJoined:
    """Joins voice."""
    path = f"/collaboration/sessions/{session_id}/voice"
    return await api.call("POST", path, person, JoinVoice(tab_id=tab_id), VoiceJoined)


def unheard(_stream: int, _data: bytes) -> None:
    """What comes by channels is nobody's."""


async def connected(seat: Seat, network: Network, hear: Hear = unheard) -> Page:
    """A connection to the room's media node, which is asked for where it has none yet. RuntimeError where it refuses."""
    peer = seat.peer
    relay = peer.room.relay if peer.room is not None else RelayState(status=RelayStatus.NONE)
    if relay.status is not RelayStatus.READY:
        relay = await RelayClient(peer).relay(RelayReason.UPLINK, timeout_s=60.0)
    link = Link(network, data=True)
    link.message = hear
    answer = await _answered(peer, relay.peer_id or "", sdp.offer(link.ours(), DIRECTIONS, data=True))
    await link.connect(sdp.read(answer))
    return Page(seat, link)


async def stands(page: Page, position: Vec3) -> None:
    """Says where, often enough to be known."""
    for pause_s in _REPEATS_S:
        await asyncio.sleep(pause_s)
        page.moves(PresenceState(pose=Pose(position=position, rotation=_UPRIGHT)))


def place_of(number: int) -> Vec3:
    """A place of one's own on a floor of 3 m squares, eight in a row, so that all hear each other from somewhere."""
    return (3.0 * (number % 8) - 10.5, 1.6, 3.0 * (number // 8) - 9.0)


async def _answered(peer: PeerClient, node: str, offer: str) -> str:
    answered = asyncio.ensure_future(peer.next(PeerAnswer, _ANSWER_S))
    refused = asyncio.ensure_future(peer.next(PeerBye, _ANSWER_S))
    await asyncio.sleep(0)
    try:
        await peer.send(PeerOffer(to=node, link=secrets.token_hex(6), sdp=offer))
        waited: set[asyncio.Future[PeerAnswer] | asyncio.Future[PeerBye]] = {answered, refused}
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        if not answered.done():
            raise RuntimeError(f"the node refuses: {refused.result().reason}")
        return answered.result().sdp
    finally:
        answered.cancel()
        refused.cancel()
        await asyncio.gather(answered, refused, return_exceptions=True)
