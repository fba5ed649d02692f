"""TURN credentials: those of the draft, which end, and which tell nothing of the secret."""

import base64

import pytest

from chalicelib.peers.turn import Ice, configured, credential, ice_servers, parse_secrets, stun_urls, turn_urls
from chalicelib.wire import limits
from chalicelib.wire.peers import IceServer

NOW = 1_700_000_000_123
NEW, OLD = "holodeck-test-secret-0123456789abcdef", "holodeck-last-secret-0123456789abcdef"
STUN, TURN = ("stun:turn.test:3478",), ("turn:turn.test:3478", "turns:turn.test:443?transport=tcp")


def test_a_credential_is_the_hmac_of_the_user_name() -> None:
    """RFC 2202 section 3, test case 2, in base64."""
    digest = base64.b64decode(credential("Jefe", "what do ya want for nothing?"))
    assert digest.hex() == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"


def test_turn_and_stun_are_told_with_a_credential_that_ends() -> None:
    """The user name is its end in seconds and the person; the password is what openssl computes for it."""
    told = ice_servers(Ice(STUN, TURN, (NEW, OLD)), "ada", now_ms=NOW, ttl_s=limits.ICE_TTL_S)
    stun, turn = told.ice_servers
    assert stun == IceServer(urls=STUN)
    assert turn == IceServer(urls=TURN, username="1700003600:ada", credential="gQlyfkL3FpPBz7oFA0+tg1kcHyg=")
    assert (told.ttl_s, told.expires_at_ms) == (3600, 1_700_003_600_000)


def test_the_first_secret_signs() -> None:
    """The others are for who verifies, until nothing signed with them is left."""
    told = ice_servers(Ice((), TURN, (OLD, NEW)), "ada", now_ms=NOW, ttl_s=60)
    (turn,) = told.ice_servers
    assert turn.username is not None
    assert turn.credential == credential(OLD, turn.username) != credential(NEW, turn.username)


@pytest.mark.parametrize(
    ("ice", "servers"),
    [
        (Ice(), ()),
        (Ice(STUN), (IceServer(urls=STUN),)),
        (Ice(STUN, TURN), (IceServer(urls=STUN),)),
        (Ice(STUN, (), (NEW,)), (IceServer(urls=STUN),)),
    ],
    ids=["nothing", "STUN", "TURN without a secret", "a secret without TURN"],
)
def test_what_is_not_configured_is_not_told(ice: Ice, servers: tuple[IceServer, ...]) -> None:
    """No server without a credential that it takes."""
    assert ice_servers(ice, "ada", now_ms=NOW, ttl_s=60).ice_servers == servers


def test_secrets_are_never_shown() -> None:
    """Not even where the configuration is printed."""
    assert NEW not in f"{Ice(STUN, TURN, (NEW,))}"


def test_secrets_are_lines() -> None:
    """In their order; empty lines are none."""
    assert parse_secrets(f"{NEW}\r\n\n  {OLD} \n") == (NEW, OLD)


@pytest.mark.parametrize("text", ["", "\n \n", "hush", f"{NEW}\nhush", f"{NEW} hush and so on", "hüsh" * 20])
def test_what_is_no_secret_is_refused_at_once(text: str) -> None:
    """Too short to be one, or not what a configuration file of coturn can hold; nothing of it is in the error."""
    with pytest.raises(RuntimeError) as refused:
        parse_secrets(text)
    assert not {"hush", "hüsh"} & set(str(refused.value).split())
    assert NEW not in str(refused.value)


def test_the_settings_make_it() -> None:
    """The secret is read where there is TURN."""
    assert configured("stun:a.test", TURN[0], lambda: f"{NEW}\n{OLD}") == Ice(("stun:a.test",), TURN[:1], (NEW, OLD))


def test_without_turn_no_secret_is_read() -> None:
    """There need not be one."""

    def never() -> str:
        raise AssertionError("it was read")

    assert configured("stun:a.test", "", never) == Ice(("stun:a.test",))
    assert configured("", "", never) == Ice()


def test_turn_without_a_secret_says_what_is_missing() -> None:
    """For whoever deploys it."""
    with pytest.raises(RuntimeError, match="TURN_SECRET_FILE or TURN_SECRET_PARAMETER"):
        configured("", TURN[0], lambda: None)


def test_urls_are_read_from_settings() -> None:
    """Comma-separated, with or without blanks; IPv6 in brackets."""
    assert stun_urls("") == turn_urls(" , ") == ()
    assert stun_urls("stun:a.test, stuns:[2001:db8::1]:5349") == ("stun:a.test", "stuns:[2001:db8::1]:5349")
    assert turn_urls(",".join(TURN)) == TURN
    assert turn_urls("turn:192.0.2.1:3478?transport=udp") == ("turn:192.0.2.1:3478?transport=udp",)


@pytest.mark.parametrize(
    "text",
    [
        "turn.test",
        "http://turn.test",
        "turn:",
        "turn:a b",
        "turn:a.test?transport=sctp",
        "stun:a.test",
        "turn://a.test",
    ],
)
def test_a_wrong_turn_url_is_refused_at_once(text: str) -> None:
    """Or no page could make a connection at all."""
    with pytest.raises(RuntimeError, match="TURN_URLS"):
        turn_urls(f"turn:good.test,{text}")


@pytest.mark.parametrize("text", ["stun:a.test?transport=udp", "turn:a.test", "stun:a.test:port"])
def test_a_wrong_stun_url_is_refused_at_once(text: str) -> None:
    """The same."""
    with pytest.raises(RuntimeError, match="STUN_URLS"):
        stun_urls(text)
