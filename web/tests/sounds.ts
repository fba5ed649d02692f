/** Sounds to be processed, the same in every run: a voice, a hiss. At 48 kHz. */

const RATE = 48_000;

/** Pulses of a throat through three resonances, in syllables: enough of a voice for RNNoise. By sample's number, in order. */
export function voice(): (n: number) => number {
  const formants = [600, 1200, 2500].map((hz, k) => ({ hz, width: [80, 100, 150][k] ?? 0, a: 0, b: 0 }));
  let phase = 0;
  return (n) => {
    const t = n / RATE;
    phase += (120 + 15 * Math.sin(2 * Math.PI * 0.7 * t)) / RATE;
    let sample = phase >= 1 ? 1 : 0;
    phase %= 1;
    formants.forEach((formant, k) => {
      const radius = Math.exp((-Math.PI * formant.width) / RATE);
      const angle = (2 * Math.PI * formant.hz * (1 + 0.1 * Math.sin(2 * Math.PI * 3 * t + k))) / RATE;
      const next = sample + 2 * radius * Math.cos(angle) * formant.a - radius * radius * formant.b;
      formant.b = formant.a;
      formant.a = next;
      sample = next * (1 - radius) * 2;
    });
    return sample * 8 * Math.max(0, Math.sin(2 * Math.PI * 3.5 * t)) ** 0.7;
  };
}

/** White, up to that amplitude. */
export function hiss(amplitude: number): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state / 0x3fffffff - 1) * amplitude;
  };
}
