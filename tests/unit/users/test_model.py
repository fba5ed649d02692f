"""What a verified issuer's claims prove, and what ids and names people get of them."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.users.model import ACCOUNT_PREFIX, NAMELESS, account, account_id, display_name, made_for
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.tokens import Identity
from chalicelib.wire.types import USER_ID, UserKind
from tests.fakes.users import NOW_S

ISSUER = "https://issuer.example"
CLIENT = "our-client"


def claims(**changes: Any) -> dict[str, Any]:
    good = {"iss": ISSUER, "sub": "user-1", "aud": CLIENT, "exp": NOW_S + 100, "iat": NOW_S, "name": "Ada", **changes}
    return {k: v for k, v in good.items() if v is not ...}


def code_of(given_claims: dict[str, Any], now_s: float = NOW_S) -> Code:
    with pytest.raises(AppError) as refused:
        account(given_claims, issuer=ISSUER, audience=CLIENT, now_s=now_s)
    return refused.value.code


# -- ids --


def test_a_subject_of_our_shape_is_the_id() -> None:
    """Cognito's are UUIDs."""
    subject = "6cabb380-d411-4c6f-84fd-64a09abfeb02"
    assert account_id(ISSUER, subject) == subject


@given(st.text(st.characters(codec=None), max_size=100))
def test_whatever_the_subject_the_id_has_the_shape_and_is_no_guests(subject: str) -> None:
    """It goes into keys, peer ids and addresses."""
    user_id = account_id(ISSUER, subject)
    assert re.fullmatch(USER_ID, user_id)
    assert not user_id.startswith("gst_")


@pytest.mark.parametrize("subject", ["auth0|5f7", "gst_" + "a" * 20, "acc_" + "0" * 40, "a b", "x" * 65, "user\n", "ü"])
def test_a_subject_of_another_shape_is_hashed_with_its_issuer(subject: str) -> None:
    """Nobody can become a guest, or another issuer's person, by choosing a subject."""
    user_id = account_id(ISSUER, subject)
    assert user_id.startswith(ACCOUNT_PREFIX)
    assert user_id == account_id(ISSUER, subject)
    assert user_id != account_id("https://other.example", subject)
    assert user_id != subject


# -- names --


@pytest.mark.parametrize(
    ("given_claims", "expected"),
    [
        ({"name": "Ada"}, "Ada"),
        ({"name": "  Ada  "}, "Ada"),
        ({"name": "A\x00d\na"}, "Ada"),
        ({"name": "", "preferred_username": "ada"}, "ada"),
        ({"name": "\t", "nickname": "ad"}, "ad"),
        ({"name": 5, "preferred_username": None}, NAMELESS),
        ({"email": "ada@example.com"}, NAMELESS),
        ({"name": "n" * 100}, "n" * limits.NAME_CHARS),
        ({"name": "n" * 63 + "  m"}, "n" * 63),
        ({"name": "A\ud800da"}, "Ada"),
    ],
)
def test_a_name_is_the_first_usable_claim(given_claims: dict[str, Any], expected: str) -> None:
    """Clean, bounded, and never the e-mail address."""
    assert display_name(given_claims) == expected


# -- claims --


def test_good_claims_prove_an_account() -> None:
    """Until they expire."""
    verified = account(claims(), issuer=ISSUER, audience=CLIENT, now_s=NOW_S)
    assert verified.identity == Identity("user-1", "Ada", UserKind.ACCOUNT)
    assert verified.expires_at_s == NOW_S + 100


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example"},
        {"iss": ISSUER + "/"},
        {"iss": ...},
        {"iss": None},
        {"iss": [ISSUER]},
        {"aud": "another-client"},
        {"aud": ...},
        {"aud": []},
        {"aud": ["another-client"]},
        {"aud": {"our-client": 1}},
        {"aud": CLIENT + "x"},
        {"sub": ...},
        {"sub": ""},
        {"sub": 5},
        {"exp": ...},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"exp": 10**400},
        {"nbf": NOW_S + limits.CLOCK_SKEW_S + 1},
        {"nbf": "soon"},
        {"nbf": None},
        {"iat": NOW_S + limits.CLOCK_SKEW_S + 1},
        {"iat": []},
    ],
    ids=lambda c: str(c)[:60],
)
def test_claims_that_prove_nothing_here_are_refused(changes: dict[str, Any]) -> None:
    """Another issuer, another audience, nobody, no end, not yet."""
    assert code_of(claims(**changes)) is Code.TOKEN_INVALID


def test_a_token_ends_with_its_life_and_the_clock_skew() -> None:
    """Not a second later."""
    last_s = NOW_S + 100 + limits.CLOCK_SKEW_S
    account(claims(), issuer=ISSUER, audience=CLIENT, now_s=last_s - 0.5)
    assert code_of(claims(), last_s) is Code.TOKEN_EXPIRED


def test_clocks_may_differ_a_little() -> None:
    """An issuer a few seconds ahead is believed; `nbf` and `iat` may be left out."""
    ahead = NOW_S + limits.CLOCK_SKEW_S
    account(claims(nbf=ahead, iat=ahead), issuer=ISSUER, audience=CLIENT, now_s=NOW_S)
    account(claims(iat=..., exp=NOW_S + 0.5), issuer=ISSUER, audience=CLIENT, now_s=NOW_S)


@pytest.mark.parametrize(
    ("given_claims", "expected"),
    [
        ({"aud": CLIENT}, True),
        ({"aud": [CLIENT, "other"]}, True),
        ({"aud": CLIENT, "token_use": "id"}, True),
        ({"aud": CLIENT, "token_use": "id", "client_id": "other"}, True),
        ({"token_use": "access", "client_id": CLIENT}, True),
        ({"aud": CLIENT, "token_use": "access", "client_id": CLIENT}, True),
        ({"aud": CLIENT, "client_id": "an-apps-own", "azp": "an-apps-own"}, True),
        ({}, False),
        ({"client_id": CLIENT}, False),
        ({"token_use": "id"}, False),
        ({"token_use": "id", "client_id": CLIENT}, False),
        ({"token_use": "access"}, False),
        ({"token_use": "access", "client_id": "other"}, False),
        ({"aud": "other", "token_use": "access", "client_id": CLIENT}, False),
        ({"aud": CLIENT, "token_use": "access", "client_id": "other"}, False),
        ({"aud": CLIENT, "token_use": "refresh"}, False),
        ({"aud": CLIENT, "token_use": ["id"]}, False),
        ({"aud": CLIENT, "token_use": ""}, False),
        ({"aud": "other"}, False),
    ],
    ids=str,
)
def test_a_token_is_ours_only_if_it_was_made_for_us(given_claims: dict[str, Any], expected: bool) -> None:
    """By `aud`, or, on Cognito's access tokens, by `client_id`."""
    assert made_for(given_claims, CLIENT) is expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(
    st.dictionaries(st.sampled_from(["iss", "sub", "aud", "exp", "nbf", "iat", "name", "token_use", "client_id"]), JSON)
)
def test_whatever_the_claims_only_declared_codes_escape(changes: dict[str, Any]) -> None:
    """An issuer is trusted to sign, not to be well-behaved."""
    try:
        verified = account(claims(**changes), issuer=ISSUER, audience=CLIENT, now_s=NOW_S)
    except AppError as exc:
        assert exc.code in {Code.TOKEN_INVALID, Code.TOKEN_EXPIRED}  # noqa: PT017 - either way is right
    else:
        assert verified.identity.name
