"""Audio sections: which of an offer's are taken, for what, and how they are answered (docs/voice.md). Pure.

One section that sends is the peer's source; up to VOICE_SLOTS that only receive are slots, in order. A section's part is
remembered by its tag for as long as the link lives, so a renegotiation neither moves a slot nor changes its SSRC. A section
that has no Opus (RFC 7587), no RTCP on the same port (RFC 5761), or is not in the data channels' bundle is none of ours.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from chalicelib.wire import limits
from media_node.ports import Audio
from media_node.sdp_text import Section

SOURCE: Final = -1
"""The part of the section that sends; a slot's is its number."""
OPUS: Final = "minptime=10;useinbandfec=1;usedtx=1;stereo=0"
LEVEL: Final = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"  # RFC 6464
_PROTOCOLS: Final = ("UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF")
_DIRECTIONS: Final = ("sendrecv", "sendonly", "recvonly", "inactive")
_OPUS: Final = re.compile(r"([0-9]{1,3}) opus/48000/2", re.IGNORECASE)
_EXTENSION: Final = re.compile(r"([0-9]{1,2})(?:/[a-z]{1,8})? (\S+)(?: .*)?", re.ASCII)
_SSRC: Final = re.compile(r"([0-9]{1,10})(?: .*)?", re.ASCII)
_EXTENSION_IDS: Final = range(1, 15)  # RFC 8285 section 4.2: one-byte headers


@dataclass(frozen=True, slots=True)
class Taken:
    """A section that is taken, and how."""

    part: int
    payload_type: int
    level_id: int | None
    nack: bool
    active: bool
    """Packets may go; else its peer pauses it."""


@dataclass(frozen=True, slots=True)
class Negotiated:
    """Of one offer: what is taken, by tag, and the part of every tag that had one."""

    taken: Mapping[str, Taken]
    parts: Mapping[str, int]


NOTHING: Final = Negotiated({}, {})


def negotiate(sections: tuple[Section, ...], bundle: tuple[str, ...], before: Mapping[str, int]) -> Negotiated:
    """What is taken of an offer; `before` are the parts that the link's last one had."""
    there = {each.mid for each in sections if each.kind == "audio"}
    parts = {mid: part for mid, part in before.items() if mid in there}
    taken: dict[str, Taken] = {}
    payload_type: int | None = None
    for section in sections:
        mid = section.mid
        if mid is None or mid not in bundle or mid in taken or not _ours(section):
            continue
        opus = _opus(section, payload_type)
        part = parts[mid] if mid in parts else _part(section, parts.values())
        if opus is None or part is None:
            continue
        payload_type = opus
        parts[mid] = part
        taken[mid] = _taken(section, part, opus)
    return Negotiated(taken, parts)


def audio_of(negotiated: Negotiated, ssrcs: tuple[int, ...]) -> Audio | None:
    """What rooms are told of it; `ssrcs` are the link's, by slot."""
    by_part = {each.part: each for each in negotiated.taken.values()}
    if not by_part:
        return None
    source = by_part.get(SOURCE)
    slots = 0
    while slots in by_part and by_part[slots].active:
        slots += 1
    return Audio(
        payload_type=next(iter(by_part.values())).payload_type,
        level_id=None if source is None else source.level_id,
        slots=ssrcs[:slots],
        sends=source is not None and source.active,
        nack=source is not None and source.nack,
    )


def fresh_ssrcs(sections: tuple[Section, ...], chance: Random) -> tuple[int, ...]:
    """One a slot, none of them the peer's: one bundle has one space of SSRCs (RFC 9143 section 9.2)."""
    found = (_SSRC.fullmatch(line) for each in sections for line in each.said.all("ssrc"))
    theirs = {int(each[1]) for each in found if each}
    made: list[int] = []
    while len(made) < limits.VOICE_SLOTS:
        ssrc = chance.randrange(1, 2**32)
        if ssrc not in theirs and ssrc not in made:
            made.append(ssrc)
    return tuple(made)


def lines_of(taken: Taken, ssrcs: tuple[int, ...]) -> list[str]:
    """A taken section's answer, but for its first lines and its transport."""
    payload_type = taken.payload_type
    source = taken.part == SOURCE
    direction = "inactive" if not taken.active else "recvonly" if source else "sendonly"
    return [
        f"a={direction}",
        "a=rtcp-mux",
        f"a=rtpmap:{payload_type} opus/48000/2",
        f"a=fmtp:{payload_type} {OPUS}",
        *([f"a=rtcp-fb:{payload_type} nack"] if taken.nack else []),
        *([f"a=extmap:{taken.level_id} {LEVEL}"] if taken.level_id is not None else []),
        *([] if source else _named(taken.part, ssrcs[taken.part])),
    ]


def _named(slot: int, ssrc: int) -> list[str]:
    """Each slot is a stream of its own, with its own clock's name: nothing is to be in step with another."""
    name = f"slot{slot}"
    return [f"a=msid:{name} {name}", f"a=ssrc:{ssrc} cname:{name}", f"a=ssrc:{ssrc} msid:{name} {name}"]


def _ours(section: Section) -> bool:
    return (
        section.kind == "audio"
        and section.protocol in _PROTOCOLS
        and not section.off
        and "rtcp-mux" in section.said.first
    )


def _part(section: Section, given: Iterable[int]) -> int | None:
    direction = _direction(section)
    if direction in ("sendrecv", "sendonly"):
        return None if SOURCE in given else SOURCE
    if direction == "recvonly":
        return next((each for each in range(limits.VOICE_SLOTS) if each not in given), None)
    return None


def _taken(section: Section, part: int, payload_type: int) -> Taken:
    wanted = ("sendrecv", "sendonly") if part == SOURCE else ("sendrecv", "recvonly")
    feedback = section.said.all("rtcp-fb")
    return Taken(
        part=part,
        payload_type=payload_type,
        level_id=_level_id(section),
        nack=f"{payload_type} nack" in feedback or "* nack" in feedback,
        active=_direction(section) in wanted,
    )


def _direction(section: Section) -> str:
    return next((each for each in _DIRECTIONS if each in section.said.first), "sendrecv")  # RFC 8866 section 6.7


def _opus(section: Section, wanted: int | None) -> int | None:
    formats = section.formats.split()
    for line in section.said.all("rtpmap"):
        match = _OPUS.fullmatch(line.strip())
        if match is None or match[1] not in formats:
            continue
        number = int(match[1])
        if number < 128 and not 64 <= number < 96 and wanted in (None, number):  # RFC 5761 section 4
            return number
    return None


def _level_id(section: Section) -> int | None:
    for line in section.said.all("extmap"):
        match = _EXTENSION.fullmatch(line)
        if match is not None and match[2] == LEVEL and int(match[1]) in _EXTENSION_IDS:
            return int(match[1])
    return None
