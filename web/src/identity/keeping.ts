/**
 * What the browser remembers of a person: who they are to the server, and how they like to look.
 *
 * An identity lives in the tab (a reload resumes it) and in the browser (a later visit is the same person). A guest who
 * came by an invite is bound to that one room, so that identity is kept beside the room's id.
 */

import type { TokenSet, User } from "../wire/generated";

export interface Identity {
  accessToken: string;
  refreshToken: string | null;
  expiresAtMs: number;
  user: User;
  /** The only session this identity is good for, or null. */
  sessionId: string | null;
  /** Has been in a room: others may know them, and rooms may be theirs. */
  entered?: boolean;
}

export interface Profile {
  name: string;
  color: string;
}

/** The part of Storage that is used; storage may be denied, so nothing here throws. */
export interface Shelf {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

const KEY = "holodeck.identity";
const PROFILE = "holodeck.profile";

export class Keeping {
  constructor(
    private readonly tab: Shelf,
    private readonly browser: Shelf,
  ) {}

  /** Who this tab is in that room (or anywhere, for null). */
  identity(sessionId: string | null): Identity | null {
    const keys = sessionId ? [`${KEY}.${sessionId}`, KEY] : [KEY];
    for (const key of keys) {
      const found = read<Identity>(this.tab, key) ?? read<Identity>(this.browser, key);
      if (found?.accessToken && found.user) return found;
    }
    return null;
  }

  /** `onlyTab`: another tab is the browser's person; this one is somebody else until it closes. */
  keep(identity: Identity, onlyTab: boolean): void {
    const key = keyOf(identity);
    write(this.tab, key, identity);
    const known = read<Identity>(this.browser, key);
    if (!onlyTab || known?.user.user_id === identity.user.user_id) write(this.browser, key, identity);
  }

  forget(identity: Identity): void {
    const key = keyOf(identity);
    remove(this.tab, key);
    if (read<Identity>(this.browser, key)?.user.user_id === identity.user.user_id) remove(this.browser, key);
  }

  profile(): Profile | null {
    return read<Profile>(this.tab, PROFILE) ?? read<Profile>(this.browser, PROFILE);
  }

  /** What this tab alone remembers. */
  tabProfile(): Profile | null {
    return read<Profile>(this.tab, PROFILE);
  }

  keepProfile(profile: Profile, onlyTab = false): void {
    write(this.tab, PROFILE, profile);
    if (!onlyTab) write(this.browser, PROFILE, profile);
  }
}

export function identityOf(tokens: TokenSet, nowMs: number): Identity {
  return {
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token ?? null,
    expiresAtMs: nowMs + tokens.expires_in_s * 1000,
    user: tokens.user,
    sessionId: tokens.session_id ?? null,
  };
}

function keyOf(identity: Identity): string {
  return identity.sessionId ? `${KEY}.${identity.sessionId}` : KEY;
}

export function read<T>(shelf: Shelf, key: string): T | null {
  try {
    const text = shelf.getItem(key);
    return text ? (JSON.parse(text) as T) : null;
  } catch {
    return null;
  }
}

export function write(shelf: Shelf, key: string, value: unknown): void {
  try {
    shelf.setItem(key, JSON.stringify(value));
  } catch {
    // Full or denied: the person is remembered for as long as the page lives.
  }
}

function remove(shelf: Shelf, key: string): void {
  try {
    shelf.removeItem(key);
  } catch {
    // Denied: there was nothing to remove.
  }
}
