"""Speech-like sound as Opus, made once: a buzz with formants, in syllables, and breath. Pure but for the encoder."""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

import av

from benchmarks.voices.marks import markable

RATE_HZ: Final = 48_000
FRAME: Final = 960
KBPS: Final = 32
SILENT: Final = 127
PITCHES_HZ: Final = (95.0, 120.0, 180.0, 215.0)
_FULL: Final = 32768
_FORMANTS_HZ: Final = (500, 1500, 2500)
_SYLLABLES_HZ: Final = 4.0
_TABLE: Final = 1024
_OPTIONS: Final = {
    "application": "voip",
    "frame_duration": "20",
    "fec": "1",
    "packet_loss": "5",
    "dtx": "1",
    "vbr": "on",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """20 ms: the packet, with place for a mark, and its level in dB below full scale."""

    payload: bytes
    level: int


def buzz(pitch_hz: float) -> list[float]:
    """One period of a voice of that pitch, between -1 and 1."""
    period = [0.0] * _TABLE
    for harmonic in range(1, int(4000 / pitch_hz)):
        loud = 0.02 + sum(math.exp(-(((harmonic * pitch_hz - formant) / 250) ** 2)) for formant in _FORMANTS_HZ)
        for at in range(_TABLE):
            period[at] += loud / harmonic**0.3 * math.sin(2 * math.pi * harmonic * at / _TABLE)
    greatest = max(abs(each) for each in period)
    return [each / greatest for each in period]


def speech(seconds: float, pitch_hz: float, seed: int) -> "array[int]":
    """Mono, 16 bits, at 48 kHz."""
    period, chance = buzz(pitch_hz), Random(seed)
    samples = array("h")
    phase = 0.0
    for at in range(int(seconds * RATE_HZ)):
        if at % 48 == 0:  # each millisecond
            loud = 0.01 + 0.25 - 0.25 * math.cos(2 * math.pi * _SYLLABLES_HZ * at / RATE_HZ + seed)
            step = pitch_hz * (1 + 0.03 * math.sin(2 * math.pi * 0.7 * at / RATE_HZ)) * _TABLE / RATE_HZ
        phase = (phase + step) % _TABLE
        samples.append(int((period[int(phase)] + chance.uniform(-0.08, 0.08)) * loud * (_FULL - 1) / 1.08))
    return samples


def level_of(samples: Sequence[int]) -> int:
    """As RFC 6464 has it: the mean square below full scale, in dB, 0 to 127."""
    power = sum(each * each for each in samples) / len(samples) / _FULL**2
    return SILENT if power <= 0 else min(SILENT, max(0, round(-10 * math.log10(power))))


def encoded(samples: "array[int]") -> list[Frame]:
    """Frames of 20 ms with in-band FEC (RFC 7587); their levels are those of the sound that went in."""
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.bit_rate = RATE_HZ, KBPS * 1000
    encoder.format, encoder.layout, encoder.options = av.AudioFormat("s16"), av.AudioLayout("mono"), dict(_OPTIONS)
    frames: list[Frame] = []
    for at in range(0, len(samples) - FRAME + 1, FRAME):
        piece = samples[at : at + FRAME]
        given = av.AudioFrame(format="s16", layout="mono", samples=FRAME)
        given.planes[0].update(piece.tobytes())
        given.sample_rate, given.pts = RATE_HZ, at
        frames += [Frame(markable(bytes(each)), level_of(piece)) for each in encoder.encode(given)]
    return frames


def comfort() -> Frame:
    """What a silent one sends each 400 ms: a frame of no bytes, as DTX has it (RFC 6716 section 3.1)."""
    return Frame(markable(bytes((0x78,))), SILENT)


def voices(seconds: float = 4.0) -> list[list[Frame]]:
    """Four who speak."""
    return [encoded(speech(seconds, pitch_hz, seed)) for seed, pitch_hz in enumerate(PITCHES_HZ)]
