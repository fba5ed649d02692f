"""The /auth routes through the app's edge: each one's success, each declared error, and nothing undeclared."""

from typing import Any

import pytest

from chalicelib.aws.app import HolodeckApp
from chalicelib.endpoint import NAMED_BY
from chalicelib.users.routes import routes
from chalicelib.wire import limits
from chalicelib.wire.bodies import ErrorBody, SignupResult, Ticket, TokenSet
from chalicelib.wire.codes import STATUS, Code
from chalicelib.wire.decode import decode_body
from chalicelib.wire.tokens import GuestRefreshClaims, sign
from tests.fakes.rest import Answer, call
from tests.fakes.users import INVITE, KEY, NOW_S, SESSION, TAB, House

EMAIL, PASSWORD = "ada@example.com", "Passw0rdly"
SIGNUP = {"email": EMAIL, "password": PASSWORD, "name": "Ada"}
LOGIN = {"email": EMAIL, "password": PASSWORD}
CONFIRM = {"email": EMAIL, "code": "123456"}
TICKET = {"session_id": SESSION, "tab_id": TAB}


class Api:
    """The users room behind the edge."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.routes = routes(house.users.authenticate, lambda: house.users)
        self.app = HolodeckApp(app_name="users")
        self.app.experimental_feature_flags.update(["BLUEPRINTS"])
        self.app.register_blueprint(self.routes.blueprint)
        self._errors = {e.path: e.errors for e in self.routes.endpoints}

    def post(self, path: str, body: object, token: str | None = None) -> Answer:
        """One call; an error must be one that the route declares."""
        answer = call(self.app, "POST", path, body=body, token=token)
        if answer.status >= 400:
            assert decode_body(answer.text, ErrorBody).code in self._errors[path]
        return answer

    def refusal(self, path: str, body: object, token: str | None = None) -> Code:
        """The code of a call that is refused."""
        answer = self.post(path, body, token)
        error = decode_body(answer.text, ErrorBody)
        assert answer.status == (
            409 if error.code in NAMED_BY else STATUS[error.code]
        )  # no address here names anything
        return error.code

    def guest(self, **more: Any) -> TokenSet:
        """A guest's tokens."""
        return decode_body(self.post("/auth/guest", {"name": "Bo", **more}).text, TokenSet)


@pytest.fixture
def api() -> Api:
    """Accounts and guests are open."""
    return Api(House())


@pytest.fixture
def closed() -> Api:
    """Neither is."""
    return Api(House(open_guests=False, accounts=False))


def test_an_account_is_made_confirmed_used_and_refreshed(api: Api) -> None:
    """The whole way, by the typed responses."""
    made = api.post("/auth/signup", SIGNUP)
    assert made.status == 201
    assert not decode_body(made.text, SignupResult).confirmed
    assert api.refusal("/auth/login", LOGIN) is Code.ACCOUNT_UNCONFIRMED
    assert api.post("/auth/confirm", CONFIRM).json == {"confirmed": True}
    tokens = decode_body(api.post("/auth/login", LOGIN).text, TokenSet)
    assert tokens.token_type == "Bearer"
    again = api.post("/auth/refresh", {"refresh_token": tokens.refresh_token})
    assert decode_body(again.text, TokenSet).user == tokens.user


def test_signing_up_is_refused_with_its_codes(api: Api) -> None:
    """Taken, weak."""
    api.post("/auth/signup", SIGNUP)
    assert api.refusal("/auth/signup", SIGNUP) is Code.ACCOUNT_EXISTS
    assert (
        api.refusal("/auth/signup", {**SIGNUP, "email": "b@c.de", "password": "passwordpassword"}) is Code.PASSWORD_WEAK
    )
    assert api.refusal("/auth/signup", {**SIGNUP, "password": "short"}) is Code.BODY_INVALID
    assert api.refusal("/auth/signup", {**SIGNUP, "password": "x" * (limits.PASSWORD_CHARS + 1)}) is Code.BODY_INVALID


def test_confirming_and_logging_in_are_refused_with_their_codes(api: Api) -> None:
    """Wrong code, wrong password, unknown address."""
    api.post("/auth/signup", SIGNUP)
    assert api.refusal("/auth/confirm", {**CONFIRM, "code": "000000"}) is Code.CONFIRMATION_WRONG
    api.post("/auth/confirm", CONFIRM)
    assert api.refusal("/auth/login", {**LOGIN, "password": "wrong"}) is Code.CREDENTIALS_WRONG
    assert api.refusal("/auth/login", {**LOGIN, "email": "b@c.de"}) is Code.CREDENTIALS_WRONG


@pytest.mark.parametrize(
    ("path", "body"), [("/auth/signup", SIGNUP), ("/auth/confirm", CONFIRM), ("/auth/login", LOGIN)]
)
def test_where_accounts_are_closed_the_account_routes_say_so(closed: Api, path: str, body: object) -> None:
    """503: this deployment has no issuer."""
    assert closed.refusal(path, body) is Code.ACCOUNTS_CLOSED


def test_a_guest_enters_and_stays_the_same_person(api: Api) -> None:
    """201, a typed set of tokens, an id of the documented shape."""
    answer = api.post("/auth/guest", {"name": "Bo"})
    assert answer.status == 201
    tokens = decode_body(answer.text, TokenSet)
    assert tokens.user.user_id.startswith("gst_")
    assert len(tokens.user.user_id) == 24
    again = api.post("/auth/refresh", {"refresh_token": tokens.refresh_token})
    assert decode_body(again.text, TokenSet).user == tokens.user


def test_guests_are_refused_with_their_codes(api: Api, closed: Api) -> None:
    """No invite, an unknown one, a nameless guest."""
    assert closed.refusal("/auth/guest", {"name": "Bo"}) is Code.GUESTS_CLOSED
    assert closed.post("/auth/guest", {"name": "Bo", "invite": INVITE}).json["session_id"] == SESSION
    assert api.refusal("/auth/guest", {"name": "Bo", "invite": f"{SESSION}.{'x' * 22}"}) is Code.INVITE_UNKNOWN
    assert api.refusal("/auth/guest", {"name": "  "}) is Code.BODY_INVALID
    assert api.refusal("/auth/guest", {"name": "Bo", "user_id": "gst_mine"}) is Code.BODY_INVALID


def test_refreshing_is_refused_with_its_codes(api: Api, closed: Api) -> None:
    """Made up, expired, closed meanwhile."""
    claims = GuestRefreshClaims(sub="gst_a", name="Bo")
    live = {"refresh_token": sign(claims, KEY, now_s=NOW_S, ttl_s=100)}
    dead = {"refresh_token": sign(claims, KEY, now_s=NOW_S - 1000, ttl_s=100)}
    assert api.post("/auth/refresh", live).status == 200
    assert closed.refusal("/auth/refresh", live) is Code.GUESTS_CLOSED
    assert api.refusal("/auth/refresh", dead) is Code.TOKEN_EXPIRED
    for house in (api, closed):
        assert house.refusal("/auth/refresh", {"refresh_token": "made up"}) is Code.TOKEN_INVALID
    assert api.refusal("/auth/refresh", {"refresh_token": "x" * (limits.TOKEN_CHARS + 1)}) is Code.BODY_INVALID


def test_a_ticket_is_for_who_has_a_seat(api: Api) -> None:
    """Guests and accounts alike."""
    guest = api.guest()
    assert api.refusal("/auth/tickets", TICKET, guest.access_token) is Code.PARTICIPANT_NOT_JOINED
    api.house.members.inside.add(guest.user.user_id)
    answer = api.post("/auth/tickets", TICKET, guest.access_token)
    assert answer.status == 201
    ticket = decode_body(answer.text, Ticket)
    assert ticket.peer_id == f"{guest.user.user_id}.{TAB}"
    assert api.house.users.consume(ticket.ticket).sub == guest.user.user_id


def test_tickets_are_refused_with_their_codes(api: Api) -> None:
    """No token, a bad one, an expired one, another session, a bad tab."""
    guest = api.guest()
    assert api.refusal("/auth/tickets", TICKET) is Code.TOKEN_MISSING
    assert api.refusal("/auth/tickets", TICKET, "made up") is Code.TOKEN_INVALID
    assert api.refusal("/auth/tickets", TICKET, guest.refresh_token) is Code.TOKEN_INVALID
    unknown = {**TICKET, "session_id": "ses_" + "x" * 20}
    assert api.refusal("/auth/tickets", unknown, guest.access_token) is Code.SESSION_UNKNOWN
    assert api.refusal("/auth/tickets", {**TICKET, "tab_id": "A B"}, guest.access_token) is Code.BODY_INVALID
    api.house.clock.now_s += limits.GUEST_TOKEN_TTL_S + limits.CLOCK_SKEW_S
    assert api.refusal("/auth/tickets", TICKET, guest.access_token) is Code.TOKEN_EXPIRED


def test_only_tickets_need_a_bearer(api: Api) -> None:
    """The other routes are how one gets it."""
    assert [e.path for e in api.routes.endpoints if not e.public] == ["/auth/tickets"]
    assert all(e.text and e.response is not None for e in api.routes.endpoints)
