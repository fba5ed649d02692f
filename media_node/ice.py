"""ICE, the lite side (RFC 8445 section 2.5): it answers checks, never makes any, and is always controlled. Pure.

One agent a link. An address counts for nothing until a check from it was authentic; data is sent only to the one that an
authentic USE-CANDIDATE chose (RFC 8445 section 7.3.1.5), so nobody can have a peer's data sent elsewhere, and nothing is ever
answered that is not authentic: an attacker gets no byte for any number of his. A check is consent to go on sending
(RFC 7675); without one for CONSENT_S the link is over.
"""

from dataclasses import dataclass, field
from secrets import token_hex
from typing import Final

from chalicelib.wire import limits
from media_node import stun
from media_node.stun import Address, Request

ADDRESSES_MAX: Final = 8  # of a peer, that checks came from: interfaces, times families, times what NATs make of them
_REMEMBERED: Final = 64  # transactions, so that a check that was overheard cannot be played again from elsewhere


@dataclass(frozen=True, slots=True)
class Credentials:
    """A username fragment and a password (RFC 8445 section 5.3), new with each restart."""

    ufrag: str
    password: str

    @classmethod
    def fresh(cls) -> "Credentials":
        """Of ours: 64 bits and 128 bits of randomness."""
        return cls(token_hex(8), token_hex(16))


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check came to. `reply` is to go back where it came from, if there is one."""

    reply: bytes | None
    authentic: bool = False
    chosen: bool = False
    """Data goes to this address from now on, and did not before."""


_FORGED: Final = Checked(None)


@dataclass(slots=True)
class LiteAgent:
    """The ICE state of one link. `ours` and `theirs` are of the newest generation."""

    ours: Credentials
    theirs: Credentials
    consent_at: float
    chosen: Address | None = None
    before: Credentials | None = None
    """Ours before a restart: its checks keep the old address alive until the new generation has chosen one."""
    theirs_before: Credentials | None = None
    addresses: dict[Address, float] = field(default_factory=dict)
    """Where authentic checks came from, and when last."""
    seen: dict[bytes, Address] = field(default_factory=dict)
    checks: int = 0
    """In this second."""
    second_at: float = float("-inf")

    def check(self, data: bytes, request: Request, address: Address, now: float) -> Checked:
        """Takes a request that names this agent in its USERNAME. More than LINK_CHECKS_PER_S do and get nothing."""
        generation = self._generation(request.username)
        if generation is None:
            return _FORGED
        password = generation.password.encode()
        if not stun.authentic(data, request, password) or self._too_many(now):
            return _FORGED
        if self._played_again(request.transaction, address):
            return _FORGED
        if request.unknown:
            return Checked(stun.refusal(request, stun.UNKNOWN_ATTRIBUTE, password), authentic=True)
        if request.controlled:  # RFC 8445 section 7.3.1.1: a lite agent cannot become the controlling one
            return Checked(stun.refusal(request, stun.ROLE_CONFLICT, password), authentic=True)
        self.consent_at = now
        self._remember(address, now)
        chosen = request.use_candidate and generation is self.ours and self._choose(address)
        return Checked(stun.success(request, address, password), authentic=True, chosen=chosen)

    def restart(self, theirs: Credentials) -> bool:
        """A new offer. New credentials of the peer's are a restart (RFC 8445 section 9): ours become new as well."""
        if theirs == self.theirs:
            return False
        self.before, self.theirs_before = self.ours, self.theirs
        self.ours, self.theirs = Credentials.fresh(), theirs
        return True

    def consented(self, now: float) -> bool:
        """Whether the peer still wants what we send."""
        return now - self.consent_at <= limits.CONSENT_S

    def _too_many(self, now: float) -> bool:
        """Counts one more that was authentic: no stranger uses up what a peer may."""
        if now - self.second_at >= 1:
            self.second_at, self.checks = now, 0
        self.checks += 1
        return self.checks > limits.LINK_CHECKS_PER_S

    def _generation(self, username: str) -> Credentials | None:
        if username == f"{self.ours.ufrag}:{self.theirs.ufrag}":
            return self.ours
        if self.before and self.theirs_before and username == f"{self.before.ufrag}:{self.theirs_before.ufrag}":
            return self.before
        return None

    def _played_again(self, transaction: bytes, address: Address) -> bool:
        if len(self.seen) >= _REMEMBERED:
            del self.seen[next(iter(self.seen))]
        return self.seen.setdefault(transaction, address) != address

    def _remember(self, address: Address, now: float) -> None:
        self.addresses[address] = now
        if len(self.addresses) > ADDRESSES_MAX:
            oldest = min((each for each in self.addresses if each != self.chosen), key=self.addresses.__getitem__)
            del self.addresses[oldest]

    def _choose(self, address: Address) -> bool:
        self.before = self.theirs_before = None
        changed = address != self.chosen
        self.chosen = address
        return changed
