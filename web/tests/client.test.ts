import { beforeEach, describe, expect, it } from "vitest";
import { type Identity, Keeping, type Shelf } from "../src/identity/keeping";
import { Passport } from "../src/identity/passport";
import { apiOver } from "../src/wire/api";
import { ApiError, Client } from "../src/wire/client";

class Drawer implements Shelf {
  private readonly kept = new Map<string, string>();
  getItem = (key: string): string | null => this.kept.get(key) ?? null;
  setItem = (key: string, value: string): void => void this.kept.set(key, value);
  removeItem = (key: string): void => void this.kept.delete(key);
}

interface Seen {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: unknown;
}

let seen: Seen[];
let answers: (() => Response)[];

const json = (status: number, body: unknown) => () => new Response(JSON.stringify(body), { status });
const refused = (status: number, code: string) =>
  json(status, { code, message: "no", correlation_id: "req-1", retry_after_ms: 250 });

const fetcher = async (url: string, init: RequestInit): Promise<Response> => {
  const headers = init.headers as Record<string, string>;
  seen.push({
    url,
    method: init.method ?? "",
    headers,
    body: init.body ? JSON.parse(String(init.body)) : null,
  });
  const answer = answers.shift();
  if (!answer) throw new TypeError("network");
  return answer();
};

beforeEach(() => {
  seen = [];
  answers = [];
});

const tokens = (name: string, more = {}) => ({
  access_token: `token-${name}`,
  expires_in_s: 3600,
  refresh_token: `refresh-${name}`,
  user: { user_id: `gst_${name}`, name, kind: "guest" },
  ...more,
});

function build(taken: Set<string> = new Set(), tab = new Drawer(), browser = new Drawer()) {
  const keeping = new Keeping(tab, browser);
  const passport: Passport = new Passport(
    keeping,
    async (id) => !taken.has(id),
    () => 1000,
    () => api,
  );
  const api = apiOver(new Client(fetcher, "/api", passport));
  return { api, passport, keeping };
}

describe("a call", () => {
  it("carries the bearer token, the version as If-Match, and its query escaped", async () => {
    const { api, passport } = build();
    answers = [json(201, tokens("ada")), json(200, {}), json(200, { sessions: [] })];
    await passport.enter("ada", null, null, true);
    await api.updateSession("ses_x", { name: "N" }, 7);
    await api.sessions("mine", "a=b");
    expect(seen[1]).toMatchObject({
      url: "/api/sessions/ses_x",
      method: "PUT",
      headers: { Authorization: "Bearer token-ada", "If-Match": '"7"' },
    });
    expect(seen[2]?.url).toBe("/api/sessions?scope=mine&cursor=a%3Db");
  });

  it("turns a refusal into its code, message, correlation id and advice", async () => {
    const { api } = build();
    answers = [refused(409, "session.full")];
    const failure = await api.join("ses_x", {}).catch((thrown) => thrown);
    expect(failure).toBeInstanceOf(ApiError);
    expect(failure).toMatchObject({
      code: "session.full",
      status: 409,
      correlationId: "req-1",
      retryAfterMs: 250,
    });
  });

  it("says `network` where nothing answers, and does not trust what is not ours", async () => {
    const { api } = build();
    await expect(api.health()).rejects.toMatchObject({ code: "network" });
    answers = [() => new Response("<html>", { status: 502 }), json(418, { code: "toString" })];
    await expect(api.health()).rejects.toMatchObject({ code: "upstream.unavailable", status: 502 });
    await expect(api.health()).rejects.toMatchObject({ code: "internal" });
  });

  it("refreshes once where the token ran out, and repeats the call with the new one", async () => {
    const { api, passport } = build();
    answers = [
      json(201, tokens("ada")),
      refused(401, "token.expired"),
      json(200, tokens("new")),
      json(200, { sessions: [] }),
    ];
    await passport.enter("ada", null, null, true);
    await api.sessions("mine");
    expect(seen.map(({ url }) => url)).toEqual([
      "/api/auth/guest",
      "/api/sessions?scope=mine",
      "/api/auth/refresh",
      "/api/sessions?scope=mine",
    ]);
    expect(seen[3]?.headers.Authorization).toBe("Bearer token-new");
  });

  it("refreshes one time for many calls that fail together", async () => {
    const { api, passport } = build();
    answers = [json(201, tokens("ada"))];
    await passport.enter("ada", null, null, true);
    answers = [
      refused(401, "token.expired"),
      refused(401, "token.expired"),
      json(200, tokens("new")),
      json(204, null),
      json(200, {}),
    ].map((answer, n) => (n === 3 ? () => new Response(null, { status: 204 }) : answer));
    await Promise.all([api.deleteSession("ses_x"), api.session("ses_y")]);
    expect(seen.filter(({ url }) => url.endsWith("/refresh"))).toHaveLength(1);
  });

  it("forgets an identity whose refresh is refused", async () => {
    const { api, passport } = build();
    answers = [json(201, tokens("ada")), refused(401, "token.invalid"), refused(401, "token.invalid")];
    await passport.enter("ada", null, null, true);
    await expect(api.session("ses_x")).rejects.toMatchObject({ code: "token.invalid" });
    expect(passport.user).toBeNull();
  });
});

describe("a passport", () => {
  it("is the same person after a reload and in a later visit", async () => {
    const [tab, browser] = [new Drawer(), new Drawer()];
    answers = [json(201, tokens("ada"))];
    await build(new Set(), tab, browser).passport.enter("ada", null, null, true);
    expect(build(new Set(), tab, browser).passport.user?.name).toBe("ada");
    expect(build(new Set(), new Drawer(), browser).passport.user?.name).toBe("ada");
  });

  it("is somebody else in a second window, without taking the first one's place", async () => {
    const browser = new Drawer();
    answers = [json(201, tokens("ada")), json(201, tokens("ben"))];
    await build(new Set(), new Drawer(), browser).passport.enter("ada", null, null, true);
    const tab = new Drawer();
    const second = build(new Set(["gst_ada"]), tab, browser).passport;
    expect((await second.enter("ben", null, null, true)).name).toBe("ben");
    expect(build(new Set(), new Drawer(), browser).passport.user?.name).toBe("ada");
    expect(build(new Set(), tab, browser).passport.user?.name).toBe("ben");
  });

  it("sends an invite only where guests need one, and keeps what it gives for that room", async () => {
    const { passport, keeping } = build();
    answers = [json(201, tokens("eve", { session_id: "ses_x" }))];
    await passport.enter("eve", "ses_x", "ses_x.secret", false);
    expect(seen[0]?.body).toEqual({ name: "eve", invite: "ses_x.secret" });
    expect(keeping.identity("ses_x")?.user.name).toBe("eve");
    expect(keeping.identity("ses_y")).toBeNull();
    expect(keeping.identity(null)).toBeNull();
  });

  it("refreshes a token that is about to end before it is used", async () => {
    const keeping = new Keeping(new Drawer(), new Drawer());
    const old: Identity = {
      accessToken: "old",
      refreshToken: "r",
      expiresAtMs: 1500,
      user: { user_id: "gst_ada", name: "ada", kind: "guest" },
      sessionId: null,
    };
    keeping.keep(old, false);
    const passport: Passport = new Passport(
      keeping,
      async () => true,
      () => 1000,
      () => apiOver(new Client(fetcher, "/api", passport)),
    );
    answers = [json(200, tokens("ada"))];
    await passport.enter("ada", null, null, true);
    expect(passport.token()).toBe("token-ada");
  });

  it("may still change its name while nobody has met it, and stays who it is once it was in a room", async () => {
    const { passport } = build();
    answers = [json(201, tokens("linden")), json(201, tokens("ada"))];
    await passport.enter("linden", null, null, true);
    expect((await passport.enter("ada", null, null, true)).name).toBe("ada");
    passport.markEntered();
    expect((await passport.enter("ida", null, null, true)).user_id).toBe("gst_ada");
    answers = [json(200, tokens("ada"))];
    await passport.refresh();
    expect((await passport.enter("ida", null, null, true)).user_id).toBe("gst_ada");
  });

  it("does not fail where storage is denied", () => {
    const denied: Shelf = {
      getItem: () => {
        throw new Error("denied");
      },
      setItem: () => {
        throw new Error("denied");
      },
      removeItem: () => {
        throw new Error("denied");
      },
    };
    const keeping = new Keeping(denied, denied);
    expect(keeping.identity(null)).toBeNull();
    expect(() => keeping.keepProfile({ name: "A", color: "#ffffff" })).not.toThrow();
  });
});
