"""Makes the sample, and scores what was heard of it. A program of its own: it runs where pystoi and pesq are (tools.py).

    python score.py make SAMPLE SENTENCE...       writes SAMPLE (48 kHz), and SAMPLE.json: where its sentences are
    python score.py score SAMPLE HEARD            prints figures; HEARD is float32 at 48 kHz, of the sample over and over

Each sentence is found in what was heard by cross-correlation and scored against itself: a receiver stretches pauses, and
clocks drift, and neither makes a word harder to understand. What is stretched within a sentence stays and counts.

- `stoi`: C. Taal, R. Hendriks, R. Heusdens, J. Jensen, "An Algorithm for Intelligibility Prediction of Time-Frequency
  Weighted Noisy Speech", IEEE Trans. Audio, Speech, Language Process. 19(7), 2011.
- `estoi`: J. Jensen, C. Taal, "An Algorithm for Predicting the Intelligibility of Speech Masked by Modulated Noise
  Maskers", IEEE/ACM Trans. Audio, Speech, Language Process. 24(11), 2016. The stricter one of gaps: it is ours.
- `pesq`: wide-band PESQ, ITU-T P.862.2 (2007), MOS-LQO 1.04 to 4.64, of three sentences at a time.

`estoi_worst` is the least of all sentences.
"""

import json
import sys
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pesq import pesq
from pystoi import stoi
from scipy.io import wavfile
from scipy.signal import correlate, resample_poly

RATE_HZ: Final = 48_000
PESQ_HZ: Final = 16_000
PAUSE: Final = round(0.6 * RATE_HZ)
BETWEEN: Final = round(0.3 * RATE_HZ)
PEAK: Final = 0.5
ASTRAY: Final = round(0.5 * RATE_HZ)
"""How far from where the one before it was a sentence is looked for."""
AT_A_TIME: Final = 3
AUDIBLE: Final = 0.01

Sound = NDArray[np.float64]


def make(sample: Path, sentences: list[Path]) -> None:
    """Joins them, each after a pause."""
    parts: list[Sound] = []
    spans: list[tuple[int, int]] = []
    at = 0
    for path in sentences:
        rate_hz, spoken = wavfile.read(path)
        sound = resample_poly(spoken.astype(np.float64), RATE_HZ, rate_hz)
        sound *= PEAK / np.abs(sound).max()
        loud = np.flatnonzero(np.abs(sound) > AUDIBLE)
        sound = sound[loud[0] : loud[-1] + 1]
        spans.append((at + PAUSE, at + PAUSE + len(sound)))
        parts += [np.zeros(PAUSE), sound]
        at += PAUSE + len(sound)
    wavfile.write(sample, RATE_HZ, np.round(np.concatenate(parts) * 32767).astype(np.int16))
    sample.with_suffix(".json").write_text(json.dumps(spans))


def score(sample: Path, heard_path: Path) -> dict[str, float]:
    """See the module."""
    said = wavfile.read(sample)[1].astype(np.float64) / 32767
    spans: list[tuple[int, int]] = json.loads(sample.with_suffix(".json").read_text())
    heard = np.fromfile(heard_path, dtype=np.float32).astype(np.float64)
    pairs = _pairs(said, spans, heard)
    if len(pairs) < AT_A_TIME:
        raise SystemExit(f"of the sample only {len(pairs)} sentences came")
    estoi = [stoi(one, other, RATE_HZ, extended=True) for one, other in pairs]
    plain = [stoi(one, other, RATE_HZ, extended=False) for one, other in pairs]
    groups = [pairs[n : n + AT_A_TIME] for n in range(0, len(pairs) - AT_A_TIME + 1, AT_A_TIME)]
    return {
        "estoi": float(np.mean(estoi)),
        "estoi_worst": float(np.min(estoi)),
        "stoi": float(np.mean(plain)),
        "pesq": float(np.mean([_pesq(group) for group in groups])),
        "sentences": len(pairs),
    }


def _pairs(said: Sound, spans: list[tuple[int, int]], heard: Sound) -> list[tuple[Sound, Sound]]:
    """Every sentence that is whole in what was heard, as it was said and as it came, in order."""
    lag = int(np.argmax(correlate(heard, said, method="fft"))) - len(said) + 1
    found = []
    first = -(lag // len(said)) - 1
    for round_number in range(first, first + len(heard) // len(said) + 2):
        for begins, ends in spans:
            expected = lag + round_number * len(said) + begins
            low, high = expected - ASTRAY, expected + ends - begins + ASTRAY
            if low < 0 or high > len(heard):
                continue
            sentence = said[begins:ends]
            shift = int(np.argmax(correlate(heard[low:high], sentence, mode="valid", method="fft")))
            lag += shift - ASTRAY
            found.append((sentence, heard[low + shift : low + shift + len(sentence)]))
    return found


def _pesq(pairs: list[tuple[Sound, Sound]]) -> float:
    between = np.zeros(BETWEEN)
    both = []
    for side in (0, 1):
        joined = np.concatenate([piece for pair in pairs for piece in (pair[side], between)])
        both.append(resample_poly(joined, PESQ_HZ, RATE_HZ))
    return float(pesq(PESQ_HZ, both[0], both[1], "wb"))


if __name__ == "__main__":
    job, target, *others = sys.argv[1:]
    if job == "make":
        make(Path(target), [Path(each) for each in others])
    else:
        print(json.dumps(score(Path(target), Path(others[0]))))
