"""Our own tokens: ES256-signed (RFC 7519, RFC 7518 section 3.4), short-lived, one audience each.

A guest token is a bearer of identity; a ticket opens one WebSocket once. Accounts' tokens are the OIDC issuer's and
are verified elsewhere. Pure: keys and the clock are arguments.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

import jwt
import msgspec

from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.types import UserKind

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

ISSUER: Final = "holodeck"
ALGORITHM: Final = "ES256"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One EC P-256 private key (PKCS#8 PEM) and the id that names it in token headers."""

    kid: str
    pem: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is asking, as their token proves. A guest let in by an invite is bound to that one session."""

    user_id: str
    name: str
    kind: UserKind
    session_id: str | None = None


class GuestClaims(msgspec.Struct, frozen=True, kw_only=True):
    """A guest's identity."""

    sub: str
    name: str
    sid: str | None = None


class GuestRefreshClaims(msgspec.Struct, frozen=True, kw_only=True):
    """Lets a guest stay the same person past one token's life. Good for a new guest token, and for nothing else."""

    sub: str
    name: str
    sid: str | None = None


class TicketClaims(msgspec.Struct, frozen=True, kw_only=True):
    """One use of one WebSocket: `jti` is consumed by a conditional write."""

    jti: str
    sub: str
    name: str
    kind: UserKind
    sid: str
    tab: str


class NodeClaims(msgspec.Struct, frozen=True, kw_only=True):
    """One WebSocket of a media node, once. Signed with the nodes' keys, which sign nothing else."""

    jti: str
    sub: str
    """The node's id, `node_` and 12 of a-z0-9."""


AnyClaims = GuestClaims | GuestRefreshClaims | TicketClaims | NodeClaims
Claims = TypeVar("Claims", GuestClaims, GuestRefreshClaims, TicketClaims, NodeClaims)
_AUDIENCE: Final[dict[type[AnyClaims], str]] = {
    GuestClaims: "holodeck:guest",
    GuestRefreshClaims: "holodeck:guest-refresh",
    TicketClaims: "holodeck:ticket",
    NodeClaims: "holodeck:node",
}


_MALFORMED: Final = (
    jwt.InvalidTokenError,
    msgspec.ValidationError,
    TypeError,
    ValueError,
    OverflowError,
    RecursionError,
)
"""Whatever the libraries raise on bytes that are no token of ours: bad base64, surrogates, deep nesting, 1e400."""


def is_ours(token: str) -> bool:
    """Whether a token claims to be one of ours; `verify` decides whether it is."""
    return issuer_of(token) == ISSUER


def is_nodes(token: str) -> bool:
    """Whether a token claims to be a media node's; `verify` decides whether it is."""
    return _unproven(token).get("aud") == _AUDIENCE[NodeClaims]


def issuer_of(token: str) -> str | None:
    """The issuer that a token claims, unproven; None where it is no token."""
    issuer = _unproven(token).get("iss")
    return issuer if isinstance(issuer, str) else None


def _unproven(token: str) -> dict[str, Any]:
    """What a token claims, unproven; nothing where it is no token."""
    if len(token) > limits.TOKEN_CHARS:
        return {}
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except _MALFORMED:
        return {}
    return claims


def sign(claims: AnyClaims, key: SigningKey, *, now_s: int, ttl_s: int) -> str:
    """A compact JWS of the claims, valid from `now_s` for `ttl_s` seconds."""
    payload = {
        **msgspec.to_builtins(claims),
        "iss": ISSUER,
        "aud": _AUDIENCE[type(claims)],
        "iat": now_s,
        "exp": now_s + ttl_s,
    }
    return jwt.encode(payload, _private(key.pem), algorithm=ALGORITHM, headers={"kid": key.kid})


def verify(token: str, claims_type: type[Claims], keys: tuple[SigningKey, ...], *, now_s: int) -> Claims:
    """The claims of a token of ours, or TOKEN_INVALID / TOKEN_EXPIRED."""
    return verify_until(token, claims_type, keys, now_s=now_s)[0]


def verify_until(
    token: str, claims_type: type[Claims], keys: tuple[SigningKey, ...], *, now_s: int
) -> tuple[Claims, int]:
    """The claims of a token of ours and the second in which it expires, or TOKEN_INVALID / TOKEN_EXPIRED.

    Signature, issuer and audience are checked by the library; expiry here, against the clock that was given.
    """
    if len(token) > limits.TOKEN_CHARS:
        raise AppError(Code.TOKEN_INVALID)
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        key = next((k for k in keys if k.kid == kid), None)
        if key is None:
            raise AppError(Code.TOKEN_INVALID, "unknown key")
        payload: dict[str, Any] = jwt.decode(
            token,
            _private(key.pem).public_key(),
            algorithms=[ALGORITHM],
            audience=_AUDIENCE[claims_type],
            issuer=ISSUER,
            options={"verify_exp": False, "verify_iat": False, "require": ["exp", "iat", "aud", "iss"]},
        )
        expires_s = int(payload["exp"])
        claims = msgspec.convert(payload, claims_type)
    except _MALFORMED as exc:
        raise AppError(Code.TOKEN_INVALID) from exc
    if now_s >= expires_s + limits.CLOCK_SKEW_S:
        raise AppError(Code.TOKEN_EXPIRED)
    return claims, expires_s


@lru_cache(maxsize=16)
def _private(pem: str) -> "EllipticCurvePrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ec import (  # noqa: PLC0415 - 40 ms that only verifiers pay
        EllipticCurvePrivateKey,
    )
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    key = load_pem_private_key(pem.encode("ascii"), password=None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise AppError(Code.INTERNAL)
    return key
