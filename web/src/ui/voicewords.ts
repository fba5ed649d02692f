/** What voice says to a person: the state of their microphone, what asks for an answer, what others do. Pure. */

import type {
  MicrophoneNotice,
  MicrophoneState,
  OwnView,
  PersonView,
  TalkingMode,
  VoiceCarrier,
  VoiceView,
} from "../voice/types";
import { LIMITS, type Speakers, type VoiceChannel } from "../wire/generated";
import { plural } from "./format";
import type { IconName } from "./icons";
import { recordedChannel } from "./recordingwords";

/** How the own voice is at the moment, in few words. */
export interface OwnWords {
  icon: IconName;
  /** `live`: heard as soon as one speaks; `quiet`: not heard, by choice; `bad`: not heard, by something else. */
  tone: "live" | "quiet" | "bad";
  title: string;
  /** The same where there is little room. */
  short: string;
  /** What it means or what to do about it. */
  hint: string;
}

type Trouble = Pick<OwnWords, "title" | "short" | "hint">;

/** What is so for who is in voice, whatever their microphone does. */
const HEARS = "You hear the others.";

const MICROPHONE: Partial<Record<MicrophoneState, Trouble>> = {
  denied: {
    title: "Microphone not allowed",
    short: "Not allowed",
    hint: "To speak, allow the microphone beside the page's address, then try again.",
  },
  none: {
    title: "No microphone found",
    short: "No microphone",
    hint: "To speak, plug a microphone in, then try again.",
  },
  busy: {
    title: "Microphone in use",
    short: "In use",
    hint: "Another program has the microphone: close it there, then try again.",
  },
  ended: {
    title: "Microphone is gone",
    short: "Mic gone",
    hint: "Plug it in again or choose another one, then try again.",
  },
  insecure: {
    title: "Microphone needs https",
    short: "No https",
    hint: "Browsers give microphones only to pages whose address begins with https.",
  },
};

/** What the system did to the microphone by itself, with what one may do about it. */
export function deviceWords(notice: MicrophoneNotice): { text: string; use: boolean } {
  switch (notice.kind) {
    case "fell_back":
      return { text: `${notice.label || "Your microphone"} is gone. The system's own is used.`, use: false };
    case "returned":
      return { text: `${notice.device.label || "Your microphone"} is there again.`, use: true };
    case "kept":
      return {
        text: `That one could not be opened. ${notice.label || "The other one"} is still used.`,
        use: false,
      };
    case "plain":
      return { text: "Strong noise suppression could not be loaded. The browser's is used.", use: false };
    default:
      return notice satisfies never;
  }
}

/** What became of the chosen speaker: `before` and `gone` are the ids of one that is not there, told and now. Null where there is nothing to tell. */
export function outputWords(
  before: string | null,
  gone: string | null,
  chosen: string | null,
): string | null {
  if (gone === before) return null;
  if (gone !== null) return "The speaker that you chose is not there. The system's own is used.";
  return before === chosen ? "The speaker that you chose is used again." : null;
}

/** What is wrong with a microphone, and what to do; null where nothing is. */
export function microphoneTrouble(state: MicrophoneState): Trouble | null {
  return MICROPHONE[state] ?? null;
}

/** The own state, the most important thing first. */
export function ownWords({
  own,
  settings,
  people,
}: Pick<VoiceView, "own" | "settings" | "people">): OwnWords {
  const quiet = (title: string, short: string, hint: string): OwnWords => ({
    icon: "micOff",
    tone: "quiet",
    title,
    short,
    hint,
  });
  const trouble = microphoneTrouble(own.microphone);
  if (own.microphone === "asking")
    return quiet("Asking for the microphone", "Asking", "Your browser asks whether this page may use it.");
  if (own.muted) {
    const hint = "Nobody hears you until you are allowed to speak again. Raise your hand to ask for it.";
    return { icon: "micOff", tone: "bad", title: "Muted by a moderator", short: "Silenced", hint };
  }
  if (trouble) return { icon: "micOff", tone: "bad", ...trouble, hint: `${HEARS} ${trouble.hint}` };
  if (own.listening) return quiet("Listening only", "Listening", `${HEARS} Turn the microphone on to speak.`);
  if (own.selfMuted) return quiet("Muted", "Muted", "Nobody hears you.");
  if (own.silentBecause !== null) return quiet("You only listen here", "Listening", own.silentBecause);
  return liveWords(own, settings.talking.mode, heardWords(people));
}

/** Who hears one that speaks. */
function heardWords(people: VoiceView["people"]): string {
  if (people.length === 0) return "Nobody else is in voice to hear you.";
  return people.some(({ audible }) => audible) ? "The others near you hear you." : "Nobody hears you here.";
}

function liveWords({ held, speaking }: OwnView, mode: TalkingMode, heard: string): OwnWords {
  const live = (title: string, short: string, hint: string): OwnWords => ({
    icon: "mic",
    tone: "live",
    title,
    short,
    hint,
  });
  if (mode === "push" && !held)
    return { ...live("Hold to speak", "Hold", "Hold the button or B, and speak."), tone: "quiet" };
  if (mode === "push") return live("Speaking", "Speaking", "Let go to stop.");
  if (speaking) return live("Speaking", "Speaking", heard);
  if (mode === "activation") return live("Microphone on", "Mic on", "It is sent as soon as you speak.");
  return live("Microphone on", "Mic on", heard);
}

/** Something that asks for an answer, above the bar. */
export interface VoiceNotice {
  kind: "return" | "unmute" | "consent" | "blocked" | "microphone";
  title: string;
  text: string;
}

const RETURN: VoiceNotice = {
  kind: "return",
  title: "You were in voice",
  text: "You have loaded this page anew: nobody hears you, and you hear nobody, until you join again.",
};

/** What asks for an answer now. `listens`: without a microphone that works the person just listens, and said so. */
export function noticesOf(
  view: VoiceView,
  nameOf: (userId: string) => string,
  listens: boolean,
): VoiceNotice[] {
  if (view.returning) return [RETURN];
  if (view.status.kind !== "joined") return [];
  const { own, recording, consent } = view;
  const notices: VoiceNotice[] = [];
  if (view.sound === "blocked")
    notices.push({
      kind: "blocked",
      title: "Sound is held back",
      text: "Your browser plays nothing before you touch the page.",
    });
  if (own.unmuteRequested && own.selfMuted && !own.muted)
    notices.push({
      kind: "unmute",
      title: "You are asked to speak",
      text: "A moderator asks you to unmute yourself. Nobody but you can.",
    });
  if (recording && consent === null)
    notices.push({
      kind: "consent",
      title: `${nameOf(recording.started_by)} records ${recordedChannel(view)}`,
      text: `May your voice be in it while you are in ${recordedChannel(view)}? Until you say yes, it is not.`,
    });
  const trouble = microphoneTrouble(own.microphone);
  if (trouble && !listens)
    notices.push({ kind: "microphone", title: trouble.title, text: `${HEARS} ${trouble.hint}` });
  return notices;
}

/** What a moderator has just done to the own voice; `ask`: one may raise a hand about it. Null: nothing. */
export function moderatedWords(
  before: boolean,
  { muted, selfMuted, handRaisedAtMs }: OwnView,
): { text: string; ask: boolean } | null {
  if (muted === before) return null;
  if (muted) return { text: "A moderator muted you: nobody hears you.", ask: handRaisedAtMs === null };
  return {
    text: selfMuted ? "You may speak again, once you unmute yourself." : "You may speak again.",
    ask: false,
  };
}

/** What somebody does, in a word or two. */
export function personWords(person: PersonView, here: boolean): string {
  const { blocked, muted, selfMuted, listening, speaking, maySpeak, audible } = person;
  if (blocked) return "Blocked";
  if (speaking) return "Speaking";
  if (muted) return "Muted by a moderator";
  if (listening) return "Listening";
  if (selfMuted) return "Muted";
  if (person.volume === 0) return "Muted for you";
  if (!maySpeak) return "Listens here";
  return here && !audible ? "Too far away to hear" : "Microphone on";
}

const SPEAKERS: Record<Speakers, string> = {
  everyone: "Everyone speaks",
  editors: "Owners and editors speak",
  named: "Chosen people speak",
};

/** A channel in a line: how many, how it sounds, who may speak. */
export function channelWords(channel: VoiceChannel, count: number): string {
  const { capacity, kind, speakers } = channel;
  const people =
    capacity < LIMITS.VOICE_MEMBERS_MAX ? `${count} of ${capacity}` : plural(count, "person", "people");
  return [people, kind === "stage" ? "Stage" : "Spatial", SPEAKERS[speakers]].join(" · ");
}

/** What carries voices, in a word. */
export const VOICE_CARRIER: Record<VoiceCarrier, string> = {
  mesh: "Direct",
  relay: "Media node",
  none: "Nobody else yet",
};
