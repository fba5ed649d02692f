"""A media node's house without a network: its links, the rows and rules that it reads, and a clock."""

from chalicelib.peers.model import Relay
from chalicelib.wire.types import Role
from media_node.house import House
from media_node.ports import Link, NodeStats
from tests.fakes.relay import SESSION, FakeCarrying, FakeLink, FakePosts, FakeRegistry, offered, person, row
from tests.fakes.talk import FakeTap, FakeVoices
from tests.fakes.time import VirtualTime

NODE = "node_" + "a" * 12


class FakeTransport:
    """Answers every offer with a link that the test opens."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.port, self.public_address = 4000, "192.0.2.1"
        self.links: dict[str, FakeLink] = {}
        self.refusal: Exception | None = None

    async def answer(self, key: str, link_id: str, offer_sdp: str) -> str:
        """A link, unless it is told to refuse."""
        if self.refusal:
            raise self.refusal
        session_id, _, peer_id = key.partition(" ")
        old = self.links.get(key)
        if old is None or old.link_id != link_id:
            self.links[key] = FakeLink(person(peer_id.partition(".")[0], session_id=session_id), link_id)
        if old is not None and old.link_id != link_id:
            old.close("replaced")
            self.house.closed(old, "replaced")
        return f"answer to {offer_sdp}"

    def link(self, key: str) -> Link | None:
        """The newest."""
        return self.links.get(key)

    def stats(self) -> NodeStats:
        """Nothing."""
        return NodeStats()

    async def close(self) -> None:
        """All of them."""
        for link in self.links.values():
            link.close("draining")


class Site:
    """A node's house with everything around it."""

    def __init__(self) -> None:
        self.time = VirtualTime()
        self.registry = FakeRegistry(relays={SESSION: Relay(SESSION, node_id=NODE, generation=1)})
        self.posts = FakePosts()
        self.carrying = FakeCarrying()
        self.voices, self.tap = FakeVoices(), FakeTap()
        self.house = House(
            NODE,
            assignments=self.registry,
            reading=self.registry,
            post=self.posts,
            carrying=self.carrying,
            voices=self.voices,
            tap=self.tap,
            now_ms=self.time.now_ms,
            clock=lambda: self.time.at_ms / 1000,
            new_id=lambda: "corr",
        )
        self.transport = FakeTransport(self.house)
        self.house.transport = self.transport

    async def offer(self, name: str, link_id: str = "link0001", role: Role = Role.EDITOR) -> str:
        """Somebody offers, as the functions hand it on."""
        return await self.house.offer(offered(person(name, role), NODE, link_id, "v=0"))

    async def enter(self, name: str, role: Role = Role.EDITOR) -> FakeLink:
        """Somebody offers, and their channels open."""
        self.registry.rows = [r for r in self.registry.rows if r.user_id != name] + [row(name, role)]
        await self.offer(name, role=role)
        link = self.link(name)
        self.house.opened(link)
        return link

    def link(self, name: str) -> FakeLink:
        """Their newest."""
        return self.transport.links[person(name).key]

    def leave(self, name: str, reason: str) -> None:
        """Their link ends."""
        link = self.transport.links.pop(person(name).key)
        link.close(reason)
        self.house.closed(link, reason)

    async def census(self) -> None:
        """A second passes."""
        self.time.at_ms += 1000
        await self.house.look_after(SESSION)
