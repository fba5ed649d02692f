"""Our own tokens: ES256-signed (RFC 7519, RFC 7518 section 3.4), short-lived, one audience each.

A guest token is a bearer of identity; a ticket opens one WebSocket once. Accounts' tokens are the OIDC issuer's and
are verified elsewhere. Pure: keys and the clock are arguments.
"""

from dataclasses import dataclass
from typing import Any, Final, TypeVar

import jwt
import msgspec

from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.types import UserKind

ISSUER: Final = "holodeck"
ALGORITHM: Final = "ES256"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One EC P-256 private key (PKCS#8 PEM) and the id that names it in token headers."""

    kid: str
    pem: str


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


class TicketClaims(msgspec.Struct, frozen=True, kw_only=True):
    """One use of one WebSocket: `jti` is consumed by a conditional write."""

    jti: str
    sub: str
    sid: str
    tab: str


Claims = TypeVar("Claims", GuestClaims, TicketClaims)
_AUDIENCE: Final[dict[type[GuestClaims] | type[TicketClaims], str]] = {
    GuestClaims: "holodeck:guest",
    TicketClaims: "holodeck:ticket",
}


def is_ours(token: str) -> bool:
    """Whether a token claims to be one of ours; `verify` decides whether it is."""
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return False
    return claims.get("iss") == ISSUER


def sign(claims: GuestClaims | TicketClaims, key: SigningKey, *, now_s: int, ttl_s: int) -> str:
    """A compact JWS of the claims, valid from `now_s` for `ttl_s` seconds."""
    payload = {
        **msgspec.to_builtins(claims),
        "iss": ISSUER,
        "aud": _AUDIENCE[type(claims)],
        "iat": now_s,
        "exp": now_s + ttl_s,
    }
    return jwt.encode(payload, key.pem, algorithm=ALGORITHM, headers={"kid": key.kid})


def verify(token: str, claims_type: type[Claims], keys: tuple[SigningKey, ...], *, now_s: int) -> Claims:
    """The claims of a token of ours, or TOKEN_INVALID / TOKEN_EXPIRED.

    Signature, issuer and audience are checked by the library; expiry here, against the clock that was given.
    """
    try:
        header = jwt.get_unverified_header(token)
        key = next((k for k in keys if k.kid == header.get("kid")), None)
        if key is None:
            raise AppError(Code.TOKEN_INVALID, "unknown key")
        payload: dict[str, Any] = jwt.decode(
            token,
            _public_pem(key),
            algorithms=[ALGORITHM],
            audience=_AUDIENCE[claims_type],
            issuer=ISSUER,
            options={"verify_exp": False, "verify_iat": False, "require": ["exp", "iat", "aud", "iss"]},
        )
        expires_s = int(payload["exp"])
        claims = msgspec.convert(payload, claims_type)
    except (jwt.InvalidTokenError, msgspec.ValidationError, TypeError, ValueError) as exc:
        raise AppError(Code.TOKEN_INVALID) from exc
    if now_s >= expires_s + limits.CLOCK_SKEW_S:
        raise AppError(Code.TOKEN_EXPIRED)
    return claims


_public: dict[str, bytes] = {}


def _public_pem(key: SigningKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - 40 ms that only verifiers pay
        Encoding,
        PublicFormat,
        load_pem_private_key,
    )

    if key.pem not in _public:
        private = load_pem_private_key(key.pem.encode("ascii"), password=None)
        _public[key.pem] = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return _public[key.pem]
