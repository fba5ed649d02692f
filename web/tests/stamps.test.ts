import { describe, expect, it } from "vitest";
import { FULL_PACE_MS, Outbox } from "../src/presence/outbox";

const moving = (n: number) => ({ pose: { position: [n, 0, 0], rotation: [0, 0, 0, 1] } as const });

describe("stamps of the own state", () => {
  it("are one for all carriers: what a channel has just sent, the WebSocket sends too", () => {
    const outbox = new Outbox(9);
    outbox.offer(moving(1));
    const told = outbox.stamps.take(1000, 0);
    outbox.offer(moving(2));
    expect(outbox.poll(1010)).toBe(told);
    expect(outbox.stamps.take(1050, 0)).toMatchObject({ epoch: 9, counter: 2, state: moving(2) });
  });

  it("go out in the end by the WebSocket too, each of its own under a greater counter", () => {
    const outbox = new Outbox(9);
    outbox.offer(moving(1));
    const counters = [outbox.poll(0)?.counter];
    for (let now = 10; now < 5000; now += 10) {
      if (now < 2000) outbox.offer(moving(now));
      if (now % 50 === 0) outbox.stamps.take(now, 0);
      const update = outbox.poll(now);
      if (!update) continue;
      counters.push(update.counter);
      if (now > 2200) outbox.echoed(9, update.counter, now);
    }
    expect(outbox.wakeAt()).toBeNull();
    expect(counters.every((counter, n) => n === 0 || Number(counter) > Number(counters[n - 1]))).toBe(true);
    expect(outbox.stamps.told).toBe(outbox.stamps.text);
  });

  it("are as good for a new connection, soon, however slow the pace is", () => {
    const outbox = new Outbox(9);
    outbox.pace(10_000);
    outbox.offer(moving(1));
    const first = outbox.poll(0);
    outbox.echoed(9, first?.counter ?? 0, 50);
    outbox.offer(moving(2));
    expect(outbox.wakeAt()).toBe(10_000);
    outbox.reset();
    expect(outbox.wakeAt()).toBe(FULL_PACE_MS);
    expect(outbox.poll(FULL_PACE_MS)).toMatchObject({ counter: 2 });
    outbox.pace(FULL_PACE_MS);
    outbox.offer(moving(3));
    expect(outbox.wakeAt()).toBe(2 * FULL_PACE_MS);
  });
});
