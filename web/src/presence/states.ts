/**
 * The life of a page's connection to a room, as a table: every transition there is.
 *
 * `connecting` walks the steps below; `renewing` walks them beside a connection that still serves, so that the 2 h
 * limit of a connection is never felt. An event that a state does not name changes nothing.
 */

export type State = "idle" | "connecting" | "live" | "renewing" | "waiting" | "offline" | "over";

export type Event =
  | "start" /* the person wants in, or wants in again */
  | "entered" /* room.state came on the new connection */
  | "failed" /* a step went wrong in a way that waiting may cure */
  | "refused" /* the room does not want us: ended, full, banned, removed */
  | "dropped" /* the serving connection closed or fell silent */
  | "unseated" /* the seat went to somebody else meanwhile */
  | "renew" /* the serving connection grows old */
  | "retry" /* the pause is over */
  | "online"
  | "offline"
  | "stop"; /* the person leaves */

export const TRANSITIONS: Record<State, Partial<Record<Event, State>>> = {
  idle: { start: "connecting", stop: "over" },
  connecting: { entered: "live", failed: "waiting", refused: "over", offline: "offline", stop: "over" },
  live: {
    dropped: "waiting",
    unseated: "connecting",
    renew: "renewing",
    refused: "over",
    offline: "offline",
    stop: "over",
  },
  renewing: {
    entered: "live",
    failed: "live",
    dropped: "connecting",
    unseated: "connecting",
    refused: "over",
    offline: "offline",
    stop: "over",
  },
  waiting: { retry: "connecting", online: "connecting", offline: "offline", refused: "over", stop: "over" },
  offline: { online: "connecting", retry: "connecting", refused: "over", stop: "over" },
  over: { start: "connecting" },
};

export function next(state: State, event: Event): State {
  return TRANSITIONS[state][event] ?? state;
}

/** The steps of one attempt, each with the one after it. `entering` opens the socket and enters the room. */
export type Step = "joining" | "ticketing" | "entering" | "done";

export const STEPS: Record<Step, { done: Step; unseated: Step }> = {
  joining: { done: "ticketing", unseated: "joining" },
  ticketing: { done: "entering", unseated: "joining" },
  entering: { done: "done", unseated: "joining" },
  done: { done: "done", unseated: "joining" },
};
