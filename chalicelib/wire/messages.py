"""The messages of every carrier (WebSocket, data channels), as tagged unions.

`type` is the tag, `noun.verb`. A client may put an `id` on what it sends; the reply, or the `error`, echoes it.
Decoding is validating: see `wire.decode`.
"""

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.wire import limits
from chalicelib.wire.bodies import Session
from chalicelib.wire.codes import Code
from chalicelib.wire.documents import Commit, DocumentId, PublicOperation, PublicTransaction, Sequence
from chalicelib.wire.envelope import Message
from chalicelib.wire.operations import ClientId, Revision
from chalicelib.wire.peers import RelayState, RelayStatus
from chalicelib.wire.signals import (
    NodeEnter,
    NodeGone,
    NodeState,
    Peer,
    PeerAnswer,
    PeerBye,
    PeerCandidate,
    PeerOffer,
    PeerRestart,
    RelayChanged,
    RelayPrefer,
    RelayRequest,
    RelayRoster,
)
from chalicelib.wire.types import (
    Counter,
    Millis,
    PeerId,
    PresenceState,
    RequestId,
    Role,
    SessionId,
    UserId,
)
from chalicelib.wire.voice import VoiceChanged, VoiceMix, VoicePrefer, VoiceSlots, VoiceSpeaking

# -- from a client --


class RoomEnter(Message, tag="room.enter", frozen=True, kw_only=True):
    """The first message on a connection (and again after a resume): asks for `room.state` and a full frame."""

    id: RequestId | None = None
    protocol: Annotated[int, Meta(ge=0, le=10_000)]
    epoch: Counter
    """Starts anew with each page load, from the clock: orders the counters of one peer across reloads."""


class PresenceUpdate(Message, tag="presence.update", frozen=True, kw_only=True):
    """One peer's whole state; the newest (epoch, counter) wins whatever carrier or order brings it."""

    id: RequestId | None = None
    epoch: Counter
    counter: Counter
    state: PresenceState
    user_id: UserId | None = None
    """May be left out; if it is there, it must be the connection's own."""


class Ping(Message, tag="ping", frozen=True, kw_only=True):
    """Keeps the connection from idling out and the peer from expiring; answered by `pong`."""

    id: RequestId | None = None
    at_ms: Millis = 0


class RoomLeave(Message, tag="room.leave", frozen=True, kw_only=True):
    """Leaves at once, without the grace that a dropped connection gets."""

    id: RequestId | None = None


class OpSubmit(Message, tag="op.submit", frozen=True, kw_only=True):
    """One transaction, made on the state at `base`; answered by `op.ack` or `op.rejected`. Sent again until it is."""

    id: RequestId | None = None
    document_id: DocumentId
    client: ClientId
    seq: Sequence
    base: Revision
    seen: Revision | None = None
    """What its author saw when making it, where the client has rebased it to a later base since: what it overrides in
    between is reported too."""
    operations: PublicTransaction
    user_id: UserId | None = None


class DocFetch(Message, tag="doc.fetch", frozen=True, kw_only=True):
    """Asks for what was committed after a revision; answered by `doc.commits`."""

    id: RequestId | None = None
    document_id: DocumentId
    since: Revision


ClientMessage = (
    RoomEnter
    | PresenceUpdate
    | Ping
    | RoomLeave
    | OpSubmit
    | DocFetch
    | PeerOffer
    | PeerAnswer
    | PeerCandidate
    | PeerBye
    | PeerRestart
    | RelayRequest
    | RelayPrefer
    | VoicePrefer
    | NodeEnter
    | NodeGone
)


# -- from the server --


class PeerState(Struct, frozen=True, kw_only=True):
    """One peer's newest state, and the (epoch, counter) that orders it."""

    peer_id: PeerId
    epoch: Counter
    counter: Counter
    at_ms: Millis
    state: PresenceState


class RoomState(Message, tag="room.state", frozen=True, kw_only=True):
    """The answer to `room.enter`; the peers follow in a full `presence.frame`."""

    id: RequestId | None = None
    session: Session
    you: Peer
    server_time_ms: Millis
    presence_hz: int
    ping_interval_s: int
    relay: RelayState = RelayState(status=RelayStatus.NONE)
    mesh_max: int = limits.MESH_MAX


class PresenceFrame(Message, tag="presence.frame", frozen=True, kw_only=True):
    """What changed in the room since the recipient's last frame, merged.

    A full frame names every peer: who is not in it is gone. A large one comes in `parts`, numbered from 0.
    """

    at_ms: Millis
    full: bool = False
    part: int = 0
    parts: int = 1
    joined: tuple[Peer, ...] = ()
    states: tuple[PeerState, ...] = ()
    left: tuple[PeerId, ...] = ()


class ParticipantChanged(Message, tag="participant.changed", frozen=True, kw_only=True):
    """A participant has another role."""

    user_id: UserId
    role: Role
    by: UserId
    session_id: SessionId | None = None
    """Told to media nodes."""


class ParticipantRemoved(Message, tag="participant.removed", frozen=True, kw_only=True):
    """A participant was removed; their connections close after this message."""

    user_id: UserId
    banned: bool
    by: UserId
    session_id: SessionId | None = None
    """Told to media nodes."""


class SessionChanged(Message, tag="session.changed", frozen=True, kw_only=True):
    """The session's name, settings or limits changed."""

    session: Session


class SessionEnded(Message, tag="session.ended", frozen=True, kw_only=True):
    """The session is over; the connection closes after this message."""

    session_id: SessionId


class OpAck(Message, tag="op.ack", frozen=True, kw_only=True):
    """The transaction is in the log, durably: `operation` is its revision. A resend is answered with the first one."""

    id: RequestId | None = None
    document_id: DocumentId
    operation: Commit
    transformed: bool
    conflicts_with: tuple[Revision, ...] = ()


class OpCommitted(Message, tag="op.committed", frozen=True, kw_only=True):
    """What was committed, consecutive and merged; one's own too. After a gap, or where it is empty, fetch up to `head`."""

    document_id: DocumentId
    head: Revision
    commits: tuple[Commit, ...]


class OpRejected(Message, tag="op.rejected", frozen=True, kw_only=True):
    """The transaction is not in the log. `operations` is what was sent: the client keeps it."""

    id: RequestId | None = None
    document_id: DocumentId
    client: ClientId
    seq: Sequence
    code: Code
    message: str
    correlation_id: str
    operations: tuple[PublicOperation, ...]


class DocCommits(Message, tag="doc.commits", frozen=True, kw_only=True):
    """Consecutive commits after `since`, as many as fit; fetch on while the last one's revision is below `head`."""

    id: RequestId | None = None
    document_id: DocumentId
    since: Revision
    head: Revision
    commits: tuple[Commit, ...]


class Pong(Message, tag="pong", frozen=True, kw_only=True, omit_defaults=True):
    """The answer to `ping`."""

    id: RequestId | None = None
    at_ms: Millis
    server_time_ms: Millis
    loss: Annotated[float, Meta(ge=0, le=1)] | None = None
    """From a media node: the share of what it sent this page lately that was lost on its way; left out while too little was
    sent to say.
    """
    available_kbps: Annotated[float, Meta(ge=0, le=10_000_000)] | None = None
    """And what its way here carries, in kbit/s, while there is more to send than that."""


class ErrorMessage(Message, tag="error", frozen=True, kw_only=True):
    """What a message broke. The connection stays open unless it is abusive."""

    id: RequestId | None = None
    code: Code
    message: str
    correlation_id: str
    retry_after_ms: int | None = None


ServerMessage = (
    RoomState
    | PresenceFrame
    | ParticipantChanged
    | ParticipantRemoved
    | SessionChanged
    | SessionEnded
    | OpAck
    | OpCommitted
    | OpRejected
    | DocCommits
    | PeerOffer
    | PeerAnswer
    | PeerCandidate
    | PeerBye
    | PeerRestart
    | RelayChanged
    | RelayRoster
    | VoiceChanged
    | VoiceSlots
    | VoiceSpeaking
    | VoiceMix
    | NodeState
    | Pong
    | ErrorMessage
)
