"""Accounts from end to end: HTTP, worker, Cognito's emulator and back, and what their tokens open."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from benchmarks.client import Api, Person, Refused
from chalicelib.wire.bodies import ConfirmResult, Session, SignupResult, TokenSet
from chalicelib.wire.codes import Code
from chalicelib.wire.types import UserKind
from local.stack import Stack

PASSWORD = "a long enough passphrase"


@pytest.fixture
async def api(stack: Stack) -> AsyncIterator[Api]:
    """A client of the system."""
    async with Api(stack.base_url) as made:
        yield made


async def sign_up(api: Api, email: str, *, confirm: bool = True) -> str:
    """A new account's user id."""
    body = {"email": email, "password": PASSWORD, "name": "Ada"}
    made = await api.call("POST", "/auth/signup", body=body, type_=SignupResult)
    assert made.confirmed is False
    if confirm:
        code = {"email": email, "code": "123456"}
        assert (await api.call("POST", "/auth/confirm", body=code, type_=ConfirmResult)).confirmed
    return made.user_id


async def log_in(api: Api, email: str, password: str = PASSWORD) -> TokenSet:
    """Its tokens."""
    return await api.call("POST", "/auth/login", body={"email": email, "password": password}, type_=TokenSet)


async def refusal(api: Api, path: str, body: dict[str, Any]) -> tuple[int, Code]:
    """Status and code of a call that must be refused."""
    with pytest.raises(Refused) as caught:
        await api.call("POST", path, body=body)
    return caught.value.status, caught.value.error.code


async def test_from_sign_up_to_a_session_of_ones_own(api: Api) -> None:
    """Sign up, confirm, log in, refresh; the token that came last creates a session and its owner is the account."""
    user_id = await sign_up(api, "ada@example.org")
    first = await log_in(api, "ada@example.org")
    assert (first.user.user_id, first.user.name, first.user.kind) == (user_id, "Ada", UserKind.ACCOUNT)
    assert first.refresh_token is not None
    body = {"refresh_token": first.refresh_token}
    second = await api.call("POST", "/auth/refresh", body=body, type_=TokenSet)
    assert (second.user.user_id, second.token_type) == (user_id, "Bearer")
    ada = Person(user_id, "Ada", second.access_token)
    made = await api.create(ada, "Mine")
    found = await api.call("GET", f"/sessions/{made.session_id}", ada, type_=Session)
    assert (found.name, found.owner_id) == ("Mine", user_id)


async def test_an_account_enters_a_room(api: Api) -> None:
    """Its tickets and its WebSocket are like a guest's."""
    user_id = await sign_up(api, "walker@example.org")
    tokens = await log_in(api, "walker@example.org")
    person = Person(user_id, "Ada", tokens.access_token)
    made = await api.create(person, "Mine")
    async with await api.enter(person, made.session_id, "tab00001") as peer:
        assert peer.room is not None
        assert peer.peer_id == f"{user_id}.tab00001"


async def test_a_wrong_password_and_an_unknown_address_look_the_same(api: Api) -> None:
    """Nobody learns from a login which addresses have an account."""
    await sign_up(api, "bob@example.org")
    for email in ("bob@example.org", "nobody@example.org"):
        body = {"email": email, "password": "a wrong passphrase"}
        assert await refusal(api, "/auth/login", body) == (401, Code.CREDENTIALS_WRONG)


async def test_an_address_signs_up_once(api: Api) -> None:
    """The second time it is taken."""
    await sign_up(api, "cleo@example.org")
    body = {"email": "cleo@example.org", "password": PASSWORD, "name": "Cleo"}
    assert await refusal(api, "/auth/signup", body) == (409, Code.ACCOUNT_EXISTS)


async def test_an_unconfirmed_account_does_not_log_in(api: Api) -> None:
    """And is told why."""
    await sign_up(api, "dan@example.org", confirm=False)
    body = {"email": "dan@example.org", "password": PASSWORD}
    assert await refusal(api, "/auth/login", body) == (409, Code.ACCOUNT_UNCONFIRMED)


async def test_a_weak_password_is_typed(api: Api) -> None:
    """Too short for the policy, and no account is made."""
    body = {"email": "eve@example.org", "password": "short", "name": "Eve"}
    assert await refusal(api, "/auth/signup", body) == (422, Code.BODY_INVALID)
    login = {"email": "eve@example.org", "password": "short"}
    assert await refusal(api, "/auth/login", login) == (401, Code.CREDENTIALS_WRONG)


async def test_a_code_for_nobody_is_wrong(api: Api) -> None:
    """An unknown address is not told from a wrong code."""
    body = {"email": "nobody@example.org", "code": "123456"}
    assert await refusal(api, "/auth/confirm", body) == (403, Code.CONFIRMATION_WRONG)


async def test_a_made_up_refresh_token_is_invalid(api: Api) -> None:
    """Neither an account's nor a guest's."""
    assert await refusal(api, "/auth/refresh", {"refresh_token": "made-up"}) == (401, Code.TOKEN_INVALID)


async def test_a_forged_token_opens_nothing(api: Api) -> None:
    """The signature is checked against the pool's keys."""
    await sign_up(api, "finn@example.org")
    token = (await log_in(api, "finn@example.org")).access_token
    head, payload, signature = token.split(".")
    forged = f"{head}.{payload}.{signature[:-8]}{'A' * 8}"
    with pytest.raises(Refused) as caught:
        await api.create(Person("x", "Finn", forged), "Not mine")
    assert caught.value.error.code is Code.TOKEN_INVALID
