"""What the sample and its scores are made with: espeak-ng by apt, and packages in a virtual environment of their own."""

import json
import subprocess
import sys
import wave
from pathlib import Path
from typing import Final

from benchmarks import packages
from local.system import ROOT

_FOLDER: Final = Path(__file__).parent
_PLACE: Final = ROOT / ".cache" / "hearing"
_SENTENCES: Final = (
    "The birch canoe slid on the smooth planks.",
    "Glue the sheet to the dark blue background.",
    "It's easy to tell the depth of a well.",
    "These days a chicken leg is a rare dish.",
    "Rice is often served in round bowls.",
    "The juice of lemons makes fine punch.",
    "The box was thrown beside the parked truck.",
    "The hogs were fed chopped corn and garbage.",
    "Four hours of steady work faced us.",
    "A large size in stockings is hard to sell.",
)
"""List 1 of the Harvard sentences: IEEE Recommended Practice for Speech Quality Measurements (1969)."""
_VOICES: Final = ("en-gb", "en-us+f3")


def install() -> None:
    """Fetches both unless they are there. RuntimeError where we may not."""
    packages.need("espeak-ng", "espeak-ng")
    lock, ready = _FOLDER / "requirements.txt", _PLACE / ".ready"
    if ready.exists() and ready.stat().st_mtime >= lock.stat().st_mtime:
        return
    print(f"installing pystoi and pesq into {_PLACE.relative_to(ROOT)} ...", flush=True)
    subprocess.run([sys.executable, "-m", "venv", str(_PLACE)], check=True, timeout=120)
    pip = [str(_PLACE / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(lock)], check=True, timeout=900)
    ready.touch()


def speak(folder: Path) -> Path:
    """The sample: ten sentences by two voices in turn, with pauses, at 48 kHz; its parts are beside it."""
    spoken = []
    for number, sentence in enumerate(_SENTENCES):
        spoken.append(folder / f"sentence{number}.wav")
        voice = _VOICES[number % len(_VOICES)]
        subprocess.run(["espeak-ng", "-v", voice, "-s", "160", "-w", str(spoken[-1]), sentence], check=True, timeout=60)
    sample = folder / "sample.wav"
    _run("make", sample, *spoken)
    return sample


def silence(sample: Path) -> Path:
    """As long as the sample."""
    silent = sample.with_name("silence.wav")
    with wave.open(str(sample), "rb") as said, wave.open(str(silent), "wb") as made:
        made.setparams(said.getparams())
        made.writeframes(bytes(len(said.readframes(said.getnframes()))))
    return silent


def score(sample: Path, heard: Path) -> dict[str, float]:
    """How well the sample is understood in what was heard: `score.py` has the figures and their sources."""
    found: dict[str, float] = json.loads(_run("score", sample, heard))
    return found


def _run(job: str, *paths: Path) -> str:
    command = [str(_PLACE / "bin" / "python"), str(_FOLDER / "score.py"), job, *map(str, paths)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=600).stdout.decode()
