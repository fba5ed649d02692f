"""turnserver.conf: what it must say, and which addresses it denies. tests/turn runs a coturn with it."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from infra.turn import ALLOCATIONS, DENIED, RELAY_PORTS, Turn, configuration

SECRETS = "a" * 40 + "\n" + "b" * 40 + "\n"
TURN = Turn("turn.example.org", SECRETS, "/cert.pem", "/key.pem", external_ip="5.6.7.8/10.0.0.5")


def denied(address: str) -> bool:
    """Whether a range has it."""
    asked = ip_address(address)
    spans = [[ip_address(end) for end in span.split("-")] for span in DENIED]
    return any(type(low) is type(asked) and int(low) <= int(asked) <= int(high) for low, high in spans)


def test_both_secrets_are_there() -> None:
    """A secret can be changed without a gap: the server takes each line of the parameter."""
    lines = configuration(TURN).splitlines()
    assert [line for line in lines if line.startswith("static-auth-secret")] == [
        f"static-auth-secret={secret}" for secret in SECRETS.split()
    ]


@pytest.mark.parametrize("secrets", ["", "\n", "short", "no spaces are allowed in a secret of ours, as it is one word"])
def test_a_secret_that_is_none_is_refused(secrets: str) -> None:
    """A server with a secret that can be guessed would be everybody's."""
    with pytest.raises(RuntimeError):
        configuration(Turn("r", secrets, "c", "k"))


@pytest.mark.parametrize(
    "needed",
    [
        "use-auth-secret",
        "fingerprint",
        "no-cli",
        "no-multicast-peers",
        "no-tlsv1",
        "no-tlsv1_1",
        "no-tcp-relay",
        "no-software-attribute",
    ],
)
def test_what_makes_it_no_door_is_on(needed: str) -> None:
    """Each of these lines."""
    assert needed in configuration(TURN).splitlines()


@pytest.mark.parametrize(
    "never", ["no-auth", "lt-cred-mech", "verbose", "Verbose", "allow-loopback-peers", "allowed-peer-ip", "user="]
)
def test_what_would_make_it_one_is_not(never: str) -> None:
    """None of these, whatever comes after them."""
    assert not [line for line in configuration(TURN).splitlines() if line.startswith(never)]


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255",
        "192.168.0.1", "198.19.0.1", "224.0.0.1", "255.255.255.255", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8",
        "64:ff9b::a00:1", "2002:a00:1::", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1",
    ],
)  # fmt: skip
def test_the_inside_is_denied(address: str) -> None:
    """Private, loopback, link-local, metadata, multicast, reserved; and whatever wraps an IPv4 address."""
    assert denied(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "9.9.9.9", "172.15.255.255", "172.32.0.1", "192.169.0.1", "2606:4700::1111", "2a00::1"]
)
def test_the_world_is_not(address: str) -> None:
    """Public addresses of both families."""
    assert not denied(address)


def test_no_range_denies_more_than_it_says() -> None:
    """coturn takes the unspecified address for "no end", and any IPv4 address for less than any IPv6 one."""
    for span in DENIED:
        low, high = (ip_address(end) for end in span.split("-"))
        assert type(low) is type(high)
        assert low <= high  # type: ignore[operator]
        assert low != IPv6Address(0)
        assert high not in {IPv4Address(0), IPv6Address(0)}


def test_every_allocation_has_a_port() -> None:
    """The quota is less than the ports that there are."""
    assert RELAY_PORTS[1] - RELAY_PORTS[0] >= ALLOCATIONS
