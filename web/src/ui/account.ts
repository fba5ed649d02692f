/** Signing in, signing up, and confirming an address: three small forms in one dialog. */

import type { Api } from "../wire/api";
import { ApiError } from "../wire/client";
import { LIMITS, type User } from "../wire/generated";
import { openDialog } from "./dialog";
import { busy, button, field, fill, h } from "./dom";

type Form = "in" | "up" | "confirm";

export interface AccountPorts {
  api: Api;
  logIn(email: string, password: string): Promise<User>;
  onSignedIn(user: User): void;
}

export function openAccount(ports: AccountPorts, first: Form = "in"): void {
  const email = input("email", "email", "email", LIMITS.EMAIL_CHARS);
  const password = input("password", "password", "current-password", LIMITS.PASSWORD_CHARS);
  const name = input("account-name", "text", "name", LIMITS.NAME_CHARS);
  const code = input("code", "text", "one-time-code", 12);
  const error = h("p", { class: "form-error", testid: "account-error", attrs: { role: "alert" } });
  const body = h("div", {});
  let close: () => void = () => {};

  const show = (form: Form, note = ""): void => {
    error.textContent = "";
    const submit = h("button", {
      class: "button primary",
      testid: "account-submit",
      attrs: { type: "submit" },
    });
    submit.textContent = { in: "Sign in", up: "Create account", confirm: "Confirm" }[form];
    password.autocomplete = form === "up" ? "new-password" : "current-password";
    const element = h(
      "form",
      { class: "stack", attrs: { novalidate: true } },
      note ? h("p", { class: "note" }, note) : null,
      form === "up" ? field("Name", name) : null,
      field("E-mail", email),
      form === "confirm" ? field("Confirmation code", code, "It was sent to your address.") : null,
      form === "confirm" && password.value
        ? null
        : field(
            "Password",
            password,
            form === "up" ? `At least ${LIMITS.PASSWORD_CHARS_MIN} characters.` : undefined,
          ),
      error,
      h("div", { class: "actions" }, ...others(form), submit),
    );
    element.addEventListener("submit", (event) => {
      event.preventDefault();
      void busy(submit, () => run(form));
    });
    fill(body, element);
    element.querySelector("input")?.focus();
  };

  const others = (form: Form): HTMLElement[] =>
    form === "in"
      ? [button("New here? Create an account", () => show("up"), { kind: "quiet", testid: "to-signup" })]
      : [button("I have an account", () => show("in"), { kind: "quiet", testid: "to-signin" })];

  const enter = async (): Promise<void> => {
    const user = await ports.logIn(email.value.trim(), password.value);
    close();
    ports.onSignedIn(user);
  };

  const run = async (form: Form): Promise<void> => {
    try {
      if (form === "up") {
        const body = { email: email.value.trim(), password: password.value, name: name.value.trim() };
        const made = await ports.api.signUp(body);
        if (!made.confirmed) return show("confirm", "Almost there: confirm your address.");
      }
      if (form === "confirm") await ports.api.confirm({ email: email.value.trim(), code: code.value.trim() });
      await enter();
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.code === "account.unconfirmed") {
        show("confirm", "Confirm your address first.");
      } else {
        error.textContent = thrown instanceof Error ? thrown.message : "That did not work.";
      }
    }
  };

  close = openDialog("Your account", () => [body], "account");
  show(first);
}

function input(testid: string, type: string, autocomplete: string, maxlength: number): HTMLInputElement {
  return h("input", { testid: `${testid}-input`, attrs: { type, autocomplete, maxlength, required: true } });
}
