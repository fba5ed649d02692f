/** Audio devices as values: what there is to choose from, what an error means, what a change of them asks for. */

import type { Device, MicrophoneNotice, MicrophoneSettings, MicrophoneState } from "./types";

/** Chromium's names for "whatever the system uses": here that is null. */
const ALIASES = new Set(["", "default", "communications"]);

export function devicesOf(listed: readonly MediaDeviceInfo[], kind: MediaDeviceKind): Device[] {
  return listed
    .filter((device) => device.kind === kind && !ALIASES.has(device.deviceId))
    .map(({ deviceId, label }) => ({ id: deviceId, label }));
}

export function constraintsOf({ deviceId, processing }: MicrophoneSettings): MediaTrackConstraints {
  return {
    ...(deviceId ? { deviceId: { exact: deviceId } } : {}),
    channelCount: 1,
    echoCancellation: processing.echo,
    noiseSuppression: processing.noise === "browser",
    autoGainControl: processing.gain,
  };
}

/** Whether another capture is needed for them: browsers apply these when they open a device. */
export function sameCapture(a: MicrophoneSettings, b: MicrophoneSettings): boolean {
  return JSON.stringify(constraintsOf(a)) === JSON.stringify(constraintsOf(b));
}

/** What getUserMedia's errors mean (Media Capture and Streams, section 10.3.1, and what browsers make of it). */
export function stateOf(thrown: unknown): MicrophoneState {
  switch (thrown instanceof Error || thrown instanceof DOMException ? thrown.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotFoundError":
    case "OverconstrainedError":
      return "none";
    default:
      return "busy";
  }
}

/** The chosen one is not there: the system's may be. */
export function isMissing(thrown: unknown): boolean {
  return stateOf(thrown) === "none";
}

/** What to say once the devices are others: the chosen one is back, or what was said of it is no longer so. */
export function noticeOf(
  chosenId: string | null,
  usedId: string | null,
  inputs: readonly Device[],
  now: MicrophoneNotice | null,
): MicrophoneNotice | null {
  const device = inputs.find(({ id }) => id === chosenId);
  if (device && device.id !== usedId) return { kind: "returned", device };
  return now?.kind === "returned" ? null : now;
}
