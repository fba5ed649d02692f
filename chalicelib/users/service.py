"""Who somebody is: accounts by an OIDC issuer, guests by our own tokens, tickets for the WebSocket.

Bearers are of two kinds: the issuer's ID token (made for our client, and it carries the name, so no call is needed to
show who somebody is; an access token made for our client is accepted too, but is nameless) and our guest token. Each is
verified by signature, issuer, audience and expiry before a claim of it is believed. A guest stays the same person by a
refresh token of ours, which is good for a new guest token and nothing else, and ends 30 days after the guest came:
renewing gives no later end. A ticket lives 30 s and is burnt by a conditional write, so a URL that leaks into a log opens
nothing. What somebody may do is never in a token: the sessions room looks it up at each call, so removal acts at once.
"""

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.users.identities import Identities
from chalicelib.users.model import (
    GUEST_PREFIX,
    Accounts,
    Invites,
    Members,
    SignedIn,
    UsedTickets,
    Verified,
    Verifier,
)
from chalicelib.wire import limits
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
    User,
)
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.tokens import (
    GuestClaims,
    GuestRefreshClaims,
    Identity,
    SigningKey,
    TicketClaims,
    is_ours,
    sign,
    verify_until,
)
from chalicelib.wire.types import UserKind


@dataclass(frozen=True, slots=True)
class Policy:
    """What this deployment allows."""

    open_guests: bool
    websocket_url: str


class Users:
    """Identity for the routes, the WebSocket's lifecycle and every authenticated call."""

    def __init__(
        self,
        *,
        keys: tuple[SigningKey, ...],
        policy: Policy,
        accounts: Accounts | None,
        verifier: Verifier | None,
        used_tickets: UsedTickets,
        invites: Callable[[], Invites],
        members: Callable[[], Members],
        now_s: Callable[[], int],
        random_id: Callable[[], str],
    ) -> None:
        self._keys = keys
        self._policy = policy
        self._accounts = accounts
        self._verifier = verifier
        self._used_tickets = used_tickets
        self._invites = invites
        self._members = members
        self._now_s = now_s
        self._random_id = random_id
        self._identities = Identities()

    def authenticate(self, token: str) -> Identity:
        """Who a bearer token names. TOKEN_INVALID or TOKEN_EXPIRED."""
        return self._verified(token).identity

    def _verified(self, token: str) -> Verified:
        now_s = self._now_s()
        known = self._identities.recall(token, now_s)
        if known is None:
            known = self._verify(token, now_s)
            self._identities.remember(token, known, now_s)
        return known

    def _verify(self, token: str, now_s: int) -> Verified:
        if is_ours(token):
            claims, expires_s = verify_until(token, GuestClaims, self._keys, now_s=now_s)
            return Verified(Identity(claims.sub, claims.name, UserKind.GUEST, claims.sid), expires_s)
        if self._verifier is None:
            raise AppError(Code.TOKEN_INVALID)
        return self._verifier.verify(token)

    # -- accounts --

    def sign_up(self, body: SignupBody) -> SignupResult:
        """A new account, to be confirmed."""
        user_id, confirmed = self._provider().sign_up(body.email.lower(), body.password, body.name.strip())
        return SignupResult(user_id=user_id, confirmed=confirmed)

    def confirm(self, body: ConfirmBody) -> ConfirmResult:
        """The code from the e-mail makes the account usable."""
        self._provider().confirm(body.email.lower(), body.code)
        return ConfirmResult(confirmed=True)

    def log_in(self, body: LoginBody) -> TokenSet:
        """Tokens for a confirmed account."""
        return self._account_tokens(self._provider().log_in(body.email.lower(), body.password))

    def refresh(self, body: RefreshBody) -> TokenSet:
        """A new bearer token, for an account or for a guest, by the refresh token of either."""
        given = body.refresh_token
        if not is_ours(given):
            if self._accounts is None:
                raise AppError(Code.TOKEN_INVALID)
            return self._account_tokens(self._accounts.refresh(given))
        claims, _ = verify_until(given, GuestRefreshClaims, self._keys, now_s=self._now_s())
        if claims.sid is None and not self._policy.open_guests:
            raise AppError(Code.GUESTS_CLOSED)
        return self._guest_tokens(Identity(claims.sub, claims.name, UserKind.GUEST, claims.sid), given)

    # -- guests --

    def enter_as_guest(self, body: GuestBody) -> TokenSet:
        """A guest, bound to the invite's session; without an invite only where open guests are allowed."""
        session_id = None
        if body.invite is not None:
            session_id = self._invites().peek(body.invite)
        elif not self._policy.open_guests:
            raise AppError(Code.GUESTS_CLOSED)
        guest = Identity(GUEST_PREFIX + self._random_id(), body.name.strip(), UserKind.GUEST, session_id)
        refresh = GuestRefreshClaims(sub=guest.user_id, name=guest.name, sid=session_id)
        lasting = sign(refresh, self._keys[0], now_s=self._now_s(), ttl_s=limits.GUEST_REFRESH_TTL_S)
        return self._guest_tokens(guest, lasting)

    # -- tickets --

    def issue_ticket(self, identity: Identity, body: TicketBody) -> Ticket:
        """A ticket for one WebSocket into a session in which the asker has a seat."""
        self._members().seated(body.session_id, identity)
        now = self._now_s()
        claims = TicketClaims(
            jti=self._random_id(),
            sub=identity.user_id,
            name=identity.name,
            kind=identity.kind,
            sid=body.session_id,
            tab=body.tab_id,
        )
        return Ticket(
            ticket=sign(claims, self._keys[0], now_s=now, ttl_s=limits.TICKET_TTL_S),
            url=self._policy.websocket_url,
            peer_id=f"{identity.user_id}.{body.tab_id}",
            expires_at_ms=(now + limits.TICKET_TTL_S) * 1000,
        )

    def consume(self, ticket: str) -> TicketClaims:
        """Burns a ticket. TICKET_INVALID (also when expired) or TICKET_USED."""
        try:
            claims, expires_s = verify_until(ticket, TicketClaims, self._keys, now_s=self._now_s())
        except AppError as exc:
            raise AppError(Code.TICKET_INVALID) from exc
        if not self._used_tickets.burn(claims.jti, expires_s + limits.TICKET_BURNT_S):
            raise AppError(Code.TICKET_USED)
        return claims

    def _provider(self) -> Accounts:
        if self._accounts is None:
            raise AppError(Code.ACCOUNTS_CLOSED)
        return self._accounts

    def _account_tokens(self, signed_in: SignedIn) -> TokenSet:
        verified = self._verified(signed_in.token)
        return TokenSet(
            access_token=signed_in.token,
            expires_in_s=max(0, verified.expires_at_s - self._now_s()),
            refresh_token=signed_in.refresh_token,
            user=_user(verified.identity),
        )

    def _guest_tokens(self, guest: Identity, refresh_token: str) -> TokenSet:
        claims = GuestClaims(sub=guest.user_id, name=guest.name, sid=guest.session_id)
        return TokenSet(
            access_token=sign(claims, self._keys[0], now_s=self._now_s(), ttl_s=limits.GUEST_TOKEN_TTL_S),
            expires_in_s=limits.GUEST_TOKEN_TTL_S,
            refresh_token=refresh_token,
            user=_user(guest),
            session_id=guest.session_id,
        )


def _user(identity: Identity) -> User:
    return User(user_id=identity.user_id, name=identity.name, kind=identity.kind)
