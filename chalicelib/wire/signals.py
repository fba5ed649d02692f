"""Signalling: what two peers of a room tell each other to connect, and who relays the room.

One set of messages for browsers and media nodes (DESIGN, law 4). The functions route them: `to` is a peer of the
same room, `from` is filled in by the functions with the peer that the connection belongs to, never taken from the
sender (one that differs is `identity.mismatch`). `link` names the peer connection, so that what is late for an older one
is told apart. `session_id` is filled in for a media node, which serves many rooms, and needed from it.
"""

from typing import Annotated

from msgspec import Meta, field

from chalicelib.wire import limits
from chalicelib.wire.envelope import Message
from chalicelib.wire.peers import Generation, IceCandidate, LinkId, RelayReason, RelayState, Sdp
from chalicelib.wire.types import (
    Color,
    Counter,
    Millis,
    PeerId,
    PersonName,
    RequestId,
    Role,
    SessionId,
    UserId,
    UserKind,
    Value,
)


class Peer(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One open page of one participant."""

    peer_id: PeerId
    user_id: UserId
    name: PersonName
    color: Color
    role: Role
    kind: UserKind
    joined_at_ms: Millis
    rtc: bool = False
    """Whether it can be offered to."""


class PeerOffer(Message, tag="peer.offer", frozen=True, kw_only=True, omit_defaults=True):
    """An offer, or a new one on the same link (perfect negotiation: the peer with the smaller id is the polite one)."""

    id: RequestId | None = None
    to: PeerId
    link: LinkId
    sdp: Sdp
    from_: PeerId | None = field(name="from", default=None)
    session_id: SessionId | None = None
    peer: Peer | None = None
    """Who `from` is, told to a media node. Filled in by the functions."""
    connection_id: Annotated[str, Meta(max_length=128)] | None = None
    """Which WebSocket is `from`'s, told to a media node: where it answers when the data channel does not."""


class PeerAnswer(Message, tag="peer.answer", frozen=True, kw_only=True, omit_defaults=True):
    """The answer to the newest offer of a link."""

    id: RequestId | None = None
    to: PeerId
    link: LinkId
    sdp: Sdp
    from_: PeerId | None = field(name="from", default=None)
    session_id: SessionId | None = None


class PeerCandidate(Message, tag="peer.candidate", frozen=True, kw_only=True, omit_defaults=True):
    """Trickled candidates (RFC 8838), several at once where they came at once."""

    id: RequestId | None = None
    to: PeerId
    link: LinkId
    candidates: Annotated[tuple[IceCandidate, ...], Meta(min_length=1, max_length=limits.CANDIDATES_PER_MESSAGE)]
    from_: PeerId | None = field(name="from", default=None)
    session_id: SessionId | None = None


class PeerBye(Message, tag="peer.bye", frozen=True, kw_only=True, omit_defaults=True):
    """The link is over. From a media node that drains: come again to the room's next one."""

    id: RequestId | None = None
    to: PeerId
    link: LinkId
    reason: Annotated[str, Meta(max_length=64)] | None = None
    """`left`, `replaced`, `refused`, `full`, `draining`, `removed`, `idle`."""
    from_: PeerId | None = field(name="from", default=None)
    session_id: SessionId | None = None


class PeerRestart(Message, tag="peer.restart", frozen=True, kw_only=True, omit_defaults=True):
    """Asks the other side for an offer with new ICE credentials (RFC 8445 section 9): my network changed."""

    id: RequestId | None = None
    to: PeerId
    link: LinkId
    from_: PeerId | None = field(name="from", default=None)
    session_id: SessionId | None = None


Signal = PeerOffer | PeerAnswer | PeerCandidate | PeerBye | PeerRestart


# -- the room's relay --


class RelayRequest(Message, tag="relay.request", frozen=True, kw_only=True):
    """Asks for a media node for the room; `relay.changed` answers, and tells everybody where something changed."""

    id: RequestId | None = None
    reason: RelayReason
    generation: Generation = 0
    """Of the relay that is lost; another one by now is the answer."""


class RelayPrefer(Message, tag="relay.prefer", frozen=True, kw_only=True):
    """To the node: a tick's frame for this page is so long at most.

    Until it says otherwise or connects anew. Nearest and speaking first: what does not fit comes later.
    """

    id: RequestId | None = None
    frame_bytes: Annotated[int, Meta(ge=limits.RELAY_FRAME_BYTES_MIN, le=limits.RELAY_FRAME_BYTES)]


class RelayChanged(Message, tag="relay.changed", frozen=True, kw_only=True):
    """The room has another media node, or none, or will have one."""

    id: RequestId | None = None
    session_id: SessionId | None = None
    """Told to media nodes: one that the room was taken from lets it go."""
    relay: RelayState


class RosterMember(Value, frozen=True, kw_only=True):
    """A peer on the relay. `index` stands for it in binary frames; it is given anew only after a while."""

    index: Annotated[int, Meta(ge=0, le=limits.RELAY_INDEX_MAX)]
    peer_id: PeerId
    epoch: Counter


class RelayRoster(Message, tag="relay.roster", frozen=True, kw_only=True):
    """Who is on the relay: first all, then what changed. On the control channel, in order."""

    full: bool = False
    members: tuple[RosterMember, ...] = ()
    left: tuple[int, ...] = ()
    tick_hz: int = limits.RELAY_HZ


# -- media nodes --


class NodeEnter(Message, tag="node.enter", frozen=True, kw_only=True):
    """A media node's first message on a connection. It serves from then on; an older connection of it is let go."""

    id: RequestId | None = None
    protocol: Annotated[int, Meta(ge=0, le=10_000)]


class NodeState(Message, tag="node.state", frozen=True, kw_only=True):
    """The answer to `node.enter`."""

    id: RequestId | None = None
    node_id: Annotated[str, Meta(max_length=64)]
    connection_id: Annotated[str, Meta(max_length=128)]
    server_time_ms: Millis


class NodeGone(Message, tag="node.gone", frozen=True, kw_only=True):
    """A media node gives rooms back: it drains. Its rooms are given to others at once."""

    id: RequestId | None = None
    sessions: Annotated[tuple[SessionId, ...], Meta(max_length=limits.NODE_ROOMS_MAX)] = ()
