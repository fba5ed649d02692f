"""What recordings are tested with: a shelf and a bucket in memory, Opus that was really encoded, RTP that carries it."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest
from msgspec.structs import replace

from chalicelib.voice.recordings_model import RecordingRow
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.voice import ChannelKind, Distance
from media_node.rtp import Rtp

SESSION = "ses_" + "a" * 20
RECORDING = "rec_" + "a" * 20
START_MS = 1_700_000_000_000
FRAME = 960


def row(**changed: object) -> RecordingRow:
    """A recording that somebody started just now."""
    made = RecordingRow(
        session_id=SESSION,
        recording_id=RECORDING,
        name="Stand-up",
        channel_id="main",
        kind=ChannelKind.SPATIAL,
        distance=Distance(),
        started_by="ada",
        started_at_ms=START_MS,
    )
    return replace(made, **changed)


async def until(condition: Callable[[], object]) -> None:
    """Lets everything go on until it holds."""
    while not condition():  # noqa: ASYNC110 - of what is looked at, nothing tells
        await asyncio.sleep(0)


@cache
def speech(seconds: float, hertz: float = 440.0) -> tuple[bytes, ...]:
    """Opus packets of 20 ms of a tone and a little noise, from libopus; no two are the same."""
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = 48_000, "mono", "s16", 24_000
    encoder.options = {"application": "voip"}
    encoder.open()
    times = np.arange(int(seconds * 48_000)) / 48_000
    noise = np.random.default_rng(1).normal(0, 0.005, len(times))
    tone = (32767 * (0.3 * np.sin(2 * np.pi * hertz * times) + noise)).astype(np.int16)
    packets: list[bytes] = []
    for at in range(0, len(tone) // FRAME * FRAME, FRAME):
        frame = av.AudioFrame.from_ndarray(tone[None, at : at + FRAME], format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, at
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return tuple(packets)


def decoded(packets: list[bytes]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The samples of a stream whose headers are its first two packets, by channel."""
    decoder = av.CodecContext.create("libopus", "r")
    assert isinstance(decoder, av.AudioCodecContext)
    decoder.extradata = packets[0]
    decoder.open()
    channels = packets[0][9]
    frames = [f.to_ndarray() for p in packets[2:] for f in decoder.decode(av.Packet(p))]
    flat = np.concatenate([frame.reshape(-1) for frame in frames])
    return flat.reshape(-1, channels).T.astype(np.float64) / 32768


def rms_db(samples: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """How loud, in dB of full scale."""
    return float(20 * np.log10(np.sqrt(np.mean(samples**2)) + 1e-9))


programs = pytest.mark.skipif(
    not (shutil.which("ffprobe") and shutil.which("opusinfo")), reason="ffmpeg or opus-tools is missing"
)


def accepted(data: bytes, folder: Path) -> float:
    """How many seconds ffprobe says a file lasts; neither it nor opusinfo has anything to say against it."""
    path = folder / "file.ogg"
    path.write_bytes(data)
    command = ["ffprobe", "-v", "warning", "-show_entries", "format=duration", "-of", "csv=p=0", str(path)]
    probed = subprocess.run(command, capture_output=True, text=True, check=True)
    assert probed.stderr == ""
    info = subprocess.run(["opusinfo", str(path)], capture_output=True, text=True, check=True)
    assert "WARNING" not in info.stdout + info.stderr
    seconds = float(probed.stdout)
    minutes, rest = re.findall(r"Playback length: (\d+)m:([\d.]+)s", info.stdout)[0]
    assert abs(int(minutes) * 60 + float(rest) - seconds) < 0.05
    return seconds


def rtp(opus: bytes, sequence: int, timestamp: int, ssrc: int = 7, level: int | None = 20) -> Rtp:
    """A packet of a page, as the node has read it."""
    return Rtp(111, 0, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc, level, opus)


@dataclass
class MemoryShelf:
    """Recordings' rows in a dict."""

    rows: dict[tuple[str, str], RecordingRow] = field(default_factory=dict)
    listed: set[tuple[str, str]] = field(default_factory=set)
    away: int = 0
    """So many calls are not answered."""

    async def add(self, row: RecordingRow) -> None:
        """A new one."""
        self.listed.add((row.session_id, row.recording_id))
        self.rows[row.session_id, row.recording_id] = row

    async def get(self, session_id: str, recording_id: str) -> RecordingRow | None:
        """One."""
        if self.away:
            self.away -= 1
            raise AppError(Code.UPSTREAM_UNAVAILABLE)
        return self.rows.get((session_id, recording_id))

    async def of(self, session_id: str) -> tuple[RecordingRow, ...]:
        """A room's, the newest first."""
        rows = [row for (session, _), row in self.rows.items() if session == session_id]
        return tuple(sorted(rows, key=lambda row: (row.started_at_ms, row.recording_id), reverse=True))

    async def change(self, before: RecordingRow, after: RecordingRow) -> bool:
        """By compare-and-set."""
        key = before.session_id, before.recording_id
        there = self.rows.get(key)
        if there is None or there.version != before.version:
            return False
        self.rows[key] = replace(after, version=before.version + 1)
        (self.listed.add if after.pending else self.listed.discard)(key)
        return True

    async def drop(self, row: RecordingRow) -> None:
        """Removes it."""
        self.rows.pop((row.session_id, row.recording_id), None)
        self.listed.discard((row.session_id, row.recording_id))

    async def pending(self) -> tuple[tuple[str, str], ...]:
        """Those that a node has something to do with."""
        return tuple(sorted(self.listed))

    async def unlist(self, session_id: str, recording_id: str) -> None:
        """Nobody has."""
        self.listed.discard((session_id, recording_id))

    @property
    def row(self) -> RecordingRow:
        """The only one there is."""
        (only,) = self.rows.values()
        return only


@dataclass
class MemoryFiles:
    """A bucket in a dict; `refuse` may be told to raise for a key that is put."""

    held: dict[str, bytes] = field(default_factory=dict)
    refuse: Callable[[str], None] = lambda _key: None

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        """Stores a file."""
        assert content_type
        self.refuse(key)
        self.held[key] = data

    async def read(self, key: str, start: int = 0, size: int | None = None) -> bytes | None:
        """A file, or a span of it."""
        data = self.held.get(key)
        if data is None or start >= len(data):
            return None
        return data[start:] if size is None else data[start : start + size]

    async def delete(self, key: str) -> None:
        """Removes a file."""
        self.held.pop(key, None)

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        """In order."""
        for key in sorted(self.held):
            if key.startswith(prefix):
                yield key

    async def delete_all(self, prefix: str) -> None:
        """Removes all of them."""
        self.held = {key: data for key, data in self.held.items() if not key.startswith(prefix)}

    def url(self, key: str, ttl_s: int, *, download_as: str | None = None) -> str:
        """Where it would be."""
        return f"https://bucket/{key}?ttl={ttl_s}&as={download_as}"

    def upload(self, key: str, content_type: str) -> "MemoryUpload":
        """A file as a stream."""
        return MemoryUpload(self, key, content_type)


@dataclass
class MemoryUpload:
    """What is written so far."""

    files: MemoryFiles
    key: str
    content_type: str
    data: bytearray = field(default_factory=bytearray)

    async def write(self, data: bytes) -> None:
        """More."""
        self.data += data

    async def finish(self) -> None:
        """All."""
        await self.files.put(self.key, bytes(self.data), self.content_type)
