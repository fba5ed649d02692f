"""Verified bearers are remembered, never longer than they are valid."""

from concurrent.futures import ThreadPoolExecutor

from chalicelib.users.identities import Identities
from chalicelib.users.model import Verified
from chalicelib.wire import limits
from chalicelib.wire.tokens import Identity
from chalicelib.wire.types import UserKind
from tests.fakes.users import NOW_S

ADA = Verified(Identity("gst_a", "Ada", UserKind.GUEST), NOW_S + 100)
LASTING = Verified(Identity("gst_b", "Bo", UserKind.GUEST), NOW_S + 10**6)


def test_the_very_token_is_recalled_and_no_other() -> None:
    """One character more is another token."""
    identities = Identities()
    identities.remember("token", ADA, NOW_S)
    assert identities.recall("token", NOW_S) is ADA
    assert identities.recall("token ", NOW_S) is None
    assert identities.recall("\ud800", NOW_S) is None


def test_a_token_is_forgotten_when_it_expires() -> None:
    """Without any skew: verifying it again is what decides about that."""
    identities = Identities()
    identities.remember("token", ADA, NOW_S)
    assert identities.recall("token", NOW_S + 99) is ADA
    assert identities.recall("token", NOW_S + 100) is None
    assert identities.recall("token", NOW_S) is None


def test_a_token_that_lives_long_is_verified_anew_now_and_then() -> None:
    """So that a key that was withdrawn stops working."""
    identities = Identities()
    identities.remember("token", LASTING, NOW_S)
    assert identities.recall("token", NOW_S + limits.IDENTITY_REMEMBERED_S - 1) is LASTING
    assert identities.recall("token", NOW_S + limits.IDENTITY_REMEMBERED_S) is None


def test_the_least_recently_used_goes_first() -> None:
    """However many tokens come, the memory is bounded."""
    identities = Identities(size=2)
    identities.remember("a", ADA, NOW_S)
    identities.remember("b", ADA, NOW_S)
    assert identities.recall("a", NOW_S) is ADA
    identities.remember("c", ADA, NOW_S)
    assert identities.recall("b", NOW_S) is None
    assert identities.recall("a", NOW_S) is ADA
    assert identities.recall("c", NOW_S) is ADA


def test_threads_share_it() -> None:
    """Everyone gets their own, whatever the others do."""
    identities = Identities(size=16)

    def work(person: int) -> bool:
        own = Verified(Identity(f"gst_{person}", "x", UserKind.GUEST), NOW_S + 100)
        for turn in range(300):
            token = f"{person}.{turn % 8}"
            identities.remember(token, own, NOW_S)
            if identities.recall(token, NOW_S) not in {own, None}:
                return False
            identities.recall(token, NOW_S + 200)
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))
