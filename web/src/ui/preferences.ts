/** How this browser shows rooms: remembered here, told to nobody. */

import { read, type Shelf, write } from "../identity/keeping";
import type { Quality } from "../scene/quality";
import { openDialog } from "./dialog";
import { field, h } from "./dom";

export interface Preferences {
  quality: Quality;
  labels: boolean;
  reducedMotion: boolean;
  figures: boolean;
  /** Peer connections through TURN and the media node only: nobody learns this page's network address. */
  hideAddress: boolean;
  realtime: Realtime;
}

/** Whether there are peer connections at all. */
export type Realtime = "auto" | "websocket";

type Flag = "labels" | "reducedMotion" | "figures" | "hideAddress";

const KEY = "holodeck.preferences";

export function loadPreferences(shelf: Shelf, prefersReduced: boolean): Preferences {
  const start: Preferences = {
    quality: "auto",
    labels: true,
    reducedMotion: prefersReduced,
    figures: false,
    hideAddress: false,
    realtime: "auto",
  };
  return { ...start, ...read<Partial<Preferences>>(shelf, KEY) };
}

export function openPreferences(
  now: Preferences,
  shelf: Shelf,
  onChange: (preferences: Preferences) => void,
): void {
  const current = { ...now };
  const changed = (): void => {
    write(shelf, KEY, current);
    onChange({ ...current });
  };
  const quality = h(
    "select",
    { testid: "quality-select" },
    ...(
      [
        ["auto", "Automatic"],
        ["low", "Low: saves power"],
        ["medium", "Medium"],
        ["high", "High: shadows, sharp edges"],
      ] as const
    ).map(([value, text]) => h("option", { attrs: { value, selected: value === now.quality } }, text)),
  );
  quality.addEventListener("change", () => {
    current.quality = quality.value as Quality;
    changed();
  });
  const realtime = h(
    "select",
    { testid: "realtime-select" },
    ...(
      [
        ["auto", "Automatic"],
        ["websocket", "WebSocket only"],
      ] as const
    ).map(([value, text]) => h("option", { attrs: { value, selected: value === now.realtime } }, text)),
  );
  realtime.addEventListener("change", () => {
    current.realtime = realtime.value as Realtime;
    changed();
  });
  const flag = (key: Flag, text: string): HTMLElement => {
    const box = h("input", {
      testid: `pref-${key}`,
      attrs: { type: "checkbox", role: "switch", checked: now[key] },
    });
    box.addEventListener("change", () => {
      current[key] = box.checked;
      changed();
    });
    return h("label", { class: "switch" }, h("span", {}, text), box);
  };
  openDialog(
    "Preferences",
    () => [
      h(
        "div",
        { class: "stack" },
        field("Picture quality", quality, "Automatic follows how fast your machine draws."),
        flag("labels", "Name plates"),
        flag("reducedMotion", "Reduce motion"),
        flag("figures", "Show live figures"),
        field("Realtime", realtime, "Automatic connects pages directly where it can."),
        flag("hideAddress", "Hide my network address (relay only)"),
      ),
    ],
    "preferences",
  );
}
