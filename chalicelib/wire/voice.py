"""Voice as it crosses the wire: channels, who talks where and may be heard, slots, recordings. See docs/voice.md."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from chalicelib.wire import limits
from chalicelib.wire.envelope import Message
from chalicelib.wire.peers import IceServers, RelayState, Topology
from chalicelib.wire.types import (
    Counter,
    Millis,
    PeerId,
    PersonName,
    RequestId,
    SessionId,
    TabId,
    UserId,
    Value,
    Vec3,
    VoiceName,
)

ChannelId = Annotated[
    str, Meta(pattern=r"^(main|vch_[a-z0-9]{12})$(?!\n)", description="`main` is there in every room, and stays")
]
RecordingId = Annotated[str, Meta(pattern=r"^rec_[a-z0-9]{20}$(?!\n)")]
_Metres = Annotated[float, Meta(ge=0.1, le=limits.VOICE_DISTANCE_M)]


class ChannelKind(StrEnum):
    """How a channel sounds."""

    SPATIAL = "spatial"
    """Everybody from where they stand."""
    STAGE = "stage"
    """Everybody the same everywhere, from no direction."""


class DistanceModel(StrEnum):
    """How loudness falls with distance, as the Web Audio API's PannerNode defines it (section 1.27)."""

    INVERSE = "inverse"
    LINEAR = "linear"
    EXPONENTIAL = "exponential"


class Speakers(StrEnum):
    """Who may speak in a channel; a moderator's `muted` comes first, and owners may always."""

    EVERYONE = "everyone"
    EDITORS = "editors"
    """Owners and editors."""
    NAMED = "named"
    """Those in `speaker_ids`, and owners."""


class Distance(Value, frozen=True, kw_only=True):
    """The law of a spatial channel. Beyond `max_m` nobody is sent at all."""

    model: DistanceModel = DistanceModel.INVERSE
    reference_m: _Metres = 1.5
    """Nearer than this nothing gets louder."""
    rolloff: Annotated[float, Meta(ge=0, le=10)] = 1.0
    max_m: _Metres = 40.0


class Zone(Value, frozen=True, kw_only=True):
    """A box, by its least and its greatest corner (two opposite ones are sorted). Whoever stands in it is in its channel;
    see `voice.model.channel_at`.
    """

    least: Vec3
    greatest: Vec3


class VoiceChannelSettings(Value, frozen=True, kw_only=True):
    """What a channel is made of, or changed to."""

    name: VoiceName
    kind: ChannelKind = ChannelKind.SPATIAL
    capacity: Annotated[int, Meta(ge=1, le=limits.VOICE_MEMBERS_MAX)] = limits.VOICE_MEMBERS_MAX
    """People, not pages."""
    speakers: Speakers = Speakers.EVERYONE
    speaker_ids: Annotated[tuple[UserId, ...], Meta(max_length=limits.VOICE_SPEAKERS_MAX)] = ()
    distance: Distance = Distance()
    zone: Zone | None = None
    user_id: UserId | None = None
    """May be left out; if it is there, it must be the caller's own."""


class VoiceChannel(Value, frozen=True, kw_only=True):
    """A channel as it is."""

    channel_id: ChannelId
    name: str
    kind: ChannelKind
    capacity: int
    speakers: Speakers
    speaker_ids: tuple[UserId, ...]
    distance: Distance
    zone: Zone | None


class VoicePerson(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody who has joined voice, with all of their pages that have."""

    user_id: UserId
    channel_id: ChannelId
    """Where they were put; a zone that they stand in goes before it."""
    peers: tuple[PeerId, ...]
    listening: bool = False
    """No page of theirs has a microphone."""
    self_muted: bool = False
    muted: bool = False
    """By a moderator: what they send is dropped."""
    unmute_requested: bool = False
    """A moderator asks them to unmute themselves; nobody can do it for them."""
    priority: bool = False
    """Has a slot before everybody else, and is heard everywhere in their channel."""
    hand_raised_at_ms: Millis | None = None


class ActiveRecording(Value, frozen=True, kw_only=True):
    """What everybody sees while something is recorded. Whoever has not consented is not written."""

    recording_id: RecordingId
    channel_id: ChannelId
    started_by: UserId
    started_at_ms: Millis
    consented: tuple[UserId, ...] = ()
    declined: tuple[UserId, ...] = ()


class VoiceState(Value, frozen=True, kw_only=True):
    """All of a room's voice. The greater revision is the newer one."""

    revision: Counter
    channels: tuple[VoiceChannel, ...]
    people: tuple[VoicePerson, ...]
    recording: ActiveRecording | None = None
    removed: tuple[UserId, ...] = ()
    """Whom a moderator took out of voice: they cannot come again until they are let."""


# -- bodies --


class JoinVoice(Value, frozen=True, kw_only=True):
    """A page that speaks, or only listens, from now on."""

    tab_id: TabId
    channel_id: ChannelId | None = None
    """None: where they were, or `main`."""
    listening: bool = False
    user_id: UserId | None = None


class LeaveVoice(Value, frozen=True, kw_only=True):
    """A page that neither speaks nor listens any more."""

    tab_id: TabId
    user_id: UserId | None = None


class VoiceJoined(Value, frozen=True, kw_only=True):
    """How to be heard. The connection is made by signals: to the node on the relay, to each other in a mesh."""

    success: bool
    message: str
    peer_connection_id: Annotated[str, Meta(max_length=64)]
    """Names this page's stay, in recordings and reports."""
    session_id: SessionId
    channel: VoiceChannel
    carrier: Topology
    slots: int
    """How many others at once the relay sends; each is a track of its own."""
    relay: RelayState
    ice: IceServers
    voice: VoiceState


class VoiceChannels(Value, frozen=True, kw_only=True):
    """A room's channels, `main` first."""

    channels: tuple[VoiceChannel, ...]


class VoicePersonChange(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What to change of a person; what is left out stays. One's own: `self_muted`, `hand_raised`, `channel_id`, and to turn
    an `unmute_requested` down.

    Moderators (owners) only: `muted`, `unmute_requested`, `priority`, `removed`; of others, `channel_id` and to lower a
    hand. `muted` and `removed` also of who is not in voice.
    """

    self_muted: bool | None = None
    hand_raised: bool | None = None
    muted: bool | None = None
    unmute_requested: bool | None = None
    channel_id: ChannelId | None = None
    priority: bool | None = None
    removed: bool | None = None
    """Out of voice, and `voice.removed` to whoever comes again, until it is false."""
    user_id: UserId | None = None


class VoiceBlocks(Value, frozen=True, kw_only=True):
    """Whom a person neither hears nor is heard by, in every room."""

    blocked: tuple[UserId, ...]


class RecordingStatus(StrEnum):
    """Of a recording: `recording` -> `finishing` -> `ready`, or `failed`."""

    RECORDING = "recording"
    FINISHING = "finishing"
    READY = "ready"
    FAILED = "failed"


class MixStatus(StrEnum):
    """Of the one file in which everybody is: made when it is asked for."""

    NONE = "none"
    QUEUED = "queued"
    MAKING = "making"
    READY = "ready"
    FAILED = "failed"


class EmptyBecause(StrEnum):
    """Why nobody is heard in a recording that has ended."""

    NO_NODE = "no_node"
    """It was over before a media node had begun to write: nobody was in voice by one, or none came. It has `failed`."""
    NOBODY_SPOKE = "nobody_spoke"
    """Of those who consented nobody was heard. It is `ready`, without tracks."""
    NOT_MADE = "not_made"
    """Its files could not be made. It has `failed`."""


class StartRecording(Value, frozen=True, kw_only=True):
    """Starts one; there is one at a time in a room."""

    channel_id: ChannelId = "main"
    name: VoiceName | None = None
    user_id: UserId | None = None


class ChangeRecording(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Stops it, or asks for its mix, or says whether the caller may be recorded."""

    stop: bool | None = None
    mix: bool | None = None
    consent: bool | None = None
    user_id: UserId | None = None


class RecordingTrack(Value, frozen=True, kw_only=True):
    """What one page said, as Ogg Opus (RFC 7845). Its silences are in it: it plays from `from_ms` on as it was."""

    peer_id: PeerId
    user_id: UserId
    name: PersonName
    from_ms: Millis
    duration_ms: int
    size_bytes: int
    url: str
    """Signed; ends soon."""


class Recording(Value, frozen=True, kw_only=True):
    """A recording. `tracks`, `timeline_url` and `mix_url` are there once it is `ready`, where it was asked for by id."""

    recording_id: RecordingId
    name: str
    channel_id: ChannelId
    started_by: UserId
    started_at_ms: Millis
    duration_ms: int
    status: RecordingStatus
    mix: MixStatus
    tracks: tuple[RecordingTrack, ...] = ()
    timeline_url: str | None = None
    """JSON lines of `TimelineEvent`, by time."""
    mix_url: str | None = None
    empty_because: EmptyBecause | None = None
    """None: somebody is heard in it, or it has not ended."""


class Recordings(Value, frozen=True, kw_only=True):
    """A room's recordings, the newest first."""

    recordings: tuple[Recording, ...]


class TimelineEvent(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Who did what when, and where they stood. `at_ms` counts from the recording's start."""

    at_ms: int
    peer_id: PeerId
    user_id: UserId
    name: PersonName | None = None
    """In the first one of a peer."""
    event: Annotated[str, Meta(pattern="^(joined|left|speaks|silent|moved)$")]
    position: Vec3 | None = None


# -- messages --


class VoiceChanged(Message, tag="voice.changed", frozen=True, kw_only=True):
    """Voice of the room is so from now on. By WebSocket to everybody; to the room's node with `session_id` and no state:
    it reads that itself. No state for a page: it is more than a message carries, and is read by REST.
    """

    session_id: SessionId | None = None
    voice: VoiceState | None = None


class Slot(Value, frozen=True, kw_only=True):
    """Who is heard in a slot, which is the node's audio section of that place. None: nobody."""

    slot: Annotated[int, Meta(ge=0, le=limits.VOICE_SLOTS - 1)]
    peer_id: PeerId | None


class VoiceSlots(Message, tag="voice.slots", frozen=True, kw_only=True):
    """From the node, on the control channel, before the first packet of whom it names: who is heard in which slot now."""

    slots: tuple[Slot, ...]


class VoiceSpeaking(Message, tag="voice.speaking", frozen=True, kw_only=True):
    """From the node, on change, VOICE_SPEAKING_HZ at most: all in the listener's channel who speak now, heard or not."""

    peers: tuple[PeerId, ...]


class VoicePrefer(Message, tag="voice.prefer", frozen=True, kw_only=True):
    """To the node: what this listener wants. Whoever has no volume takes no slot. It tells `voice.slots` and
    `voice.speaking` again, as they are then: a page says this whenever it begins to hear by a connection.
    """

    id: RequestId | None = None
    slots: Annotated[int, Meta(ge=0, le=limits.VOICE_SLOTS)] = limits.VOICE_SLOTS
    silenced: Annotated[tuple[UserId, ...], Meta(max_length=limits.VOICE_MEMBERS_MAX)] = ()


class VoiceMix(Message, tag="voice.mix", frozen=True, kw_only=True):
    """To a media node: there are recordings to finish or to mix. It takes what it can from the table."""

    session_id: SessionId
    recording_id: RecordingId
