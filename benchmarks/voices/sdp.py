"""Session descriptions of a participant: what it offers, what it answers, what it needs of the other side's. Pure."""

import re
from dataclasses import dataclass
from typing import Final, Literal

PAYLOAD_TYPE: Final = 111
LEVEL_ID: Final = 1
LEVEL_URI: Final = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
Direction = Literal["sendrecv", "sendonly", "recvonly"]


@dataclass(frozen=True, slots=True)
class Ours:
    """Of a connection."""

    address: str
    port: int
    ufrag: str
    password: str
    fingerprint: str
    ssrc: int


@dataclass(frozen=True, slots=True)
class Theirs:
    """What the other side says, of what it took."""

    address: str
    port: int
    ufrag: str
    password: str
    fingerprint: str
    level_id: int
    nack: bool
    sections: tuple[tuple[str, str], ...]
    """Kind and mid of all."""


def offer(ours: Ours, directions: tuple[Direction, ...], *, data: bool) -> str:
    """An audio section for each direction, then data channels, where they are wanted (RFC 8829 section 5.2.1)."""
    sections = [_audio(direction, ours.ssrc) for direction in directions]
    if data:
        sections.append(["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=sctp-port:5000"])
    return _described(ours, sections, [str(n) for n in range(len(sections))], "active")


def answer(ours: Ours, theirs: Theirs) -> str:
    """To a server's offer of audio that it sends: all of it is taken."""
    sections = [_audio("recvonly", ours.ssrc) for _ in theirs.sections]
    return _described(ours, sections, [mid for _, mid in theirs.sections], "active")


def _described(ours: Ours, sections: list[list[str]], mids: list[str], setup: str) -> str:
    lines = ["v=0", f"o=- {ours.ssrc} 1 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=group:BUNDLE {' '.join(mids)}"]
    lines.append("a=msid-semantic: WMS *")
    for mid, section in zip(mids, sections, strict=True):
        lines += [
            section[0],
            "c=IN IP4 0.0.0.0",
            f"a=mid:{mid}",
            f"a=ice-ufrag:{ours.ufrag}",
            f"a=ice-pwd:{ours.password}",
            f"a=fingerprint:sha-256 {ours.fingerprint}",
            f"a=setup:{setup}",
            *section[1:],
            f"a=candidate:1 1 udp 2130706431 {ours.address} {ours.port} typ host",
            "a=end-of-candidates",
        ]
    return "\r\n".join(lines) + "\r\n"


def _audio(direction: Direction, ssrc: int) -> list[str]:
    return [
        f"m=audio 9 UDP/TLS/RTP/SAVPF {PAYLOAD_TYPE}",
        "a=rtcp-mux",
        f"a={direction}",
        f"a=extmap:{LEVEL_ID} {LEVEL_URI}",
        f"a=rtpmap:{PAYLOAD_TYPE} opus/48000/2",
        f"a=fmtp:{PAYLOAD_TYPE} minptime=10;useinbandfec=1;usedtx=1;stereo=0",
        f"a=rtcp-fb:{PAYLOAD_TYPE} nack",
        *([] if direction == "recvonly" else [f"a=ssrc:{ssrc} cname:voice", "a=msid:voice voice"]),
    ]


_CANDIDATE: Final = re.compile(r"a=candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host", re.IGNORECASE)


def read(text: str) -> Theirs:
    """The other side's. Raises ValueError where what is needed is not there."""
    head, *bodies = re.split(r"^m=", text.replace("\r\n", "\n"), flags=re.MULTILINE)
    found = _CANDIDATE.search(text)
    if found is None:
        raise ValueError("no IPv4 host candidate over UDP")
    taken = [body for body in bodies if body.split(" ")[1] != "0"]
    audio = [body for body in taken if body.startswith("audio")]
    return Theirs(
        address=found[1],
        port=int(found[2]),
        ufrag=_one("ice-ufrag", taken, head),
        password=_one("ice-pwd", taken, head),
        fingerprint=_one("fingerprint", taken, head).split(" ")[1].upper(),
        level_id=_level_id(audio),
        nack=bool(audio) and all(re.search(r"^a=rtcp-fb:\S+ nack$", body, re.MULTILINE) for body in audio),
        sections=tuple((body.split(" ")[0], _one("mid", [body], "")) for body in bodies),
    )


def _one(name: str, bodies: list[str], head: str) -> str:
    for body in (*bodies, head):
        found = re.search(rf"^a={name}:(.+)$", body, re.MULTILINE)
        if found:
            return found[1].strip()
    raise ValueError(name)


def _level_id(audio: list[str]) -> int:
    for body in audio:
        found = re.search(rf"^a=extmap:(\d+)\S* {re.escape(LEVEL_URI)}$", body, re.MULTILINE)
        if found:
            return int(found[1])
    return 0
