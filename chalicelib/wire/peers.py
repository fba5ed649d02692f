"""WebRTC as it crosses the wire: ICE servers, who relays a room, how good connections are. See docs/webrtc.md."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from chalicelib.wire import limits
from chalicelib.wire.types import Counter, Millis, PeerId, SessionId, TabId, UserId, Value

LinkId = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9]{8,24}$(?!\n)",
        description="names one peer connection between two peers; whoever makes it chooses it anew each time",
    ),
]
Sdp = Annotated[
    str, Meta(min_length=1, max_length=limits.SDP_CHARS, description="a session description (RFC 8866), CRLF lines")
]
CandidateLine = Annotated[
    str, Meta(max_length=limits.CANDIDATE_CHARS, description="RFC 8839 section 5.1; empty: there are no more")
]
Generation = Annotated[int, Meta(ge=0, le=2**53 - 1, description="grows with each relay that a room is given")]
Score = Annotated[int, Meta(ge=0, le=4, description="bars: 0 no connection, 1 bad, 2 fair, 3 good, 4 excellent")]
_Ms = Annotated[float, Meta(ge=0, le=60_000)]
_Share = Annotated[float, Meta(ge=0, le=1)]
_Kbps = Annotated[float, Meta(ge=0, le=10_000_000)]


class IceCandidate(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One candidate, with what RTCIceCandidateInit has beside it."""

    candidate: CandidateLine
    sdp_mid: Annotated[str, Meta(max_length=32)] | None = None
    sdp_m_line_index: Annotated[int, Meta(ge=0, le=255)] | None = None
    username_fragment: Annotated[str, Meta(max_length=256)] | None = None


class Topology(StrEnum):
    """How a room's ephemeral state travels at the moment."""

    MESH = "mesh"
    """Every pair on its own."""
    RELAY = "relay"
    """Everybody to the room's media node."""


class RelayStatus(StrEnum):
    """Whether a room has a media node."""

    NONE = "none"
    STARTING = "starting"
    """One was asked for and is not up yet; what there is carries on."""
    READY = "ready"


class RelayState(Value, frozen=True, kw_only=True):
    """A room's media node. `peer_id` is what to send an offer to; it is there while `ready`."""

    status: RelayStatus
    generation: Generation = 0
    peer_id: PeerId | None = None


class RelayReason(StrEnum):
    """Why a page asks for a relay."""

    COUNT = "count"
    """More people than a mesh carries."""
    UPLINK = "uplink"
    """This page's own connection does not carry a mesh."""
    LOST = "lost"
    """The relay that the room has does not answer."""
    RECORDING = "recording"
    """Voice is recorded, which a node does. No page asks so: starting the recording does."""


# -- bodies --


class IceServer(Value, frozen=True, kw_only=True, omit_defaults=True):
    """As RTCIceServer has it."""

    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = None


class IceServers(Value, frozen=True, kw_only=True):
    """STUN, and TURN with credentials of one's own that end at `expires_at_ms`."""

    ice_servers: tuple[IceServer, ...]
    ttl_s: int
    expires_at_ms: Millis


class OpenWebRtc(Value, frozen=True, kw_only=True):
    """Which room's real-time plane to open; it is there for whoever may see the room."""

    session_id: SessionId
    user_id: UserId | None = None


class JoinWebRtc(Value, frozen=True, kw_only=True):
    """A page that can be offered to from now on."""

    tab_id: TabId
    user_id: UserId | None = None


class LeaveWebRtc(Value, frozen=True, kw_only=True):
    """A page that is on the WebSocket alone from now on."""

    tab_id: TabId
    user_id: UserId | None = None


class WebRtcSession(Value, frozen=True, kw_only=True):
    """A room's real-time plane: how it is carried, by whom, and who of it can be offered to."""

    session_id: SessionId
    topology: Topology
    mesh_max: int
    relay: RelayState
    peers: tuple[PeerId, ...]
    ice: IceServers


class CarrierKind(StrEnum):
    """What brings a page the others' states."""

    MESH = "mesh"
    RELAY = "relay"
    WEBSOCKET = "websocket"
    REST = "rest"


class LinkPath(StrEnum):
    """How a peer connection goes (its selected candidate pair)."""

    DIRECT = "direct"
    TURN = "turn"
    NODE = "node"
    NONE = "none"
    """There is none; the WebSocket carries."""


class LinkQuality(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One connection as its own page measures it. Round trip and jitter in ms, loss as a share, bandwidth in kbit/s."""

    peer_id: PeerId
    path: LinkPath
    score: Score
    rtt_ms: _Ms | None = None
    jitter_ms: _Ms | None = None
    loss: _Share | None = None
    available_kbps: _Kbps | None = None


class VoiceQuality(Value, frozen=True, kw_only=True, omit_defaults=True):
    """How a page hears the others, all of them together. What is not measured (yet) is left out."""

    mos: Annotated[float, Meta(ge=1, le=4.5)] | None = None
    """By the E-model (ITU-T G.107)."""
    loss: _Share | None = None
    jitter_ms: _Ms | None = None
    rtt_ms: _Ms | None = None
    concealed: _Share | None = None
    """Of what was played, made up because it was missing."""


class QualityReport(Value, frozen=True, kw_only=True):
    """What a page says of its connections, about each QUALITY_REPORT_S. `voice` where it is in voice and hears somebody."""

    tab_id: TabId
    carrier: CarrierKind
    score: Score
    links: Annotated[tuple[LinkQuality, ...], Meta(max_length=limits.LINKS_REPORTED)] = ()
    user_id: UserId | None = None
    voice: VoiceQuality | None = None


class PeerQuality(Value, frozen=True, kw_only=True):
    """A page's newest report."""

    peer_id: PeerId
    reported_at_ms: Millis
    carrier: CarrierKind
    score: Score
    links: tuple[LinkQuality, ...]
    voice: VoiceQuality | None = None


class QualityTotals(Value, frozen=True, kw_only=True):
    """An hour of a room, over all reported links, and of voice over all reports that have it. Means are null where nothing
    was reported.
    """

    hour_ms: Millis
    reports: Counter
    links: Counter
    rtt_mean_ms: float | None
    jitter_mean_ms: float | None
    loss_mean: float | None
    score_mean: float | None
    by_path: dict[str, int]
    voice_mos_mean: float | None = None
    voice_loss_mean: float | None = None
    voice_jitter_mean_ms: float | None = None
    voice_rtt_mean_ms: float | None = None
    voice_concealed_mean: float | None = None


class WebRtcStats(Value, frozen=True, kw_only=True):
    """How a room's connections are and were."""

    session_id: SessionId
    at_ms: Millis
    topology: Topology
    relay: RelayState
    peers: tuple[PeerQuality, ...]
    hours: tuple[QualityTotals, ...]
