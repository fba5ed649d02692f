"""A native WebRTC client of a room's media node, by aiortc: for tests and bots. Beside a `PeerClient`, which signals for it.

async with RelayClient(peer) as relayed:
    await relayed.connect(await relayed.relay())
    relayed.update(PresenceState(...))
    await relayed.until(lambda: "usr_b.tab00002" in relayed.states)
"""

import asyncio
import secrets
import time
import zlib
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import msgspec
from aiortc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription

from benchmarks.client import PeerClient
from chalicelib.wire import limits
from chalicelib.wire.decode import decode_server_message
from chalicelib.wire.messages import PresenceUpdate, ServerMessage
from chalicelib.wire.peers import RelayReason, RelayState, RelayStatus
from chalicelib.wire.signals import PeerAnswer, PeerBye, PeerOffer, RelayChanged, RelayRequest, RelayRoster
from chalicelib.wire.types import PresenceState
from media_node.frames import decode, full_counter

M = TypeVar("M")
CLOSE_S: Final = 2.0


class Turned(Exception):  # noqa: N818 - what the node said, not a fault of the client
    """The node does not take this peer; `reason` is the bye's."""

    def __init__(self, reason: str | None) -> None:
        super().__init__(reason)
        self.reason = reason


class RelayClient:
    """One peer's channels. `states` are by peer id, as the frames tell; `received` what came on the control channel."""

    def __init__(self, peer: PeerClient) -> None:
        self.peer = peer
        self.link = ""
        self.node = ""
        self.members: dict[int, tuple[str, int]] = {}
        """Peer id and epoch, by index."""
        self.states: dict[str, tuple[tuple[int, int], PresenceState]] = {}
        self.received: list[ServerMessage] = []
        self.frames = 0
        self.frame_bytes = 0
        self.on_message: Callable[[ServerMessage], None] = lambda _message: None
        self.on_lost: Callable[[], None] = lambda: None
        self.prepare: Callable[[RTCPeerConnection], None] = lambda _connection: None
        """Adds to a connection what else it is to have, before it is offered: audio, say."""
        self._pc: RTCPeerConnection | None = None
        self._presence: RTCDataChannel | None = None
        self._control: RTCDataChannel | None = None
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def open(self) -> bool:
        """Whether both channels are."""
        channels = (self._presence, self._control)
        return all(channel is not None and channel.readyState == "open" for channel in channels)

    async def relay(
        self, reason: RelayReason = RelayReason.COUNT, generation: int = 0, timeout_s: float = 20.0
    ) -> RelayState:
        """Asks for the room's relay until it is ready."""
        async with asyncio.timeout(timeout_s):
            while True:
                waiting = asyncio.ensure_future(self.peer.next(RelayChanged, timeout_s))
                await asyncio.sleep(0)
                await self.peer.send(RelayRequest(reason=reason, generation=generation))
                changed = await waiting
                if changed.relay.status is RelayStatus.READY and changed.relay.generation > generation:
                    return changed.relay
                await asyncio.sleep(1.1)

    async def connect(self, relay: RelayState, timeout_s: float = 15.0) -> None:
        """Offers to the node, and returns when the channels are open. Turned, TimeoutError."""
        await self.close()
        self.link, self.node = secrets.token_hex(6), relay.peer_id or ""
        self.members.clear()
        pc = self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._presence = pc.createDataChannel(
            "presence", ordered=False, maxRetransmits=0, negotiated=True, id=limits.PRESENCE_CHANNEL
        )
        self._control = pc.createDataChannel("control", negotiated=True, id=limits.CONTROL_CHANNEL)
        self._presence.on("message", self._frame)
        self._control.on("message", self._said)
        for channel in (self._presence, self._control):
            channel.on("open", self._news.set)
            channel.on("close", self._lost)
        self.prepare(pc)
        pc.on("connectionstatechange", self._changed)
        try:
            async with asyncio.timeout(timeout_s):
                await pc.setLocalDescription(await pc.createOffer())
                answer = await self._answer(pc.localDescription.sdp)
                await pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
                await self.until(lambda: self.open, timeout_s)
        except BaseException:
            await self.close()
            raise

    async def _answer(self, sdp: str) -> str:
        answered = asyncio.ensure_future(self.peer.next(PeerAnswer, 10))
        refused = asyncio.ensure_future(self.peer.next(PeerBye, 10))
        await asyncio.sleep(0)
        try:
            await self.peer.send(PeerOffer(to=self.node, link=self.link, sdp=sdp))
            waited: list[asyncio.Future[Any]] = [answered, refused]
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if answered.done():
                return answered.result().sdp
            raise Turned(refused.result().reason)
        finally:
            answered.cancel()
            refused.cancel()
            await asyncio.gather(answered, refused, return_exceptions=True)

    def update(self, state: PresenceState) -> int:
        """Sends a newer state; returns its counter."""
        self.peer.counter += 1
        self.state(PresenceUpdate(epoch=self.peer.epoch, counter=self.peer.counter, state=state))
        return self.peer.counter

    def state(self, message: PresenceUpdate) -> None:
        """A state as it is, on the presence channel."""
        if self._presence is not None:
            self._presence.send(msgspec.json.encode(message).decode())

    def send(self, message: msgspec.Struct) -> None:
        """On the control channel."""
        self.say(msgspec.json.encode(message).decode())

    def say(self, text: str) -> None:
        """Any text, on the control channel."""
        if self._control is not None and self._control.readyState == "open":
            self._control.send(text)

    def of(self, type_: type[M]) -> list[M]:
        """What came of a type."""
        return [message for message in self.received if isinstance(message, type_)]

    async def until(self, condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
        """Waits until what came makes it true. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def close(self) -> None:
        """Ends the connection without a word. aiortc may wait for ever for one that was only half made."""
        pc, self._pc = self._pc, None
        if pc is not None:
            await asyncio.wait({asyncio.ensure_future(pc.close())}, timeout=CLOSE_S)

    def _frame(self, data: bytes) -> None:
        frame = decode(data)
        self.frames += 1
        self.frame_bytes += len(data)
        for entry in frame.entries:
            member = self.members.get(entry.index)
            if member is None:
                continue
            peer_id, epoch = member
            known = self.states.get(peer_id, ((0, 0), PresenceState()))[0]
            counter = full_counter(known[1] if known[0] == epoch else 0, entry.counter)
            if (epoch, counter) > known or peer_id not in self.states:
                self.states[peer_id] = ((epoch, counter), entry.state)
        self._news.set()

    def _said(self, data: str | bytes) -> None:
        text = zlib.decompress(data, -zlib.MAX_WBITS) if isinstance(data, bytes) else data
        message = decode_server_message(text)
        if isinstance(message, RelayRoster):
            if message.full:
                self.members.clear()
            for index in message.left:
                self.members.pop(index, None)
            self.members.update({m.index: (m.peer_id, m.epoch) for m in message.members})
        self.received.append(message)
        self.on_message(message)
        self._news.set()

    def _changed(self) -> None:
        if self._pc is not None and self._pc.connectionState in {"failed", "closed"}:
            self._lost()

    def _lost(self) -> None:
        self._news.set()
        self.on_lost()


def moment_ms() -> int:
    """Now."""
    return time.time_ns() // 1_000_000
