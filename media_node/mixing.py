"""A recording's mix: every page's file decoded, placed by the timeline (`mixdown`), and encoded again, as streams.

libopus decodes and encodes, through PyAV; it is the only vendor here, and no packet of the relay ever comes this way.
"""

from collections import deque
from collections.abc import AsyncIterator, Iterable
from typing import Final

import av
import msgspec
import numpy as np

from chalicelib.voice.recordings_model import RecordingRow, Track, mix_key, timeline_key, track_key
from chalicelib.wire.types import Vec3
from chalicelib.wire.voice import TimelineEvent
from media_node.mixdown import BLOCK, Bus, Limiter, Samples, ears, listener
from media_node.ogg import PRE_SKIP, Reader, Writer
from media_node.opus import RATE
from media_node.together import OGG, Files

_READ_BYTES: Final = 256 * 1024
_FRAME: Final = 960
_BITS_PER_S: Final = 96_000
_PER_MS: Final = RATE // 1000
_event: Final = msgspec.json.Decoder(TimelineEvent)


async def mix(files: Files, row: RecordingRow) -> int:
    """Makes the file; its size. UPSTREAM_UNAVAILABLE; ValueError: a file of it is damaged."""
    law = row.distance
    here = listener(track.middle for track in row.tracks if track.middle is not None)
    where = _Where(files, row)
    voices = {track.peer_id: _Voice(files, row, track) for track in row.tracks}
    total = row.duration_ms * _PER_MS
    bus, limiter, encoder = Bus(), Limiter(), _Encoder(total)
    upload, size = files.upload(mix_key(row), OGG), 0
    for start in range(0, total, BLOCK):
        places = await where.by((start + BLOCK) // _PER_MS)
        for peer_id, voice in voices.items():
            samples = await voice.block(start)
            if samples is not None:
                bus.add(peer_id, samples, ears(places.get(peer_id), here, row.kind, law))
        data = encoder.encode(limiter.put(bus.take()))
        size += len(data)
        await upload.write(data)
    last = encoder.encode(limiter.put(None)) + encoder.end()
    await upload.write(last)
    await upload.finish()
    return size + len(last)


class _Where:
    """Where everybody stands, as the timeline goes on."""

    def __init__(self, files: Files, row: RecordingRow) -> None:
        self._places: dict[str, Vec3] = {}
        self._events = _events(files, timeline_key(row))
        self._next: TimelineEvent | None = None
        self._over = False

    async def by(self, at_ms: int) -> dict[str, Vec3]:
        """At a moment; moments only go on."""
        while not self._over:
            if self._next is None:
                self._next = await anext(self._events, None)
            if self._next is None:
                self._over = True
            elif self._next.at_ms > at_ms:
                break
            else:
                if self._next.position is not None:
                    self._places[self._next.peer_id] = self._next.position
                self._next = None
        return self._places


async def _events(files: Files, key: str) -> AsyncIterator[TimelineEvent]:
    rest = b""
    async for data in _spans(files, key):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            yield _event.decode(line)


async def _spans(files: Files, key: str) -> AsyncIterator[bytes]:
    at = 0
    while True:
        data = await files.read(key, at, _READ_BYTES)
        if not data:
            return
        yield data
        at += len(data)
        if len(data) < _READ_BYTES:
            return


class _Voice:
    """One page's samples, in blocks of the recording's time."""

    def __init__(self, files: Files, row: RecordingRow, track: Track) -> None:
        self._packets = _packets(files, track_key(row, track.peer_id))
        self._decoder: av.AudioCodecContext | None = None
        self._ready: deque[Samples] = deque()
        self._have = 0
        self._from = track.from_ms * _PER_MS
        self._over = False

    async def block(self, start: int) -> Samples | None:
        """The block that begins there; None: it is silent."""
        if self._from >= start + BLOCK or (self._over and not self._have):
            return None
        silent = max(0, self._from - start)
        block = np.zeros(BLOCK, np.float32)
        at = silent
        while at < BLOCK and await self._more():
            first = self._ready[0]
            taken = min(len(first), BLOCK - at)
            block[at : at + taken] = first[:taken]
            if taken < len(first):
                self._ready[0] = first[taken:]
            else:
                self._ready.popleft()
            self._have -= taken
            at += taken
        return block if block.any() else None

    async def _more(self) -> bool:
        while not self._have and not self._over:
            packet = await anext(self._packets, None)
            if packet is None:
                self._over = True
            elif self._decoder is None:
                self._decoder = _decoder(packet)
            elif not packet.startswith(b"OpusTags"):
                for frame in _decoded(self._decoder, packet):
                    self._ready.append(frame)
                    self._have += len(frame)
        return self._have > 0


async def _packets(files: Files, key: str) -> AsyncIterator[bytes]:
    reader = Reader()
    async for data in _spans(files, key):
        for packet in reader.feed(data):
            yield packet


def _decoder(head: bytes) -> av.AudioCodecContext:
    """Of one stream; it leaves out what its head says is to be skipped."""
    decoder = av.CodecContext.create("libopus", "r")
    assert isinstance(decoder, av.AudioCodecContext)
    decoder.extradata = head
    decoder.open()
    return decoder


def _decoded(decoder: av.AudioCodecContext, packet: bytes) -> list[Samples]:
    try:
        frames = decoder.decode(av.Packet(packet))
    except av.error.FFmpegError:  # well framed, and yet no Opus: its sender's affair, and as long as it says it is
        return [np.zeros(_FRAME, np.float32)]
    return [frame.to_ndarray().reshape(-1).astype(np.float32) / np.float32(32768) for frame in frames]


class _Encoder:
    """Samples in, pages of Ogg out."""

    def __init__(self, samples: int) -> None:
        codec = av.CodecContext.create("libopus", "w")
        assert isinstance(codec, av.AudioCodecContext)
        codec.sample_rate, codec.layout, codec.format, codec.bit_rate = RATE, "stereo", "flt", _BITS_PER_S
        codec.open()
        self._codec = codec
        self._ogg = Writer(1, channels=2)
        self._pts = 0
        self._ends = samples + PRE_SKIP

    def encode(self, block: Samples | None) -> bytes:
        """The next block, of two rows; None: nothing yet."""
        if block is not None:
            inter = np.ascontiguousarray(block.T).reshape(1, -1)
            for at in range(0, inter.shape[1], 2 * _FRAME):
                frame = av.AudioFrame.from_ndarray(inter[:, at : at + 2 * _FRAME], format="flt", layout="stereo")
                frame.sample_rate, frame.pts = RATE, self._pts
                self._pts += _FRAME
                self._write(self._codec.encode(frame))
        return self._ogg.take()

    def end(self) -> bytes:
        """The rest."""
        self._write(self._codec.encode(None))
        return self._ogg.end(self._ends)

    def _write(self, packets: "Iterable[av.Packet[av.AudioStream]]") -> None:
        for packet in packets:
            if (
                self._ogg.samples < self._ends
            ):  # the last block goes on beyond it; of the last packet alone a part is cut
                self._ogg.packet(bytes(packet), _FRAME)
