"""The users room's ports in memory, real keys, and a clock that is moved by hand."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from chalicelib.users.model import Verified
from chalicelib.users.service import Policy, Users
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.tokens import Identity, SigningKey
from chalicelib.wire.types import UserKind

NOW_S = 1_800_000_000
SESSION = "ses_" + "s" * 20
INVITE = f"{SESSION}.{'i' * 22}"
TAB = "tabtabtab"


def pem_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    """PKCS#8."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def signing_key(kid: str) -> SigningKey:
    """A fresh ES256 key."""
    return SigningKey(kid, pem_of(ec.generate_private_key(ec.SECP256R1())))


KEY = signing_key("first")
OLD_KEY = signing_key("old")
STRANGERS_KEY = signing_key("first")


@dataclass
class Clock:
    """Seconds; wall clock or monotonic."""

    now_s: int = NOW_S

    def __call__(self) -> int:
        return self.now_s


class MemoryTickets:
    """UsedTickets."""

    def __init__(self) -> None:
        self.burnt: dict[str, int] = {}

    def burn(self, jti: str, expires_at_s: int) -> bool:
        if jti in self.burnt:
            return False
        self.burnt[jti] = expires_at_s
        return True


@dataclass(frozen=True, slots=True)
class Tokens:
    """SignedIn."""

    token: str
    refresh_token: str | None


@dataclass
class Account:
    """One account of the fake provider."""

    user_id: str
    password: str
    name: str
    confirmed: bool = False


@dataclass
class MemoryAccounts:
    """Accounts. A password needs a capital and a digit; the code is 123456; tokens are `id:<user_id>:<name>`."""

    accounts: dict[str, Account] = field(default_factory=dict)

    def sign_up(self, email: str, password: str, name: str) -> tuple[str, bool]:
        if email in self.accounts:
            raise AppError(Code.ACCOUNT_EXISTS)
        if password.lower() == password or not any(c.isdigit() for c in password):
            raise AppError(Code.PASSWORD_WEAK)
        user_id = f"user-{len(self.accounts)}"
        self.accounts[email] = Account(user_id, password, name)
        return user_id, False

    def confirm(self, email: str, code: str) -> None:
        if email not in self.accounts or code != "123456":
            raise AppError(Code.CONFIRMATION_WRONG)
        self.accounts[email].confirmed = True

    def log_in(self, email: str, password: str) -> Tokens:
        account = self.accounts.get(email)
        if account is None or (account.confirmed and account.password != password):
            raise AppError(Code.CREDENTIALS_WRONG)
        if not account.confirmed:
            raise AppError(Code.ACCOUNT_UNCONFIRMED)
        return Tokens(f"id:{account.user_id}:{account.name}", f"refresh:{email}")

    def refresh(self, refresh_token: str) -> Tokens:
        account = self.accounts.get(refresh_token.removeprefix("refresh:"))
        if account is None:
            raise AppError(Code.TOKEN_INVALID)
        return Tokens(f"id:{account.user_id}:{account.name}", refresh_token)


class FakeVerifier:
    """Verifier of the fake provider's tokens, which live an hour; counts how often it was asked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.asked = 0

    def verify(self, token: str) -> Verified:
        self.asked += 1
        kind, _, rest = token.partition(":")
        user_id, _, name = rest.partition(":")
        if kind != "id":
            raise AppError(Code.TOKEN_INVALID)
        return Verified(Identity(user_id, name, UserKind.ACCOUNT), self._clock.now_s + 3600)


class FakeInvites:
    """Invites: one good code."""

    def peek(self, code: str) -> str:
        if code != INVITE:
            raise AppError(Code.INVITE_UNKNOWN)
        return SESSION


class FakeMembers:
    """Members: everyone in `inside` has a seat in SESSION."""

    def __init__(self) -> None:
        self.inside: set[str] = set()

    def seated(self, session_id: str, identity: Identity) -> None:
        if session_id != SESSION:
            raise AppError(Code.SESSION_UNKNOWN)
        if identity.user_id not in self.inside:
            raise AppError(Code.PARTICIPANT_NOT_JOINED)


class House:
    """A users room with everything around it fake but the keys."""

    def __init__(self, *, open_guests: bool = True, accounts: bool = True) -> None:
        self.clock = Clock()
        self.tickets = MemoryTickets()
        self.accounts = MemoryAccounts()
        self.verifier = FakeVerifier(self.clock)
        self.members = FakeMembers()
        self._ids = 0
        self.users = Users(
            keys=(KEY, OLD_KEY),
            policy=Policy(open_guests=open_guests, websocket_url="/ws"),
            accounts=self.accounts if accounts else None,
            verifier=self.verifier if accounts else None,
            used_tickets=self.tickets,
            invites=FakeInvites,
            members=lambda: self.members,
            now_s=self.clock,
            random_id=self._random_id,
        )

    def _random_id(self) -> str:
        self._ids += 1
        return f"{self._ids:020d}"
