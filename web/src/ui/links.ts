/** Addresses of rooms. An invite's secret stays in the fragment: browsers never send that to a server. Pure. */

export type Route = { page: "lobby" } | { page: "room"; sessionId: string; invite: string | null };

const SESSION = /^ses_[a-z0-9]{20}$/;
const INVITE = /^ses_[a-z0-9]{20}\.[A-Za-z0-9_-]{22}$/;

export function parseRoute(path: string, fragment: string): Route {
  const found = /^\/r\/([^/]+)\/?$/.exec(path);
  if (!found?.[1]) return { page: "lobby" };
  const invite = new URLSearchParams(fragment.replace(/^#/, "")).get("invite");
  return {
    page: "room",
    sessionId: found[1],
    invite: invite && INVITE.test(invite) ? invite : null,
  };
}

export function pathOf(sessionId: string, invite: string | null): string {
  return `/r/${sessionId}${invite ? `#invite=${invite}` : ""}`;
}

/** What a person may paste: a link, its path, a room's id, or an invite code alone. */
export function parsePasted(text: string): Route {
  const trimmed = text.trim();
  if (INVITE.test(trimmed)) return { page: "room", sessionId: trimmed.split(".")[0] ?? "", invite: trimmed };
  if (SESSION.test(trimmed)) return { page: "room", sessionId: trimmed, invite: null };
  try {
    const url = new URL(trimmed, "http://holodeck.invalid");
    return parseRoute(url.pathname, url.hash);
  } catch {
    return { page: "lobby" };
  }
}
