/** What only one tab of a browser may be at a time, by the Web Locks API; where there is none, everybody may. */

const WAIT_MS = 700;

/** Takes a name for as long as this page lives. A reload's old page may hold it for a moment: waits that long. */
export async function claim(name: string): Promise<boolean> {
  if (held.has(name)) return true;
  const { locks } = navigator;
  if (!locks) return true;
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), WAIT_MS);
  return new Promise((resolve) => {
    locks
      .request(`holodeck.${name}`, { signal: patience.signal }, () => {
        clearTimeout(timer);
        held.add(name);
        resolve(true);
        return new Promise(() => {});
      })
      .catch(() => resolve(false));
  });
}

const held = new Set<string>();

const TAB = "holodeck.tab";

/** The id of this tab: the same after a reload, another one in a duplicated tab. */
export async function tabId(shelf: Storage): Promise<string> {
  let known: string | null = null;
  try {
    known = shelf.getItem(TAB);
  } catch {
    // Denied: the tab has a new id with every load.
  }
  if (known && /^[a-z0-9]{8,16}$/.test(known) && (await claim(`tab.${known}`))) return known;
  const fresh = [...crypto.getRandomValues(new Uint8Array(12))]
    .map((byte) => (byte % 36).toString(36))
    .join("");
  try {
    shelf.setItem(TAB, fresh);
  } catch {
    // Denied, as above.
  }
  await claim(`tab.${fresh}`);
  return fresh;
}
