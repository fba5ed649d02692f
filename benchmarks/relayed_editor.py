"""A document edited over the room's media node where there is one, and over the WebSocket where there is none.

As `benchmarks.editor`, whose connection it keeps: what is about documents goes by the control channel while that is
open. At each change of carrier the editor reads on and sends again what nobody answered, as after a reconnect.
"""

import asyncio
import contextlib
import time
from typing import Any, Final

import msgspec

from benchmarks.client import PeerClient, Refused
from benchmarks.editor import LOST, DocumentClient, now_ms
from benchmarks.relayed import RelayClient, Turned
from chalicelib.wire.messages import DocFetch, OpSubmit, Ping, ServerMessage
from chalicelib.wire.peers import RelayReason, RelayState, RelayStatus
from chalicelib.wire.signals import RelayChanged, RelayRequest

ASK_S: Final = 1.1
SILENT_S: Final = 3.0
"""A node that says nothing for so long is asked for anew."""


class RelayedDocument(DocumentClient):
    """See the module. `relayed` is the channels, while they are open."""

    relayed: RelayClient | None = None
    switches = 0
    """How often the carrier changed."""
    _relay = RelayState(status=RelayStatus.NONE)
    _told: asyncio.Event | None = None
    _channel_heard_s = 0.0

    @property
    def carried(self) -> bool:
        """Whether edits go by channels at the moment."""
        return self.relayed is not None and self.relayed.open

    def _channels(self, peer: PeerClient) -> RelayClient:
        """New ones; tests put a network before them."""
        return RelayClient(peer)

    async def _follow(self, peer: PeerClient) -> None:
        self._told = asyncio.Event()
        carrying = asyncio.ensure_future(self._carry(peer))
        try:
            await super()._follow(peer)
        finally:
            carrying.cancel()
            await asyncio.gather(carrying, return_exceptions=True)

    async def _sent(self, peer: PeerClient, message: msgspec.Struct) -> None:
        relayed = self.relayed
        if relayed is not None and relayed.open and isinstance(message, OpSubmit | DocFetch):
            relayed.send(message)
        else:
            await peer.send(message)

    def _arrived(self, message: ServerMessage, size: int) -> None:
        if isinstance(message, RelayChanged):
            self._relay = message.relay
            if self._told is not None:
                self._told.set()
        super()._arrived(message, size)

    async def _carry(self, peer: PeerClient) -> None:
        """Channels, again and again, for as long as there is this connection."""
        reason = RelayReason.UPLINK
        with contextlib.suppress(*LOST, Refused):
            await self._api.offerable(self._who, self._session_id, self.editor.client)
        while True:
            relayed = self._channels(peer)
            try:
                await self._ask(peer, reason)
                if self._relay.status is RelayStatus.READY:
                    reason = RelayReason.LOST
                    await self._hold(relayed)
                else:
                    reason = RelayReason.UPLINK
            except (Turned, *LOST):
                pass  # it is asked for anew
            finally:
                self.relayed = None
                await relayed.close()
            await asyncio.sleep(ASK_S)

    async def _ask(self, peer: PeerClient, reason: RelayReason) -> None:
        """The room's relay, as the functions answer within a moment."""
        assert self._told is not None
        self._told.clear()
        await peer.send(RelayRequest(reason=reason, generation=self._relay.generation))
        async with asyncio.timeout(5):
            await self._told.wait()

    async def _hold(self, relayed: RelayClient) -> None:
        """Connects, and returns when the channels are lost, or the room has another relay."""
        relayed.on_message = self._channelled
        node = self._relay.peer_id
        await relayed.connect(self._relay, 6)
        self.relayed = relayed
        self._channel_heard_s = time.monotonic()
        self._switched()
        while relayed.open and not self._moved(node) and time.monotonic() - self._channel_heard_s < SILENT_S:
            relayed.send(Ping())
            await asyncio.sleep(0.5)
        self.relayed = None
        self._switched()

    def _moved(self, node: str | None) -> bool:
        """Whether the room is another node's by now."""
        return self._relay.peer_id != node

    def _channelled(self, message: Any) -> None:
        self._channel_heard_s = time.monotonic()
        super()._arrived(message, 0)

    def _switched(self) -> None:
        self.switches += 1
        self.editor.disconnected()
        self.editor.reconnected(now_ms())
        self._news.set()
