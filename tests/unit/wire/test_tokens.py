"""Our own tokens: what was signed is read back, and whatever was touched is refused."""

import base64
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.tokens import (
    ALGORITHM,
    ISSUER,
    GuestClaims,
    GuestRefreshClaims,
    NodeClaims,
    SigningKey,
    TicketClaims,
    is_nodes,
    is_ours,
    issuer_of,
    sign,
    verify,
    verify_until,
)
from chalicelib.wire.types import UserKind
from tests.fakes.users import KEY, NOW_S, OLD_KEY, SESSION, STRANGERS_KEY, TAB, pem_of

GUEST = GuestClaims(sub="gst_a", name="Ada", sid=SESSION)
REFRESH = GuestRefreshClaims(sub="gst_a", name="Ada")
TICKET = TicketClaims(jti="j", sub="gst_a", name="Ada", kind=UserKind.GUEST, sid=SESSION, tab=TAB)
TOKEN = sign(GUEST, KEY, now_s=NOW_S, ttl_s=100)


def code_of(token: str, type_: Any = GuestClaims, keys: tuple[SigningKey, ...] = (KEY,), now_s: int = NOW_S) -> Code:
    with pytest.raises(AppError) as refused:
        verify(token, type_, keys, now_s=now_s)
    return refused.value.code


def part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forged(changes: dict[str, object], key: SigningKey = KEY, **header: object) -> str:
    payload: dict[str, object] = {
        "sub": "gst_a",
        "name": "Ada",
        "iss": ISSUER,
        "aud": "holodeck:guest",
        "iat": NOW_S,
        "exp": NOW_S + 100,
        **changes,
    }
    present = {k: v for k, v in payload.items() if v is not ...}
    raw = json.dumps(present).encode()
    return jwt.PyJWS().encode(raw, key.pem, algorithm=ALGORITHM, headers={"kid": key.kid, **header})


@pytest.mark.parametrize("claims", [GUEST, REFRESH, TICKET], ids=lambda c: type(c).__name__)
def test_what_was_signed_is_verified(claims: Any) -> None:
    """With the second in which it ends."""
    token = sign(claims, KEY, now_s=NOW_S, ttl_s=100)
    assert verify(token, type(claims), (KEY,), now_s=NOW_S) == claims
    assert verify_until(token, type(claims), (KEY,), now_s=NOW_S) == (claims, NOW_S + 100)


@given(
    st.builds(
        TicketClaims,
        jti=st.text(st.characters(codec="utf-8"), max_size=30),
        sub=st.text(st.characters(codec="utf-8"), max_size=64),
        name=st.text(st.characters(codec="utf-8"), max_size=64),
        kind=st.sampled_from(UserKind),
        sid=st.text(st.characters(codec="utf-8"), max_size=24),
        tab=st.text(st.characters(codec="utf-8"), max_size=16),
    ),
    st.integers(1, 2**40),
    st.integers(1, 10**6),
)
def test_any_claims_survive(claims: TicketClaims, now_s: int, ttl_s: int) -> None:
    """Whatever is written in them."""
    token = sign(claims, KEY, now_s=now_s, ttl_s=ttl_s)
    assert verify_until(token, TicketClaims, (KEY,), now_s=now_s) == (claims, now_s + ttl_s)


def test_the_first_key_signs_and_all_verify() -> None:
    """So that keys can be rotated."""
    old = sign(GUEST, OLD_KEY, now_s=NOW_S, ttl_s=100)
    assert verify(old, GuestClaims, (KEY, OLD_KEY), now_s=NOW_S) == GUEST
    assert code_of(old, keys=(KEY,)) is Code.TOKEN_INVALID


def test_a_token_ends_with_its_life_and_the_clock_skew() -> None:
    """Not a second later."""
    last_s = NOW_S + 100 + limits.CLOCK_SKEW_S
    assert verify(TOKEN, GuestClaims, (KEY,), now_s=last_s - 1) == GUEST
    assert code_of(TOKEN, now_s=last_s) is Code.TOKEN_EXPIRED


@pytest.mark.parametrize("index", range(0, len(TOKEN), 7))
def test_a_token_of_which_a_character_was_changed_is_refused(index: int) -> None:
    """Header, payload or signature."""
    other = "A" if TOKEN[index] != "A" else "z"
    changed = TOKEN[:index] + other + TOKEN[index + 1 :]
    assert code_of(changed) is Code.TOKEN_INVALID


def test_claims_that_were_replaced_are_refused() -> None:
    """The old signature fits no new payload."""
    header, _, signature = TOKEN.split(".")
    payload = {"sub": "gst_b", "name": "Eve", "iss": ISSUER, "aud": "holodeck:guest", "iat": NOW_S, "exp": NOW_S + 100}
    assert code_of(f"{header}.{part(payload)}.{signature}") is Code.TOKEN_INVALID


@pytest.mark.parametrize("signed", [GUEST, REFRESH, TICKET], ids=lambda c: type(c).__name__)
@pytest.mark.parametrize("wanted", [GuestClaims, GuestRefreshClaims, TicketClaims])
def test_a_token_of_one_audience_is_none_of_another(signed: Any, wanted: Any) -> None:
    """A ticket is no bearer, a bearer renews nothing."""
    token = sign(signed, KEY, now_s=NOW_S, ttl_s=100)
    if type(signed) is wanted:
        assert verify(token, wanted, (KEY,), now_s=NOW_S) == signed
    else:
        assert code_of(token, wanted) is Code.TOKEN_INVALID


def test_an_unsigned_token_is_refused() -> None:
    """`alg: none`, with and without our key's id (RFC 8725 section 3.1)."""
    payload = {"sub": "x", "name": "x", "iss": ISSUER, "aud": "holodeck:guest", "iat": NOW_S, "exp": NOW_S + 100}
    for header in ({"alg": "none"}, {"alg": "none", "kid": KEY.kid}, {"alg": "NONE", "kid": KEY.kid}):
        for signature in ("", part(b"x" * 64)):
            assert code_of(f"{part(header)}.{part(payload)}.{signature}") is Code.TOKEN_INVALID


def test_a_token_signed_by_another_algorithm_is_refused() -> None:
    """Also an HMAC keyed with our public key, the classic confusion (RFC 8725 section 2.1)."""
    payload = {"sub": "x", "name": "x", "iss": ISSUER, "aud": "holodeck:guest", "iat": NOW_S, "exp": NOW_S + 100}
    secret = "public" * 10
    assert code_of(jwt.encode(payload, secret, algorithm="HS256", headers={"kid": KEY.kid})) is Code.TOKEN_INVALID
    rsa_pem = pem_of(rsa.generate_private_key(65537, 2048))
    assert code_of(jwt.encode(payload, rsa_pem, algorithm="RS256", headers={"kid": KEY.kid})) is Code.TOKEN_INVALID
    p384 = pem_of(ec.generate_private_key(ec.SECP384R1()))
    assert code_of(jwt.encode(payload, p384, algorithm="ES384", headers={"kid": KEY.kid})) is Code.TOKEN_INVALID


def test_a_token_of_an_unknown_key_is_refused() -> None:
    """By its id; and one that names ours but was signed by another, by its signature."""
    assert code_of(forged({}, kid="nope")) is Code.TOKEN_INVALID
    assert code_of(forged({}, STRANGERS_KEY)) is Code.TOKEN_INVALID
    bare = jwt.encode({"sub": "x"}, KEY.pem, algorithm=ALGORITHM)
    assert code_of(bare) is Code.TOKEN_INVALID


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "holodeck2"},
        {"iss": ...},
        {"iss": None},
        {"aud": "holodeck"},
        {"aud": ...},
        {"aud": 5},
        {"exp": ...},
        {"exp": None},
        {"exp": "soon"},
        {"exp": []},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"iat": ...},
        {"sub": ...},
        {"sub": 5},
        {"name": ...},
        {"name": None},
        {"sid": 5},
        {"nbf": "x"},
    ],
    ids=str,
)
def test_claims_that_are_missing_or_of_another_type_are_refused(changes: dict[str, object]) -> None:
    """Though well signed: a signature proves who wrote, not that it is right."""
    assert code_of(forged(changes)) is Code.TOKEN_INVALID


MALFORMED = [
    "",
    ".",
    "..",
    "a.b",
    "a.b.c",
    "a.b.c.d",
    "\x00",
    "\ud800",
    "ü.ü.ü",
    f"{part([])}.{part({})}.",
    f"{part({'alg': ALGORITHM, 'kid': KEY.kid})}.{part([])}.{part(b'x')}",
    f"{part({'alg': ALGORITHM, 'kid': 5})}.{part({})}.{part(b'x')}",
    f"{part({'alg': ALGORITHM, 'kid': [KEY.kid]})}.{part({})}.{part(b'x')}",
    f"{part({'alg': ALGORITHM, 'kid': KEY.kid})}.{part(b'[' * 5000)}.{part(b'x')}",
    f"{part(b'[' * 5000)}.{part({})}.{part(b'x')}",
    f"{part({'alg': ALGORITHM, 'kid': KEY.kid, 'crit': ['b64'], 'b64': False})}.{part({})}.{part(b'x')}",
    f"{part({'alg': ALGORITHM})}.{part(b'{')}.{part(b'x')}",
    f"{part({'alg': ALGORITHM})}.{part(bytes([255]))}.{part(b'x')}",
    TOKEN + "=",
    TOKEN + "." + TOKEN,
    " " + TOKEN,
    TOKEN + "\n",
    "x" * (limits.TOKEN_CHARS + 1),
]


@pytest.mark.parametrize("token", MALFORMED, ids=range(len(MALFORMED)))
def test_bytes_that_are_no_token_are_refused(token: str) -> None:
    """And nothing but the declared code escapes."""
    assert code_of(token) is Code.TOKEN_INVALID


@given(st.text(max_size=80) | st.from_regex(r"\A[\w-]{0,40}\.[\w-]{0,40}\.[\w-]{0,40}\Z"))
def test_whatever_the_text_only_declared_codes_escape(token: str) -> None:
    """No other exception, ever."""
    assert code_of(token) is Code.TOKEN_INVALID
    assert not is_ours(token)


def test_an_oversize_token_is_refused_before_it_is_parsed() -> None:
    """Even one that would be valid."""
    long = sign(GuestClaims(sub="x", name="n" * limits.TOKEN_CHARS), KEY, now_s=NOW_S, ttl_s=9)
    assert code_of(long) is Code.TOKEN_INVALID
    assert issuer_of(long) is None


def test_a_token_is_ours_if_it_says_so() -> None:
    """Which proves nothing, and only chooses the verifier."""
    assert is_ours(TOKEN)
    assert is_ours(forged({}, STRANGERS_KEY))
    assert not is_ours(forged({"iss": "https://issuer.example"}))
    assert not is_ours(forged({"iss": 5}))
    assert not is_ours(forged({"iss": ...}))


@pytest.mark.parametrize("token", MALFORMED[:-6], ids=range(len(MALFORMED) - 6))
def test_bytes_that_are_no_token_have_no_issuer(token: str) -> None:
    """And raise nothing."""
    assert issuer_of(token) is None


def test_a_key_does_not_show_itself() -> None:
    """Not in a log, not in a trace."""
    assert "PRIVATE" not in repr(KEY)
    assert KEY.kid in repr(KEY)


def test_only_an_ec_key_signs() -> None:
    """Another kind is a broken deployment, not a bad token."""
    key = SigningKey("rsa", pem_of(rsa.generate_private_key(65537, 2048)))
    with pytest.raises(AppError) as refused:
        sign(GUEST, key, now_s=NOW_S, ttl_s=9)
    assert refused.value.code is Code.INTERNAL


def test_a_token_is_a_nodes_if_it_says_so() -> None:
    """Pages' tickets are told apart without a key; nonsense is nobody's."""
    assert is_nodes(sign(NodeClaims(jti="j", sub="node_000000000000"), KEY, now_s=NOW_S, ttl_s=30))
    assert not is_nodes(TOKEN)
    assert not is_nodes("nonsense")
    assert not is_nodes("x" * (limits.TOKEN_CHARS + 1))
