"""The whole local system, once a test run: gateway, workers, moto. What tests do to it goes through its ports only.

And once more with something in the middle of every way, for what goes wrong there (docs/faults.md). FAULT_SEED is the first
seed, FAULT_ROUNDS how many each test is given, FAULT_DYNAMODB the emulator; a red test names its seed.
"""

import os
from collections.abc import AsyncIterator, Iterator

import pytest

from benchmarks.client import Api
from local.stack import Stack
from tests.faults.crew import Crew
from tests.faults.house import House
from tests.faults.rooms import on_node, on_websocket

FIRST = int(os.environ.get("FAULT_SEED", "0"))
SEEDS = range(FIRST, FIRST + int(os.environ.get("FAULT_ROUNDS", "1")))


TURN_SECRET = "holodeck-test-secret-0123456789abcdef"
TURN_URLS = ("turn:127.0.0.1:3478?transport=udp", "turns:turn.test:443?transport=tcp")
STUN_URL = "stun:127.0.0.1:3478"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running system. It tells pages of a TURN server that is not there."""
    secret = tmp_path_factory.mktemp("turn") / "secret"
    secret.write_text(f"{TURN_SECRET}\n")
    turn = {"STUN_URLS": STUN_URL, "TURN_URLS": ",".join(TURN_URLS), "TURN_SECRET_FILE": str(secret)}
    with Stack(settings=turn) as running:
        yield running


@pytest.fixture
async def api(stack: Stack) -> AsyncIterator[Api]:
    """A client of it."""
    async with Api(stack.base_url) as made:
        yield made


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """A system that can be hurt."""
    with House(os.environ.get("FAULT_DYNAMODB", "moto")) as made:
        yield made


@pytest.fixture(params=SEEDS, ids=[f"seed{seed}" for seed in SEEDS])
def seed(request: pytest.FixtureRequest) -> int:
    """What is drawn is drawn from it."""
    return int(request.param)


@pytest.fixture
async def crew(house: House, seed: int) -> AsyncIterator[Crew]:
    """People in a room of their own, whole so far."""
    async with on_websocket(house, seed) as made:
        yield made


@pytest.fixture
async def relay_crew(house: House, seed: int) -> AsyncIterator[Crew]:
    """People whose edits go by the channels of a media node."""
    async with on_node(house, seed) as made:
        yield made
