"""The whole local system, once a test run: gateway, workers, moto. What tests do to it goes through its ports only."""

from collections.abc import AsyncIterator, Iterator

import pytest

from benchmarks.client import Api
from local.stack import Stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """A running system."""
    with Stack() as running:
        yield running


@pytest.fixture
async def api(stack: Stack) -> AsyncIterator[Api]:
    """A client of it."""
    async with Api(stack.base_url) as made:
        yield made
