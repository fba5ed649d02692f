/** Leaving a room: stepping out, or giving up one's seat. */

import type { Role } from "../wire/generated";
import { ask } from "./dialog";
import type { Toasts } from "./toasts";

function askHowToLeave(role: Role): Promise<"giveup" | "out" | null> {
  const owner = role === "owner";
  const text = owner
    ? "Step out and the room stays yours. Give it up and the next in line owns it; where nobody is left, it ends."
    : "Step out and you may come back as you are. Give up your seat and you are no longer a member.";
  return ask("Leave the room?", text, [
    { value: "giveup", label: owner ? "Give it up" : "Give up my seat", danger: true },
    { value: "out", label: "Step out" },
  ]);
}

/** Asks, and gives up the seat where that was the answer; whether to leave now. */
export async function leaves(role: Role, giveUp: () => Promise<unknown>, toasts: Toasts): Promise<boolean> {
  const answer = await askHowToLeave(role);
  if (answer !== "giveup") return answer === "out";
  try {
    await giveUp();
    return true;
  } catch (thrown) {
    toasts.problem(thrown, "You are still a member.");
    return false;
  }
}
