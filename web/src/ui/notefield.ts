/** The text of a note, as a field that several people write in at once: what others write comes in around the caret. */

import { Draft } from "../edit/draft";
import { LIMITS, type TextEdit } from "../wire/generated";
import { h } from "./dom";

/** What is typed is sent together, at most so late. */
const SEND_AFTER_MS = 250;

/** What the field does with what is typed. */
export interface NotePorts {
  /** The text was edited here. */
  onEdit(edit: TextEdit): void;
  undo(): void;
  redo(): void;
}

/** One text area on one shared text. */
export class NoteField {
  readonly input = h("textarea", {
    class: "note-text",
    testid: "note-text",
    attrs: { rows: 7, maxlength: LIMITS.TEXT_CHARS, placeholder: "Write something…" },
  });
  private draft: Draft;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private composing = false;

  constructor(
    text: string,
    private readonly ports: NotePorts,
  ) {
    this.draft = new Draft(text);
    this.input.value = text;
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("blur", () => this.send());
    this.input.addEventListener("compositionstart", () => {
      this.composing = true;
    });
    this.input.addEventListener("compositionend", () => {
      this.composing = false;
      this.typed();
    });
    this.input.addEventListener("keydown", (event) => this.key(event));
  }

  /** The shared text is this now. */
  came(text: string): void {
    // While a character is being composed the field belongs to the keyboard; it catches up afterwards.
    if (this.composing) return;
    const { selectionStart: start, selectionEnd: end, value, scrollTop } = this.input;
    this.draft.typed({ value, start, end });
    if (!this.draft.came(text)) return;
    const { field } = this.draft;
    this.input.value = field.value;
    if (document.activeElement === this.input) this.input.setSelectionRange(field.start, field.end);
    this.input.scrollTop = scrollTop;
  }

  /** Sends what waits, now. */
  send(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    const edit = this.draft.take();
    if (edit) this.ports.onEdit(edit);
    if (this.input.value !== this.draft.field.value) this.input.value = this.draft.field.value;
  }

  private typed(): void {
    if (this.composing) return;
    const { value, selectionStart: start, selectionEnd: end } = this.input;
    this.draft.typed({ value, start, end });
    if (this.draft.waits) this.timer ??= setTimeout(() => this.send(), SEND_AFTER_MS);
  }

  /** The browser's own undo knows nothing of what others wrote. */
  private key(event: KeyboardEvent): void {
    event.stopPropagation();
    if (event.key === "Escape") this.input.blur();
    const key = event.key.toLowerCase();
    if (!(event.ctrlKey || event.metaKey) || (key !== "z" && key !== "y")) return;
    event.preventDefault();
    this.send();
    if (key === "y" || event.shiftKey) this.ports.redo();
    else this.ports.undo();
  }
}
