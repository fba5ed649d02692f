"""ICE as a client of a server with one address makes it (RFC 8445): checks out, checks answered. Pure."""

import secrets
from typing import Final

from media_node import stun

_BINDING: Final = 0x0001
SUCCESS: Final = b"\x01\x01"
REQUEST: Final = b"\x00\x01"
_PRIORITY: Final = (110 << 24) | (65535 << 8) | 255


def _attribute(kind: int, value: bytes) -> bytes:
    return kind.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value + bytes(-len(value) % 4)


def check(username: str, password: str, *, controlling: bool) -> bytes:
    """A Binding request; whoever controls chooses with it at once."""
    body = _attribute(0x0006, username.encode()) + _attribute(0x0024, _PRIORITY.to_bytes(4, "big"))
    body += _attribute(0x802A if controlling else 0x8029, secrets.token_bytes(8))
    if controlling:
        body += _attribute(0x0025, b"")
    length = len(body) + 24 + 8
    head = _BINDING.to_bytes(2, "big") + length.to_bytes(2, "big") + stun.COOKIE.to_bytes(4, "big")
    message = head + secrets.token_bytes(12) + body
    message += _attribute(0x0008, stun.integrity(message, password.encode()))
    return message + _attribute(0x8028, stun.fingerprint(message))


def answer(data: bytes, seen_from: tuple[str, int], password: str) -> bytes | None:
    """The answer to the server's check; None where it is none, or not authentic.

    Its role is looked over: a server is the controlling side where it offered, and we know who did.
    """
    try:
        request = stun.parse_request(data)
    except stun.StunError:
        return None
    key = password.encode()
    return stun.success(request, seen_from, key) if stun.authentic(data, request, key) else None
