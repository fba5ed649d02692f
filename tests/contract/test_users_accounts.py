"""Accounts, on the fake and on moto's Cognito: every refusal has one code, and an unknown address is not told apart."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import botocore.session
import pytest

from chalicelib.users.cognito import CognitoAccounts
from chalicelib.users.model import Accounts
from chalicelib.users.oidc import OidcVerifier
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from tests.fakes.users import MemoryAccounts

PASSWORD = "Passw0rd-ly"


@dataclass(frozen=True, slots=True)
class Pool:
    """A user pool with one client."""

    endpoint: str
    pool_id: str
    client_id: str

    @property
    def issuer(self) -> str:
        return f"https://cognito-idp.us-east-1.amazonaws.com/{self.pool_id}"

    @property
    def jwks_url(self) -> str:
        return f"{self.endpoint}/{self.pool_id}/.well-known/jwks.json"

    def verifier(self, audience: str | None = None) -> OidcVerifier:
        return OidcVerifier(issuer=self.issuer, jwks_url=self.jwks_url, audience=audience or self.client_id)


@pytest.fixture(scope="session")
def pool(moto_endpoint: str) -> Pool:
    """As local and infra make them: e-mail is the user name, the client may read the name."""
    session = botocore.session.get_session()
    session.set_credentials("local", "local")
    idp: Any = session.create_client("cognito-idp", region_name="us-east-1", endpoint_url=moto_endpoint)
    made = idp.create_user_pool(PoolName="p", UsernameAttributes=["email"], AutoVerifiedAttributes=["email"])
    pool_id = made["UserPool"]["Id"]
    client = idp.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName="web",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        ReadAttributes=["email", "name"],
    )
    return Pool(moto_endpoint, pool_id, client["UserPoolClient"]["ClientId"])


def cognito(pool: Pool) -> CognitoAccounts:
    return CognitoAccounts(pool.client_id, region="us-east-1", endpoint=pool.endpoint)


@pytest.fixture(params=["memory", "moto"])
def accounts(request: pytest.FixtureRequest) -> Accounts:
    """A provider."""
    return MemoryAccounts() if request.param == "memory" else cognito(request.getfixturevalue("pool"))


@pytest.fixture
def email() -> str:
    """An address that nobody has."""
    return f"ada-{uuid.uuid4().hex[:10]}@example.com"


def code_of(call: Callable[[], object]) -> Code:
    with pytest.raises(AppError) as refused:
        call()
    return refused.value.code


def test_an_account_needs_confirming_before_it_logs_in(accounts: Accounts, email: str) -> None:
    """Signing up gives an id; confirming makes it usable."""
    user_id, confirmed = accounts.sign_up(email, PASSWORD, "Ada")
    assert user_id
    assert not confirmed
    assert code_of(lambda: accounts.log_in(email, PASSWORD)) is Code.ACCOUNT_UNCONFIRMED
    accounts.confirm(email, "123456")
    assert accounts.log_in(email, PASSWORD).token


def test_an_address_has_one_account(accounts: Accounts, email: str) -> None:
    """The second is told so."""
    accounts.sign_up(email, PASSWORD, "Ada")
    assert code_of(lambda: accounts.sign_up(email, PASSWORD, "Eve")) is Code.ACCOUNT_EXISTS


def test_a_weak_password_is_refused(accounts: Accounts, email: str) -> None:
    """The pool's policy decides; nothing is made."""
    assert code_of(lambda: accounts.sign_up(email, "password", "Ada")) is Code.PASSWORD_WEAK
    accounts.sign_up(email, PASSWORD, "Ada")


def test_a_wrong_password_and_an_unknown_address_are_one_answer(accounts: Accounts, email: str) -> None:
    """Nobody learns who has an account by trying to log in."""
    accounts.sign_up(email, PASSWORD, "Ada")
    accounts.confirm(email, "123456")
    wrong = code_of(lambda: accounts.log_in(email, "Wr0ng-one"))
    unknown = code_of(lambda: accounts.log_in("nobody-" + email, PASSWORD))
    assert wrong is unknown is Code.CREDENTIALS_WRONG


def test_confirming_an_unknown_address_is_a_wrong_code(accounts: Accounts, email: str) -> None:
    """As a wrong code would be."""
    assert code_of(lambda: accounts.confirm(email, "123456")) is Code.CONFIRMATION_WRONG


def test_a_refresh_token_gives_new_tokens_and_stays_good(accounts: Accounts, email: str) -> None:
    """The page keeps one."""
    accounts.sign_up(email, PASSWORD, "Ada")
    accounts.confirm(email, "123456")
    given = accounts.log_in(email, PASSWORD).refresh_token
    assert given is not None
    for _ in range(2):
        again = accounts.refresh(given)
        assert again.token
        assert again.refresh_token == given


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "refresh:", "x" * 4000])
def test_a_made_up_refresh_token_is_invalid(accounts: Accounts, token: str) -> None:
    """It says nothing of credentials."""
    assert code_of(lambda: accounts.refresh(token)) is Code.TOKEN_INVALID


# -- moto's tokens, by the real verifier --


def test_cognitos_token_names_who_signed_up(pool: Pool, email: str) -> None:
    """Issuer, audience, signature by the published keys; the name is in it."""
    user_id, _ = cognito(pool).sign_up(email, PASSWORD, "Ada Ü")
    cognito(pool).confirm(email, "123456")
    tokens = cognito(pool).log_in(email, PASSWORD)
    identity = pool.verifier().verify(tokens.token).identity
    assert (identity.user_id, identity.name) == (user_id, "Ada Ü")
    again = cognito(pool).refresh(tokens.refresh_token or "")
    assert pool.verifier().verify(again.token).identity == identity


def test_cognitos_token_for_another_client_is_refused(pool: Pool, email: str) -> None:
    """The same pool, the same keys, another audience."""
    cognito(pool).sign_up(email, PASSWORD, "Ada")
    cognito(pool).confirm(email, "123456")
    token = cognito(pool).log_in(email, PASSWORD).token
    assert code_of(lambda: pool.verifier("another-client").verify(token)) is Code.TOKEN_INVALID
