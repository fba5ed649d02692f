"""Accounts, guests and tickets, over fakes of the provider, the table and the sessions room."""

import pytest

from chalicelib.wire import limits
from chalicelib.wire.bodies import ConfirmBody, GuestBody, LoginBody, RefreshBody, SignupBody, TicketBody, TokenSet
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.tokens import GuestClaims, GuestRefreshClaims, Identity, TicketClaims, sign
from chalicelib.wire.types import UserKind
from tests.fakes.users import INVITE, KEY, NOW_S, OLD_KEY, SESSION, STRANGERS_KEY, TAB, House

EMAIL = "Ada@Example.com"
PASSWORD = "Passw0rdly"
TICKET_BODY = TicketBody(session_id=SESSION, tab_id=TAB)


def signed_up(house: House) -> TokenSet:
    house.users.sign_up(SignupBody(email=EMAIL, password=PASSWORD, name=" Ada "))
    house.users.confirm(ConfirmBody(email=EMAIL, code="123456"))
    return house.users.log_in(LoginBody(email=EMAIL, password=PASSWORD))


def refresh(house: House, token: str | None) -> TokenSet:
    assert token is not None
    return house.users.refresh(RefreshBody(refresh_token=token))


def seated_guest(house: House) -> Identity:
    guest = house.users.enter_as_guest(GuestBody(name="Bo", invite=INVITE))
    house.members.inside.add(guest.user.user_id)
    return house.users.authenticate(guest.access_token)


# -- accounts --


def test_a_new_account_is_confirmed_and_logs_in() -> None:
    """And the token names who signed up, with a trimmed name."""
    house = House()
    tokens = signed_up(house)
    assert (tokens.user.user_id, tokens.user.name, tokens.user.kind) == ("user-0", "Ada", UserKind.ACCOUNT)
    assert tokens.expires_in_s == 3600
    assert house.users.authenticate(tokens.access_token) == Identity("user-0", "Ada", UserKind.ACCOUNT)


def test_an_address_is_the_same_in_any_case() -> None:
    """Ada@Example.com signs up, ada@example.com logs in."""
    house = House()
    signed_up(house)
    assert house.users.log_in(LoginBody(email=EMAIL.lower(), password=PASSWORD)).user.user_id == "user-0"
    with pytest.raises(AppError) as refused:
        house.users.sign_up(SignupBody(email=EMAIL.upper(), password=PASSWORD, name="Eve"))
    assert refused.value.code is Code.ACCOUNT_EXISTS


def test_an_account_is_refreshed() -> None:
    """With the refresh token that the provider gave; it stays good."""
    house = House()
    tokens = signed_up(house)
    again = refresh(house, tokens.refresh_token)
    assert again.user == tokens.user
    assert again.refresh_token == tokens.refresh_token


@pytest.mark.parametrize("call", ["sign_up", "confirm", "log_in"])
def test_without_a_provider_accounts_are_closed(call: str) -> None:
    """Guests may still come."""
    house = House(accounts=False)
    body = {
        "sign_up": SignupBody(email=EMAIL, password=PASSWORD, name="Ada"),
        "confirm": ConfirmBody(email=EMAIL, code="123456"),
        "log_in": LoginBody(email=EMAIL, password=PASSWORD),
    }[call]
    with pytest.raises(AppError) as refused:
        getattr(house.users, call)(body)
    assert refused.value.code is Code.ACCOUNTS_CLOSED
    assert house.users.enter_as_guest(GuestBody(name="Bo")).user.kind is UserKind.GUEST


def test_without_a_provider_a_strangers_tokens_are_invalid() -> None:
    """As a bearer and as a refresh token."""
    house = House(accounts=False)
    with pytest.raises(AppError) as refused:
        house.users.authenticate("id:user-0:Ada")
    assert refused.value.code is Code.TOKEN_INVALID
    with pytest.raises(AppError) as refused:
        refresh(house, "refresh:someone")
    assert refused.value.code is Code.TOKEN_INVALID


# -- guests --


def test_a_guest_enters_with_a_name_where_guests_are_open() -> None:
    """Bound to no session."""
    house = House()
    tokens = house.users.enter_as_guest(GuestBody(name="  Bo "))
    assert tokens.user.user_id.startswith("gst_")
    assert (tokens.user.name, tokens.session_id) == ("Bo", None)
    assert tokens.expires_in_s == limits.GUEST_TOKEN_TTL_S
    assert house.users.authenticate(tokens.access_token) == Identity(tokens.user.user_id, "Bo", UserKind.GUEST)


def test_every_guest_is_somebody_else() -> None:
    """Names are free, ids are not."""
    house = House()
    first, second = (house.users.enter_as_guest(GuestBody(name="Bo")) for _ in range(2))
    assert first.user.user_id != second.user.user_id


def test_where_guests_are_closed_only_an_invite_lets_them_in() -> None:
    """And binds them to its session."""
    house = House(open_guests=False)
    with pytest.raises(AppError) as refused:
        house.users.enter_as_guest(GuestBody(name="Bo"))
    assert refused.value.code is Code.GUESTS_CLOSED
    tokens = house.users.enter_as_guest(GuestBody(name="Bo", invite=INVITE))
    assert tokens.session_id == SESSION
    assert house.users.authenticate(tokens.access_token).session_id == SESSION


@pytest.mark.parametrize("open_guests", [True, False])
def test_a_bad_invite_lets_nobody_in(open_guests: bool) -> None:
    """Even where no invite is needed: somebody meant to come to that session."""
    house = House(open_guests=open_guests)
    with pytest.raises(AppError) as refused:
        house.users.enter_as_guest(GuestBody(name="Bo", invite=f"{SESSION}.{'x' * 22}"))
    assert refused.value.code is Code.INVITE_UNKNOWN


@pytest.mark.parametrize("invite", [None, INVITE])
def test_a_guest_stays_the_same_person_by_refreshing(invite: str | None) -> None:
    """Same id, name and session; and the refresh token's own end does not move."""
    house = House()
    tokens = house.users.enter_as_guest(GuestBody(name="Bo", invite=invite))
    house.clock.now_s += limits.GUEST_REFRESH_TTL_S
    again = refresh(house, tokens.refresh_token)
    assert (again.user, again.session_id) == (tokens.user, tokens.session_id)
    assert again.refresh_token == tokens.refresh_token
    assert house.users.authenticate(again.access_token).user_id == tokens.user.user_id
    house.clock.now_s += limits.CLOCK_SKEW_S
    with pytest.raises(AppError) as refused:
        refresh(house, again.refresh_token)
    assert refused.value.code is Code.TOKEN_EXPIRED


def test_a_guest_of_no_session_ends_where_guests_are_closed_meanwhile() -> None:
    """The setting holds for who was let in before, once their token ends."""
    token = sign(GuestRefreshClaims(sub="gst_a", name="Bo"), KEY, now_s=NOW_S, ttl_s=100)
    with pytest.raises(AppError) as refused:
        refresh(House(open_guests=False), token)
    assert refused.value.code is Code.GUESTS_CLOSED
    bound = sign(GuestRefreshClaims(sub="gst_a", name="Bo", sid=SESSION), KEY, now_s=NOW_S, ttl_s=100)
    assert refresh(House(open_guests=False), bound).session_id == SESSION


# -- bearers --


def test_a_guest_token_expires() -> None:
    """Though it was verified a moment before."""
    house = House()
    token = house.users.enter_as_guest(GuestBody(name="Bo")).access_token
    house.clock.now_s += limits.GUEST_TOKEN_TTL_S + limits.CLOCK_SKEW_S - 1
    assert house.users.authenticate(token).name == "Bo"
    house.clock.now_s += 1
    with pytest.raises(AppError) as refused:
        house.users.authenticate(token)
    assert refused.value.code is Code.TOKEN_EXPIRED


def test_a_token_is_verified_once_and_then_remembered() -> None:
    """For five minutes."""
    house = House()
    token = "id:user-7:Ada"
    for _ in range(5):
        house.users.authenticate(token)
    assert house.verifier.asked == 1
    house.clock.now_s += limits.IDENTITY_REMEMBERED_S
    house.users.authenticate(token)
    assert house.verifier.asked == 2


def test_a_refused_token_is_refused_again() -> None:
    """Only what was verified is remembered."""
    house = House()
    for _ in range(2):
        with pytest.raises(AppError) as refused:
            house.users.authenticate("nonsense")
        assert refused.value.code is Code.TOKEN_INVALID
    assert house.verifier.asked == 2


def test_a_token_of_an_old_key_is_still_good_and_of_a_strangers_is_not() -> None:
    """While the key is on the list."""
    house = House()
    claims = GuestClaims(sub="gst_a", name="Bo")
    assert house.users.authenticate(sign(claims, OLD_KEY, now_s=NOW_S, ttl_s=9)).user_id == "gst_a"
    with pytest.raises(AppError) as refused:
        house.users.authenticate(sign(claims, STRANGERS_KEY, now_s=NOW_S, ttl_s=9))
    assert refused.value.code is Code.TOKEN_INVALID


def test_neither_a_refresh_token_nor_a_ticket_is_a_bearer() -> None:
    """Each has one audience."""
    house = House()
    tokens = house.users.enter_as_guest(GuestBody(name="Bo"))
    ticket = house.users.issue_ticket(seated_guest(house), TICKET_BODY).ticket
    for token in (tokens.refresh_token, ticket):
        with pytest.raises(AppError) as refused:
            house.users.authenticate(token or "")
        assert refused.value.code is Code.TOKEN_INVALID
    with pytest.raises(AppError) as refused:
        refresh(house, tokens.access_token)
    assert refused.value.code is Code.TOKEN_INVALID


# -- tickets --


def test_a_ticket_says_who_may_connect_as_which_peer() -> None:
    """And where, and until when."""
    house = House()
    identity = seated_guest(house)
    ticket = house.users.issue_ticket(identity, TICKET_BODY)
    assert ticket.url == "/ws"
    assert ticket.peer_id == f"{identity.user_id}.{TAB}"
    assert ticket.expires_at_ms == (NOW_S + limits.TICKET_TTL_S) * 1000
    claims = house.users.consume(ticket.ticket)
    assert (claims.sub, claims.name, claims.kind) == (identity.user_id, "Bo", UserKind.GUEST)
    assert (claims.sid, claims.tab) == (SESSION, TAB)


def test_only_who_has_a_seat_gets_a_ticket() -> None:
    """The sessions room says no in its own words."""
    house = House()
    stranger = Identity("user-9", "Eve", UserKind.ACCOUNT)
    with pytest.raises(AppError) as refused:
        house.users.issue_ticket(stranger, TICKET_BODY)
    assert refused.value.code is Code.PARTICIPANT_NOT_JOINED


def test_a_ticket_is_good_once() -> None:
    """The second use is told apart from a bad ticket."""
    house = House()
    ticket = house.users.issue_ticket(seated_guest(house), TICKET_BODY).ticket
    house.users.consume(ticket)
    with pytest.raises(AppError) as refused:
        house.users.consume(ticket)
    assert refused.value.code is Code.TICKET_USED


def test_two_tickets_of_one_page_are_two() -> None:
    """Each reconnect has its own."""
    house = House()
    identity = seated_guest(house)
    first, second = (house.users.issue_ticket(identity, TICKET_BODY).ticket for _ in range(2))
    house.users.consume(first)
    assert house.users.consume(second).sub == identity.user_id


def test_a_used_ticket_is_remembered_past_its_last_second() -> None:
    """Or a row that TTL removed would open it again."""
    house = House()
    house.users.consume(house.users.issue_ticket(seated_guest(house), TICKET_BODY).ticket)
    (forgotten_at_s,) = house.tickets.burnt.values()
    assert forgotten_at_s > NOW_S + limits.TICKET_TTL_S + limits.CLOCK_SKEW_S


def test_a_ticket_ends_after_thirty_seconds() -> None:
    """And is not burnt: nothing is written for what is refused."""
    house = House()
    ticket = house.users.issue_ticket(seated_guest(house), TICKET_BODY).ticket
    house.clock.now_s += limits.TICKET_TTL_S + limits.CLOCK_SKEW_S
    with pytest.raises(AppError) as refused:
        house.users.consume(ticket)
    assert refused.value.code is Code.TICKET_INVALID
    assert house.tickets.burnt == {}


@pytest.mark.parametrize("ticket", ["", "nonsense", "a.b.c", "\ud800", "x" * 10_000])
def test_what_is_no_ticket_is_invalid(ticket: str) -> None:
    """Whatever it is."""
    with pytest.raises(AppError) as refused:
        House().users.consume(ticket)
    assert refused.value.code is Code.TICKET_INVALID


def test_a_strangers_ticket_and_a_bearer_are_invalid_tickets() -> None:
    """Signature and audience."""
    house = House()
    claims = TicketClaims(jti="j", sub="gst_a", name="Bo", kind=UserKind.GUEST, sid=SESSION, tab=TAB)
    bearer = house.users.enter_as_guest(GuestBody(name="Bo")).access_token
    for ticket in (sign(claims, STRANGERS_KEY, now_s=NOW_S, ttl_s=9), bearer):
        with pytest.raises(AppError) as refused:
            house.users.consume(ticket)
        assert refused.value.code is Code.TICKET_INVALID
