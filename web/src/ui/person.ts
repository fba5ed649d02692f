/** How people look in lists: a disc with their initials, a colour, a role. And choosing a name and colour. */

import type { Profile } from "../identity/keeping";
import { LIMITS, type Role } from "../wire/generated";
import { field, freshId, h } from "./dom";

export const PALETTE = [
  "#e5484d",
  "#f76b15",
  "#ffb224",
  "#46a758",
  "#12a594",
  "#0090ff",
  "#6e56cf",
  "#e93d82",
] as const;

const NAMES = ["Aster", "Juniper", "Marlow", "Sable", "Wren", "Indigo", "Cleo", "Rowan", "Linden", "Vesper"];

export const ROLE_TEXT: Record<Role, string> = {
  owner: "Owner",
  editor: "Editor",
  viewer: "Viewer",
  guest: "Guest",
};

/** "an editor", "a viewer". */
export function aRole(role: Role): string {
  const word = ROLE_TEXT[role].toLowerCase();
  return `${/^[aeiou]/.test(word) ? "an" : "a"} ${word}`;
}

export function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters
    .map((word) => [...(word ?? "")][0] ?? "")
    .join("")
    .toUpperCase();
}

export function disc(name: string, color: string, online = true): HTMLElement {
  return h(
    "span",
    {
      class: `disc ${online ? "" : "offline"}`,
      style: { "--person": color },
      attrs: { "aria-hidden": "true" },
    },
    initials(name),
  );
}

/** Somebody new: a friendly name and a colour that is not `taken`; `random` in [0, 1). */
export function freshProfile(random: () => number, taken?: string): Profile {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  return { name: pick(NAMES), color: pick(PALETTE.filter((color) => color !== taken)) };
}

/** What the service takes for a name, or null where nothing is left of it. */
export function cleanName(typed: string): string | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
  const name = typed.replace(/[\u0000-\u001f\u007f]/g, " ").trim();
  return name ? [...name].slice(0, LIMITS.NAME_CHARS).join("") : null;
}

export interface ProfileForm {
  element: HTMLElement;
  /** Null, and the field is marked, where there is no name. */
  value(): Profile | null;
}

export function profileForm(start: Profile, onChange: (profile: Profile) => void = () => {}): ProfileForm {
  let color = start.color;
  const name = h("input", {
    testid: "name-input",
    attrs: {
      type: "text",
      name: "name",
      maxlength: LIMITS.NAME_CHARS,
      autocomplete: "nickname",
      spellcheck: "false",
      required: true,
    },
  });
  name.value = start.name;
  const preview = h("div", { class: "profile-preview" }, disc(start.name, color));
  const current = (): Profile | null => {
    const clean = cleanName(name.value);
    name.setAttribute("aria-invalid", String(clean === null));
    return clean ? { name: clean, color } : null;
  };
  const changed = (): void => {
    const profile = current();
    preview.replaceChildren(disc(profile?.name ?? "?", color));
    if (profile) onChange(profile);
  };
  name.addEventListener("input", changed);
  const group = freshId("colours");
  const options = [...new Set([start.color, ...PALETTE])].slice(0, PALETTE.length);
  const swatches = options.map((value, n) => {
    const radio = h("input", {
      attrs: { type: "radio", name: group, value, checked: value === color, "aria-label": `Colour ${n + 1}` },
    });
    radio.addEventListener("change", () => {
      color = value;
      changed();
    });
    return h(
      "label",
      { class: "swatch", style: { "--person": value }, testid: `color-${value.slice(1)}` },
      radio,
    );
  });
  const element = h(
    "div",
    { class: "profile-form" },
    preview,
    field("Your name", name),
    h(
      "fieldset",
      { class: "swatches" },
      h("legend", {}, "Your colour"),
      h("div", { class: "swatch-row" }, ...swatches),
    ),
  );
  return { element, value: current };
}
