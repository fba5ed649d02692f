/**
 * Participants as they come to a room: guest, session, seat, ticket, WebSocket. REST by fetch, no library of ours: what is
 * measured here is measured from outside.
 */

import { WebSocket } from "ws";

const PROTOCOL = 1;

/** One call; throws what the server said where it refused. */
export async function call(url, method, path, token, body) {
  const response = await fetch(`${url}/api${path}`, {
    method,
    headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

export async function guest(url, name) {
  const { access_token, user } = await call(url, "POST", "/auth/guest", null, { name });
  return { name, token: access_token, userId: user.user_id };
}

/** A room of that person's, for so many. */
export async function room(url, owner, seats) {
  const body = { name: "Benchmark", max_participants: seats };
  return (await call(url, "POST", "/sessions", owner.token, body)).session_id;
}

/** Says that this page can be offered to; a room of many such gets a media node. */
function connectable(url, token, sessionId, tab) {
  const path = `/webrtc/sessions/${sessionId}/join`;
  call(url, "POST", path, token, { tab_id: tab }).catch((error) => process.stderr.write(`${error.message}\n`));
}

/**
 * Takes a seat and opens the WebSocket; `hear(message, characters)` gets everything that comes by it. With
 * `rtc` the page can be offered to. Resolves with `{ peerId, state, say, close }` once the room has let them in.
 */
export async function enter(url, person, sessionId, tab, { hear, epoch = Date.now(), rtc = true }) {
  await call(url, "POST", `/sessions/${sessionId}/join`, person.token, {});
  const body = { session_id: sessionId, tab_id: tab };
  const ticket = await call(url, "POST", "/auth/tickets", person.token, body);
  const address = new URL(ticket.url, url);
  address.protocol = address.protocol.replace("http", "ws");
  address.searchParams.set("ticket", ticket.ticket);
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(address, { perMessageDeflate: false });
    const say = (message) => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(message));
    socket.on("error", reject);
    socket.on("close", (code) => reject(new Error(`the room closed the connection: ${code}`)));
    socket.on("open", () => say({ type: "room.enter", protocol: PROTOCOL, epoch }));
    socket.on("message", (data) => {
      const message = JSON.parse(data);
      if (message.type === "room.state") {
        if (rtc) connectable(url, person.token, sessionId, tab);
        resolve({ peerId: ticket.peer_id, state: message, say, close: () => socket.terminate() });
      }
      hear(message, data.length);
    });
  });
}
