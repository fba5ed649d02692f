"""A media node without media: it registers, beats and signals as a real one does, and carries nothing."""

import asyncio
import contextlib
import secrets
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from benchmarks.client import Api, PeerClient
from chalicelib.aws.dynamo import Dynamo
from chalicelib.aws.keys import parse
from chalicelib.peers.model import Node
from chalicelib.peers.nodes import NodeStore
from chalicelib.presence.store import PresenceStore
from chalicelib.wire import PROTOCOL_VERSION, limits
from chalicelib.wire.messages import ServerMessage
from chalicelib.wire.signals import NodeEnter, NodeState
from chalicelib.wire.tokens import NodeClaims, SigningKey, sign
from local.stack import Stack


class Backstage:
    """What media nodes reach of a running system beside its ports: tables and the nodes' keys."""

    def __init__(self, stack: Stack) -> None:
        env = stack.env
        self.dynamo = Dynamo(env["AWS_ENDPOINT_URL_DYNAMODB"], env["AWS_REGION"])
        self.nodes = NodeStore(self.dynamo, env["TABLE_PREFIX"])
        self.presence = PresenceStore(self.dynamo, env["TABLE_PREFIX"])
        self.node_key = _key(env["NODE_KEYS_FILE"])
        self.token_key = _key(env["TOKEN_KEYS_FILE"])

    def token(self, node_id: str, key: SigningKey | None = None) -> str:
        """What opens a node's WebSocket, once."""
        claims = NodeClaims(jti=secrets.token_hex(10), sub=node_id)
        return sign(claims, key or self.node_key, now_s=int(time.time()), ttl_s=limits.NODE_TOKEN_TTL_S)


class FakeNode:
    """One node; `heard` is all that it was told."""

    def __init__(self, api: Api, backstage: Backstage, *, load: int = 0) -> None:
        self.node_id = f"node_{secrets.token_hex(6)}"
        self.peer_id = f"{self.node_id}.relay"
        self.heard: list[ServerMessage] = []
        self._api = api
        self._back = backstage
        self._load = load
        self._beats: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._beat()
        self._beats = asyncio.create_task(self._go_on())
        token = self._back.token(self.node_id)
        self.socket = PeerClient(await self.dial(token), self.peer_id)
        self.socket.on_message = lambda message, _size: self.heard.append(message)
        await self.socket.send(NodeEnter(id="e", protocol=PROTOCOL_VERSION))
        self.state = await self.socket.next(NodeState)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.die()
        await self._back.nodes.forget(self.node_id)

    async def dial(self, token: str) -> Any:
        """Opens a WebSocket with a token. Raises aiohttp.WSServerHandshakeError."""
        url = f"{self._api.base_url.replace('http', 'ws', 1)}/ws?{urlencode({'ticket': token})}"
        return await self._api.http.ws_connect(url, max_msg_size=0)

    async def die(self) -> None:
        """Stops at once, without a word."""
        if self._beats is not None:
            self._beats.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._beats
        await self.socket.close()

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(limits.NODE_BEAT_S)
            await self._beat()

    async def _beat(self) -> None:
        now_ms = time.time_ns() // 1_000_000
        await self._back.nodes.beat(
            Node(
                node_id=self.node_id,
                address="127.0.0.1",
                port=9,
                capacity=limits.NODE_PEERS_MAX,
                load=self._load,
                version="fake",
                seen_at_ms=now_ms,
            )
        )


def _key(path: str) -> SigningKey:
    return parse(Path(path).read_bytes())[0]
