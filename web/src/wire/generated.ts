// Generated from chalicelib/wire by `python -m local.generate`. Do not edit.

export const PROTOCOL_VERSION = 1;

/** ses_ and 20 of a-z0-9 */
export type SessionId = string;

/** an account's subject, or gst_... */
export type UserId = string;

/** names one open page of a user; made by the client */
export type TabId = string;

/** user_id.tab_id */
export type PeerId = string;

export type InviteId = string;

/** the secret part of an invite link */
export type InviteCode = string;

export type EntityId = string;

/** echoed by the reply */
export type RequestId = string;

export type PersonName = string;

export type SessionName = string;

/** a channel's or a recording's */
export type VoiceName = string;

export type Description = string;

/** #rrggbb, lower case */
export type Color = string;

export type Email = string;

/** begins and ends with something visible (Cognito) */
export type Password = string;

export type OpaqueToken = string;

export type PageCursor = string;

/** milliseconds since the epoch */
export type Millis = number;

export type Counter = number;

export type Seats = number;

export type Vec3 = readonly [number, number, number];

export type Quat = readonly [number, number, number, number];

export type GivenRole = Role;

/** names one editor's memory (a browser profile, a bot); made by it */
export type ClientId = string;

export type PathKey = string;

export type Path = readonly PathKey[];

/** sorts siblings by code point; ties by id */
export type OrderKey = string;

export type Step = number;

export type Revision = number;

export type Run = number;

export type Inserted = string;

export type TextEdit = readonly (Run | Inserted | Cut)[];

export type Transaction = readonly Operation[];

/** doc_ and 20 of a-z0-9; a session's scene has the session's own 20 */
export type DocumentId = string;

export type MilestoneId = string;

/** counts a client's transactions; never twice */
export type Sequence = number;

export type PublicTransaction = readonly PublicOperation[];

/** names one peer connection between two peers; whoever makes it chooses it anew each time */
export type LinkId = string;

/** a session description (RFC 8866), CRLF lines */
export type Sdp = string;

/** RFC 8839 section 5.1; empty: there are no more */
export type CandidateLine = string;

/** grows with each relay that a room is given */
export type Generation = number;

/** bars: 0 no connection, 1 bad, 2 fair, 3 good, 4 excellent */
export type Score = number;

/** `main` is there in every room, and stays */
export type ChannelId = string;

export type RecordingId = string;

/** What a person may do in one session; `sessions.model` has the matrix. */
export type Role = "owner" | "editor" | "viewer" | "guest";

/** How a person proved who they are. */
export type UserKind = "account" | "guest";

/** Who may join without an invite: nobody, whoever has the link, or everyone (and it is listed). */
export type Visibility = "private" | "link" | "public";

/** `ended` is final. */
export type SessionStatus = "active" | "ended";

/** What a person is doing, as their own page says it. */
export type Activity = "active" | "idle" | "editing" | "speaking" | "away";

/** The look of a room's sky and ground. */
export type Environment = "dawn" | "studio" | "night";

/** Why an operation falls away when it is rebased. */
export type Drop = "replaced" | "guarded" | "empty";

/** What a document is for. */
export type DocumentKind = "scene" | "document";

/** How a room's ephemeral state travels at the moment. */
export type Topology = "mesh" | "relay";

/** Whether a room has a media node. */
export type RelayStatus = "none" | "starting" | "ready";

/** Why a page asks for a relay. */
export type RelayReason = "count" | "uplink" | "lost" | "recording";

/** What brings a page the others' states. */
export type CarrierKind = "mesh" | "relay" | "websocket" | "rest";

/** How a peer connection goes (its selected candidate pair). */
export type LinkPath = "direct" | "turn" | "node" | "none";

/** How a channel sounds. */
export type ChannelKind = "spatial" | "stage";

/** How loudness falls with distance, as the Web Audio API's PannerNode defines it (section 1.27). */
export type DistanceModel = "inverse" | "linear" | "exponential";

/** Who may speak in a channel; a moderator's `muted` comes first, and owners may always. */
export type Speakers = "everyone" | "editors" | "named";

/** Of a recording: `recording` -> `finishing` -> `ready`, or `failed`. */
export type RecordingStatus = "recording" | "finishing" | "ready" | "failed";

/** Of the one file in which everybody is: made when it is asked for. */
export type MixStatus = "none" | "queued" | "making" | "ready" | "failed";

/** Why nobody is heard in a recording that has ended. */
export type EmptyBecause = "no_node" | "nobody_spoke" | "not_made";

/** Every error a client can see. */
export type Code =
  | "body.malformed"
  | "body.invalid"
  | "body.too_large"
  | "request.too_large"
  | "media_type.unsupported"
  | "query.invalid"
  | "path.invalid"
  | "cursor.invalid"
  | "route.unknown"
  | "method.not_allowed"
  | "message.unknown"
  | "protocol.unsupported"
  | "token.missing"
  | "token.invalid"
  | "token.expired"
  | "ticket.invalid"
  | "ticket.used"
  | "identity.mismatch"
  | "role.insufficient"
  | "guests.closed"
  | "accounts.closed"
  | "credentials.wrong"
  | "account.exists"
  | "account.unconfirmed"
  | "password.weak"
  | "confirmation.wrong"
  | "session.unknown"
  | "session.ended"
  | "session.full"
  | "session.smaller_than_occupancy"
  | "participant.unknown"
  | "participant.banned"
  | "participant.not_joined"
  | "owner.required"
  | "invite.unknown"
  | "invite.expired"
  | "invite.exhausted"
  | "invite.limit"
  | "version.conflict"
  | "connection.gone"
  | "connection.limit"
  | "document.unknown"
  | "document.limit"
  | "document.busy"
  | "document.too_large"
  | "scene.required"
  | "revision.unknown"
  | "operation.invalid"
  | "operation.base_ahead"
  | "operation.base_too_old"
  | "operation.base_behind_own"
  | "milestone.limit"
  | "lock.held"
  | "lock.lost"
  | "lock.limit"
  | "peer.unknown"
  | "sdp.invalid"
  | "relay.refused"
  | "relay.full"
  | "channel.too_much"
  | "voice.not_joined"
  | "voice.removed"
  | "voice.full"
  | "voice.channel_unknown"
  | "voice.channel_full"
  | "voice.channel_limit"
  | "voice.channel_fixed"
  | "voice.channel_invalid"
  | "voice.block_limit"
  | "recording.unknown"
  | "recording.under_way"
  | "recording.not_ready"
  | "recording.empty"
  | "recording.limit"
  | "rate.limited"
  | "upstream.unavailable"
  | "internal";

/** Where a person's head is, and where it looks. */
export interface Pose {
  position: Vec3;
  rotation: Quat;
}

/** Where a person points: the hit of their ray, the surface's normal as a rotation, the entity hit if any. */
export interface Pointer {
  position: Vec3;
  rotation?: Quat;
  target?: EntityId | null;
}

/** An entity in somebody's hand, as it would be if they let go now: its place, turn and size beneath its parent. */
export interface Held {
  id: EntityId;
  position: Vec3;
  rotation: Quat;
  scale: Vec3;
}

/** All of one peer's ephemeral state. Every update carries the whole, so the newest alone is enough. */
export interface PresenceState {
  pose?: Pose | null;
  cursor?: Pointer | null;
  selection?: readonly EntityId[];
  activity?: Activity;
  /** shown to the others until it is let go; nothing of it is kept */
  drag?: readonly Held[];
}

/** Deletes so many code points. */
export interface Cut {
  d: Run;
}

/** A new entity. Its id begins with the client's id and a dot, so no two clients make the same. */
export interface CreateOperation {
  op: "create";
  id: EntityId;
  props?: Record<PathKey, unknown>;
  parent?: EntityId | null;
  order?: OrderKey;
}

/** Hides an entity (and so all beneath it). Nothing of it is lost: edits go on reaching it. */
export interface DeleteOperation {
  op: "delete";
  id: EntityId;
  guard?: Counter | null;
}

/** Shows a deleted entity again, with all that happened to it meanwhile. */
export interface RestoreOperation {
  op: "restore";
  id: EntityId;
  guard?: Counter | null;
}

/** Gives a property a value, or with `absent` takes it away. Vectors are values: they change whole. */
export interface SetOperation {
  op: "set";
  id: EntityId;
  path: Path;
  value?: unknown;
  absent?: boolean;
  guard?: Counter | null;
}

/** Adds to an integer, exactly, whoever else adds at the same time. An absent one counts as 0. */
export interface AddOperation {
  op: "add";
  id: EntityId;
  path: Path;
  by: Step;
}

/** Puts an entity beneath another (or at the top) and among its siblings: one register. */
export interface MoveOperation {
  op: "move";
  id: EntityId;
  parent?: EntityId | null;
  order: OrderKey;
  guard?: Counter | null;
}

/** Edits a text in place. An absent one counts as empty. */
export interface TextOperation {
  op: "text";
  id: EntityId;
  path: Path;
  edit: TextEdit;
}

/** An earlier write that no longer shows. Its payload is in the history for ever. */
export interface Overridden {
  revision: Counter;
  user_id: UserId;
  entity: EntityId;
  register: readonly string[];
}

/** One revision of the log. `operations` are as they took effect; what fell away is gone from them. */
export interface Entry {
  revision: Counter;
  client: ClientId;
  seq: Counter;
  user_id: UserId;
  at_ms: Millis;
  operations: readonly Operation[];
}

/** One revision of a document, as it is stored and told. */
export interface Commit {
  revision: Counter;
  client: ClientId;
  seq: Counter;
  user_id: UserId;
  at_ms: Millis;
  operations: readonly Operation[];
  base: Counter;
  submitted?: readonly Operation[] | null;
  conflicts_with?: readonly Counter[];
  overridden?: readonly Overridden[];
  dropped?: Record<number, Drop>;
}

/** Sugar for `create`. Without an `entity_id` one is made of the client, the seq and the place. */
export interface EntityCreate {
  op: "entity_create";
  entity_type: PathKey;
  entity_id?: EntityId | null;
  position?: Vec3;
  rotation?: Quat;
  scale?: Vec3;
  parent?: EntityId | null;
  order?: OrderKey;
  props?: Record<PathKey, unknown>;
}

/** Sugar for a `set` of each property that is there; a null in `props` takes one away. */
export interface EntityUpdate {
  op: "entity_update";
  entity_id: EntityId;
  position?: Vec3 | null;
  rotation?: Quat | null;
  scale?: Vec3 | null;
  props?: Record<PathKey, unknown>;
}

/** Sugar for `delete`. */
export interface EntityDelete {
  op: "entity_delete";
  entity_id: EntityId;
}

/** Sugar for a `set` of an avatar's place. Without an `entity_id` it is the client's own avatar, made on first use. */
export interface AvatarMove {
  op: "avatar_move";
  entity_id?: EntityId | null;
  position: Vec3;
  rotation?: Quat | null;
}

/** A document of a session. */
export interface SharedDocument {
  document_id: DocumentId;
  session_id: SessionId;
  name: SessionName;
  kind: DocumentKind;
  created_at_ms: Millis;
  created_by: UserId;
}

/** All of a session's documents, the scene first. */
export interface DocumentList {
  documents: readonly SharedDocument[];
}

/** A document beside the scene. */
export interface CreateDocument {
  name: SessionName;
  user_id?: UserId | null;
}

/** One entity at a revision. `props` are JSON values by key. */
export interface EntityState {
  alive: boolean;
  parent: EntityId | null;
  order: string;
  props: Record<string, unknown>;
}

/** A document's whole state at a revision, tombstones included. */
export interface Snapshot {
  document: SharedDocument;
  revision: Counter;
  head: Counter;
  entities: Record<string, EntityState>;
}

/** One transaction, made on the state at `base`. (client, seq) names it for ever: sending it again is harmless. */
export interface SubmitOperations {
  client: ClientId;
  seq: Sequence;
  base: Counter;
  /** the base it was first made on, if the client has rebased it since */
  seen?: Counter | null;
  operations: PublicTransaction;
  user_id?: UserId | null;
}

/** What became of a transaction. `operation` is the revision that it is; a resend gets the first time's. */
export interface OperationResult {
  document_id: DocumentId;
  operation: Commit;
  transformed: boolean;
  conflicts_with: readonly Counter[];
}

/** Consecutive revisions after `since`, oldest first. Ask again from the last one's until `head` is reached. */
export interface OperationPage {
  operations: readonly Commit[];
  since: Counter;
  head: Counter;
}

/** Revisions, newest first. A page may be empty and still have a next one: that many were looked through. */
export interface HistoryPage {
  entries: readonly Commit[];
  before?: Counter | null;
}

/** Which revision's state to bring back, by new revisions: history only grows. */
export interface Rollback {
  revision: Counter;
  user_id?: UserId | null;
}

/** The head afterwards, and how many operations it took (0: nothing was different). */
export interface RollbackResult {
  revision: Counter;
  operations: number;
}

/** A name for a revision; without one, for the head. */
export interface CreateMilestone {
  name: SessionName;
  revision?: Counter | null;
  user_id?: UserId | null;
}

/** A named revision. */
export interface Milestone {
  milestone_id: MilestoneId;
  document_id: DocumentId;
  name: SessionName;
  revision: Counter;
  created_at_ms: Millis;
  created_by: UserId;
}

/** By revision, newest first. */
export interface MilestoneList {
  milestones: readonly Milestone[];
}

/** Asks for an object of the scene for oneself; `break` takes it from somebody else, as an owner or editor. */
export interface AcquireLock {
  object_id: EntityId;
  ttl_s?: number;
  break?: boolean;
  user_id?: UserId | null;
}

/** Keeps a lock that one still has. `token` is the one it was given with. */
export interface RenewLock {
  token: Counter;
  ttl_s?: number;
  user_id?: UserId | null;
}

/** A lease of an object. `token` is its fencing token: it grows with every new holder. */
export interface Lock {
  object_id: EntityId;
  user_id: UserId;
  token: Counter;
  expires_at_ms: Millis;
}

/** The locks that are held now. */
export interface LockList {
  locks: readonly Lock[];
}

/** One candidate, with what RTCIceCandidateInit has beside it. */
export interface IceCandidate {
  candidate: CandidateLine;
  sdp_mid?: string | null;
  sdp_m_line_index?: number | null;
  username_fragment?: string | null;
}

/** A room's media node. `peer_id` is what to send an offer to; it is there while `ready`. */
export interface RelayState {
  status: RelayStatus;
  generation?: Generation;
  peer_id?: PeerId | null;
}

/** As RTCIceServer has it. */
export interface IceServer {
  urls: readonly string[];
  username?: string | null;
  credential?: string | null;
}

/** STUN, and TURN with credentials of one's own that end at `expires_at_ms`. */
export interface IceServers {
  ice_servers: readonly IceServer[];
  ttl_s: number;
  expires_at_ms: Millis;
}

/** Which room's real-time plane to open; it is there for whoever may see the room. */
export interface OpenWebRtc {
  session_id: SessionId;
  user_id?: UserId | null;
}

/** A page that can be offered to from now on. */
export interface JoinWebRtc {
  tab_id: TabId;
  user_id?: UserId | null;
}

/** A page that is on the WebSocket alone from now on. */
export interface LeaveWebRtc {
  tab_id: TabId;
  user_id?: UserId | null;
}

/** A room's real-time plane: how it is carried, by whom, and who of it can be offered to. */
export interface WebRtcSession {
  session_id: SessionId;
  topology: Topology;
  mesh_max: number;
  relay: RelayState;
  peers: readonly PeerId[];
  ice: IceServers;
}

/** One connection as its own page measures it. Round trip and jitter in ms, loss as a share, bandwidth in kbit/s. */
export interface LinkQuality {
  peer_id: PeerId;
  path: LinkPath;
  score: Score;
  rtt_ms?: number | null;
  jitter_ms?: number | null;
  loss?: number | null;
  available_kbps?: number | null;
}

/** How a page hears the others, all of them together. What is not measured (yet) is left out. */
export interface VoiceQuality {
  mos?: number | null;
  loss?: number | null;
  jitter_ms?: number | null;
  rtt_ms?: number | null;
  concealed?: number | null;
}

/** What a page says of its connections, about each QUALITY_REPORT_S. `voice` where it is in voice and hears somebody. */
export interface QualityReport {
  tab_id: TabId;
  carrier: CarrierKind;
  score: Score;
  links?: readonly LinkQuality[];
  user_id?: UserId | null;
  voice?: VoiceQuality | null;
}

/** A page's newest report. */
export interface PeerQuality {
  peer_id: PeerId;
  reported_at_ms: Millis;
  carrier: CarrierKind;
  score: Score;
  links: readonly LinkQuality[];
  voice?: VoiceQuality | null;
}

/** An hour of a room, over all reported links, and of voice over all reports that have it. Means are null where nothing was reported. */
export interface QualityTotals {
  hour_ms: Millis;
  reports: Counter;
  links: Counter;
  rtt_mean_ms: number | null;
  jitter_mean_ms: number | null;
  loss_mean: number | null;
  score_mean: number | null;
  by_path: Record<string, number>;
  voice_mos_mean?: number | null;
  voice_loss_mean?: number | null;
  voice_jitter_mean_ms?: number | null;
  voice_rtt_mean_ms?: number | null;
  voice_concealed_mean?: number | null;
}

/** How a room's connections are and were. */
export interface WebRtcStats {
  session_id: SessionId;
  at_ms: Millis;
  topology: Topology;
  relay: RelayState;
  peers: readonly PeerQuality[];
  hours: readonly QualityTotals[];
}

/** One open page of one participant. */
export interface Peer {
  peer_id: PeerId;
  user_id: UserId;
  name: PersonName;
  color: Color;
  role: Role;
  kind: UserKind;
  joined_at_ms: Millis;
  rtc?: boolean;
}

/** An offer, or a new one on the same link (perfect negotiation: the peer with the smaller id is the polite one). */
export interface PeerOffer {
  type: "peer.offer";
  id?: RequestId | null;
  to: PeerId;
  link: LinkId;
  sdp: Sdp;
  from?: PeerId | null;
  session_id?: SessionId | null;
  peer?: Peer | null;
  connection_id?: string | null;
}

/** The answer to the newest offer of a link. */
export interface PeerAnswer {
  type: "peer.answer";
  id?: RequestId | null;
  to: PeerId;
  link: LinkId;
  sdp: Sdp;
  from?: PeerId | null;
  session_id?: SessionId | null;
}

/** Trickled candidates (RFC 8838), several at once where they came at once. */
export interface PeerCandidate {
  type: "peer.candidate";
  id?: RequestId | null;
  to: PeerId;
  link: LinkId;
  candidates: readonly IceCandidate[];
  from?: PeerId | null;
  session_id?: SessionId | null;
}

/** The link is over. From a media node that drains: come again to the room's next one. */
export interface PeerBye {
  type: "peer.bye";
  id?: RequestId | null;
  to: PeerId;
  link: LinkId;
  reason?: string | null;
  from?: PeerId | null;
  session_id?: SessionId | null;
}

/** Asks the other side for an offer with new ICE credentials (RFC 8445 section 9): my network changed. */
export interface PeerRestart {
  type: "peer.restart";
  id?: RequestId | null;
  to: PeerId;
  link: LinkId;
  from?: PeerId | null;
  session_id?: SessionId | null;
}

/** Asks for a media node for the room; `relay.changed` answers, and tells everybody where something changed. */
export interface RelayRequest {
  type: "relay.request";
  id?: RequestId | null;
  reason: RelayReason;
  generation?: Generation;
}

/** To the node: a tick's frame for this page is so long at most. */
export interface RelayPrefer {
  type: "relay.prefer";
  id?: RequestId | null;
  frame_bytes: number;
}

/** The room has another media node, or none, or will have one. */
export interface RelayChanged {
  type: "relay.changed";
  id?: RequestId | null;
  session_id?: SessionId | null;
  relay: RelayState;
}

/** A peer on the relay. `index` stands for it in binary frames; it is given anew only after a while. */
export interface RosterMember {
  index: number;
  peer_id: PeerId;
  epoch: Counter;
}

/** Who is on the relay: first all, then what changed. On the control channel, in order. */
export interface RelayRoster {
  type: "relay.roster";
  full?: boolean;
  members?: readonly RosterMember[];
  left?: readonly number[];
  tick_hz?: number;
}

/** A media node's first message on a connection. It serves from then on; an older connection of it is let go. */
export interface NodeEnter {
  type: "node.enter";
  id?: RequestId | null;
  protocol: number;
}

/** The answer to `node.enter`. */
export interface NodeState {
  type: "node.state";
  id?: RequestId | null;
  node_id: string;
  connection_id: string;
  server_time_ms: Millis;
}

/** A media node gives rooms back: it drains. Its rooms are given to others at once. */
export interface NodeGone {
  type: "node.gone";
  id?: RequestId | null;
  sessions?: readonly SessionId[];
}

/** The law of a spatial channel. Beyond `max_m` nobody is sent at all. */
export interface Distance {
  model?: DistanceModel;
  reference_m?: number;
  rolloff?: number;
  max_m?: number;
}

/** A box, by its least and its greatest corner (two opposite ones are sorted). Whoever stands in it is in its channel; see `voice.model.channel_at`. */
export interface Zone {
  least: Vec3;
  greatest: Vec3;
}

/** What a channel is made of, or changed to. */
export interface VoiceChannelSettings {
  name: VoiceName;
  kind?: ChannelKind;
  capacity?: number;
  speakers?: Speakers;
  speaker_ids?: readonly UserId[];
  distance?: Distance;
  zone?: Zone | null;
  user_id?: UserId | null;
}

/** A channel as it is. */
export interface VoiceChannel {
  channel_id: ChannelId;
  name: string;
  kind: ChannelKind;
  capacity: number;
  speakers: Speakers;
  speaker_ids: readonly UserId[];
  distance: Distance;
  zone: Zone | null;
}

/** Somebody who has joined voice, with all of their pages that have. */
export interface VoicePerson {
  user_id: UserId;
  channel_id: ChannelId;
  peers: readonly PeerId[];
  listening?: boolean;
  self_muted?: boolean;
  muted?: boolean;
  unmute_requested?: boolean;
  priority?: boolean;
  hand_raised_at_ms?: Millis | null;
}

/** What everybody sees while something is recorded. Whoever has not consented is not written. */
export interface ActiveRecording {
  recording_id: RecordingId;
  channel_id: ChannelId;
  started_by: UserId;
  started_at_ms: Millis;
  consented?: readonly UserId[];
  declined?: readonly UserId[];
}

/** All of a room's voice. The greater revision is the newer one. */
export interface VoiceState {
  revision: Counter;
  channels: readonly VoiceChannel[];
  people: readonly VoicePerson[];
  recording?: ActiveRecording | null;
  removed?: readonly UserId[];
}

/** A page that speaks, or only listens, from now on. */
export interface JoinVoice {
  tab_id: TabId;
  channel_id?: ChannelId | null;
  listening?: boolean;
  user_id?: UserId | null;
}

/** A page that neither speaks nor listens any more. */
export interface LeaveVoice {
  tab_id: TabId;
  user_id?: UserId | null;
}

/** How to be heard. The connection is made by signals: to the node on the relay, to each other in a mesh. */
export interface VoiceJoined {
  success: boolean;
  message: string;
  peer_connection_id: string;
  session_id: SessionId;
  channel: VoiceChannel;
  carrier: Topology;
  slots: number;
  relay: RelayState;
  ice: IceServers;
  voice: VoiceState;
}

/** A room's channels, `main` first. */
export interface VoiceChannels {
  channels: readonly VoiceChannel[];
}

/** What to change of a person; what is left out stays. One's own: `self_muted`, `hand_raised`, `channel_id`, and to turn an `unmute_requested` down. */
export interface VoicePersonChange {
  self_muted?: boolean | null;
  hand_raised?: boolean | null;
  muted?: boolean | null;
  unmute_requested?: boolean | null;
  channel_id?: ChannelId | null;
  priority?: boolean | null;
  removed?: boolean | null;
  user_id?: UserId | null;
}

/** Whom a person neither hears nor is heard by, in every room. */
export interface VoiceBlocks {
  blocked: readonly UserId[];
}

/** Starts one; there is one at a time in a room. */
export interface StartRecording {
  channel_id?: ChannelId;
  name?: VoiceName | null;
  user_id?: UserId | null;
}

/** Stops it, or asks for its mix, or says whether the caller may be recorded. */
export interface ChangeRecording {
  stop?: boolean | null;
  mix?: boolean | null;
  consent?: boolean | null;
  user_id?: UserId | null;
}

/** What one page said, as Ogg Opus (RFC 7845). Its silences are in it: it plays from `from_ms` on as it was. */
export interface RecordingTrack {
  peer_id: PeerId;
  user_id: UserId;
  name: PersonName;
  from_ms: Millis;
  duration_ms: number;
  size_bytes: number;
  url: string;
}

/** A recording. `tracks`, `timeline_url` and `mix_url` are there once it is `ready`, where it was asked for by id. */
export interface Recording {
  recording_id: RecordingId;
  name: string;
  channel_id: ChannelId;
  started_by: UserId;
  started_at_ms: Millis;
  duration_ms: number;
  status: RecordingStatus;
  mix: MixStatus;
  tracks?: readonly RecordingTrack[];
  timeline_url?: string | null;
  mix_url?: string | null;
  empty_because?: EmptyBecause | null;
}

/** A room's recordings, the newest first. */
export interface Recordings {
  recordings: readonly Recording[];
}

/** Who did what when, and where they stood. `at_ms` counts from the recording's start. */
export interface TimelineEvent {
  at_ms: number;
  peer_id: PeerId;
  user_id: UserId;
  name?: PersonName | null;
  event: string;
  position?: Vec3 | null;
}

/** Voice of the room is so from now on. By WebSocket to everybody; to the room's node with `session_id` and no state: it reads that itself. No state for a page: it is more than a message carries, and is read by REST. */
export interface VoiceChanged {
  type: "voice.changed";
  session_id?: SessionId | null;
  voice?: VoiceState | null;
}

/** Who is heard in a slot, which is the node's audio section of that place. None: nobody. */
export interface Slot {
  slot: number;
  peer_id: PeerId | null;
}

/** From the node, on the control channel, before the first packet of whom it names: who is heard in which slot now. */
export interface VoiceSlots {
  type: "voice.slots";
  slots: readonly Slot[];
}

/** From the node, on change, VOICE_SPEAKING_HZ at most: all in the listener's channel who speak now, heard or not. */
export interface VoiceSpeaking {
  type: "voice.speaking";
  peers: readonly PeerId[];
}

/** To the node: what this listener wants. Whoever has no volume takes no slot. It tells `voice.slots` and `voice.speaking` again, as they are then: a page says this whenever it begins to hear by a connection. */
export interface VoicePrefer {
  type: "voice.prefer";
  id?: RequestId | null;
  slots?: number;
  silenced?: readonly UserId[];
}

/** To a media node: there are recordings to finish or to mix. It takes what it can from the table. */
export interface VoiceMix {
  type: "voice.mix";
  session_id: SessionId;
  recording_id: RecordingId;
}

/** Every error, on every route. */
export interface ErrorBody {
  code: Code;
  message: string;
  correlation_id: string;
  retry_after_ms?: number | null;
}

/** Whether the functions answer, and what a client needs before it signs in. */
export interface Health {
  status: string;
  version: string;
  protocol: number;
  stage: string;
  open_guests: boolean;
  accounts: boolean;
  time_ms: Millis;
}

/** Who a token names. */
export interface User {
  user_id: UserId;
  name: PersonName;
  kind: UserKind;
}

/** A new account. A confirmation code is sent to the address. */
export interface SignupBody {
  email: Email;
  password: Password;
  name: PersonName;
}

/** The new account. */
export interface SignupResult {
  user_id: UserId;
  confirmed: boolean;
}

/** The code from the e-mail. */
export interface ConfirmBody {
  email: Email;
  code: string;
}

/** The account can log in now. */
export interface ConfirmResult {
  confirmed: boolean;
}

/** Credentials of a confirmed account. */
export interface LoginBody {
  email: Email;
  password: string;
}

/** Asks for a new access token. */
export interface RefreshBody {
  refresh_token: OpaqueToken;
}

/** Enters as a guest: by an invite, or (where open guests are allowed) without. */
export interface GuestBody {
  name: PersonName;
  invite?: InviteCode | null;
}

/** What to send as `Authorization: Bearer`, for how long, and how to get the next. */
export interface TokenSet {
  access_token: string;
  token_type?: string;
  expires_in_s: number;
  refresh_token?: string | null;
  user: User;
  session_id?: SessionId | null;
}

/** Asks to open one WebSocket into a session that was joined. */
export interface TicketBody {
  session_id: SessionId;
  tab_id: TabId;
}

/** Single use; connect to `url` with the query parameter `ticket` before it expires. */
export interface Ticket {
  ticket: string;
  url: string;
  peer_id: PeerId;
  expires_at_ms: Millis;
}

/** What an owner may choose for a room. */
export interface SessionSettings {
  default_role?: GivenRole;
  environment?: Environment;
}

/** A room. `version` changes with every update and is the ETag, quoted. */
export interface Session {
  session_id: SessionId;
  name: SessionName;
  description: Description;
  visibility: Visibility;
  status: SessionStatus;
  max_participants: Seats;
  /** seats taken */
  participant_count: number;
  settings: SessionSettings;
  owner_id: UserId;
  created_at_ms: Millis;
  updated_at_ms: Millis;
  version: number;
  role?: Role | null;
}

/** A new room; the creator owns it. */
export interface CreateSession {
  name: SessionName;
  description?: Description;
  visibility?: Visibility;
  max_participants?: Seats;
  settings?: SessionSettings;
}

/** What is present is replaced; what is absent stays. */
export interface UpdateSession {
  name?: SessionName;
  description?: Description;
  visibility?: Visibility;
  max_participants?: Seats;
  settings?: SessionSettings;
}

/** A page of sessions, newest first. */
export interface SessionList {
  sessions: readonly Session[];
  next_cursor?: PageCursor | null;
}

/** Takes a seat. The invite may be left out where the visibility or an earlier membership allows it. */
export interface JoinBody {
  invite?: InviteCode | null;
  name?: PersonName | null;
  color?: Color | null;
  user_id?: UserId | null;
}

/** A member of a session. */
export interface Participant {
  user_id: UserId;
  name: PersonName;
  color: Color;
  role: Role;
  kind: UserKind;
  joined_at_ms: Millis;
  online: boolean;
}

/** The seat that was taken. */
export interface JoinResult {
  session: Session;
  participant: Participant;
}

/** May be empty; a `user_id` must be one's own. */
export interface LeaveBody {
  user_id?: UserId | null;
}

/** What became of the session: the last owner's leaving hands it over, or ends it where nobody remains. */
export interface LeaveResult {
  status: SessionStatus;
  new_owner_id?: UserId | null;
}

/** A page of members, by user id. */
export interface ParticipantList {
  participants: readonly Participant[];
  next_cursor?: PageCursor | null;
}

/** Gives a role. `owner` makes a further owner; the one who gives it may then step down. */
export interface UpdateParticipant {
  role: Role;
}

/** A link that lets people in with a role. `max_uses` counts people, not visits; absent = unlimited. */
export interface CreateInvite {
  role?: GivenRole;
  expires_in_s?: number;
  max_uses?: Seats | null;
}

/** An invite. Its `code` is told once, when it is made; only its hash is kept. */
export interface Invite {
  invite_id: InviteId;
  session_id: SessionId;
  role: Role;
  created_by: UserId;
  created_at_ms: Millis;
  expires_at_ms: Millis;
  max_uses: number | null;
  uses: number;
  code?: InviteCode | null;
}

/** All live invites of a session (at most INVITES_PER_SESSION). */
export interface InviteList {
  invites: readonly Invite[];
}

/** One peer's 3D cursor. */
export interface Cursor {
  user_id: UserId;
  peer_id: PeerId;
  name: PersonName;
  color: Color;
  position: Vec3;
  rotation: Quat;
  target: EntityId | null;
  updated_at_ms: Millis;
}

/** The seed's GetSharedCursors response. */
export interface CursorList {
  success: boolean;
  cursors: readonly Cursor[];
}

/** The seed's UpdateCursorRequest. A `user_id` must be one's own; `color` must be the participant's, if given. */
export interface UpdateCursor {
  position: Vec3;
  rotation?: Quat;
  color?: Color | null;
  target?: EntityId | null;
  user_id?: UserId | null;
}

/** The seed's UpdateSharedCursor response. */
export interface CursorUpdated {
  success: boolean;
  message: string;
}

/** One peer with its last known state. */
export interface PeerPresence {
  peer_id: PeerId;
  user_id: UserId;
  name: PersonName;
  color: Color;
  role: Role;
  joined_at_ms: Millis;
  seen_at_ms: Millis;
  state: PresenceState;
}

/** Who is connected now. */
export interface PresenceList {
  peers: readonly PeerPresence[];
  at_ms: Millis;
}

/** One thing that happened. `kind` is noun.verb; `detail` is words about it, by kind. */
export interface ActivityEvent {
  event_id: string;
  kind: string;
  at_ms: Millis;
  user_id: UserId;
  name: string;
  detail: Record<string, string>;
}

/** Newest first. */
export interface ActivityPage {
  events: readonly ActivityEvent[];
  next_cursor?: PageCursor | null;
}

/** The first message on a connection (and again after a resume): asks for `room.state` and a full frame. */
export interface RoomEnter {
  type: "room.enter";
  id?: RequestId | null;
  protocol: number;
  epoch: Counter;
}

/** One peer's whole state; the newest (epoch, counter) wins whatever carrier or order brings it. */
export interface PresenceUpdate {
  type: "presence.update";
  id?: RequestId | null;
  epoch: Counter;
  counter: Counter;
  state: PresenceState;
  user_id?: UserId | null;
}

/** Keeps the connection from idling out and the peer from expiring; answered by `pong`. */
export interface Ping {
  type: "ping";
  id?: RequestId | null;
  at_ms?: Millis;
}

/** Leaves at once, without the grace that a dropped connection gets. */
export interface RoomLeave {
  type: "room.leave";
  id?: RequestId | null;
}

/** One transaction, made on the state at `base`; answered by `op.ack` or `op.rejected`. Sent again until it is. */
export interface OpSubmit {
  type: "op.submit";
  id?: RequestId | null;
  document_id: DocumentId;
  client: ClientId;
  seq: Sequence;
  base: Counter;
  seen?: Counter | null;
  operations: PublicTransaction;
  user_id?: UserId | null;
}

/** Asks for what was committed after a revision; answered by `doc.commits`. */
export interface DocFetch {
  type: "doc.fetch";
  id?: RequestId | null;
  document_id: DocumentId;
  since: Counter;
}

/** One peer's newest state, and the (epoch, counter) that orders it. */
export interface PeerState {
  peer_id: PeerId;
  epoch: Counter;
  counter: Counter;
  at_ms: Millis;
  state: PresenceState;
}

/** The answer to `room.enter`; the peers follow in a full `presence.frame`. */
export interface RoomState {
  type: "room.state";
  id?: RequestId | null;
  session: Session;
  you: Peer;
  server_time_ms: Millis;
  presence_hz: number;
  ping_interval_s: number;
  relay?: RelayState;
  mesh_max?: number;
}

/** What changed in the room since the recipient's last frame, merged. */
export interface PresenceFrame {
  type: "presence.frame";
  at_ms: Millis;
  full?: boolean;
  part?: number;
  parts?: number;
  joined?: readonly Peer[];
  states?: readonly PeerState[];
  left?: readonly PeerId[];
}

/** A participant has another role. */
export interface ParticipantChanged {
  type: "participant.changed";
  user_id: UserId;
  role: Role;
  by: UserId;
  session_id?: SessionId | null;
}

/** A participant was removed; their connections close after this message. */
export interface ParticipantRemoved {
  type: "participant.removed";
  user_id: UserId;
  banned: boolean;
  by: UserId;
  session_id?: SessionId | null;
}

/** The session's name, settings or limits changed. */
export interface SessionChanged {
  type: "session.changed";
  session: Session;
}

/** The session is over; the connection closes after this message. */
export interface SessionEnded {
  type: "session.ended";
  session_id: SessionId;
}

/** The transaction is in the log, durably: `operation` is its revision. A resend is answered with the first one. */
export interface OpAck {
  type: "op.ack";
  id?: RequestId | null;
  document_id: DocumentId;
  operation: Commit;
  transformed: boolean;
  conflicts_with?: readonly Counter[];
}

/** What was committed, consecutive and merged; one's own too. After a gap, or where it is empty, fetch up to `head`. */
export interface OpCommitted {
  type: "op.committed";
  document_id: DocumentId;
  head: Counter;
  commits: readonly Commit[];
}

/** The transaction is not in the log. `operations` is what was sent: the client keeps it. */
export interface OpRejected {
  type: "op.rejected";
  id?: RequestId | null;
  document_id: DocumentId;
  client: ClientId;
  seq: Sequence;
  code: Code;
  message: string;
  correlation_id: string;
  operations: readonly PublicOperation[];
}

/** Consecutive commits after `since`, as many as fit; fetch on while the last one's revision is below `head`. */
export interface DocCommits {
  type: "doc.commits";
  id?: RequestId | null;
  document_id: DocumentId;
  since: Counter;
  head: Counter;
  commits: readonly Commit[];
}

/** The answer to `ping`. */
export interface Pong {
  type: "pong";
  id?: RequestId | null;
  at_ms: Millis;
  server_time_ms: Millis;
  loss?: number | null;
  available_kbps?: number | null;
}

/** What a message broke. The connection stays open unless it is abusive. */
export interface ErrorMessage {
  type: "error";
  id?: RequestId | null;
  code: Code;
  message: string;
  correlation_id: string;
  retry_after_ms?: number | null;
}

export type Operation =
  | CreateOperation
  | DeleteOperation
  | RestoreOperation
  | SetOperation
  | AddOperation
  | MoveOperation
  | TextOperation;

export type PublicOperation =
  | CreateOperation
  | DeleteOperation
  | RestoreOperation
  | SetOperation
  | AddOperation
  | MoveOperation
  | TextOperation
  | EntityCreate
  | EntityUpdate
  | EntityDelete
  | AvatarMove;

export type ClientMessage =
  | RoomEnter
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
  | NodeGone;

export type ServerMessage =
  | RoomState
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
  | ErrorMessage;

export type Signal = PeerOffer | PeerAnswer | PeerCandidate | PeerBye | PeerRestart;

/** Every bound of the system, named, with its unit and its source. */
export const LIMITS = {
  WS_FRAME_BYTES: 32768,
  WS_MESSAGE_BYTES: 131072,
  WS_IDLE_S: 600,
  WS_LIFETIME_S: 7200,
  INTEGRATION_TIMEOUT_S: 29,
  REST_BODY_BYTES: 262144,
  REQUEST_HEAD_BYTES: 10240,
  FRAME_TARGET_BYTES: 102400,
  TICKET_TTL_S: 30,
  GUEST_TOKEN_TTL_S: 3600,
  GUEST_REFRESH_TTL_S: 2592000,
  JWKS_REFETCH_S: 60,
  JWKS_RETRY_S: 5,
  JWKS_AGE_S: 3600,
  JWKS_BYTES: 65536,
  JWKS_TIMEOUT_S: 3,
  IDENTITIES_REMEMBERED: 2048,
  IDENTITY_REMEMBERED_S: 300,
  TICKET_BURNT_S: 600,
  CLOCK_SKEW_S: 5,
  NAME_CHARS: 64,
  EMAIL_CHARS: 128,
  PASSWORD_CHARS_MIN: 10,
  PASSWORD_CHARS: 256,
  TOKEN_CHARS: 8192,
  SESSION_NAME_CHARS: 120,
  DESCRIPTION_CHARS: 2000,
  PARTICIPANTS_DEFAULT: 50,
  PARTICIPANTS_MAX: 500,
  INVITES_PER_SESSION: 100,
  INVITE_TTL_DEFAULT_S: 604800,
  INVITE_TTL_MAX_S: 7776000,
  INVITE_USES_MAX: 500,
  BANS_PER_SESSION: 2000,
  FORMER_ROLE_S: 7776000,
  PAGE_DEFAULT: 50,
  PAGE_MAX: 100,
  CURSOR_CHARS: 1024,
  SEAT_GRACE_S: 60,
  PATH_DEPTH: 3,
  PATH_KEY_CHARS: 64,
  VALUE_DEPTH: 6,
  VALUE_BYTES: 16384,
  TEXT_CHARS: 20000,
  TEXT_PARTS: 400,
  OPERATIONS_PER_TRANSACTION: 256,
  TRANSACTION_BYTES: 122880,
  DOCUMENTS_PER_SESSION: 100,
  MILESTONES_PER_DOCUMENT: 1000,
  SNAPSHOT_EVERY: 500,
  SNAPSHOT_BYTES: 5242880,
  HISTORY_LOOKED_THROUGH: 2000,
  INBOX_TTL_S: 300,
  DRAIN_TICK_MS: 40,
  DRAIN_TICK_PER_LISTENER_MS: 2,
  DRAIN_TICK_MAX_MS: 150,
  DRAIN_LEASE_MS: 1000,
  LOCK_TTL_S: 30,
  LOCK_TTL_MAX_S: 300,
  LOCKS_PER_SESSION: 500,
  COMMIT_BATCH: 100,
  COMMIT_ATTEMPTS: 12,
  COMMIT_BACKOFF_S: 0.004,
  LOG_ITEM_BYTES: 262144,
  LOG_PAGE: 500,
  PIPELINED: 64,
  TAIL_RECORDS: 2000,
  TAILS_KEPT: 200,
  REBASE_RECORDS: 5000,
  INTEGER_MAX: 9007199254740991,
  PRESENCE_HZ: 5,
  TICK_MS: 200,
  MESSAGE_BURST: 40,
  MESSAGE_REFILL_PER_S: 30,
  VIOLATIONS_MAX: 50,
  VIOLATION_WINDOW_S: 60,
  PRESENCE_TTL_S: 60,
  PING_INTERVAL_S: 20,
  LEAVE_GRACE_S: 5,
  PEERS_PER_USER: 8,
  SELECTION_MAX: 64,
  DRAG_MAX: 32,
  ENTITY_ID_CHARS: 64,
  WORLD_M: 100000,
  REST_CURSOR_PER_S: 10,
  BROADCAST_LEASE_MS: 2000,
  BROADCAST_LONGEST_S: 24,
  POST_TIMEOUT_S: 2,
  MESH_MAX: 6,
  MESH_LEAVE: 4,
  SDP_CHARS: 16384,
  CANDIDATE_CHARS: 512,
  CANDIDATES_PER_MESSAGE: 16,
  SIGNAL_BURST: 120,
  SIGNAL_REFILL_PER_S: 20,
  RELAY_REQUEST_PER_S: 1,
  NODE_SIGNAL_BURST: 2000,
  NODE_SIGNAL_PER_S: 500,
  ICE_TTL_S: 3600,
  LINKS_REPORTED: 16,
  JOIN_BURST: 32,
  JOIN_REFILL_PER_S: 2,
  QUALITY_REPORT_S: 30,
  QUALITY_BURST: 16,
  QUALITY_REFILL_PER_S: 1,
  QUALITY_KEPT_S: 120,
  QUALITY_HOURS_KEPT_S: 2592000,
  QUALITY_HOURS_SHOWN: 24,
  COVERED_UPDATE_S: 10,
  NODE_TOKEN_TTL_S: 30,
  NODE_BEAT_S: 1,
  NODE_LOST_S: 4,
  NODE_GIVEN_S: 5,
  NODE_ROW_TTL_S: 300,
  RELAY_KEEP_S: 30,
  RELAY_LOOK_S: 10,
  RELAY_ROW_TTL_S: 7776000,
  NODE_PEERS_MAX: 400,
  NODE_ROOMS_MAX: 400,
  NODE_RENEW_S: 6900,
  NODE_IDLE_S: 300,
  NODE_START_S: 90,
  DRAIN_S: 10,
  PRESENCE_CHANNEL: 1,
  CONTROL_CHANNEL: 2,
  CHANNEL_MESSAGE_BYTES: 32768,
  PRESENCE_MESSAGE_BYTES: 8192,
  RELAY_HZ: 20,
  MESH_HZ: 20,
  RELAY_INDEX_MAX: 1023,
  RELAY_FRAME_BYTES: 2300,
  RELAY_FRAME_BYTES_MIN: 600,
  RELAY_PART_BYTES: 1150,
  RELAY_REFRESH_S: 1,
  RELAY_REFRESH_MAX_S: 4,
  RELAY_BUFFER_BYTES: 4096,
  CONTROL_BUFFER_BYTES: 4194304,
  CHANNEL_BURST: 120,
  CHANNEL_REFILL_PER_S: 60,
  CHANNEL_BYTES_PER_S: 131072,
  CHANNEL_BYTES_BURST: 262144,
  CHANNEL_FETCH_BURST: 20,
  CHANNEL_FETCH_PER_S: 5,
  LINK_DATAGRAMS_PER_S: 4000,
  LINK_BUSY_S: 0.25,
  LINK_CHECKS_PER_S: 200,
  OFFER_BURST: 8,
  OFFER_REFILL_PER_S: 0.5,
  FRAME_POSITION_M: 0.001,
  FRAME_ROTATION_RAD: 0.005,
  RELAY_BRIDGE_HZ: 5,
  RELAY_GATHER_MS: 8,
  RELAY_GATHER_PER_LISTENER_MS: 0.4,
  RELAY_GATHER_MAX_MS: 40,
  RELAY_LEASE_MS: 3000,
  RELAY_LINGER_MS: 5000,
  CONSENT_S: 30,
  VOICE_SLOTS: 4,
  VOICE_NAME_CHARS: 64,
  VOICE_CHANNELS_MAX: 16,
  VOICE_MEMBERS_MAX: 200,
  VOICE_SPEAKERS_MAX: 64,
  VOICE_BLOCKS_MAX: 200,
  VOICE_DISTANCE_M: 10000,
  VOICE_ZONE_EDGE_M: 0.5,
  VOICE_MEMBER_TTL_S: 21600,
  VOICE_REMEMBERED_MAX: 500,
  VOICE_ROW_TTL_S: 34560000,
  VOICE_STATE_S: 5,
  VOICE_CHANGE_BURST: 30,
  VOICE_CHANGE_PER_S: 2,
  VOICE_FRAME_MS: 20,
  VOICE_KBPS_MIN: 16,
  VOICE_KBPS_MAX: 48,
  VOICE_PACKET_BYTES: 700,
  VOICE_PACKETS_BURST: 60,
  VOICE_PACKETS_PER_S: 75,
  VOICE_SELECT_HZ: 10,
  VOICE_ONSETS_PER_S: 10,
  VOICE_STICKY_DB: 6,
  VOICE_HOLD_MS: 600,
  VOICE_SILENCE_DB: 50,
  VOICE_RING_PACKETS: 64,
  VOICE_NACKS_PER_S: 100,
  VOICE_SPEAKING_HZ: 5,
  VOICE_REPORT_S: 2,
  RECORDINGS_MAX: 50,
  RECORDING_PART_S: 3,
  RECORDING_LONGEST_S: 14400,
  RECORDING_TRACKS_MAX: 256,
  RECORDING_TRACKS_OF_ONE: 16,
  RECORDING_URL_TTL_S: 900,
  RECORDING_LEASE_S: 15,
  ACTIVITY_TTL_S: 2592000,
} as const;

/** The table of error codes: what a client may be told, on every carrier. */
export const CODES: Record<Code, { status: number; message: string }> = {
  "body.malformed": { status: 400, message: "The body is not well-formed JSON." },
  "body.invalid": { status: 422, message: "The body does not have the expected shape." },
  "body.too_large": { status: 413, message: "The body is larger than allowed." },
  "request.too_large": { status: 400, message: "The address and headers are larger than allowed." },
  "media_type.unsupported": { status: 415, message: "Send the body as application/json." },
  "query.invalid": { status: 400, message: "A query parameter is not valid." },
  "path.invalid": { status: 400, message: "A path parameter is not valid." },
  "cursor.invalid": { status: 404, message: "The pagination cursor is not one this listing gave out." },
  "route.unknown": { status: 404, message: "There is nothing at this address." },
  "method.not_allowed": { status: 405, message: "This address does not answer that method." },
  "message.unknown": { status: 400, message: "There is no message of that type." },
  "protocol.unsupported": { status: 400, message: "This protocol version is not served; reload the page." },
  "token.missing": { status: 401, message: "Send a bearer token." },
  "token.invalid": { status: 401, message: "The token is not valid here." },
  "token.expired": { status: 401, message: "The token has expired." },
  "ticket.invalid": { status: 401, message: "The ticket is not valid; ask for another." },
  "ticket.used": { status: 401, message: "The ticket was used before; ask for another." },
  "identity.mismatch": { status: 403, message: "The user in the body is not the one the token names." },
  "role.insufficient": { status: 403, message: "Your role in this session does not allow that." },
  "guests.closed": { status: 403, message: "Guests need an invite here." },
  "accounts.closed": { status: 503, message: "Accounts are not configured here." },
  "credentials.wrong": { status: 401, message: "The e-mail address or the password is wrong." },
  "account.exists": { status: 409, message: "There is an account with this e-mail address." },
  "account.unconfirmed": { status: 409, message: "Confirm the e-mail address first." },
  "password.weak": { status: 422, message: "The password does not meet the policy." },
  "confirmation.wrong": { status: 403, message: "The confirmation code is wrong or has expired." },
  "session.unknown": { status: 404, message: "There is no such session, or it is not open to you." },
  "session.ended": { status: 409, message: "This session has ended." },
  "session.full": { status: 409, message: "Every seat in this session is taken." },
  "session.smaller_than_occupancy": { status: 409, message: "More people are inside than that many seats." },
  "participant.unknown": { status: 404, message: "There is no such participant in this session." },
  "participant.banned": { status: 403, message: "You were removed from this session." },
  "participant.not_joined": { status: 409, message: "Join the session first." },
  "owner.required": { status: 409, message: "A session keeps at least one owner; name another first." },
  "invite.unknown": { status: 404, message: "There is no such invite." },
  "invite.expired": { status: 409, message: "This invite has expired." },
  "invite.exhausted": { status: 409, message: "This invite was used as often as it allows." },
  "invite.limit": { status: 409, message: "This session has as many invites as it may have." },
  "version.conflict": { status: 412, message: "It was changed meanwhile; read it again." },
  "connection.gone": { status: 410, message: "This connection is no longer part of the session." },
  "connection.limit": {
    status: 409,
    message: "You have as many connections to this session as one person may have.",
  },
  "document.unknown": { status: 404, message: "There is no such document, or it is not open to you." },
  "document.limit": { status: 409, message: "This session has as many documents as it may have." },
  "document.busy": { status: 503, message: "Too many are writing to the document; send it again." },
  "document.too_large": {
    status: 409,
    message: "The document is too large for one answer; read its operations instead.",
  },
  "scene.required": { status: 409, message: "A session keeps its scene as long as it lives." },
  "revision.unknown": { status: 404, message: "The document has no such revision." },
  "operation.invalid": { status: 409, message: "An operation breaks a rule of documents." },
  "operation.base_ahead": {
    status: 409,
    message: "The transaction's base is a revision that does not exist.",
  },
  "operation.base_too_old": {
    status: 409,
    message: "Too much happened since the transaction's base; read the document anew and rebase.",
  },
  "operation.base_behind_own": {
    status: 409,
    message: "The client's last transaction was made on a later base; read on from the base first.",
  },
  "milestone.limit": { status: 409, message: "This document has as many milestones as it may have." },
  "lock.held": { status: 409, message: "Somebody else has locked that object." },
  "lock.lost": { status: 409, message: "You do not hold that lock any more." },
  "lock.limit": { status: 409, message: "This session has as many locks as it may have." },
  "peer.unknown": {
    status: 409,
    message: "There is no such peer in this session, or it cannot be reached now.",
  },
  "sdp.invalid": { status: 422, message: "The session description is not one that can be answered." },
  "relay.refused": { status: 409, message: "This media node does not serve that session." },
  "relay.full": { status: 503, message: "The media node has as many peers as it may have." },
  "channel.too_much": {
    status: 429,
    message: "That is more than a data channel may carry; what is over is dropped.",
  },
  "voice.not_joined": { status: 409, message: "Join voice first." },
  "voice.removed": { status: 403, message: "You were removed from this room's voice." },
  "voice.full": { status: 409, message: "As many as can are in this room's voice." },
  "voice.channel_unknown": { status: 404, message: "There is no such voice channel." },
  "voice.channel_full": { status: 409, message: "The voice channel is full." },
  "voice.channel_limit": { status: 409, message: "The room has as many voice channels as it may." },
  "voice.channel_fixed": { status: 409, message: "The main voice channel stays, and has no zone." },
  "voice.channel_invalid": { status: 409, message: "A voice channel cannot be like that." },
  "voice.block_limit": { status: 409, message: "You block as many people as you may." },
  "recording.unknown": { status: 404, message: "There is no such recording." },
  "recording.under_way": {
    status: 409,
    message: "Something is being recorded in this room; stop that first.",
  },
  "recording.not_ready": { status: 409, message: "The recording is not finished yet." },
  "recording.empty": { status: 409, message: "There is nothing in this recording." },
  "recording.limit": { status: 409, message: "The room has as many recordings as it may; delete one." },
  "rate.limited": { status: 429, message: "Too many requests; slow down." },
  "upstream.unavailable": { status: 503, message: "A service this depends on did not answer; try again." },
  internal: { status: 500, message: "Something went wrong on our side." },
};
