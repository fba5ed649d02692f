/** Fields of the voice panel beside those of properties: a switch, and a choice of few that are all seen. */

import { freshId, h } from "./dom";
import type { Follower } from "./fields";

/** On or off, with what it means. */
export function switchField(
  label: string,
  testid: string,
  onChange: (on: boolean) => void,
  hint?: string,
): Follower<boolean> {
  const box = h("input", { testid, attrs: { type: "checkbox", role: "switch" } });
  box.addEventListener("change", () => onChange(box.checked));
  const more = hint ? h("span", { class: "hint", id: freshId("hint") }, hint) : null;
  if (more) box.setAttribute("aria-describedby", more.id);
  return {
    element: h("label", { class: "switch" }, h("span", { class: "switch-words" }, label, more), box),
    show(on, enabled) {
      box.disabled = !enabled;
      box.checked = on;
    },
  };
}

/** One of a few. */
export interface Segment<T extends string> {
  value: T;
  label: string;
}

/** A row of choices; `hintOf` says below what the chosen one means. */
export function segmentsField<T extends string>(
  label: string,
  testid: string,
  segments: readonly Segment<T>[],
  onChange: (value: T) => void,
  hintOf?: (value: T) => string,
): Follower<T> {
  const group = freshId("segments");
  const hint = h("p", { class: "hint", id: freshId("hint") });
  hint.hidden = hintOf === undefined;
  const tell = (value: T): void => {
    hint.textContent = hintOf?.(value) ?? "";
  };
  const radios = segments.map(({ value }) => {
    const radio = h("input", {
      testid: `${testid}-${value}`,
      attrs: { type: "radio", name: group, value, "aria-describedby": hintOf ? hint.id : null },
    });
    radio.addEventListener("change", () => {
      tell(value);
      onChange(value);
    });
    return radio;
  });
  return {
    element: h(
      "fieldset",
      { class: "field" },
      h("legend", {}, label),
      h(
        "div",
        { class: "segments" },
        ...radios.map((radio, at) =>
          h("label", { class: "segment" }, radio, h("span", {}, segments[at]?.label ?? "")),
        ),
      ),
      hint,
    ),
    show(value, enabled) {
      for (const radio of radios) {
        radio.disabled = !enabled;
        radio.checked = radio.value === value;
      }
      tell(value);
    },
  };
}

/** A number on a slider that follows the hand at once, with words for it. */
export function liveSlider(
  label: string,
  testid: string,
  [low, high, step]: readonly [number, number, number],
  wordsOf: (value: number) => string,
  onInput: (value: number) => void,
): Follower<number> {
  const id = freshId("slider");
  const input = h("input", { id, testid, attrs: { type: "range", min: low, max: high, step } });
  const output = h("output", { attrs: { for: id } });
  const paint = (value: number): void => {
    const words = wordsOf(value);
    output.textContent = words;
    input.setAttribute("aria-valuetext", words);
    input.style.setProperty("--done", `${((value - low) / (high - low)) * 100}%`);
  };
  input.addEventListener("input", () => {
    paint(Number(input.value));
    onInput(Number(input.value));
  });
  return {
    element: h(
      "div",
      { class: "field live-slider" },
      h("div", { class: "slider-head" }, h("label", { attrs: { for: id } }, label), output),
      input,
    ),
    show(value, enabled) {
      input.disabled = !enabled;
      if (Number(input.value) !== value) input.value = String(value);
      paint(value);
    },
  };
}
