"""Verifies an OIDC issuer's tokens: Cognito's, or any other's.

The signature is checked here, by the issuer's published keys (JWKS, RFC 7517) and RS256 only; what the claims prove is
`model.account`'s to say. JWKS and issuer are configured apart, since an emulator's `iss` is AWS's.

Keys are fetched at first use and kept. A token that names an unknown key makes us ask again, at most once a minute, and
only if it claims our issuer; so a stranger's tokens cost the issuer nothing. Threads that need no fetch never wait for one.
"""

import http.client
import threading
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from chalicelib.aws import log
from chalicelib.users.model import Verified, account
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.tokens import issuer_of

ALGORITHM: Final = "RS256"
RSA_BITS_MIN: Final = 2048
"""RFC 7518 section 3.3."""
RSA_BITS_MAX: Final = 8192


class _Jwk(msgspec.Struct):
    kty: str
    kid: str = ""
    use: str = "sig"
    alg: str = ALGORITHM
    n: str = ""
    e: str = ""


class _Jwks(msgspec.Struct):
    keys: list[dict[str, Any]]


def fetch(url: str) -> bytes:
    """A GET of at most JWKS_BYTES, without redirects. Raises OSError, ValueError or HTTPException."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    connection = (http.client.HTTPSConnection if secure else http.client.HTTPConnection)(
        parts.netloc, timeout=limits.JWKS_TIMEOUT_S
    )
    try:
        connection.request("GET", f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/")
        response = connection.getresponse()
        body = response.read(limits.JWKS_BYTES + 1)
    finally:
        connection.close()
    if response.status != 200 or len(body) > limits.JWKS_BYTES:
        raise ValueError(f"status {response.status}, {len(body)} bytes")
    return body


def public_keys(document: bytes) -> dict[str, RSAPublicKey]:
    """The usable keys of a JWKS by their `kid`. What is not for RS256 signatures is skipped. Raises msgspec.DecodeError."""
    found: dict[str, RSAPublicKey] = {}
    for raw in msgspec.json.decode(document, type=_Jwks).keys:
        try:
            jwk = msgspec.convert(raw, _Jwk)
            if (jwk.kty, jwk.use, jwk.alg) != ("RSA", "sig", ALGORITHM):
                continue
            key = jwt.PyJWK.from_dict({"kty": "RSA", "n": jwk.n, "e": jwk.e}, algorithm=ALGORITHM).key
        except (msgspec.ValidationError, jwt.PyJWTError, ValueError):
            continue
        if isinstance(key, RSAPublicKey) and RSA_BITS_MIN <= key.key_size <= RSA_BITS_MAX:
            found[jwk.kid] = key
    return found


class Keys:
    """The issuer's keys, cached."""

    def __init__(self, url: str, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._clock_s = clock_s
        self._keys: dict[str, RSAPublicKey] = {}
        self._fetched_at_s: float | None = None
        self._tried_at_s: float | None = None
        self._fetching = threading.Lock()

    def key(self, kid: str) -> RSAPublicKey | None:
        """The key of that id, or None. UPSTREAM_UNAVAILABLE if no keys were ever fetched."""
        known = kid in self._keys
        if self._wanted(kid) and self._fetching.acquire(blocking=not known):
            try:
                if self._wanted(kid):  # another thread may have fetched meanwhile
                    self._fetch()
            finally:
                self._fetching.release()
        if self._fetched_at_s is None:
            raise AppError(Code.UPSTREAM_UNAVAILABLE, "the issuer's keys", retry_after_ms=limits.JWKS_RETRY_S * 1000)
        return self._keys.get(kid)

    def _wanted(self, kid: str) -> bool:
        if self._tried_at_s is None:
            return True
        now_s = self._clock_s()
        since_try_s = now_s - self._tried_at_s
        if self._fetched_at_s is None:
            return since_try_s >= limits.JWKS_RETRY_S
        if kid not in self._keys:
            return since_try_s >= limits.JWKS_REFETCH_S
        return now_s - self._fetched_at_s >= limits.JWKS_AGE_S and since_try_s >= limits.JWKS_RETRY_S

    def _fetch(self) -> None:
        try:
            self._keys = public_keys(fetch(self._url))
            self._fetched_at_s = self._clock_s()
        except (OSError, ValueError, http.client.HTTPException, msgspec.DecodeError, RecursionError) as exc:
            log.warning("oidc.keys_unavailable", reason=type(exc).__name__)
        self._tried_at_s = self._clock_s()


class OidcVerifier:
    """One issuer's verifier."""

    def __init__(
        self,
        *,
        issuer: str,
        jwks_url: str,
        audience: str,
        now_s: Callable[[], float] = time.time,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._now_s = now_s
        self._keys = Keys(jwks_url, clock_s=clock_s)

    def verify(self, token: str) -> Verified:
        """Who the token names, and until when. TOKEN_INVALID, TOKEN_EXPIRED, or UPSTREAM_UNAVAILABLE without keys."""
        if issuer_of(token) != self._issuer:
            raise AppError(Code.TOKEN_INVALID)
        try:
            key = self._keys.key(str(jwt.get_unverified_header(token).get("kid", "")))
            if key is None:
                raise AppError(Code.TOKEN_INVALID, "unknown key")
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                options={
                    "verify_aud": False,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_iss": False,
                    "verify_nbf": False,
                    "verify_sub": False,
                    "verify_jti": False,
                },
            )
        except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError) as exc:
            raise AppError(Code.TOKEN_INVALID) from exc
        return account(claims, issuer=self._issuer, audience=self._audience, now_s=self._now_s())
