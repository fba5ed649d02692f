"""Session descriptions: what is read of an offer, and the answer, written by hand. Pure.

A media node takes data channels and the audio sections of docs/voice.md, as the DTLS server, behind ICE-lite. An offer is
read for its one `m=application` section (RFC 8841), what carries it, and the audio in the same bundle; every other section is
answered as rejected, port 0 (RFC 3264 section 6). With BUNDLE (RFC 9143) the transport may be described by the group's first
section alone; ours is described in each that is taken, as browsers do and some need.
Sources: RFC 8866 (the format), 8829 (what browsers write), 8839 (ICE), 8842 and 8122 (fingerprints, setup), 8841 (SCTP).
"""

import re
from dataclasses import dataclass
from typing import Final

from chalicelib.wire import limits
from media_node.ice import Credentials
from media_node.sdp_audio import NOTHING, Negotiated, lines_of
from media_node.sdp_text import Attributes, Section, bundle_of, invalid, split

DIGESTS: Final = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
"""Hashes that a fingerprint may be of (RFC 8122 section 5; sha-1 and md5 bind nobody), and their bytes."""
MAX_MESSAGE_DEFAULT: Final = "65536"  # RFC 8841 section 6.1
SCTP_PORT: Final = 5000
_FINGERPRINTS_MAX: Final = 8
_PROTOCOLS: Final = ("UDP/DTLS/SCTP", "TCP/DTLS/SCTP", "DTLS/SCTP")
_UFRAG: Final = re.compile(r"[A-Za-z0-9+/=_-]{4,256}")  # RFC 8839 section 5.4; some write = and _ as well
_PASSWORD: Final = re.compile(r"[A-Za-z0-9+/=_-]{22,256}")


@dataclass(frozen=True, slots=True)
class Offer:
    """What an answer needs to know of an offer."""

    credentials: Credentials
    fingerprints: tuple[tuple[str, str], ...]
    """Algorithm and value, upper case, with colons. The certificate has to match each."""
    sctp_port: int
    max_message_bytes: int
    """What the peer takes; 0 is anything."""
    sections: tuple[Section, ...]
    data: int
    """Which of the sections carries the data channels."""
    bundle: tuple[str, ...]
    """The tags of the group that the data section is in, in the offer's order."""
    msid_semantic: bool


def parse_offer(text: str) -> Offer:
    """Reads an offer. Raises AppError: SDP_INVALID, saying what is missing."""
    session, sections = split(text)
    data = _data_section(sections, session)
    section = sections[data]
    bundle = bundle_of(session, section)
    carriers = [section, *(each for each in sections if bundle and each.mid == bundle[0])]
    setup = _first(carriers, session, "setup") or "actpass"
    if setup not in ("actpass", "active"):
        raise invalid("setup: the node is the DTLS server")
    if "ice-lite" in session.first:
        raise invalid("ice-lite: one side has to make the checks")
    ufrag, password = _first(carriers, session, "ice-ufrag"), _first(carriers, session, "ice-pwd")
    if not ufrag or not password or not _UFRAG.fullmatch(ufrag) or not _PASSWORD.fullmatch(password):
        raise invalid("ice-ufrag, ice-pwd")
    said = next(
        (found for each in (*(each.said for each in carriers), session) if (found := each.all("fingerprint"))), ()
    )
    return Offer(
        credentials=Credentials(ufrag, password),
        fingerprints=_fingerprints(said),
        sctp_port=_sctp_port(section),
        max_message_bytes=_number(section.said.first.get("max-message-size", MAX_MESSAGE_DEFAULT), "max-message-size"),
        sections=sections,
        data=data,
        bundle=bundle,
        msid_semantic="msid-semantic" in session.first,
    )


@dataclass(frozen=True, slots=True)
class Ours:
    """What our side of an answer says. `addresses` are candidates, the best first."""

    session: int
    version: int
    credentials: Credentials
    fingerprint: str
    """sha-256, upper case, with colons."""
    addresses: tuple[str, ...]
    port: int
    ssrcs: tuple[int, ...] = ()
    """By slot."""


def write_answer(offer: Offer, ours: Ours, audio: Negotiated = NOTHING) -> str:
    """The answer: data and what is taken of audio, all others rejected, in the offer's order (RFC 8829 section 5.3.1)."""
    lines = ["v=0", f"o=- {ours.session} {ours.version} IN IP4 0.0.0.0", "s=-", "t=0 0"]
    data = offer.sections[offer.data]
    group = [each for each in offer.bundle if each == data.mid or each in audio.taken]
    if group:
        lines.append(f"a=group:BUNDLE {' '.join(group)}")
    lines.append("a=ice-lite")
    if offer.msid_semantic:
        lines.append("a=msid-semantic: WMS")
    for section in offer.sections:
        taken = audio.taken.get(section.mid or "")
        if section is data:
            lines += _accepted(section, ours, _data_lines(section))
        elif taken is not None:
            lines += _accepted(section, ours, lines_of(taken, ours.ssrcs), f" {taken.payload_type}")
        else:
            lines += _rejected(section)
    return "\r\n".join(lines) + "\r\n"


def _accepted(section: Section, ours: Ours, own: list[str], formats: str | None = None) -> list[str]:
    return [
        f"m={section.kind} {ours.port} {section.protocol}{section.formats if formats is None else formats}",
        f"c=IN {_family(ours.addresses[0])} {ours.addresses[0]}",
        *([f"a=mid:{section.mid}"] if section.mid is not None else []),
        f"a=ice-ufrag:{ours.credentials.ufrag}",
        f"a=ice-pwd:{ours.credentials.password}",
        "a=ice-options:ice2",
        f"a=fingerprint:sha-256 {ours.fingerprint}",
        "a=setup:passive",
        *own,
        *(_candidate(rank, address, ours.port) for rank, address in enumerate(ours.addresses)),
        "a=end-of-candidates",
    ]


def _data_lines(section: Section) -> list[str]:
    legacy = section.protocol == "DTLS/SCTP"
    return [
        f"a=sctpmap:{section.formats.strip()} webrtc-datachannel 256" if legacy else f"a=sctp-port:{SCTP_PORT}",
        f"a=max-message-size:{limits.CHANNEL_MESSAGE_BYTES}",
    ]


def _candidate(rank: int, address: str, port: int) -> str:
    priority = (126 << 24) + ((65535 - rank) << 8) + 255  # RFC 8445 section 5.1.2.1: host, component 1
    return f"a=candidate:{rank + 1} 1 udp {priority} {address} {port} typ host"


def _rejected(section: Section) -> list[str]:
    mid = [f"a=mid:{section.mid}"] if section.mid is not None else []
    return [f"m={section.kind} 0 {section.protocol}{section.formats}", "c=IN IP4 0.0.0.0", *mid, "a=inactive"]


def _family(address: str) -> str:
    return "IP6" if ":" in address else "IP4"


def _data_section(sections: tuple[Section, ...], session: Attributes) -> int:
    for index, each in enumerate(sections):
        if each.kind == "application" and each.protocol in _PROTOCOLS:
            if each.off or (each.port == 0 and not bundle_of(session, each)):
                raise invalid("the data channels' section is switched off")
            return index
    raise invalid("no data channels")


def _first(carriers: list[Section], session: Attributes, name: str) -> str | None:
    for each in carriers:
        if name in each.said.first:
            return each.said.first[name]
    return session.first.get(name)


def _fingerprints(said: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    known: list[tuple[str, str]] = []
    for each in said[:_FINGERPRINTS_MAX]:
        algorithm, _, value = each.strip().partition(" ")
        size = DIGESTS.get(algorithm.lower())
        if size is None:
            continue
        if not re.fullmatch(rf"[0-9A-Fa-f]{{2}}(?::[0-9A-Fa-f]{{2}}){{{size - 1}}}", value.strip()):
            raise invalid("fingerprint")
        known.append((algorithm.lower(), value.strip().upper()))
    if not known:
        raise invalid("fingerprint: sha-256, sha-384 or sha-512")
    return tuple(known)


def _sctp_port(section: Section) -> int:
    said = section.formats if section.protocol == "DTLS/SCTP" else section.said.first.get("sctp-port", str(SCTP_PORT))
    port = _number(said, "sctp-port")
    if not 0 < port < 65536:
        raise invalid("sctp-port")
    return port


def _number(text: str, name: str) -> int:
    if not re.fullmatch(r"[0-9]{1,15}", text.strip()):
        raise invalid(name)
    return int(text)
