/** Fields of the property panel: they show what is, unless a hand is in them, and say what it becomes. */

import { field, freshId, h } from "./dom";

/** A field that follows a value. */
export interface Follower<T> {
  readonly element: HTMLElement;
  /** Shows a value, unless somebody types here now. */
  show(value: T, enabled: boolean): void;
}

/** A line of text; `onChange` when it is left or confirmed. */
export function lineField(
  label: string,
  testid: string,
  most: number,
  onChange: (value: string) => void,
): Follower<string> {
  const input = h("input", { testid, attrs: { type: "text", maxlength: most, spellcheck: "false" } });
  let shown = "";
  commits(
    input,
    () => {
      const value = input.value.trim();
      if (value !== shown && value !== "") onChange(value);
    },
    () => shown,
  );
  return {
    element: field(label, input),
    show(value, enabled) {
      shown = value;
      input.disabled = !enabled;
      if (document.activeElement !== input) input.value = value;
    },
  };
}

/** Numbers side by side. A step up or down, Enter, or leaving a field changes it. */
export function numbersField(
  label: string,
  testid: string,
  names: readonly string[],
  step: number,
  onChange: (values: number[]) => void,
): Follower<readonly number[]> {
  let shown: readonly number[] = [];
  const inputs = names.map((name, at) => {
    const input = h("input", {
      testid: `${testid}-${name.toLowerCase()}`,
      attrs: { type: "number", step, "aria-label": `${label} ${name}`, inputmode: "decimal" },
    });
    const read = (): void => {
      const value = Number(input.value);
      if (input.value === "" || !Number.isFinite(value) || text(value) === text(shown[at] ?? 0)) return;
      onChange(shown.map((old, other) => (other === at ? value : old)));
    };
    commits(input, read, () => text(shown[at] ?? 0));
    return input;
  });
  const element = h(
    "div",
    { class: "field numbers", attrs: { role: "group", "aria-label": label } },
    h("span", { class: "numbers-label" }, label),
    h(
      "div",
      { class: "numbers-row" },
      ...inputs.map((input, at) =>
        h(
          "label",
          { class: `axis axis-${(names[at] ?? "").toLowerCase()}` },
          h("i", {}, names[at] ?? ""),
          input,
        ),
      ),
    ),
  );
  return {
    element,
    show(values, enabled) {
      shown = values;
      inputs.forEach((input, at) => {
        input.disabled = !enabled;
        if (document.activeElement !== input) input.value = text(values[at] ?? 0);
      });
    },
  };
}

/** A number on a slider; `onChange` when it is let go. */
export function sliderField(
  label: string,
  testid: string,
  [low, high, step]: readonly [number, number, number],
  onChange: (value: number) => void,
): Follower<number> {
  const input = h("input", { testid, attrs: { type: "range", min: low, max: high, step } });
  const output = h("output", {});
  let dragging = false;
  input.addEventListener("input", () => {
    dragging = true;
    output.textContent = input.value;
  });
  input.addEventListener("change", () => {
    dragging = false;
    onChange(Number(input.value));
  });
  const element = field(label, input);
  element.classList.add("slider");
  element.append(output);
  return {
    element,
    show(value, enabled) {
      input.disabled = !enabled;
      if (dragging) return;
      input.value = String(value);
      output.textContent = text(value);
    },
  };
}

/** A colour: a few to choose from, or any. */
export function colorField(
  label: string,
  testid: string,
  offered: readonly string[],
  onChange: (value: string) => void,
): Follower<string> {
  const group = freshId("colour");
  const any = h("input", { testid, attrs: { type: "color", "aria-label": `${label}: any` } });
  any.addEventListener("change", () => onChange(any.value.toLowerCase()));
  const radios = offered.map((value) => {
    const radio = h("input", {
      attrs: { type: "radio", name: group, value, "aria-label": `${label} ${value}` },
    });
    radio.addEventListener("change", () => onChange(value));
    return radio;
  });
  const element = h(
    "fieldset",
    { class: "field" },
    h("legend", {}, label),
    h(
      "div",
      { class: "color-row" },
      ...radios.map((radio) => h("label", { class: "swatch", style: { "--person": radio.value } }, radio)),
      h("label", { class: "any-color" }, any),
    ),
  );
  return {
    element,
    show(value, enabled) {
      any.disabled = !enabled;
      any.value = value;
      for (const radio of radios) {
        radio.disabled = !enabled;
        radio.checked = radio.value === value;
      }
    },
  };
}

/** A choice from a list that may be another each time. */
export function choiceField(
  label: string,
  testid: string,
  onChange: (value: string) => void,
): Follower<{ chosen: string; options: readonly (readonly [string, string])[] }> {
  const select = h("select", { testid });
  let key = "";
  select.addEventListener("change", () => onChange(select.value));
  return {
    element: field(label, select),
    show({ chosen, options }, enabled) {
      select.disabled = !enabled;
      const next = JSON.stringify(options);
      if (next !== key) {
        key = next;
        select.replaceChildren(...options.map(([value, name]) => h("option", { attrs: { value } }, name)));
      }
      select.value = chosen;
    },
  };
}

function commits(input: HTMLInputElement, commit: () => void, back: () => string): void {
  input.addEventListener("change", commit);
  input.addEventListener("blur", () => {
    input.value = back();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") input.blur();
    if (event.key !== "Escape") return;
    event.stopPropagation();
    input.value = back();
    input.blur();
  });
}

function text(value: number): string {
  return String(Math.round(value * 1000) / 1000 || 0);
}
