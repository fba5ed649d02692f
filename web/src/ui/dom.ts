/** Elements without a framework. Whatever a person typed becomes text, never HTML; styles are set through the CSSOM. */

export type Child = Node | string | null | undefined | false;

export interface Props {
  class?: string;
  id?: string;
  testid?: string;
  style?: Record<string, string>;
  attrs?: Record<string, string | number | boolean | null | undefined>;
  on?: Partial<{ [K in keyof HTMLElementEventMap]: (event: HTMLElementEventMap[K]) => void }>;
}

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (props.class) element.className = props.class;
  if (props.id) element.id = props.id;
  if (props.testid) element.dataset.testid = props.testid;
  for (const [name, value] of Object.entries(props.style ?? {})) element.style.setProperty(name, value);
  for (const [name, value] of Object.entries(props.attrs ?? {})) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined)
      element.setAttribute(name, String(value));
  }
  for (const [kind, call] of Object.entries(props.on ?? {})) {
    element.addEventListener(kind, call as EventListener);
  }
  fill(element, ...children);
  return element;
}

/** Replaces what an element holds. */
export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren(...children.filter((child): child is Node | string => Boolean(child)));
}

/** Writes an element's words, where they are others. */
export function put(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag: string, attrs: Record<string, string | number>, ...children: Element[]): SVGElement {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attrs)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

let ids = 0;

/** An id that no other element has. */
export function freshId(prefix: string): string {
  ids += 1;
  return `${prefix}-${ids}`;
}

/** A labelled field. */
export function field(label: string, control: HTMLElement, hint?: string): HTMLElement {
  control.id ||= freshId("field");
  const more = hint ? h("span", { class: "hint", id: `${control.id}-hint` }, hint) : null;
  if (more) control.setAttribute("aria-describedby", more.id);
  return h("div", { class: "field" }, h("label", { attrs: { for: control.id } }, label), control, more);
}

export function button(
  text: Child,
  onClick: () => void,
  props: Props & { kind?: "primary" | "quiet" | "danger" | "plain" } = {},
): HTMLButtonElement {
  const { kind = "plain", ...rest } = props;
  const made = h(
    "button",
    { ...rest, class: `button ${kind} ${rest.class ?? ""}`.trim(), attrs: { type: "button", ...rest.attrs } },
    text,
  );
  made.addEventListener("click", () => onClick());
  return made;
}

/** Runs work for a button: it is busy meanwhile, and cannot be pressed twice. */
export async function busy<T>(control: HTMLButtonElement, work: () => Promise<T>): Promise<T | undefined> {
  if (control.disabled) return undefined;
  control.disabled = true;
  control.setAttribute("aria-busy", "true");
  try {
    return await work();
  } finally {
    control.disabled = false;
    control.removeAttribute("aria-busy");
  }
}
