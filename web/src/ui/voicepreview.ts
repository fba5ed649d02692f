/** Before joining voice: try the microphone, choose how to talk, and come in to speak or to listen. */

import type { RoomVoice } from "../voice/types";
import { openDialog } from "./dialog";
import { busy, button, h } from "./dom";
import { icon } from "./icons";
import type { Beat } from "./voicemeter";
import { VoiceSetup } from "./voicesetup";

/** Opens it. `onJoin` joins; a rejection is told by whoever gave it. */
export function openVoicePreview(
  voice: RoomVoice,
  beat: Beat,
  onJoin: (listening: boolean) => Promise<void>,
): void {
  const setup = new VoiceSetup(voice, beat);
  let joining = false;
  openDialog(
    "Voice",
    (close) => {
      const join = async (listening: boolean): Promise<void> => {
        joining = true;
        if (listening) voice.microphone.close();
        await onJoin(listening);
        close();
      };
      const speak: HTMLButtonElement = button(
        h("span", {}, "Join voice"),
        () => void busy(speak, () => join(false)),
        { kind: "primary", testid: "voice-join-speaker", attrs: { autofocus: true } },
      );
      speak.prepend(icon("mic", 19));
      const listen: HTMLButtonElement = button(
        h("span", {}, "Only listen"),
        () => void busy(listen, () => join(true)),
        { testid: "voice-join-listener" },
      );
      listen.prepend(icon("headphones", 19));
      return [
        h("p", { class: "note" }, "You hear people from where they stand. Nobody hears you before you join."),
        setup.microphone,
        setup.talking,
        setup.speaker,
        h("div", { class: "actions voice-ready" }, listen, speak),
      ];
    },
    "voice-preview",
    () => {
      setup.close();
      if (joining) return;
      voice.microphone.close();
      void voice.sound.stop();
    },
  );
  setup.open();
  void voice.microphone.open();
}
