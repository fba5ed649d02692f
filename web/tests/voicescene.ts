/** A room of pages that may be in voice, and two that are. */

import type { PeerId } from "../src/wire/generated";
import { Town } from "./peersworld";
import { FakeVoiceRoom, Talker } from "./voiceworld";

export interface Scene {
  town: Town;
  room: FakeVoiceRoom;
  talkers: Map<PeerId, Talker>;
  come(id: string): Talker;
}

export function scene(seed = 1): Scene {
  const town = new Town(seed);
  const room = new FakeVoiceRoom();
  const talkers = new Map<PeerId, Talker>();
  return { town, room, talkers, come: (id) => new Talker(town.come(id), room, talkers) };
}

/** Two pages that are connected, and in voice. */
export async function pair(): Promise<Scene & { ada: Talker; bob: Talker }> {
  const made = scene();
  const [ada, bob] = [made.come("ada.1"), made.come("bob.1")];
  await made.town.world.pass(4000);
  for (const one of [ada, bob]) void one.voice.join();
  await made.town.world.pass(1500);
  return { ...made, ada, bob };
}
