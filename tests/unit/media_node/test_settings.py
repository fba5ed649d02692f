"""A node's settings and addresses: typed, checked, or refused by name."""

import pytest

from chalicelib.wire import limits
from media_node.address import ECHO, METADATA_VARIABLE, local_addresses, public_address
from media_node.settings import node_settings

URL = {"WEBSOCKET_URL": "wss://abc.execute-api.eu-west-1.amazonaws.com/api"}


def test_what_is_not_set_has_a_default_that_is_safe() -> None:
    """But the WebSocket, which must be known."""
    s = node_settings(URL)
    assert (s.url, s.port, s.capacity, s.idle_s, s.workers, s.nice, s.loop) == (
        URL["WEBSOCKET_URL"],
        0,
        limits.NODE_PEERS_MAX,
        limits.NODE_IDLE_S,
        1,
        -10,
        "uvloop",
    )
    assert node_settings({**URL, "NODE_LOOP": "asyncio"}).loop == "asyncio"
    assert node_settings({**URL, "NODE_WEBSOCKET_URL": "ws://127.0.0.1:1/ws"}).url == "ws://127.0.0.1:1/ws"


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({}, "NODE_WEBSOCKET_URL"),
        ({"WEBSOCKET_URL": "/ws"}, "NODE_WEBSOCKET_URL"),
        ({**URL, "NODE_PORT": "70000"}, "NODE_PORT"),
        ({**URL, "NODE_PORT": "x"}, "NODE_PORT"),
        ({**URL, "NODE_CAPACITY": "0"}, "NODE_CAPACITY"),
        ({**URL, "NODE_IDLE_S": "-1"}, "NODE_IDLE_S"),
        ({**URL, "NODE_WORKERS": "0"}, "NODE_WORKERS"),
        ({**URL, "NODE_NICE": "-21"}, "NODE_NICE"),
        ({**URL, "NODE_LOOP": "trio"}, "NODE_LOOP"),
    ],
)
def test_what_cannot_be_is_refused_by_name(env: dict[str, str], said: str) -> None:
    """Before anything is started."""
    with pytest.raises(ValueError, match=said):
        node_settings(env)


async def _nobody(url: str) -> bytes:
    raise AssertionError(f"{url} was asked")


async def test_an_address_that_is_given_is_taken() -> None:
    """Several by commas; one that is none is refused."""
    assert await public_address({"NODE_ADDRESS": "203.0.113.9, 2001:db8::1"}, _nobody) == "203.0.113.9,2001:db8::1"
    with pytest.raises(ValueError, match="example"):
        await public_address({"NODE_ADDRESS": "example"}, _nobody)


async def test_a_task_asks_how_it_is_called_outside() -> None:
    """What answers is an address, or the node does not start."""
    asked = []

    async def get(url: str) -> bytes:
        asked.append(url)
        return b"203.0.113.9\n"

    assert await public_address({METADATA_VARIABLE: "http://169.254.170.2/v4/x"}, get) == "203.0.113.9"
    assert asked == [ECHO]

    async def nonsense(_url: str) -> bytes:
        return b"<html>"

    with pytest.raises(ValueError, match="html"):
        await public_address({METADATA_VARIABLE: "http://169.254.170.2/v4/x"}, nonsense)


async def test_a_machine_tells_its_own_addresses() -> None:
    """Its main one, and loopback last."""
    found = local_addresses()
    assert found[-1] == "127.0.0.1"
    assert await public_address({}, _nobody) == ",".join(found)
