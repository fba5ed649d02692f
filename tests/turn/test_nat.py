"""Two pages behind symmetric NATs, which can meet at the TURN server only: with exactly the stack's configuration."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from chalicelib.wire.peers import IceServer
from infra.turn import Turn, configuration, stun_url
from tests.turn.client import ANA, BEN, credentials
from tests.turn.network import SERVER, Network, network, unavailable
from tests.turn.pages import CHROMIUM, chromium, connect, page, pair, talk
from tests.turn.server import SECRETS, Coturn

ELSEWHERE = 3479


@pytest.fixture(scope="module")
def internet() -> Iterator[Network]:
    """Two homes and what is between them."""
    if reason := unavailable():
        pytest.skip(f"no NAT can be emulated: {reason}")
    with network() as made:
        yield made


@pytest.fixture
def server(internet: Network, folder: Path) -> Iterator[Coturn]:
    """The stack's TURN server, with one more port to ask STUN at."""
    prefix = internet.inside(internet.internet)
    with Coturn(folder, SERVER, prefix, more=(f"aux-server={SERVER}:{ELSEWHERE}",)) as running:
        yield running


def test_the_nat_is_symmetric(internet: Network, server: Coturn) -> None:
    """One socket is seen at another port by each server that it asks, so that no page can tell others where it is."""
    ports = [str(server.turn.stun_port), str(ELSEWHERE)]
    command = [*internet.inside(internet.sites[0]), sys.executable, "-m", "tests.turn.mapped", SERVER, *ports]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    (one, one_port), (other, other_port) = (line.split() for line in done.stdout.splitlines())
    assert one == other == "5.5.1.2"
    assert one_port != other_port


async def test_pages_behind_symmetric_nats_meet_at_the_relay(internet: Network, server: Coturn, folder: Path) -> None:
    """With all that the functions give, and every way open to them, they are connected, and it is by the relay."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    commands = [internet.command(home, CHROMIUM, folder / f"chromium{n}") for n, home in enumerate(internet.sites)]
    given = [[IceServer(urls=(stun_url(SERVER),)), credentials(server, user)] for user in (ANA, BEN)]
    async with (
        async_playwright() as playwright,
        chromium(playwright, commands[0]) as first,
        chromium(playwright, commands[1]) as second,
    ):
        one, other = await page(first, given[0], "all"), await page(second, given[1], "all")
        await connect(one, other)
        await talk(one, other)
        assert "relay" in {kind for kind, _ in await pair(one)}


def test_the_server_here_is_the_stacks(server: Coturn) -> None:
    """Ports, relay ports, limits and denied ranges are those that a stack has; nothing was opened for the test."""
    t = server.turn
    stacks = configuration(Turn(t.realm, SECRETS, t.certificate, t.key, listening_ip=SERVER)).splitlines()
    more = set(configuration(t).splitlines()) - set(stacks)
    assert {line.partition("=")[0] for line in more} == {"userdb", "pidfile", "aux-server"}
