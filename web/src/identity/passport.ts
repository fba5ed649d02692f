/**
 * Who this page is, and its token: signs in, refreshes (once at a time), signs out.
 *
 * Law: a guest is one person in one tab. A second window of the same browser that enters as a guest is another guest,
 * so that opening a room twice shows two people; an account is the same person wherever it is signed in.
 */

import type { Api } from "../wire/api";
import type { Credentials } from "../wire/client";
import { ApiError } from "../wire/client";
import type { TokenSet, User } from "../wire/generated";
import { type Identity, identityOf, type Keeping } from "./keeping";

/** Whether this tab may be that person: false where another tab of the browser is them now. */
export type Claim = (userId: string) => Promise<boolean>;

const EARLY_MS = 30_000;

export class Passport implements Credentials {
  private current: Identity | null;
  private refreshing: Promise<boolean> | null = null;
  /** Another tab is the browser's person: this one is somebody else. */
  onlyTab = false;

  constructor(
    private readonly keeping: Keeping,
    private readonly claim: Claim,
    private readonly now: () => number,
    private readonly api: () => Api,
  ) {
    this.current = keeping.identity(null);
  }

  get user(): User | null {
    return this.current?.user ?? null;
  }

  /** Becomes whoever this browser is in that room. */
  use(sessionId: string | null): User | null {
    if (this.current === null || this.current.sessionId !== sessionId) {
      this.current = this.keeping.identity(sessionId) ?? this.usable(sessionId);
    }
    return this.user;
  }

  token(): string | null {
    return this.current?.accessToken ?? null;
  }

  async refresh(): Promise<boolean> {
    this.refreshing ??= this.renew().finally(() => {
      this.refreshing = null;
    });
    return this.refreshing;
  }

  /** Refreshes a token that is about to end, so that nothing fails first. */
  async fresh(): Promise<void> {
    if (this.current && this.current.expiresAtMs - this.now() < EARLY_MS) await this.refresh();
  }

  /** Makes sure there is an identity for that room, by the invite where there is one; a guest's is claimed. */
  async enter(
    name: string,
    sessionId: string | null,
    invite: string | null,
    openGuests: boolean,
  ): Promise<User> {
    this.use(sessionId);
    if (
      this.current &&
      (this.current.user.kind === "account" || (await this.claim(this.current.user.user_id)))
    ) {
      this.rename(name);
      await this.fresh();
      if (this.current) return this.current.user;
    }
    const forked = this.current !== null || this.onlyTab;
    const tokens = await this.api().guest(openGuests || !invite ? { name } : { name, invite });
    this.adopt(tokens, forked);
    await this.claim(tokens.user.user_id);
    return tokens.user;
  }

  /** They have been in a room: from now on they stay who they are, whatever name they choose there. */
  markEntered(): void {
    if (!this.current || this.current.entered) return;
    this.current = { ...this.current, entered: true };
    this.keeping.keep(this.current, this.onlyTab);
  }

  async logIn(email: string, password: string): Promise<User> {
    this.adopt(await this.api().logIn({ email, password }), false);
    return (this.current as Identity).user;
  }

  signOut(): void {
    if (this.current) this.keeping.forget(this.current);
    this.current = null;
  }

  /** A guest whom nobody has met yet and who gives another name is another guest. */
  private rename(name: string): void {
    const { current } = this;
    if (current?.user.kind === "guest" && !current.entered && current.user.name !== name) {
      this.keeping.forget(current);
      this.current = null;
    }
  }

  private usable(sessionId: string | null): Identity | null {
    const bound = this.current?.sessionId;
    return bound === null || bound === sessionId ? this.current : null;
  }

  private adopt(tokens: TokenSet, onlyTab: boolean): void {
    this.onlyTab = onlyTab;
    const same = this.current?.user.user_id === tokens.user.user_id && this.current.entered === true;
    this.current = { ...identityOf(tokens, this.now()), ...(same ? { entered: true } : {}) };
    this.keeping.keep(this.current, onlyTab);
  }

  private async renew(): Promise<boolean> {
    const before = this.current;
    if (!before?.refreshToken) return false;
    try {
      const tokens = await this.api().refresh(before.refreshToken);
      if (this.current !== before) return true;
      this.adopt({ ...tokens, refresh_token: tokens.refresh_token ?? before.refreshToken }, this.onlyTab);
      return true;
    } catch (thrown) {
      const refused = thrown instanceof ApiError && thrown.status === 401;
      if (refused && this.current === before) this.signOut();
      return false;
    }
  }
}
