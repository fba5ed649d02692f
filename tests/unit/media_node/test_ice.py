"""The lite agent answers who is authentic, and sends only where an authentic USE-CANDIDATE said."""

from aioice import stun as aioice

from chalicelib.wire import limits
from media_node import stun
from media_node.ice import ADDRESSES_MAX, Checked, Credentials, LiteAgent
from media_node.stun import Address

OURS = Credentials("us", "our-password")
THEIRS = Credentials("them", "their-password")
HOME: Address = ("192.0.2.1", 1000)
AWAY: Address = ("192.0.2.2", 2000)


def agent() -> LiteAgent:
    return LiteAgent(OURS, THEIRS, consent_at=0.0)


def check_of(
    credentials: Credentials = OURS,
    theirs: str = "them",
    *,
    use: bool = False,
    controlled: bool = False,
    odd: bool = False,
) -> bytes:
    message = aioice.Message(message_method=aioice.Method.BINDING, message_class=aioice.Class.REQUEST)
    message.attributes = {"USERNAME": f"{credentials.ufrag}:{theirs}", "PRIORITY": 1}
    message.attributes["ICE-CONTROLLED" if controlled else "ICE-CONTROLLING"] = 7
    if use:
        message.attributes["USE-CANDIDATE"] = None
    if odd:
        message.attributes["LIFETIME"] = 1
    message.add_message_integrity(credentials.password.encode())
    return bytes(message)


def tell(made: LiteAgent, data: bytes, address: Address = HOME, now: float = 1.0) -> Checked:
    return made.check(data, stun.parse_request(data), address, now)


def error_of(checked: Checked) -> int | None:
    assert checked.reply is not None
    return aioice.parse_message(checked.reply).error_code


def test_an_authentic_check_is_answered_and_chooses_nothing() -> None:
    """It is consent, though, and its address is known from then on."""
    made = agent()
    checked = tell(made, check_of(), now=5.0)
    assert checked.authentic
    assert checked.reply is not None
    assert aioice.parse_message(checked.reply).attributes["XOR-MAPPED-ADDRESS"] == HOME
    assert (made.chosen, made.consent_at, made.addresses) == (None, 5.0, {HOME: 5.0})


def test_use_candidate_chooses_and_chooses_anew() -> None:
    """A peer whose network changed goes on from its new address."""
    made = agent()
    assert tell(made, check_of(use=True)).chosen
    assert not tell(made, check_of(use=True)).chosen
    assert tell(made, check_of(use=True), AWAY).chosen
    assert made.chosen == AWAY


def test_what_is_not_authentic_is_not_answered_and_changes_nothing() -> None:
    """A wrong password, a wrong pair of names: not a byte goes back."""
    made = agent()
    tell(made, check_of(use=True))
    for forged in (
        check_of(Credentials("us", "guessed"), use=True),
        check_of(theirs="other", use=True),
        check_of(Credentials("we", "our-password"), use=True),
    ):
        assert tell(made, forged, AWAY, now=9.0) == Checked(None)
    assert (made.chosen, made.consent_at) == (HOME, 1.0)


def test_a_check_that_is_played_again_from_elsewhere_does_nothing() -> None:
    """Whoever overhears a check cannot have the peer's data sent to himself; again from the same place is usual."""
    made = agent()
    heard = check_of(use=True)
    assert tell(made, heard).authentic
    assert tell(made, heard, AWAY) == Checked(None)
    assert tell(made, heard).authentic
    assert made.chosen == HOME


def test_transactions_are_remembered_up_to_a_bound() -> None:
    """Memory of a peer does not grow with its checks."""
    made = agent()
    for _ in range(200):
        tell(made, check_of())
    assert len(made.seen) == 64


def test_so_many_checks_are_answered_in_a_second() -> None:
    """An answer costs more than a check; a second later the peer is answered again."""
    made = agent()
    answers = [tell(made, check_of(), now=1.0).reply for _ in range(limits.LINK_CHECKS_PER_S)]
    assert None not in answers
    assert tell(made, check_of(use=True), now=1.9) == Checked(None)
    assert (made.chosen, made.consent_at) == (None, 1.0)
    assert tell(made, check_of(use=True), now=2.0).chosen


def test_checks_that_are_not_authentic_use_up_nothing() -> None:
    """Whoever overheard the names cannot keep a peer from consenting."""
    made = agent()
    for _ in range(2 * limits.LINK_CHECKS_PER_S):
        tell(made, check_of(Credentials("us", "guessed")))
    assert tell(made, check_of()).authentic


def test_who_says_it_is_controlled_is_told_of_the_conflict() -> None:
    """A lite agent is never the controlling one (RFC 8445 section 7.3.1.1)."""
    made = agent()
    assert error_of(tell(made, check_of(use=True, controlled=True))) == 487
    assert made.chosen is None


def test_an_attribute_that_has_to_be_understood_is_refused() -> None:
    """RFC 8489 section 6.3.1."""
    made = agent()
    assert error_of(tell(made, check_of(use=True, odd=True))) == 420
    assert made.chosen is None


def test_consent_ends_without_checks() -> None:
    """RFC 7675."""
    made = agent()
    assert made.consented(limits.CONSENT_S)
    assert not made.consented(limits.CONSENT_S + 0.1)
    tell(made, check_of(), now=20.0)
    assert made.consented(limits.CONSENT_S + 20.0)


def test_the_same_credentials_are_no_restart() -> None:
    """A renegotiation keeps what there is."""
    made = agent()
    assert not made.restart(THEIRS)
    assert made.ours is OURS


def test_a_restart_keeps_the_old_address_until_the_new_generation_chooses() -> None:
    """Checks of the old generation are still consent, but choose nothing any more (RFC 8445 section 9)."""
    made = agent()
    tell(made, check_of(use=True))
    assert made.restart(Credentials("them2", "x"))
    assert made.ours != OURS
    assert not tell(made, check_of(use=True), AWAY, now=8.0).chosen
    assert (made.chosen, made.consent_at) == (HOME, 8.0)
    assert tell(made, check_of(made.ours, "them2", use=True), AWAY).chosen
    assert made.chosen == AWAY
    assert not tell(made, check_of(use=True)).authentic


def test_only_so_many_addresses_are_known_and_never_without_the_chosen_one() -> None:
    """The one longest not heard from is forgotten."""
    made = agent()
    tell(made, check_of(use=True), HOME, now=0.0)
    for index in range(ADDRESSES_MAX + 3):
        tell(made, check_of(), ("192.0.2.9", index), now=1.0 + index)
    assert len(made.addresses) == ADDRESSES_MAX
    assert HOME in made.addresses
    assert ("192.0.2.9", 0) not in made.addresses


def test_fresh_credentials_are_long_and_never_the_same() -> None:
    """RFC 8445 section 5.3: at least 24 and 128 bits of randomness."""
    one, two = Credentials.fresh(), Credentials.fresh()
    assert (len(one.ufrag), len(one.password)) == (16, 32)
    assert one != two
