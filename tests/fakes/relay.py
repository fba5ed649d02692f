"""What a media node's rooms are tested with: states, links without a network, rows without a table."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from chalicelib.peers.model import Relay
from chalicelib.presence.model import Room as Rows
from chalicelib.presence.model import Row
from chalicelib.wire.decode import decode_server_message
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import DocFetch, OpSubmit, PresenceUpdate, ServerMessage
from chalicelib.wire.signals import Peer, PeerOffer
from chalicelib.wire.types import Delivery, Pose, PresenceState, Role, UserKind, Vec3
from media_node.frames import Frame, decode
from media_node.model import Person, key_of
from media_node.ports import Audio

M = TypeVar("M")
SESSION = "ses_" + "a" * 20


def state_at(place: Vec3, *, padding: int = 0) -> PresenceState:
    """A state of somebody who stands there, so many bytes larger in a frame, about."""
    ids = tuple("x" * 50 for _ in range(padding // 53))
    return PresenceState(pose=Pose(position=place, rotation=(0.0, 0.0, 0.0, 1.0)), selection=ids)


def person(name: str, role: Role = Role.EDITOR, session_id: str = SESSION) -> Person:
    """Somebody with one page."""
    return Person(session_id, f"{name}.tab00001", name, role, f"c-{name}")


def row(name: str, role: Role = Role.EDITOR, *, seen_at_ms: int = 1_000_000, leaving_at_ms: int = 0) -> Row:
    """Their presence row."""
    who = person(name, role)
    return Row(
        session_id=SESSION,
        peer_id=who.peer_id,
        user_id=name,
        connection_id=who.connection_id,
        name=name,
        color="#ffffff",
        role=role,
        kind=UserKind.GUEST,
        joined_at_ms=seen_at_ms,
        seen_at_ms=seen_at_ms,
        entered=True,
        leaving_at_ms=leaving_at_ms,
    )


def offered(who: Person, node_id: str, link_id: str, sdp: str) -> PeerOffer:
    """Their offer to a node, as the functions hand it on."""
    peer = Peer(
        peer_id=who.peer_id,
        user_id=who.user_id,
        name=who.user_id,
        color="#ffffff",
        role=who.role,
        kind=UserKind.GUEST,
        joined_at_ms=1,
    )
    return PeerOffer(
        to=f"{node_id}.relay",
        link=link_id,
        sdp=sdp,
        from_=who.peer_id,
        session_id=who.session_id,
        peer=peer,
        connection_id=who.connection_id,
    )


def update(counter: int, state: PresenceState, *, epoch: int = 1, user_id: str | None = None) -> bytes:
    """A `presence.update`."""
    return msgspec.json.encode(PresenceUpdate(epoch=epoch, counter=counter, state=state, user_id=user_id))


class FakeLink:
    """A link without a network."""

    def __init__(self, who: Person, link_id: str = "link0001") -> None:
        self.key = key_of(who.session_id, who.peer_id)
        self.link_id = link_id
        self.open = True
        self.rtt_ms: float | None = None
        self.loss: float | None = None
        self.available_kbps: float | None = None
        self.presence_buffered = 0
        self.control_buffered = 0
        self.frames: list[Frame] = []
        self.said: list[ServerMessage] = []
        self.binary = 0
        self.audio: Audio | None = None
        self.media: list[bytes] = []
        self.ended: str | None = None
        self.closing: Callable[[], object] | None = None
        """Called as it ends, as the transport tells the house."""

    def send_presence(self, data: bytes) -> None:
        """A frame."""
        self.frames.append(decode(data))

    def send_control(self, data: str | bytes) -> None:
        """A message."""
        self.binary += isinstance(data, bytes)
        text = zlib.decompress(data, -zlib.MAX_WBITS) if isinstance(data, bytes) else data
        self.said.append(decode_server_message(text))

    def send_media(self, packet: bytes) -> None:
        """RTP."""
        self.media.append(packet)

    def send_media_control(self, packet: bytes) -> None:
        """RTCP; in one list with the other, by RFC 5761 it is told apart."""
        self.media.append(packet)

    def close(self, reason: str) -> None:
        """The end."""
        self.open, self.ended = False, reason
        if self.closing:
            self.closing()

    def of(self, type_: type[M]) -> list[M]:
        """Messages of one type."""
        return [message for message in self.said if isinstance(message, type_)]


@dataclass
class FakeCarrying:
    """Documents that nobody commits to."""

    handled: list[tuple[Person, OpSubmit | DocFetch]] = field(default_factory=list)
    served: list[bytes] = field(default_factory=list)

    def handle(self, person: Person, message: OpSubmit | DocFetch) -> None:
        """Notes it."""
        self.handled.append((person, message))

    def hints(self, _session_id: str) -> list[bytes]:
        """What is served."""
        return list(self.served)


@dataclass
class FakeRegistry:
    """Who relays what, and the rows of rooms; away where it is told so."""

    relays: dict[str, Relay] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    away: AppError | None = None
    reads: int = 0

    async def relay(self, session_id: str) -> Relay:
        """By room."""
        if self.away:
            raise self.away
        return self.relays.get(session_id, Relay(session_id))

    async def room(self, _session_id: str) -> Rows:
        """Everybody's rows."""
        self.reads += 1
        if self.away:
            raise self.away
        return Rows(tuple(self.rows))


@dataclass
class FakePosts:
    """What was posted to WebSockets."""

    got: dict[str, list[ServerMessage]] = field(default_factory=dict)
    outcome: dict[str, Delivery] = field(default_factory=dict)

    async def __call__(self, connection_id: str, data: bytes) -> Delivery:
        """Delivers, unless it was told not to."""
        outcome = self.outcome.get(connection_id, Delivery.SENT)
        if outcome is Delivery.SENT:
            self.got.setdefault(connection_id, []).append(decode_server_message(data))
        return outcome

    def of(self, connection_id: str, type_: type[M]) -> list[M]:
        """Messages of one type that a connection got."""
        return [message for message in self.got.get(connection_id, []) if isinstance(message, type_)]
