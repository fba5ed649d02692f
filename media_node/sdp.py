"""Session descriptions: what is read of an offer, and the answer, written by hand. Pure.

A media node takes data channels, as the DTLS server, behind ICE-lite. An offer is read for its one `m=application` section
(RFC 8841) and what carries it; every other section is answered as rejected, port 0 (RFC 3264 section 6). With BUNDLE (RFC
9143) the data section's transport may be described by the group's first section.
Sources: RFC 8866 (the format), 8829 (what browsers write), 8839 (ICE), 8842 and 8122 (fingerprints, setup), 8841 (SCTP).
"""

import re
from dataclasses import dataclass, field
from typing import Final

from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from media_node.ice import Credentials

DIGESTS: Final = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
"""Hashes that a fingerprint may be of (RFC 8122 section 5; sha-1 and md5 bind nobody), and their bytes."""
MAX_MESSAGE_DEFAULT: Final = "65536"  # RFC 8841 section 6.1
SCTP_PORT: Final = 5000
_SECTIONS_MAX: Final = 32
_LINES_MAX: Final = 1200
_FINGERPRINTS_MAX: Final = 8
_PROTOCOLS: Final = ("UDP/DTLS/SCTP", "TCP/DTLS/SCTP", "DTLS/SCTP")
_UFRAG: Final = re.compile(r"[A-Za-z0-9+/=_-]{4,256}")  # RFC 8839 section 5.4; some write = and _ as well
_PASSWORD: Final = re.compile(r"[A-Za-z0-9+/=_-]{22,256}")
_TOKEN: Final = re.compile(r"[!#-'*+\-.0-9A-Z^-~]{1,64}")  # RFC 8866 section 9
_MEDIA: Final = re.compile(
    r"([a-z]{1,16}) (\d{1,5})(?:/\d{1,5})? ([A-Za-z0-9/]{1,32})((?: [!#-'*+\-.0-9A-Z^-~]{1,64}){1,128})"
)


@dataclass(frozen=True, slots=True)
class Section:
    """One `m=` line and its attributes (the first of each name, but all fingerprints)."""

    kind: str
    port: int
    protocol: str
    formats: str
    attributes: dict[str, str]
    fingerprints: tuple[str, ...]

    @property
    def mid(self) -> str | None:
        """The identification tag (RFC 5888)."""
        return self.attributes.get("mid")


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
    bundled: bool
    msid_semantic: bool


@dataclass(slots=True)
class _Lines:
    attributes: dict[str, str] = field(default_factory=dict)
    fingerprints: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)

    def add(self, attribute: str) -> None:
        name, _, value = attribute.partition(":")
        if name == "fingerprint":
            self.fingerprints.append(value)
        elif name == "group":
            self.groups.append(value)
        else:
            self.attributes.setdefault(name, value)


def parse_offer(text: str) -> Offer:
    """Reads an offer. Raises AppError: SDP_INVALID, saying what is missing."""
    session, sections = _split(text)
    data = _data_section(sections, session)
    section = sections[data]
    group = _group(session, section)
    carriers = [section, *(each for each in sections if group and each.mid == group[0])]
    setup = _first(carriers, session, "setup") or "actpass"
    if setup not in ("actpass", "active"):
        raise _invalid("setup: the node is the DTLS server")
    if "ice-lite" in session.attributes:
        raise _invalid("ice-lite: one side has to make the checks")
    ufrag, password = _first(carriers, session, "ice-ufrag"), _first(carriers, session, "ice-pwd")
    if not ufrag or not password or not _UFRAG.fullmatch(ufrag) or not _PASSWORD.fullmatch(password):
        raise _invalid("ice-ufrag, ice-pwd")
    said = next((each.fingerprints for each in carriers if each.fingerprints), tuple(session.fingerprints))
    return Offer(
        credentials=Credentials(ufrag, password),
        fingerprints=_fingerprints(said),
        sctp_port=_sctp_port(section),
        max_message_bytes=_number(section.attributes.get("max-message-size", MAX_MESSAGE_DEFAULT), "max-message-size"),
        sections=sections,
        data=data,
        bundled=bool(group),
        msid_semantic="msid-semantic" in session.attributes,
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


def write_answer(offer: Offer, ours: Ours) -> str:
    """The answer: the data section accepted, all others rejected, in the offer's order (RFC 8829 section 5.3.1)."""
    lines = ["v=0", f"o=- {ours.session} {ours.version} IN IP4 0.0.0.0", "s=-", "t=0 0"]
    data = offer.sections[offer.data]
    if offer.bundled:
        lines.append(f"a=group:BUNDLE {data.mid}")
    lines.append("a=ice-lite")
    if offer.msid_semantic:
        lines.append("a=msid-semantic: WMS")
    for section in offer.sections:
        lines += _accepted(section, ours) if section is data else _rejected(section)
    return "\r\n".join(lines) + "\r\n"


def _accepted(section: Section, ours: Ours) -> list[str]:
    legacy = section.protocol == "DTLS/SCTP"
    return [
        f"m={section.kind} {ours.port} {section.protocol}{section.formats}",
        f"c=IN {_family(ours.addresses[0])} {ours.addresses[0]}",
        *([f"a=mid:{section.mid}"] if section.mid is not None else []),
        f"a=ice-ufrag:{ours.credentials.ufrag}",
        f"a=ice-pwd:{ours.credentials.password}",
        "a=ice-options:ice2",
        f"a=fingerprint:sha-256 {ours.fingerprint}",
        "a=setup:passive",
        *([f"a=sctpmap:{section.formats.strip()} webrtc-datachannel 256"] if legacy else [f"a=sctp-port:{SCTP_PORT}"]),
        f"a=max-message-size:{limits.CHANNEL_MESSAGE_BYTES}",
        *(_candidate(rank, address, ours.port) for rank, address in enumerate(ours.addresses)),
        "a=end-of-candidates",
    ]


def _candidate(rank: int, address: str, port: int) -> str:
    priority = (126 << 24) + ((65535 - rank) << 8) + 255  # RFC 8445 section 5.1.2.1: host, component 1
    return f"a=candidate:{rank + 1} 1 udp {priority} {address} {port} typ host"


def _rejected(section: Section) -> list[str]:
    mid = [f"a=mid:{section.mid}"] if section.mid is not None else []
    return [f"m={section.kind} 0 {section.protocol}{section.formats}", "c=IN IP4 0.0.0.0", *mid, "a=inactive"]


def _family(address: str) -> str:
    return "IP6" if ":" in address else "IP4"


def _split(text: str) -> tuple[_Lines, tuple[Section, ...]]:
    lines = text.splitlines()
    if len(text) > limits.SDP_CHARS or len(lines) > _LINES_MAX or not lines or lines[0] != "v=0":
        raise _invalid("not a session description, or a very long one")
    session = current = _Lines()
    media: list[tuple[re.Match[str], _Lines]] = []
    for line in lines:
        if line.startswith("m="):
            match = _MEDIA.fullmatch(line[2:])
            if match is None or len(media) == _SECTIONS_MAX:
                raise _invalid("m=")
            current = _Lines()
            media.append((match, current))
        elif line.startswith("a="):
            current.add(line[2:])
    return session, tuple(
        Section(match[1], int(match[2]), match[3], match[4], attributes.attributes, tuple(attributes.fingerprints))
        for match, attributes in media
    )


def _data_section(sections: tuple[Section, ...], session: _Lines) -> int:
    if any(each.mid is not None and not _TOKEN.fullmatch(each.mid) for each in sections):
        raise _invalid("mid")
    for index, each in enumerate(sections):
        if each.kind == "application" and each.protocol in _PROTOCOLS:
            if each.port == 0 and not ("bundle-only" in each.attributes and _group(session, each)):
                raise _invalid("the data channels' section is switched off")
            return index
    raise _invalid("no data channels")


def _group(session: _Lines, section: Section) -> list[str]:
    for each in session.groups:
        words = each.split()
        if words[:1] == ["BUNDLE"] and section.mid in words[1:]:
            return words[1:]
    return []


def _first(carriers: list[Section], session: _Lines, name: str) -> str | None:
    for each in carriers:
        if name in each.attributes:
            return each.attributes[name]
    return session.attributes.get(name)


def _fingerprints(said: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    known: list[tuple[str, str]] = []
    for each in said[:_FINGERPRINTS_MAX]:
        algorithm, _, value = each.strip().partition(" ")
        size = DIGESTS.get(algorithm.lower())
        if size is None:
            continue
        if not re.fullmatch(rf"[0-9A-Fa-f]{{2}}(?::[0-9A-Fa-f]{{2}}){{{size - 1}}}", value.strip()):
            raise _invalid("fingerprint")
        known.append((algorithm.lower(), value.strip().upper()))
    if not known:
        raise _invalid("fingerprint: sha-256, sha-384 or sha-512")
    return tuple(known)


def _sctp_port(section: Section) -> int:
    said = section.formats if section.protocol == "DTLS/SCTP" else section.attributes.get("sctp-port", str(SCTP_PORT))
    port = _number(said, "sctp-port")
    if not 0 < port < 65536:
        raise _invalid("sctp-port")
    return port


def _number(text: str, name: str) -> int:
    if not re.fullmatch(r"[0-9]{1,15}", text.strip()):
        raise _invalid(name)
    return int(text)


def _invalid(detail: str) -> AppError:
    return AppError(Code.SDP_INVALID, detail)
