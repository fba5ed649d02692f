"""Media nodes under fire: processes of their own, with something in the middle of each of their ways.

```
 clients ── UDP middle ──> node ── Line ──> gateway (signalling)
                            └── its own DynamoProxy ──> the house's ──> DynamoDB
```

What the house's proxy does is done to functions and nodes alike; what a node's own does, to that node alone.
"""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from benchmarks.client import PeerClient
from benchmarks.relayed import RelayClient
from benchmarks.relayed_editor import RelayedDocument
from chalicelib.aws.dynamo import Dynamo
from chalicelib.peers.model import Node, Relay
from chalicelib.peers.nodes import NodeStore
from chalicelib.wire.messages import OpSubmit
from local.process import child_dies_with_us
from local.stack import Stack
from local.system import ROOT
from tests.faults.crew import DEADLINE_S, Crew, until
from tests.faults.proxy import DynamoProxy, Line
from tests.node.middle import Middle
from tests.node.peers import own_address

PREFIX: Final = "holodeck-local-"
_CANDIDATE: Final = re.compile(r"(a=candidate:\S+ 1 udp \d+ )(\S+) (\d+)( typ host)")


class MediaNode:
    """One process. What it logs is kept in a file."""

    def __init__(self, stack: Stack, database_port: int, folder: Path, number: int) -> None:
        self.dynamodb = DynamoProxy(database_port, seed=number)
        self.line = Line(int(stack.base_url.rpartition(":")[2]))
        self.node_id = ""
        self.port = 0
        self._stack = stack
        self._log = folder / f"node-{number}.log"
        self._ways = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def start(self) -> None:
        """Begins; `told` says when it has come up."""
        self._ways.enter_context(self.dynamodb)
        self._ways.enter_context(self.line)
        env = {
            **os.environ,
            **self._stack.env,
            "AWS_ENDPOINT_URL_DYNAMODB": self.dynamodb.url,
            "NODE_WEBSOCKET_URL": f"{self.line.url.replace('http', 'ws', 1)}/ws",
            "NODE_ADDRESS": own_address(),
            "POWERTOOLS_SERVICE_NAME": "media",
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "media_node"],
                cwd=ROOT,
                env=env,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=child_dies_with_us,  # noqa: PLW1509
            )

    def told(self, name: str) -> list[dict[str, Any]]:
        """Its log's events of a name."""
        found = []
        for line in self._log.read_bytes().splitlines():
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                if isinstance(event, dict) and event.get("message") == name:
                    found.append(event)
        return found

    async def entered(self) -> None:
        """Until the functions can reach it."""
        await until(lambda: bool(self.told("signalling.entered")) or self.ended, "a node has entered")
        assert not self.ended, self._log.read_text()[-2000:]
        started = self.told("node.started")[0]
        self.node_id, self.port = str(started["node_id"]), int(started["port"])

    @property
    def pid(self) -> int:
        """Of its process."""
        assert self._process is not None
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether its process is over."""
        return self._process is None or self._process.poll() is not None

    def signal(self, number: signal.Signals) -> None:
        """To its process, which may be over."""
        if not self.ended:
            os.kill(self.pid, number)

    async def held(self) -> dict[str, Any]:
        """What it says that it holds, at SIGUSR1: the minute's reports do without `objects`."""

        def said() -> list[dict[str, Any]]:
            return [event for event in self.told("node.stats") if "objects" in event]

        known = len(said())
        self.signal(signal.SIGUSR1)
        await until(lambda: len(said()) > known or self.ended, "it says what it holds")
        return said()[-1]

    def kill(self, _port: int = 0) -> None:
        """At this instant."""
        self.signal(signal.SIGKILL)

    def pause(self, _port: int = 0) -> None:
        """Until `heal`."""
        self._stopped = True
        self.signal(signal.SIGSTOP)

    def heal(self) -> None:
        """Nothing goes wrong with it any more; what is over stays over."""
        if self._stopped:
            self._stopped = False
            self.signal(signal.SIGCONT)
        self.dynamodb.heal()
        self.line.silent = False

    def close(self) -> None:
        """Ends it, whatever it does."""
        self.kill()
        if self._process is not None:
            self._process.wait()
        self._ways.close()


class Network:
    """What is between the clients and the nodes: a middle for each node, by the port that its answers name."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.loss = 0.0
        self.delay_s = 0.0
        self.cut = False
        self._middles: dict[int, Middle] = {}

    def through(self, sdp: str) -> str:
        """An answer as it is when everything goes through the middle."""

        def led(match: re.Match[str]) -> str:
            middle = self._middles.get(int(match[3]))
            if middle is None:
                middle = self._middles[int(match[3])] = Middle(match[2], int(match[3]), seed=self.seed)
                self._set(middle)
            return f"{match[1]}{match[2]} {middle.port}{match[4]}"

        return _CANDIDATE.sub(led, sdp)

    def weather(self, *, loss: float = 0.0, delay_s: float = 0.0, cut: bool = False) -> None:
        """From now on."""
        self.loss, self.delay_s, self.cut = loss, delay_s, cut
        for middle in self._middles.values():
            self._set(middle)

    def part(self, port: int, *, cut: bool) -> None:
        """Nothing goes to or from one node any more; or it does again."""
        if port in self._middles:
            self._middles[port].cut = cut

    @property
    def lost(self) -> int:
        """Datagrams."""
        return sum(middle.lost for middle in self._middles.values())

    def close(self) -> None:
        """Nothing is carried any more."""
        for middle in self._middles.values():
            middle.close()

    def _set(self, middle: Middle) -> None:
        middle.loss, middle.delay_s, middle.cut = self.loss, self.delay_s, self.cut


class ThroughMiddle(RelayClient):
    """Channels whose datagrams go through a network of ours."""

    def __init__(self, peer: PeerClient, network: Network) -> None:
        super().__init__(peer)
        self._network = network

        self.port = 0
        """The node's, as its answer named it."""

    async def _answer(self, sdp: str) -> str:
        answer = await super()._answer(sdp)
        found = _CANDIDATE.search(answer)
        self.port = int(found[3]) if found else 0
        return self._network.through(answer)


class RelayedHand(RelayedDocument):
    """A client of the crew's, by channels through its network."""

    network: Network
    by_channel = 0
    """Submissions of all of them that went that way."""
    stays = False
    """Keeps its channels though the room is said to be another node's, as if it had not been told."""

    def _channels(self, peer: PeerClient) -> RelayClient:
        return ThroughMiddle(peer, self.network)

    def anew(self) -> None:
        """Reads on, and sends again what nobody answered, as after a change of carrier."""
        if self.carried:
            self._switched()

    @property
    def port(self) -> int:
        """Of the node that it has channels to; 0: none."""
        return self.relayed.port if self.carried and isinstance(self.relayed, ThroughMiddle) else 0

    async def forget(self, port: int) -> None:
        """Lets its channels go, if they are to that node's port."""
        if self.port == port and self.relayed is not None:
            await self.relayed.close()

    def _moved(self, node: str | None) -> bool:
        return not self.stays and super()._moved(node)

    async def _sent(self, peer: PeerClient, message: msgspec.Struct) -> None:
        if self.carried and isinstance(message, OpSubmit):
            RelayedHand.by_channel += 1
        await super()._sent(peer, message)


class Relays:
    """All nodes of a test's run, and the network before them."""

    def __init__(self, stack: Stack, database_port: int, database_url: str) -> None:
        self.nodes: list[MediaNode] = []
        self._stack = stack
        self._database_port = database_port
        self._database_url = database_url
        self._folder = tempfile.TemporaryDirectory(prefix="holodeck-nodes-")
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for node in self.nodes:
            node.close()
        self._folder.cleanup()

    async def another(self) -> MediaNode:
        """One node more, which can be given rooms when this returns."""
        self._number += 1
        node = MediaNode(self._stack, self._database_port, Path(self._folder.name), self._number)
        self.nodes.append(node)
        node.start()  # on this thread: what it starts ends with the thread that started it
        await node.entered()
        return node

    async def several(self, count: int) -> list[MediaNode]:
        """So many that live, whatever the test before has done; the others end."""
        living: list[MediaNode] = []
        for node in self.nodes:
            node.heal()
            if node.ended or len(living) == count:
                await asyncio.to_thread(node.close)
            else:
                living.append(node)
        self.nodes = living
        while len(self.nodes) < count:
            await self.another()
        return self.nodes

    async def relay_of(self, session_id: str) -> Relay:
        """Who has a room, by the table itself."""
        dynamo = Dynamo(self._database_url, "us-east-1")
        try:
            return await NodeStore(dynamo, PREFIX).relay(session_id)
        finally:
            await dynamo.close()

    async def row_of(self, node: MediaNode) -> Node | None:
        """A node, by the table itself."""
        dynamo = Dynamo(self._database_url, "us-east-1")
        try:
            return await NodeStore(dynamo, PREFIX).node(node.node_id)
        finally:
            await dynamo.close()

    async def owner(self, session_id: str) -> MediaNode:
        """The node that has a room, as soon as one has."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                relay = await self.relay_of(session_id)
                for node in self.nodes:
                    if node.node_id == relay.node_id:
                        return node
                await asyncio.sleep(0.1)

    def heal(self) -> None:
        """Nothing goes wrong with any of them."""
        for node in self.nodes:
            node.heal()


def relayed(crew: Crew) -> list[RelayedHand]:
    """The hands' clients as they are now."""
    return [hand.client for hand in crew.hands if isinstance(hand.client, RelayedHand)]


async def on_relay(crew: Crew, what: str = "everybody has channels") -> None:
    """Until everybody's edits go by a media node."""
    await until(lambda: len(relayed(crew)) == len(crew.hands) and all(one.carried for one in relayed(crew)), what)


async def forget_lease(database_url: str, document_id: str) -> None:
    """Whoever holds a document's lease does not learn of it, and another may take it."""
    dynamo = Dynamo(database_url, "us-east-1")
    try:
        key = {"document_id": {"S": document_id}, "sk": {"S": "!lease"}}
        await dynamo.call("DeleteItem", {"TableName": f"{PREFIX}queue", "Key": key}, dict)
    finally:
        await dynamo.close()
