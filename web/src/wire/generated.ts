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

/** All of one peer's ephemeral state. Every update carries the whole, so the newest alone is enough. */
export interface PresenceState {
  pose?: Pose | null;
  cursor?: Pointer | null;
  selection?: readonly EntityId[];
  activity?: Activity;
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

/** One open page of one participant. */
export interface Peer {
  peer_id: PeerId;
  user_id: UserId;
  name: PersonName;
  color: Color;
  role: Role;
  kind: UserKind;
  joined_at_ms: Millis;
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
}

/** A participant was removed; their connections close after this message. */
export interface ParticipantRemoved {
  type: "participant.removed";
  user_id: UserId;
  banned: boolean;
  by: UserId;
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

/** The answer to `ping`. */
export interface Pong {
  type: "pong";
  id?: RequestId | null;
  at_ms: Millis;
  server_time_ms: Millis;
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

export type ClientMessage = RoomEnter | PresenceUpdate | Ping | RoomLeave;

export type ServerMessage =
  | RoomState
  | PresenceFrame
  | ParticipantChanged
  | ParticipantRemoved
  | SessionChanged
  | SessionEnded
  | Pong
  | ErrorMessage;

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
  COMMIT_BATCH: 100,
  COMMIT_ATTEMPTS: 12,
  COMMIT_BACKOFF_S: 0.004,
  LOG_ITEM_BYTES: 262144,
  LOG_PAGE: 500,
  TAIL_RECORDS: 2000,
  TAILS_KEPT: 200,
  REBASE_RECORDS: 5000,
  INTEGER_MAX: 9007199254740991,
  PRESENCE_HZ: 5,
  TICK_MS: 200,
  PRESENCE_BURST: 15,
  PRESENCE_REFILL_PER_S: 10,
  VIOLATIONS_MAX: 50,
  VIOLATION_WINDOW_S: 60,
  PRESENCE_TTL_S: 60,
  PING_INTERVAL_S: 20,
  LEAVE_GRACE_S: 5,
  PEERS_PER_USER: 8,
  SELECTION_MAX: 64,
  ENTITY_ID_CHARS: 64,
  WORLD_M: 100000,
  REST_CURSOR_PER_S: 10,
  BROADCAST_LEASE_MS: 2000,
  BROADCAST_LONGEST_S: 24,
  POST_TIMEOUT_S: 2,
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
  "rate.limited": { status: 429, message: "Too many requests; slow down." },
  "upstream.unavailable": { status: 503, message: "A service this depends on did not answer; try again." },
  internal: { status: 500, message: "Something went wrong on our side." },
};
