"""STUN Binding as ICE uses it (RFC 8489, RFC 8445 section 7). Pure: bytes in, bytes out.

Only what an ICE-lite agent meets: requests with short-term credentials in, success and error responses out. What is
not well-formed raises StunError and nothing else; whether it is authentic is asked separately, with the key of whom the
USERNAME names. Attributes after MESSAGE-INTEGRITY are not looked at (RFC 8489 section 14.5).
"""

import hmac
import socket
import zlib
from dataclasses import dataclass
from enum import Enum
from struct import Struct
from typing import Final

COOKIE: Final = 0x2112A442
HEADER_BYTES: Final = 20
REQUEST_BYTES: Final = 1280  # nobody's connectivity check is longer; what is has no use for us

_HEADER: Final = Struct("!HHI12s")
_ATTRIBUTE: Final = Struct("!HH")
_BINDING_REQUEST: Final = 0x0001
_BINDING_SUCCESS: Final = 0x0101
_BINDING_ERROR: Final = 0x0111
_USERNAME: Final = 0x0006
_INTEGRITY: Final = 0x0008
_ERROR_CODE: Final = 0x0009
_UNKNOWN_ATTRIBUTES: Final = 0x000A
_XOR_MAPPED: Final = 0x0020
_PRIORITY: Final = 0x0024
_USE_CANDIDATE: Final = 0x0025
_FINGERPRINT: Final = 0x8028
_CONTROLLED: Final = 0x8029
_CONTROLLING: Final = 0x802A
_INTEGRITY_BYTES: Final = 20
_FINGERPRINT_XOR: Final = 0x5354554E
_OPTIONAL: Final = 0x8000  # from here on, an attribute that is not known is passed over (RFC 8489 section 14)
_UNKNOWN_MAX: Final = 8
ROLE_CONFLICT: Final = 487
UNKNOWN_ATTRIBUTE: Final = 420
_REASON: Final = {
    ROLE_CONFLICT: "Role Conflict",
    UNKNOWN_ATTRIBUTE: "Unknown",
}  # short: no answer is longer than its request

Address = tuple[str, int] | tuple[str, int, int, int]
"""As sockets give them: IPv4, or IPv6 with flow and scope."""


class StunError(ValueError):
    """Not a Binding request that ICE could have sent."""


class Kind(Enum):
    """What a datagram's first byte says it is (RFC 7983 section 7)."""

    STUN = "stun"
    DTLS = "dtls"
    RTP = "rtp"
    UNKNOWN = "unknown"


_KINDS: Final = tuple(
    Kind.STUN if byte < 4 else Kind.DTLS if 20 <= byte < 64 else Kind.RTP if 128 <= byte < 192 else Kind.UNKNOWN
    for byte in range(256)
)


def kind_of(datagram: bytes) -> Kind:
    """Which protocol's it is."""
    return _KINDS[datagram[0]] if datagram else Kind.UNKNOWN


@dataclass(frozen=True, slots=True)
class Request:
    """A well-formed Binding request; `unknown` are its attributes that must be understood and are not."""

    transaction: bytes
    username: str
    use_candidate: bool
    controlled: bool
    integrity_at: int
    integrity: bytes
    unknown: tuple[int, ...] = ()


def parse_request(data: bytes) -> Request:
    """Reads a Binding request. USERNAME, MESSAGE-INTEGRITY and FINGERPRINT have to be there (RFC 8445 section 7.2.2)."""
    if not HEADER_BYTES <= len(data) <= REQUEST_BYTES:
        raise StunError("length")
    kind, length, cookie, transaction = _HEADER.unpack_from(data)
    if kind != _BINDING_REQUEST or cookie != COOKIE or length != len(data) - HEADER_BYTES or length % 4:
        raise StunError("header")
    found: dict[int, bytes] = {}
    integrity_at, at = 0, HEADER_BYTES
    while at < len(data):
        kind, length = _ATTRIBUTE.unpack_from(data, at)
        value = data[at + 4 : at + 4 + length]
        if len(value) != length or _FINGERPRINT in found:
            raise StunError("attribute")
        if kind == _FINGERPRINT:
            if value != fingerprint(data[:at]):
                raise StunError("fingerprint")
            found[kind] = value
        elif not integrity_at:
            found.setdefault(kind, value)
            if kind == _INTEGRITY:
                integrity_at = at
        at += 4 + length + -length % 4
    if not integrity_at or _FINGERPRINT not in found or len(found[_INTEGRITY]) != _INTEGRITY_BYTES:
        raise StunError("unprotected")
    return Request(
        transaction=transaction,
        username=_username(found.get(_USERNAME, b"")),
        use_candidate=_USE_CANDIDATE in found,
        controlled=_CONTROLLED in found,
        integrity_at=integrity_at,
        integrity=found[_INTEGRITY],
        unknown=tuple(each for each in found if each < _OPTIONAL and each not in _KNOWN)[:_UNKNOWN_MAX],
    )


_KNOWN: Final = frozenset((_USERNAME, _INTEGRITY, _PRIORITY, _USE_CANDIDATE))


def _username(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as broken:
        raise StunError("username") from broken


def authentic(data: bytes, request: Request, password: bytes) -> bool:
    """Whether MESSAGE-INTEGRITY was made with the password (RFC 8489 section 14.5). Takes as long either way."""
    return hmac.compare_digest(request.integrity, integrity(data[: request.integrity_at], password))


def integrity(head: bytes, password: bytes) -> bytes:
    """HMAC-SHA1 over a message up to its MESSAGE-INTEGRITY, its length set as if that was the last attribute."""
    length = len(head) - HEADER_BYTES + 4 + _INTEGRITY_BYTES
    return hmac.digest(password, b"%b%b%b" % (head[:2], length.to_bytes(2, "big"), head[4:]), "sha1")


def fingerprint(head: bytes) -> bytes:
    """CRC-32 over a message up to its FINGERPRINT (RFC 8489 section 14.7)."""
    length = len(head) - HEADER_BYTES + 8
    crc = zlib.crc32(b"%b%b%b" % (head[:2], length.to_bytes(2, "big"), head[4:]))
    return (crc ^ _FINGERPRINT_XOR).to_bytes(4, "big")


def success(request: Request, seen_from: Address, password: bytes) -> bytes:
    """The answer: where we saw the request come from."""
    return _signed(_BINDING_SUCCESS, request.transaction, _mapped(seen_from, request.transaction), password)


def refusal(request: Request, code: int, password: bytes) -> bytes:
    """An error response; to UNKNOWN_ATTRIBUTE belongs which ones."""
    reason = bytes((0, 0, code // 100, code % 100)) + _REASON[code].encode()
    body = _attribute(_ERROR_CODE, reason)
    if code == UNKNOWN_ATTRIBUTE:
        body += _attribute(_UNKNOWN_ATTRIBUTES, b"".join([each.to_bytes(2, "big") for each in request.unknown]))
    return _signed(_BINDING_ERROR, request.transaction, body, password)


def _signed(kind: int, transaction: bytes, body: bytes, password: bytes) -> bytes:
    length = len(body) + 4 + _INTEGRITY_BYTES + 8
    message = _HEADER.pack(kind, length, COOKIE, transaction) + body
    message += _attribute(_INTEGRITY, integrity(message, password))
    return message + _attribute(_FINGERPRINT, fingerprint(message))


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(kind, len(value)) + value + bytes(-len(value) % 4)


def _mapped(address: Address, transaction: bytes) -> bytes:
    host, port = address[0], address[1]
    if ":" in host and not host.startswith("::ffff:"):
        family, packed = 2, socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    else:
        family, packed = 1, socket.inet_pton(socket.AF_INET, host.removeprefix("::ffff:"))
    mask = COOKIE.to_bytes(4, "big") + transaction
    hidden = bytes([a ^ b for a, b in zip(packed, mask, strict=False)])
    return _attribute(_XOR_MAPPED, bytes((0, family)) + (port ^ (COOKIE >> 16)).to_bytes(2, "big") + hidden)
