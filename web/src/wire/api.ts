/** Every route of the service, as a function. The paths and shapes are those of /api/openapi.json. */

import type { Client } from "./client";
import type {
  AcquireLock,
  ActivityPage,
  ChangeRecording,
  ConfirmBody,
  ConfirmResult,
  CreateInvite,
  CreateMilestone,
  CreateSession,
  CursorList,
  CursorUpdated,
  GuestBody,
  Health,
  HistoryPage,
  IceServers,
  Invite,
  InviteList,
  JoinBody,
  JoinResult,
  JoinVoice,
  JoinWebRtc,
  LeaveResult,
  LeaveWebRtc,
  Lock,
  LockList,
  LoginBody,
  Milestone,
  MilestoneList,
  Participant,
  ParticipantList,
  PresenceList,
  QualityReport,
  Recording,
  Recordings,
  RenewLock,
  Role,
  Rollback,
  RollbackResult,
  Session,
  SessionList,
  SignupBody,
  SignupResult,
  Snapshot,
  StartRecording,
  Ticket,
  TicketBody,
  TokenSet,
  UpdateCursor,
  UpdateSession,
  VoiceBlocks,
  VoiceChannel,
  VoiceChannelSettings,
  VoiceJoined,
  VoicePerson,
  VoicePersonChange,
  VoiceState,
  WebRtcSession,
  WebRtcStats,
} from "./generated";

export type Scope = "mine" | "public";

export interface Api {
  health(): Promise<Health>;
  signUp(body: SignupBody): Promise<SignupResult>;
  confirm(body: ConfirmBody): Promise<ConfirmResult>;
  logIn(body: LoginBody): Promise<TokenSet>;
  refresh(refreshToken: string): Promise<TokenSet>;
  guest(body: GuestBody): Promise<TokenSet>;
  ticket(body: TicketBody): Promise<Ticket>;
  sessions(scope: Scope, cursor?: string | null): Promise<SessionList>;
  createSession(body: CreateSession): Promise<Session>;
  session(id: string): Promise<Session>;
  updateSession(id: string, body: UpdateSession, version: number): Promise<Session>;
  deleteSession(id: string): Promise<void>;
  join(id: string, body: JoinBody): Promise<JoinResult>;
  leave(id: string): Promise<LeaveResult>;
  participants(id: string, cursor?: string | null): Promise<ParticipantList>;
  setRole(id: string, userId: string, role: Role): Promise<Participant>;
  removeParticipant(id: string, userId: string, ban: boolean): Promise<void>;
  invites(id: string): Promise<InviteList>;
  createInvite(id: string, body: CreateInvite): Promise<Invite>;
  revokeInvite(id: string, inviteId: string): Promise<void>;
  cursors(id: string): Promise<CursorList>;
  updateCursor(id: string, body: UpdateCursor): Promise<CursorUpdated>;
  presence(id: string): Promise<PresenceList>;
  activity(id: string, cursor?: string | null): Promise<ActivityPage>;
  document(id: string): Promise<Snapshot>;
  documentAt(id: string, revision: number): Promise<Snapshot>;
  history(id: string, query: { before: number | null; limit: number }): Promise<HistoryPage>;
  rollback(id: string, body: Rollback): Promise<RollbackResult>;
  milestones(id: string): Promise<MilestoneList>;
  createMilestone(id: string, body: CreateMilestone): Promise<Milestone>;
  locks(id: string): Promise<LockList>;
  acquireLock(id: string, body: AcquireLock): Promise<Lock>;
  renewLock(id: string, objectId: string, body: RenewLock): Promise<Lock>;
  releaseLock(id: string, objectId: string): Promise<void>;
  iceServers(): Promise<IceServers>;
  openWebRtc(id: string): Promise<WebRtcSession>;
  joinWebRtc(id: string, body: JoinWebRtc): Promise<WebRtcSession>;
  leaveWebRtc(id: string, body: LeaveWebRtc): Promise<void>;
  webRtcStats(id: string): Promise<WebRtcStats>;
  reportQuality(id: string, body: QualityReport): Promise<void>;
  voice(id: string): Promise<VoiceState>;
  joinVoice(id: string, body: JoinVoice): Promise<VoiceJoined>;
  leaveVoice(id: string, tabId: string): Promise<void>;
  createVoiceChannel(id: string, body: VoiceChannelSettings): Promise<VoiceChannel>;
  changeVoiceChannel(id: string, channelId: string, body: VoiceChannelSettings): Promise<VoiceChannel>;
  deleteVoiceChannel(id: string, channelId: string): Promise<void>;
  changeVoicePerson(id: string, userId: string, body: VoicePersonChange): Promise<VoicePerson>;
  voiceBlocks(id: string): Promise<VoiceBlocks>;
  recordings(id: string): Promise<Recordings>;
  recording(id: string, recordingId: string): Promise<Recording>;
  startRecording(id: string, body: StartRecording): Promise<Recording>;
  deleteRecording(id: string, recordingId: string): Promise<void>;
  changeRecording(id: string, recordingId: string, body: ChangeRecording): Promise<Recording>;
  blockVoice(id: string, userId: string): Promise<VoiceBlocks>;
  unblockVoice(id: string, userId: string): Promise<void>;
}

export function apiOver(client: Client): Api {
  const get = <T>(path: string, query = {}): Promise<T> => client.call<T>({ method: "GET", path, query });
  const post = <T>(path: string, body: object): Promise<T> => client.call<T>({ method: "POST", path, body });
  const put = <T>(path: string, body: object): Promise<T> => client.call<T>({ method: "PUT", path, body });
  const enter = <T>(path: string, body: object): Promise<T> =>
    client.call<T>({ method: "POST", path, body, open: true });
  const drop = (path: string, query = {}): Promise<void> =>
    client.call<void>({ method: "DELETE", path, query });
  const room = (id: string): string => `/sessions/${encodeURIComponent(id)}`;
  const shared = (id: string): string => `/collaboration/sessions/${encodeURIComponent(id)}`;
  const person = (id: string, userId: string): string =>
    `${room(id)}/participants/${encodeURIComponent(userId)}`;
  const paper = (id: string): string => `/documents/${encodeURIComponent(id)}`;
  const plane = (id: string): string => `/webrtc/sessions/${encodeURIComponent(id)}`;
  const voice = (id: string, ...rest: string[]): string =>
    [`${shared(id)}/voice`, ...rest.map(encodeURIComponent)].join("/");
  const lock = (id: string, objectId: string): string =>
    `${shared(id)}/locks/${encodeURIComponent(objectId)}`;
  return {
    health: () => client.call({ method: "GET", path: "/health", open: true }),
    signUp: (body) => enter("/auth/signup", body),
    confirm: (body) => enter("/auth/confirm", body),
    logIn: (body) => enter("/auth/login", body),
    refresh: (refreshToken) => enter("/auth/refresh", { refresh_token: refreshToken }),
    guest: (body) => enter("/auth/guest", body),
    ticket: (body) => post("/auth/tickets", body),
    sessions: (scope, cursor) => get("/sessions", { scope, cursor }),
    createSession: (body) => post("/sessions", body),
    session: (id) => get(room(id)),
    updateSession: (id, body, version) => client.call({ method: "PUT", path: room(id), body, version }),
    deleteSession: (id) => drop(room(id)),
    join: (id, body) => post(`${room(id)}/join`, body),
    leave: (id) => post(`${room(id)}/leave`, {}),
    participants: (id, cursor) => get(`${room(id)}/participants`, { cursor }),
    setRole: (id, userId, role) => put(person(id, userId), { role }),
    removeParticipant: (id, userId, ban) => drop(person(id, userId), { ban }),
    invites: (id) => get(`${room(id)}/invites`),
    createInvite: (id, body) => post(`${room(id)}/invites`, body),
    revokeInvite: (id, inviteId) => drop(`${room(id)}/invites/${encodeURIComponent(inviteId)}`),
    cursors: (id) => get(`${shared(id)}/cursors`),
    updateCursor: (id, body) => post(`${shared(id)}/cursors`, body),
    presence: (id) => get(`${shared(id)}/presence`),
    activity: (id, cursor) => get(`${shared(id)}/activity`, { cursor }),
    document: (id) => get(paper(id)),
    documentAt: (id, revision) => get(paper(id), { revision }),
    history: (id, query) => get(`${paper(id)}/history`, query),
    rollback: (id, body) => post(`${paper(id)}/rollback`, body),
    milestones: (id) => get(`${paper(id)}/milestones`),
    createMilestone: (id, body) => post(`${paper(id)}/milestones`, body),
    locks: (id) => get(`${shared(id)}/locks`),
    acquireLock: (id, body) => post(`${shared(id)}/locks`, body),
    renewLock: (id, objectId, body) => put(lock(id, objectId), body),
    releaseLock: (id, objectId) => drop(lock(id, objectId)),
    iceServers: () => get("/webrtc/ice-servers"),
    openWebRtc: (id) => post("/webrtc/sessions", { session_id: id }),
    joinWebRtc: (id, body) => post(`${plane(id)}/join`, body),
    leaveWebRtc: (id, body) => post(`${plane(id)}/leave`, body),
    webRtcStats: (id) => get(`${plane(id)}/stats`),
    reportQuality: (id, body) => post(`${plane(id)}/stats`, body),
    voice: (id) => get(voice(id)),
    joinVoice: (id, body) => post(voice(id), body),
    leaveVoice: (id, tabId) => drop(voice(id), { tab_id: tabId }),
    createVoiceChannel: (id, body) => post(voice(id, "channels"), body),
    changeVoiceChannel: (id, channelId, body) => put(voice(id, "channels", channelId), body),
    deleteVoiceChannel: (id, channelId) => drop(voice(id, "channels", channelId)),
    changeVoicePerson: (id, userId, body) => put(voice(id, "participants", userId), body),
    voiceBlocks: (id) => get(voice(id, "blocks")),
    recordings: (id) => get(voice(id, "recordings")),
    recording: (id, recordingId) => get(voice(id, "recordings", recordingId)),
    startRecording: (id, body) => post(voice(id, "recordings"), body),
    deleteRecording: (id, recordingId) => drop(voice(id, "recordings", recordingId)),
    changeRecording: (id, recordingId, body) => put(voice(id, "recordings", recordingId), body),
    blockVoice: (id, userId) => put(voice(id, "blocks", userId), {}),
    unblockVoice: (id, userId) => drop(voice(id, "blocks", userId)),
  };
}
