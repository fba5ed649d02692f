"""The users room by REST: accounts, guests, tickets. Only a ticket needs a bearer; the others are how one gets it."""

from collections.abc import Callable

from chalicelib.endpoint import Authenticate, Call, Routes
from chalicelib.users.service import Users
from chalicelib.wire.bodies import (
    ConfirmBody,
    ConfirmResult,
    GuestBody,
    LoginBody,
    RefreshBody,
    SignupBody,
    SignupResult,
    Ticket,
    TicketBody,
    TokenSet,
)
from chalicelib.wire.codes import Code


def routes(authenticate: Authenticate, users: Callable[[], Users]) -> Routes:
    """The blueprint of this room."""
    r = Routes("auth", authenticate)

    @r.post(
        "/auth/signup",
        body=SignupBody,
        response=SignupResult,
        status=201,
        errors=(Code.ACCOUNT_EXISTS, Code.PASSWORD_WEAK, Code.ACCOUNTS_CLOSED),
        public=True,
    )
    def sign_up(call: Call[SignupBody]) -> SignupResult:
        """Makes an account; a confirmation code is sent to the address."""
        return users().sign_up(call.input)

    @r.post(
        "/auth/confirm",
        body=ConfirmBody,
        response=ConfirmResult,
        errors=(Code.CONFIRMATION_WRONG, Code.ACCOUNT_EXISTS, Code.ACCOUNTS_CLOSED),
        public=True,
    )
    def confirm(call: Call[ConfirmBody]) -> ConfirmResult:
        """Confirms an account with the code from the e-mail."""
        return users().confirm(call.input)

    @r.post(
        "/auth/login",
        body=LoginBody,
        response=TokenSet,
        errors=(Code.CREDENTIALS_WRONG, Code.ACCOUNT_UNCONFIRMED, Code.ACCOUNTS_CLOSED),
        public=True,
    )
    def log_in(call: Call[LoginBody]) -> TokenSet:
        """Tokens for an e-mail address and a password."""
        return users().log_in(call.input)

    @r.post(
        "/auth/refresh",
        body=RefreshBody,
        response=TokenSet,
        errors=(Code.TOKEN_INVALID, Code.TOKEN_EXPIRED, Code.GUESTS_CLOSED),
        public=True,
    )
    def refresh(call: Call[RefreshBody]) -> TokenSet:
        """A new bearer token, by the refresh token of an account or of a guest."""
        return users().refresh(call.input)

    @r.post(
        "/auth/guest",
        body=GuestBody,
        response=TokenSet,
        status=201,
        errors=(
            Code.GUESTS_CLOSED,
            Code.INVITE_UNKNOWN,
            Code.INVITE_EXPIRED,
            Code.INVITE_EXHAUSTED,
            Code.SESSION_ENDED,
        ),
        public=True,
    )
    def enter_as_guest(call: Call[GuestBody]) -> TokenSet:
        """Enters with a name only: by an invite, or without one where this deployment allows it."""
        return users().enter_as_guest(call.input)

    @r.post(
        "/auth/tickets",
        body=TicketBody,
        response=Ticket,
        status=201,
        errors=(Code.SESSION_UNKNOWN, Code.SESSION_ENDED, Code.PARTICIPANT_BANNED, Code.PARTICIPANT_NOT_JOINED),
    )
    def issue_ticket(call: Call[TicketBody]) -> Ticket:
        """A single-use ticket, good for 30 seconds, for one WebSocket into a session that you joined."""
        return users().issue_ticket(call.identity, call.input)

    return r
