"""Session descriptions as lines, sections and attributes (RFC 8866). Pure; what they mean is `sdp` and `sdp_audio`'s.

A description is hostile: it is bounded in characters, lines and sections, and of a section only the attributes that anybody
here reads more than one of are kept more than once.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError

_SECTIONS_MAX: Final = 32
_LINES_MAX: Final = 1200
_REPEATED: Final = ("fingerprint", "group", "rtpmap", "rtcp-fb", "extmap", "ssrc")
_TOKEN: Final = re.compile(r"[!#-'*+\-.0-9A-Z^-~]{1,64}")  # RFC 8866 section 9
_MEDIA: Final = re.compile(
    r"([a-z]{1,16}) (\d{1,5})(?:/\d{1,5})? ([A-Za-z0-9/]{1,32})((?: [!#-'*+\-.0-9A-Z^-~]{1,64}){1,128})", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Attributes:
    """`a=` lines of a section, or of the session: the first of each name, and all of some."""

    first: dict[str, str] = field(default_factory=dict)
    repeated: dict[str, list[str]] = field(default_factory=dict)

    def add(self, attribute: str) -> None:
        """One more, without its `a=`."""
        name, _, value = attribute.partition(":")
        if name in _REPEATED:
            self.repeated.setdefault(name, []).append(value)
        else:
            self.first.setdefault(name, value)

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of one of the names that are kept so."""
        return tuple(self.repeated.get(name, ()))


@dataclass(frozen=True, slots=True)
class Section:
    """One `m=` line and its attributes."""

    kind: str
    port: int
    protocol: str
    formats: str
    """With the space before each."""
    said: Attributes

    @property
    def mid(self) -> str | None:
        """The identification tag (RFC 5888)."""
        return self.said.first.get("mid")

    @property
    def off(self) -> bool:
        """Whether it is rejected or stopped: port 0, and not only because a bundle carries it (RFC 9143 section 6)."""
        return self.port == 0 and "bundle-only" not in self.said.first


def split(text: str) -> tuple[Attributes, tuple[Section, ...]]:
    """The session's attributes, and the sections. Raises AppError: SDP_INVALID."""
    lines = text.splitlines()
    if len(text) > limits.SDP_CHARS or len(lines) > _LINES_MAX or not lines or lines[0] != "v=0":
        raise invalid("not a session description, or a very long one")
    session = current = Attributes()
    sections: list[Section] = []
    for line in lines:
        if line.startswith("m="):
            match = _MEDIA.fullmatch(line[2:])
            if match is None or len(sections) == _SECTIONS_MAX:
                raise invalid("m=")
            current = Attributes()
            sections.append(Section(match[1], int(match[2]), match[3], match[4], current))
        elif line.startswith("a="):
            current.add(line[2:])
    mids = [each.mid for each in sections if each.mid is not None]
    if len(set(mids)) < len(mids) or not all(map(_TOKEN.fullmatch, mids)):
        raise invalid("mid")
    return session, tuple(sections)


def bundle_of(session: Attributes, section: Section) -> tuple[str, ...]:
    """The tags of the BUNDLE group that a section is in, in order; empty: it is in none."""
    for each in session.all("group"):
        words = each.split()
        if words[:1] == ["BUNDLE"] and section.mid in words[1:]:
            return tuple(words[1:])
    return ()


def invalid(detail: str) -> AppError:
    """The one refusal of a description."""
    return AppError(Code.SDP_INVALID, detail)
