"""A worker's parts, joined: what `chalicelib.wiring` is to the functions. Decides nothing."""

import os
import secrets
import string
import time
from collections.abc import Coroutine, Sequence
from itertools import count
from random import SystemRandom
from typing import Any, Final
from urllib.parse import urlsplit

from chalicelib.aws import log
from chalicelib.aws.connections import ConnectionSender
from chalicelib.aws.credentials import TASK_ORIGIN, TASK_VARIABLE, keyring
from chalicelib.aws.dynamo import Dynamo
from chalicelib.aws.files import FileStore
from chalicelib.aws.http import HttpClient
from chalicelib.aws.keys import load_nodes
from chalicelib.aws.storage import ObjectStore
from chalicelib.documents.committer import Committer
from chalicelib.documents.drain import Drainer
from chalicelib.documents.pace import NODE
from chalicelib.documents.queue import QueueStore
from chalicelib.documents.recent import Recent
from chalicelib.documents.service import Documents
from chalicelib.documents.shelf import ShelfStore
from chalicelib.documents.snapshots import Snapshots
from chalicelib.documents.socket import Socket
from chalicelib.documents.store import LogStore
from chalicelib.peers.nodes import NodeStore
from chalicelib.presence.store import PresenceStore
from chalicelib.voice.reading import VoiceReading
from chalicelib.voice.recordings_store import RecordingStore
from chalicelib.voice.store import VoiceStore
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.documents import Commit
from chalicelib.wire.errors import AppError
from chalicelib.wire.tokens import Identity, NodeClaims, SigningKey, sign
from chalicelib.wire.types import Delivery, Vec3
from media_node.address import public_address
from media_node.committer import Channels, Operations, answer
from media_node.finisher import Finisher, start
from media_node.fleet import Fleet
from media_node.house import House
from media_node.keeping import Keeping
from media_node.node import Node
from media_node.recording import Recordings
from media_node.settings import NodeSettings
from media_node.signalling import Signalling
from media_node.transport import Transport

_ALPHABET: Final = string.ascii_lowercase + string.digits


def now_ms() -> int:
    """The machine's clock."""
    return time.time_ns() // 1_000_000


def random_id(characters: int = 20) -> str:
    """So many characters of a-z0-9, not to be guessed."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(characters))


async def get(url: str) -> bytes:
    """The body of an URL. OSError."""
    parts = urlsplit(url)
    client = HttpClient(f"{parts.scheme}://{parts.netloc}", 5.0)
    try:
        reply = await client.request("GET", parts.path or "/", {"host": client.host}, b"")
    finally:
        await client.close()
    if reply.status != 200:
        raise OSError(f"status {reply.status}")
    return reply.body


def ticket(node_id: str, keys: tuple[SigningKey, ...]) -> str:
    """One use of one WebSocket."""
    claims = NodeClaims(jti=random_id(), sub=node_id)
    return sign(claims, keys[0], now_s=int(time.time()), ttl_s=limits.NODE_TOKEN_TTL_S)


class _Closed:
    """A media node lets nobody in: who comes by a channel was let in by the functions. Nothing here asks."""

    async def view(self, session_id: str, identity: Identity) -> tuple[str, int]:
        raise AppError(Code.ROLE_INSUFFICIENT)

    async def edit(self, session_id: str, identity: Identity) -> tuple[str, int]:
        raise AppError(Code.ROLE_INSUFFICIENT)

    async def configure(self, session_id: str, identity: Identity) -> None:
        raise AppError(Code.ROLE_INSUFFICIENT)

    async def tell(self, document_id: str, session_id: str, commits: Sequence[Commit]) -> None:
        raise AppError(Code.ROLE_INSUFFICIENT)


class Parts:
    """One worker's."""

    def __init__(self, settings: NodeSettings, node_id: str) -> None:
        aws, prefix = settings.aws, settings.aws.table_prefix
        self.settings = settings
        self.node_id = node_id
        self.dynamo = Dynamo(aws.dynamodb_endpoint, aws.region)
        self.sender = ConnectionSender(aws.connections_endpoint, aws.region)
        self.objects = ObjectStore(aws.documents_bucket, aws.s3_endpoint, aws.region)
        self.files = FileStore(aws.documents_bucket, aws.s3_endpoint, aws.region)
        self.fleet = fleet(settings)
        self.registry = NodeStore(self.dynamo, prefix)
        presence = PresenceStore(self.dynamo, prefix)
        self._numbers = count(1)
        self.operations = self._operations()
        shelf = RecordingStore(self.dynamo, prefix)
        self.finisher = Finisher(shelf, start, now_ms)
        self.recordings = Recordings(node_id, shelf, self.files, self._who, self.finisher.ask, now_ms)
        self.house = House(
            node_id,
            assignments=self.registry,
            reading=presence,
            voices=VoiceReading(VoiceStore(self.dynamo, prefix), presence, now_ms=now_ms),
            post=self.sender.post,
            carrying=self.operations,
            now_ms=now_ms,
            new_id=self._new_id,
            tap=self.recordings,
        )

    async def node(self) -> tuple[Node, Signalling]:
        """The worker, with its port open, and its WebSocket, which is not. OSError, ValueError: it cannot be."""
        s = self.settings
        keys = load_nodes(s.aws)
        if not keys:
            raise ValueError("set NODE_KEYS_FILE or NODE_KEYS_PARAMETER")
        transport = await Transport.listen(
            host=s.host,
            port=s.port,
            public_address=await public_address(os.environ, get),
            events=self.house,
            capacity=s.capacity,
        )
        self.house.transport = transport
        node = Node(
            self.node_id,
            self.house,
            self.operations,
            transport,
            self.registry,
            self.fleet,
            version=s.version,
            capacity=s.capacity,
            idle_s=s.idle_s,
            now_ms=now_ms,
            workshop=self.finisher,
        )
        signalling = Signalling(s.url, lambda: ticket(self.node_id, keys), node.take, chance=SystemRandom())
        node.signalling = signalling
        log.event("node.started", node_id=self.node_id, address=transport.public_address, port=transport.port)
        return node, signalling

    async def close(self) -> None:
        """Closes the connections to AWS."""
        for each in (self.dynamo, self.sender, self.objects, self.files, self.fleet):
            await each.close()

    def _operations(self) -> Operations:
        prefix = self.settings.aws.table_prefix
        records, queue, shelf = (
            LogStore(self.dynamo, prefix),
            QueueStore(self.dynamo, prefix),
            ShelfStore(self.dynamo, prefix),
        )
        committer = Committer(records, now_ms=now_ms, jitter=SystemRandom().random)
        snapshots = Snapshots(Recent(records, committer), shelf, self.objects)
        closed = _Closed()
        documents = Documents(
            records, queue, shelf, snapshots, committer, closed, closed.tell, now_ms=now_ms, random_id=random_id
        )
        drainer = Drainer(
            queue,
            committer,
            lambda session_id, connections: self.house.census(session_id).listeners(connections),
            lambda session_id: Channels(self.house, session_id, self.sender.post),
            Keeping(snapshots, now_ms).keep_up,
            now_ms=now_ms,
            new_id=random_id,
            pace=NODE,
        )
        socket = Socket(
            documents,
            drainer,
            self._post,
            now_ms=now_ms,
            new_id=self._new_id,
            correlation=log.correlation_id.get,
        )
        return Operations(socket, drainer, self._post, self._new_id)

    def _who(self, session_id: str) -> dict[str, tuple[str, Vec3 | None]]:
        """Who of a session is here, by name, and where they stand."""
        rows = self.house.census(session_id).rows
        found: dict[str, tuple[str, Vec3 | None]] = {}
        for member in self.house.members(session_id):
            row, pose = rows.get(member.person.peer_id), member.state.pose
            name = row.name if row is not None else member.person.name
            found[member.person.peer_id] = name, pose.position if pose is not None else None
        return found

    async def _post(self, connection_id: str, data: bytes) -> Delivery:
        return await answer(self.house, self.sender.post, connection_id, data)

    def _new_id(self) -> str:
        """Not to be guessed by half, and never twice."""
        return f"{self.node_id[5:]}{next(self._numbers)}"


def fleet(settings: NodeSettings) -> Fleet:
    """The service that the node's task is in."""
    aws = settings.aws
    return Fleet(aws.ecs_cluster, aws.ecs_service, aws.ecs_endpoint, aws.region)


async def credentials() -> list[Coroutine[Any, Any, None]]:
    """Takes those of the task's role, where the process has some; and what keeps them fresh. OSError, ValueError."""
    path = os.environ.get(TASK_VARIABLE)
    if not path:
        return []

    async def fetch() -> bytes:
        return await get(TASK_ORIGIN + path)

    expires_s = await keyring().refresh(fetch)
    return [keyring().keep(fetch, expires_s)]
