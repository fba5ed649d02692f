"""An issuer's tokens, verified against keys that a real HTTP server publishes."""

import base64
import hmac
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chalicelib.users.oidc import OidcVerifier, public_keys
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.tokens import Identity
from chalicelib.wire.types import UserKind
from tests.fakes.issuer import CLIENT, ISSUER, Issuer, serving
from tests.fakes.users import NOW_S, Clock, pem_of


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """A serving issuer with one key, k1."""
    with serving(Issuer()) as it:
        yield it


def verifier_of(issuer: Issuer, clock: Clock | None = None) -> OidcVerifier:
    clock = clock or Clock()
    return OidcVerifier(issuer=ISSUER, jwks_url=issuer.url, audience=CLIENT, now_s=lambda: NOW_S, clock_s=clock)


def code_of(verifier: OidcVerifier, token: str) -> Code:
    with pytest.raises(AppError) as refused:
        verifier.verify(token)
    return refused.value.code


def hs256(claims: dict[str, Any], key: bytes) -> str:
    """By hand, since PyJWT refuses to take a public key for a secret."""
    parts = (json.dumps({"alg": "HS256", "kid": "k1"}), json.dumps(claims))
    signed = ".".join(base64.urlsafe_b64encode(p.encode()).decode().rstrip("=") for p in parts)
    signature = base64.urlsafe_b64encode(hmac.digest(key, signed.encode(), "sha256")).decode().rstrip("=")
    return f"{signed}.{signature}"


def test_an_id_token_names_its_subject(issuer: Issuer) -> None:
    """With the second in which it ends."""
    verified = verifier_of(issuer).verify(issuer.token())
    assert verified.identity == Identity("user-1", "Ada", UserKind.ACCOUNT)
    assert verified.expires_at_s == NOW_S + 100


def test_an_access_token_of_our_client_is_accepted(issuer: Issuer) -> None:
    """Cognito's have no audience and no name."""
    token = issuer.token(aud=None, name=None, token_use="access", client_id=CLIENT)
    assert verifier_of(issuer).verify(token).identity.user_id == "user-1"
    another = issuer.token(aud=None, token_use="access", client_id="another")
    assert code_of(verifier_of(issuer), another) is Code.TOKEN_INVALID


@pytest.mark.parametrize(
    "changes", [{"aud": "another"}, {"iss": "https://other"}, {"nbf": NOW_S + 60}, {"sub": 5}], ids=str
)
def test_well_signed_claims_that_are_not_for_us_are_refused(issuer: Issuer, changes: dict[str, Any]) -> None:
    """What they must be is the model's to say."""
    assert code_of(verifier_of(issuer), issuer.token(**changes)) is Code.TOKEN_INVALID


def test_an_expired_token_is_told_from_a_bad_one(issuer: Issuer) -> None:
    """So that a client refreshes it."""
    token = issuer.token(exp=NOW_S - limits.CLOCK_SKEW_S)
    assert code_of(verifier_of(issuer), token) is Code.TOKEN_EXPIRED


def test_a_changed_payload_is_refused(issuer: Issuer) -> None:
    """The signature covers it."""
    header, _, signature = issuer.token().split(".")
    payload = base64.urlsafe_b64encode(json.dumps({"iss": ISSUER, "sub": "admin", "aud": CLIENT}).encode())
    assert code_of(verifier_of(issuer), f"{header}.{payload.decode().rstrip('=')}.{signature}") is Code.TOKEN_INVALID


def test_a_strangers_signature_under_a_known_key_id_is_refused(issuer: Issuer) -> None:
    """The id only chooses the key."""
    assert code_of(verifier_of(issuer), Issuer().token()) is Code.TOKEN_INVALID


def test_no_other_algorithm_is_accepted(issuer: Issuer) -> None:
    """`none`, an HMAC keyed with the public key, RS512, PS256 (RFC 8725 section 3.1)."""
    verifier = verifier_of(issuer)
    claims = {"iss": ISSUER, "sub": "user-1", "aud": CLIENT, "exp": NOW_S + 100}
    public = issuer.private["k1"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert code_of(verifier, hs256(claims, public)) is Code.TOKEN_INVALID
    raw, private = json.dumps(claims).encode(), pem_of(issuer.private["k1"])
    for algorithm, key in (("RS512", private), ("PS256", private), ("none", "")):
        token = jwt.PyJWS().encode(raw, key, algorithm=algorithm, headers={"kid": "k1"})
        assert code_of(verifier, token) is Code.TOKEN_INVALID, algorithm


@pytest.mark.parametrize("token", ["", "a.b.c", "\ud800", "x" * 10_000, "nonsense"])
def test_what_is_no_token_costs_the_issuer_nothing(issuer: Issuer, token: str) -> None:
    """Nor do tokens that claim another issuer."""
    verifier = verifier_of(issuer)
    assert code_of(verifier, token) is Code.TOKEN_INVALID
    assert code_of(verifier, issuer.token(iss="https://other")) is Code.TOKEN_INVALID
    assert issuer.asked == 0


def test_keys_are_fetched_once(issuer: Issuer) -> None:
    """And kept."""
    verifier = verifier_of(issuer)
    for _ in range(5):
        verifier.verify(issuer.token())
    assert issuer.asked == 1


def test_threads_that_come_first_fetch_once(issuer: Issuer) -> None:
    """The others wait for the one."""
    verifier = verifier_of(issuer)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(verifier.verify, [issuer.token()] * 40))
    assert {v.identity.user_id for v in found} == {"user-1"}
    assert issuer.asked == 1


def test_a_new_key_is_fetched_when_a_token_names_it(issuer: Issuer) -> None:
    """Not sooner than a minute after the last fetch, however many tokens name it."""
    clock = Clock()
    verifier = verifier_of(issuer, clock)
    verifier.verify(issuer.token())
    issuer.add_key("k2")
    for _ in range(3):
        assert code_of(verifier, issuer.token("k2")) is Code.TOKEN_INVALID
    assert issuer.asked == 1
    clock.now_s += limits.JWKS_REFETCH_S
    assert verifier.verify(issuer.token("k2")).identity.user_id == "user-1"
    assert issuer.asked == 2


def test_unknown_keys_make_us_ask_once_a_minute_at_most(issuer: Issuer) -> None:
    """A flood of made-up key ids is no flood at the issuer."""
    clock = Clock()
    verifier = verifier_of(issuer, clock)
    issuer.add_key("secret", publish=False)
    for _ in range(3 * limits.JWKS_REFETCH_S):
        assert code_of(verifier, issuer.token("secret")) is Code.TOKEN_INVALID
        clock.now_s += 1
    assert issuer.asked == 3


def test_a_withdrawn_key_stops_working_within_the_hour(issuer: Issuer) -> None:
    """The keys are fetched anew when they are old."""
    clock = Clock()
    verifier = verifier_of(issuer, clock)
    verifier.verify(issuer.token())
    issuer.add_key("k2")
    issuer.published.pop(0)
    clock.now_s += limits.JWKS_AGE_S - 1
    verifier.verify(issuer.token())
    clock.now_s += 1
    assert code_of(verifier, issuer.token()) is Code.TOKEN_INVALID
    assert verifier.verify(issuer.token("k2")).identity.user_id == "user-1"


def test_old_keys_serve_on_while_the_issuer_is_away(issuer: Issuer) -> None:
    """It is asked again every few seconds, not at each call."""
    clock = Clock()
    verifier = verifier_of(issuer, clock)
    verifier.verify(issuer.token())
    issuer.status = 503
    clock.now_s += limits.JWKS_AGE_S
    for _ in range(4):
        verifier.verify(issuer.token())
    assert issuer.asked == 2
    clock.now_s += limits.JWKS_RETRY_S
    verifier.verify(issuer.token())
    assert issuer.asked == 3


@pytest.mark.parametrize(
    ("status", "raw"),
    [
        (500, b"{}"),
        (404, None),
        (302, None),
        (200, b""),
        (200, b"nonsense"),
        (200, b"[]"),
        (200, b'{"keys":5}'),
        (200, b'{"keys":[5]}'),
        (200, b'{"keys":' + b"[" * 60_000),
        (200, b'{"keys":[]}' + b" " * limits.JWKS_BYTES),
    ],
    ids=range(10),
)
def test_without_keys_nothing_can_be_verified(issuer: Issuer, status: int, raw: bytes | None) -> None:
    """The person is told to try again, not that their token is bad; and the issuer is left alone for a moment."""
    issuer.status, issuer.raw = status, raw
    clock = Clock()
    verifier = verifier_of(issuer, clock)
    for _ in range(3):
        assert code_of(verifier, issuer.token()) is Code.UPSTREAM_UNAVAILABLE
    assert issuer.asked == 1
    issuer.status, issuer.raw = 200, None
    clock.now_s += limits.JWKS_RETRY_S
    assert verifier.verify(issuer.token()).identity.user_id == "user-1"


def test_an_issuer_that_nobody_can_reach_is_unavailable() -> None:
    """Nothing listens there."""
    issuer = Issuer()
    with serving(issuer):
        pass
    assert code_of(verifier_of(issuer), issuer.token()) is Code.UPSTREAM_UNAVAILABLE


def test_an_issuer_with_one_key_may_leave_out_its_id(issuer: Issuer) -> None:
    """OpenID Connect Core 1.0 section 10.1 asks for it only where there are several."""
    issuer.published = [{k: v for k, v in issuer.jwk("k1").items() if k not in {"kid", "use", "alg"}}]
    assert verifier_of(issuer).verify(issuer.token(header={})).identity.user_id == "user-1"


@pytest.mark.parametrize(
    "changes",
    [
        {"kty": "EC"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"use": "enc"},
        {"alg": "RS512"},
        {"n": "!!"},
        {"n": ""},
        {"e": "AA"},
        {"kid": 5},
        {"n": "AQAB"},
    ],
    ids=str,
)
def test_keys_that_are_of_no_use_here_are_skipped(changes: dict[str, Any]) -> None:
    """One bad key does not spoil the others."""
    issuer = Issuer()
    issuer.publish("k1", **{"kid": "bad", **changes})
    assert list(public_keys(issuer.document())) == ["k1"]


def test_a_weak_key_is_skipped() -> None:
    """RFC 7518 section 3.3 asks for 2,048 bits."""
    issuer = Issuer()
    issuer.add_key("weak", bits=1024)
    assert list(public_keys(issuer.document())) == ["k1"]
