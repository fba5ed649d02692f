"""Who somebody is, as a value: user ids, display names, and what a verified issuer's claims prove. Pure.

A user id is written into peer ids, keys and URLs, so it has one shape (`USER_ID`). A subject of that shape is the id itself
(Cognito's are UUIDs); any other issuer's (`auth0|5f7...`) is hashed. No account can have a guest's id.
"""

import hashlib
import math
import re
from dataclasses import dataclass
from typing import Any, Final, Protocol

from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.tokens import Identity
from chalicelib.wire.types import UNSEEN, USER_ID, UserKind

GUEST_PREFIX: Final = "gst_"
ACCOUNT_PREFIX: Final = "acc_"
NAMELESS: Final = "Someone"

_PLAIN: Final = re.compile(USER_ID)
_CONTROL: Final = re.compile(rf"[{UNSEEN}\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Verified:
    """Who a token proves to be, and the second in which it stops to."""

    identity: Identity
    expires_at_s: int


class SignedIn(Protocol):
    """What a login gives."""

    @property
    def token(self) -> str: ...
    @property
    def refresh_token(self) -> str | None: ...


class Accounts(Protocol):
    """The identity provider's own calls. Every refusal is an `AppError` with one of the account codes."""

    def sign_up(self, email: str, password: str, name: str) -> tuple[str, bool]: ...
    def confirm(self, email: str, code: str) -> None: ...
    def log_in(self, email: str, password: str) -> SignedIn: ...
    def refresh(self, refresh_token: str) -> SignedIn: ...


class Verifier(Protocol):
    """Verifies an OIDC issuer's token. TOKEN_INVALID, TOKEN_EXPIRED, UPSTREAM_UNAVAILABLE."""

    def verify(self, token: str) -> Verified: ...


class UsedTickets(Protocol):
    """Remembers which tickets were used: True the first time, False ever after."""

    def burn(self, jti: str, expires_at_s: int) -> bool: ...


class Invites(Protocol):
    """Resolves an invite code to its session; INVITE_UNKNOWN, INVITE_EXPIRED, INVITE_EXHAUSTED, SESSION_ENDED."""

    def peek(self, code: str) -> str: ...


class Members(Protocol):
    """Makes sure that somebody has a seat; the sessions room's codes otherwise."""

    def seated(self, session_id: str, identity: Identity) -> object: ...


def account_id(issuer: str, subject: str) -> str:
    """The user id of an issuer's subject: itself if it has the shape, otherwise `acc_` and 40 hex digits of a hash."""
    if _PLAIN.fullmatch(subject) and not subject.startswith((GUEST_PREFIX, ACCOUNT_PREFIX)):
        return subject
    digest = hashlib.sha256(f"{issuer}\n{subject}".encode("utf-8", "surrogatepass")).hexdigest()
    return ACCOUNT_PREFIX + digest[:40]


def display_name(claims: dict[str, Any]) -> str:
    """The name to show: `name`, `preferred_username` or `nickname` (OIDC Core 5.1). Never the e-mail address."""
    for claim in ("name", "preferred_username", "nickname"):
        value = claims.get(claim)
        if isinstance(value, str):
            name = _CONTROL.sub("", value).strip()[: limits.NAME_CHARS].strip()
            if name:
                return name
    return NAMELESS


def account(claims: dict[str, Any], *, issuer: str, audience: str, now_s: float) -> Verified:
    """What claims prove whose signature was verified. TOKEN_INVALID, TOKEN_EXPIRED.

    OpenID Connect Core 1.0 section 3.1.3.7, steps 2 to 10, against the clock that was given.
    """
    if claims.get("iss") != issuer:
        raise AppError(Code.TOKEN_INVALID, "another issuer")
    if not made_for(claims, audience):
        raise AppError(Code.TOKEN_INVALID, "made for another client")
    subject, expires_s = claims.get("sub"), _seconds(claims.get("exp"))
    if not isinstance(subject, str) or not subject or expires_s is None:
        raise AppError(Code.TOKEN_INVALID)
    if now_s >= expires_s + limits.CLOCK_SKEW_S:
        raise AppError(Code.TOKEN_EXPIRED)
    for claim in ("nbf", "iat"):
        if claim in claims:
            begins_s = _seconds(claims[claim])
            if begins_s is None or begins_s > now_s + limits.CLOCK_SKEW_S:
                raise AppError(Code.TOKEN_INVALID, "not valid yet")
    identity = Identity(account_id(issuer, subject), display_name(claims), UserKind.ACCOUNT)
    return Verified(identity, int(expires_s))


def made_for(claims: dict[str, Any], audience: str) -> bool:
    """Whether a token was made for us.

    An `aud` must name us, always. Cognito's access tokens have none: they have `token_use: access` and our `client_id`.
    A `token_use` that is there must be one of Cognito's two, and a token without `aud` is nobody's unless it is such.
    """
    use = claims.get("token_use")
    if use is not None and use not in ("id", "access"):
        return False
    if use == "access" and claims.get("client_id") != audience:
        return False
    named = claims.get("aud")
    if named is None:
        return use == "access"
    return audience in named if isinstance(named, list) else named == audience


def _seconds(value: object) -> float | None:
    """A NumericDate (RFC 7519 section 2), or None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < 2**53 and math.isfinite(value) else None
